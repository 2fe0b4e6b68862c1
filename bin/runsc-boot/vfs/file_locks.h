// Advisory locks of one file: records locked by processes (POSIX) or by open
// file descriptions (fcntl(2)), and whole-file locks (flock(2)).
//
// Owners are addresses that are compared, never dereferenced: the descriptor
// table for a process, the File for a description. FdTable and File release
// what they own when a descriptor is closed or the description ends.
#ifndef RUNSC_BOOT_VFS_FILE_LOCKS_H_
#define RUNSC_BOOT_VFS_FILE_LOCKS_H_

#include <sys/types.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/wait/wait_queue.h"
#include "common/result.h"

namespace runsc::boot {

// Bytes [begin, end); end kToEnd: however long the file becomes.
struct LockRange {
  static constexpr uint64_t kToEnd = std::numeric_limits<uint64_t>::max();
  uint64_t begin = 0;
  uint64_t end = kToEnd;
  bool Meets(const LockRange& other) const { return begin < other.end && other.begin < end; }
};

struct RecordLock {
  LockRange range;
  bool exclusive = false;
  const void* owner = nullptr;
  pid_t pid = -1;  // for F_GETLK; -1: owned by a description
};

// A lock as /proc/locks shows it.
struct ShownLock {
  enum class Kind { kRecord, kDescription, kWhole } kind = Kind::kRecord;
  LockRange range;
  bool exclusive = false;
  pid_t pid = -1;  // of who has taken it; -1: of no process
};

// Thread-safe. Waiters sleep on wait_queue(), which is notified with EPOLLOUT
// when locks go away.
class FileLocks {
 public:
  // The first lock of another owner that is in the way of `wanted`.
  std::optional<RecordLock> FindConflict(const RecordLock& wanted) const;
  // The first lock of `owner` that meets `range`.
  std::optional<RecordLock> FindOwn(const void* owner, const LockRange& range) const;
  // Replaces what the owner has in the range. EAGAIN: in the way of others;
  // ENOLCK: too many locks.
  Status Lock(const RecordLock& wanted);
  void Unlock(const void* owner, const LockRange& range);

  // EAGAIN; a change of kind gives up the old lock even then. `pid`: of the caller.
  Status LockWhole(const void* owner, bool exclusive, pid_t pid = -1);
  void UnlockWhole(const void* owner);

  // All locks of both kinds.
  void Release(const void* owner);

  std::vector<ShownLock> List() const;

  WaitQueue& wait_queue() { return wait_queue_; }

 private:
  std::optional<RecordLock> FindConflictLocked(const RecordLock& wanted) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Cuts [range] out of the owner's locks; true when there was something.
  bool CutLocked(const void* owner, const LockRange& range) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MergeLocked(RecordLock lock) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  struct WholeLock {
    const void* owner;
    bool exclusive;
    pid_t pid;
  };
  mutable absl::Mutex mutex_;
  std::vector<RecordLock> records_ ABSL_GUARDED_BY(mutex_);
  std::vector<WholeLock> whole_ ABSL_GUARDED_BY(mutex_);
  WaitQueue wait_queue_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_FILE_LOCKS_H_
