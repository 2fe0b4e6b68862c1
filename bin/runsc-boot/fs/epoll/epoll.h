// epoll(7): a set of files and the events wanted of each.
//
// Lock order: an instance's interest lock, then locks of the files' queues,
// then the ready lock; notifications arrive with a queue's lock held and take
// only ready locks and queues of instances further out. Instances may watch
// each other, but not in a circle.
#ifndef RUNSC_BOOT_FS_EPOLL_EPOLL_H_
#define RUNSC_BOOT_FS_EPOLL_EPOLL_H_

#include <sys/epoll.h>

#include <list>
#include <memory>
#include <span>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/vfs/file.h"
#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

class EpollFile final : public File {
 public:
  explicit EpollFile(Path path);
  ~EpollFile() override;
  static std::shared_ptr<EpollFile> Make(Vfs& vfs, Context& context);

  // epoll_ctl(2). The key is the descriptor number and the file. EEXIST,
  // ENOENT, EPERM (a file that is not pollable), EINVAL (itself, or bad use of
  // EPOLLEXCLUSIVE), ELOOP.
  Status Add(Context& context, int fd, const FileRef& file, const epoll_event& event);
  Status Modify(Context& context, int fd, const FileRef& file, const epoll_event& event);
  Status Remove(int fd, const FileRef& file);

  // What is watched under the number `fd`, which can be several files one after
  // another: the one that `offset` others precede. ENOENT.
  Result<FileRef> Target(uint32_t fd, uint32_t offset) ABSL_LOCKS_EXCLUDED(mutex_);

  // epoll_wait(2) without the waiting: how many of `events` were filled. The
  // caller waits on wait_queue() for EPOLLIN while it is 0.
  size_t Collect(Context& context, std::span<epoll_event> events);

  PollEvents Poll() override { return FirstReady(nullptr); }
  PollEvents PollBy(Context& context) override { return FirstReady(&context); }
  WaitQueue* wait_queue() override { return &wait_queue_; }
  std::string Describe() const override { return "anon_inode:[eventpoll]"; }
  std::string FdInfo() const override;

 private:
  struct Item;
  using Key = std::pair<int, const File*>;

  void Notified(Item& item);
  // Puts it among the ready ones if it is not there.
  void MarkReady(Item& item) ABSL_LOCKS_EXCLUDED(ready_mutex_);
  // What is ready of the item's wanted events now; for `context`, if given.
  static PollEvents Ask(Context* context, const Item& item, const FileRef& file);
  PollEvents FirstReady(Context* context) ABSL_LOCKS_EXCLUDED(mutex_);
  // Depth of instances below `file`; ELOOP when it reaches `this` or too deep.
  Status CheckNesting(File& file, int depth);
  Status CheckEvents(const FileRef& file, const epoll_event& event, bool add);
  void ForgetClosedFiles() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Item* FindLocked(int fd, const FileRef& file) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<Key, std::unique_ptr<Item>> items_ ABSL_GUARDED_BY(mutex_);
  absl::Mutex ready_mutex_ ABSL_ACQUIRED_AFTER(mutex_);
  std::list<Item*> ready_ ABSL_GUARDED_BY(ready_mutex_);
  WaitQueue wait_queue_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_EPOLL_EPOLL_H_
