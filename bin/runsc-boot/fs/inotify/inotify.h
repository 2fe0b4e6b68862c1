// inotify instances (inotify(7)): a queue of events, and the watches that fill it.
#ifndef RUNSC_BOOT_FS_INOTIFY_INOTIFY_H_
#define RUNSC_BOOT_FS_INOTIFY_INOTIFY_H_

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/vfs/vfs.h"
#include "bin/runsc-boot/vfs/watch.h"

namespace runsc::boot {

// Lock order: the instance's lock, then that of a file system's table. The
// tables deliver without their locks.
class InotifyFile final : public File {
 public:
  // `flags`: IN_NONBLOCK, IN_CLOEXEC (the caller's business); EINVAL for
  // others. EMFILE: the user has too many.
  static Result<std::shared_ptr<InotifyFile>> Make(Vfs& vfs, Context& context, int flags);
  InotifyFile(Path path, int flags, WatchAccounts& accounts, uid_t user);
  ~InotifyFile() override;

  // inotify_add_watch(2) on a place that has been found: the watch's number.
  // `mask` has been checked. EEXIST (IN_MASK_CREATE), ENOSPC.
  Result<int> AddWatch(const Path& path, uint32_t mask);
  // EINVAL: no such watch.
  Status RemoveWatch(int number);

  // Whole events only; EINVAL: not even one fits.
  Result<size_t> Read(Context& context, IoBuffer& destination) override;
  // As on Linux, a seek is no error and moves nothing.
  Result<uint64_t> Seek(Context&, int64_t, int) override { return 0; }
  Result<int64_t> Ioctl(Context& context, uint64_t command, uint64_t argument) override;
  PollEvents Poll() override;
  WaitQueue* wait_queue() override { return &wait_queue_; }
  bool async_capable() const override { return true; }
  std::string Describe() const override { return "anon_inode:inotify"; }
  std::string FdInfo() const override;

 private:
  class Entry;
  using EntryRef = std::shared_ptr<Entry>;

  // From the watches.
  void Take(const Entry& entry, const WatchEvent& event) ABSL_LOCKS_EXCLUDED(mutex_);
  void TakeEnd(const Entry& entry, uint32_t last_event) ABSL_LOCKS_EXCLUDED(mutex_);

  struct Event {
    int watch;
    uint32_t mask;
    uint32_t cookie;
    std::string name;
    size_t size() const;  // as read(2) returns it
  };
  void PutLocked(Event event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the watch out of the instance and says so (IN_IGNORED).
  EntryRef DropLocked(int number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int NewNumberLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  WatchAccounts& accounts_;
  const uid_t user_;
  WaitQueue wait_queue_;
  mutable absl::Mutex mutex_;
  std::map<int, EntryRef> watches_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<const Inode*, int> by_inode_ ABSL_GUARDED_BY(mutex_);
  std::deque<Event> events_ ABSL_GUARDED_BY(mutex_);
  size_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool overflowed_ ABSL_GUARDED_BY(mutex_) = false;  // IN_Q_OVERFLOW is queued
  int last_number_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_INOTIFY_INOTIFY_H_
