// Memory that processes attach rather than map (shmat(2)): what it hears of the
// address spaces that it is in, and how often it is mapped.
#ifndef RUNSC_BOOT_MM_ATTACHABLE_H_
#define RUNSC_BOOT_MM_ATTACHABLE_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "common/result.h"

namespace runsc::boot {

// The host's device and inode number of a file.
using HostFileId = std::pair<dev_t, ino_t>;

// A mapping of a file, as the host's table of a process has it.
struct MappedRange {
  uint64_t start = 0, end = 0, offset = 0;
  HostFileId file;
};
// Those of a process by its number in boot's pid namespace.
using MappingReader = std::function<Result<std::vector<MappedRange>>(pid_t host_pid)>;

// How many mappings there are of each file in which somebody has attached it.
// The application unmaps without the kernel, so that only the host can tell.
using AttachmentCounts = std::map<HostFileId, uint64_t>;
using AttachmentCounter = std::function<AttachmentCounts()>;

class Attachable {
 public:
  virtual ~Attachable() = default;
  virtual uint64_t size() const = 0;  // in bytes, not rounded to pages
  // A process that has it has made a child with a copy of its memory.
  virtual void OnFork(pid_t parent) = 0;
  // A process that had it is about to lose its memory.
  virtual void OnEnd(pid_t process) = 0;
  // The memory is gone; `count` finds none of its mappings.
  virtual void AfterEnd(const AttachmentCounter& count) = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_MM_ATTACHABLE_H_
