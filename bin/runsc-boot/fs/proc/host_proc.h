// What the host's /proc says about the stubs, read through boot's own /proc
// (that of its pid namespace). The host is the MMU and the scheduler, so it
// alone knows mappings, resident memory, run states and CPU time.
#ifndef RUNSC_BOOT_FS_PROC_HOST_PROC_H_
#define RUNSC_BOOT_FS_PROC_HOST_PROC_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::boot::proc {

// The fields of /proc/PID/stat that the kernel passes on, by their names in
// proc_pid_stat(5).
struct HostStat {
  char state = 'S';
  uint64_t minflt = 0, majflt = 0, utime = 0, stime = 0;
  int64_t priority = 20, nice = 0;
  uint64_t vsize = 0;  // bytes
  int64_t rss = 0;     // pages
  int processor = 0;
  unsigned rt_priority = 0, policy = 0;
};

// The fields of /proc/PID/statm, in pages.
struct HostStatm {
  uint64_t size = 0, resident = 0, shared = 0, text = 0, data = 0;
};

// One line of /proc/PID/maps, with the lines that follow it in smaps.
struct HostMapping {
  uint64_t start = 0, end = 0;
  std::string protection;  // "r-xp"
  uint64_t offset = 0;
  dev_t device = 0;
  ino_t inode = 0;
  std::string name;     // what the host shows; empty for anonymous memory
  std::string details;  // smaps only
};

// Parsers, apart from the files for tests. EINVAL: not of the expected form.
Result<HostStat> ParseHostStat(std::string_view text);
Result<HostStatm> ParseHostStatm(std::string_view text);
Result<std::vector<HostMapping>> ParseHostMaps(std::string_view text);

// Thread-safe: keeps only a directory.
class HostProc {
 public:
  // `directory`: the host's /proc.
  explicit HostProc(FileDescriptor directory) : directory_(std::move(directory)) {}

  // A whole file below /proc. ENOENT, ESRCH, EACCES.
  Result<std::string> ReadFile(const std::string& name) const;
  Result<HostStat> ThreadStat(pid_t host_pid, pid_t host_tid) const;
  Result<HostStat> ProcessStat(pid_t host_pid) const;
  Result<HostStatm> Statm(pid_t host_pid) const;
  // `details`: from smaps instead of maps.
  Result<std::vector<HostMapping>> Maps(pid_t host_pid, bool details) const;
  // The first page of [start, end) that the process has ever touched and not given
  // back; `end` if there is none.
  uint64_t FirstTouched(pid_t host_pid, uint64_t start, uint64_t end) const;
  // The value in KiB behind "`field`:" of /proc/PID/status, 0 if there is none.
  static uint64_t StatusKib(std::string_view status, std::string_view field);

 private:
  const FileDescriptor directory_;
};

}  // namespace runsc::boot::proc

#endif  // RUNSC_BOOT_FS_PROC_HOST_PROC_H_
