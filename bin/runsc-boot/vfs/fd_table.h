// Descriptor tables: numbers to file descriptions, with the close-on-exec flag.
#ifndef RUNSC_BOOT_VFS_FD_TABLE_H_
#define RUNSC_BOOT_VFS_FD_TABLE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/vfs/file.h"
#include "common/result.h"

namespace runsc::boot {

// Shared by tasks with CLONE_FILES. Thread-safe.
class FdTable {
 public:
  struct Entry {
    FileRef file;
    bool close_on_exec = false;
  };

  FdTable() = default;
  ~FdTable();
  // A copy for fork and unshare(CLONE_FILES).
  std::shared_ptr<FdTable> Clone() const;

  // EBADF when not open.
  Result<FileRef> Get(int fd) const;
  Result<Entry> GetEntry(int fd) const;
  // The lowest free number >= `lowest`; EMFILE at `limit` (RLIMIT_NOFILE).
  Result<int> Install(FileRef file, bool close_on_exec, uint64_t limit, int lowest = 0);
  // All or nothing, for pipe(2) and socketpair(2).
  Result<std::pair<int, int>> InstallPair(FileRef first, FileRef second, bool close_on_exec,
                                          uint64_t limit);
  // dup2/dup3: replaces `fd` and returns what was there (may be null).
  // EBADF: fd negative or >= limit.
  Result<FileRef> Replace(int fd, FileRef file, bool close_on_exec, uint64_t limit);
  Status SetCloseOnExec(int fd, bool value);
  // Takes the entry out; the caller flushes and drops it. EBADF.
  Result<FileRef> Remove(int fd);
  // close_range(2): removes, or marks close-on-exec, numbers in [first, last].
  std::vector<FileRef> RemoveRange(unsigned first, unsigned last);
  void MarkRange(unsigned first, unsigned last);
  // For exec; returns the removed files.
  std::vector<FileRef> RemoveCloseOnExec();
  std::vector<FileRef> RemoveAll();
  // One more than the largest number that Linux's table would have room for:
  // what select(2) looks at.
  size_t Capacity() const;
  // Open numbers in ascending order, for /proc/PID/fd.
  std::vector<int> Numbers() const;

 private:
  // Null when not open.
  const Entry* FindLocked(int fd) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int LowestFreeLocked(int from) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetLocked(int fd, FileRef file, bool close_on_exec) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // close(2) of any descriptor of a file drops the process's record locks on it,
  // and what it asked for by F_NOTIFY.
  void ReleaseRequests(File& file) const;
  FileRef TakeLocked(int fd) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mutex_);
  // Every number below it is open.
  int first_free_hint_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_FD_TABLE_H_
