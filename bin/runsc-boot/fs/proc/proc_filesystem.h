// The instance of /proc: the kernel whose state it shows, and the host's view
// of the stubs. MakeProcFilesystem is the only entry for other folders.
#ifndef RUNSC_BOOT_FS_PROC_PROC_FILESYSTEM_H_
#define RUNSC_BOOT_FS_PROC_PROC_FILESYSTEM_H_

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/fs/proc/host_proc.h"
#include "bin/runsc-boot/fs/proc/options.h"
#include "bin/runsc-boot/fs/pseudo/inode.h"
#include "bin/runsc-boot/kernel/kernel.h"

namespace runsc::boot::proc {

inline constexpr uint64_t kNanosecondsPerTick = 10'000'000;  // USER_HZ is 100 on x86-64

// Settings that differ from the usual: names below /proc/sys, and values.
using Sysctls = std::map<std::string, std::string>;
// ENOENT: there is no such setting; EPERM: it cannot be changed.
Status CheckSysctl(const std::string& name);

class ProcFilesystem final : public pseudo::PseudoFilesystem {
 public:
  ProcFilesystem(Kernel& kernel, std::shared_ptr<const HostProc> host,
                 std::shared_ptr<const Sysctls> sysctls, PidNamespaceRef pids,
                 const Options& options, dev_t dev);

  Kernel& kernel() const { return kernel_; }
  const HostProc& host() const { return *host_; }
  const Sysctls& sysctls() const { return *sysctls_; }
  // Whose processes it shows; null: the first one's, which are all.
  const PidNamespace* pid_namespace() const { return pids_.get(); }
  // proc(5), hidepid: whether the caller gets to see of `task` what `hidden` and
  // what is stricter hides.
  bool MaySee(Context& context, const Task& task, HidePid hidden) const;
  Options options() const;
  // By the number that it shows; null.
  TaskRef FindTask(pid_t pid) const;
  // Clock ticks from the sandbox's start to a time on CLOCK_MONOTONIC, for the
  // time namespace of who reads.
  uint64_t TicksSinceStart(Context& reader, int64_t monotonic_ns) const;

  std::string mount_options() const override { return options().ToString(); }
  Status Reconfigure(Context& context, std::string_view data) override;

 private:
  Kernel& kernel_;
  const std::shared_ptr<const HostProc> host_;
  const std::shared_ptr<const Sysctls> sysctls_;
  const PidNamespaceRef pids_;
  mutable absl::Mutex options_mutex_;
  Options options_ ABSL_GUARDED_BY(options_mutex_);
};

// A file system for mount(2) of type "proc", by a process of `pids` (null: the
// first pid namespace). `kernel` must outlive it.
FilesystemRef MakeProcFilesystem(Kernel& kernel, std::shared_ptr<const HostProc> host,
                                 std::shared_ptr<const Sysctls> sysctls, PidNamespaceRef pids,
                                 const Options& options, dev_t dev);

}  // namespace runsc::boot::proc

#endif  // RUNSC_BOOT_FS_PROC_PROC_FILESYSTEM_H_
