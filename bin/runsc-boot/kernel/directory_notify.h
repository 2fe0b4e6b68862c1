// dnotify: a signal when something happens in a directory (fcntl(2), F_NOTIFY).
// It goes to the owner of the directory's description, as SIGIO does
// (async_io.h), a moment after the call that caused it.
#ifndef RUNSC_BOOT_KERNEL_DIRECTORY_NOTIFY_H_
#define RUNSC_BOOT_KERNEL_DIRECTORY_NOTIFY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/vfs/inode.h"

namespace runsc::boot {

class FdTable;

// The requests for one description: one for each descriptor table that asked.
// Thread-safe; its lock comes before that of the file system's table of watches.
class DirectoryNotify {
 public:
  // Called with the descriptor that has been asked for, possibly under locks of
  // dentries.
  using Notify = std::function<void(int fd)>;

  DirectoryNotify() = default;
  ~DirectoryNotify() { RemoveAll(); }

  // `events`: DN_*, in addition to those that `table` has asked for already.
  void Add(const InodeRef& directory, const FdTable& table, int fd, uint32_t events,
           const Notify& notify) ABSL_LOCKS_EXCLUDED(mutex_);
  // The table has closed a descriptor of the directory.
  void Remove(const FdTable& table) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Request;
  void RemoveAll() ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Mutex mutex_;
  std::vector<std::shared_ptr<Request>> requests_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_DIRECTORY_NOTIFY_H_
