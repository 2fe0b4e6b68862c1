// A POSIX message queue (mq_overview(7)): messages by priority, who waits for
// one, and who wants to be told of the next.
//
// A receiver that has to wait is queued, and whoever sends hands its message to
// it; senders wait for room on the wait queue. Nothing here blocks.
#ifndef RUNSC_BOOT_FS_MQUEUE_QUEUE_H_
#define RUNSC_BOOT_FS_MQUEUE_QUEUE_H_

#include <csignal>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/fs/mqueue/settings.h"
#include "bin/runsc-boot/ipc_sysv/memory_budget.h"
#include "bin/runsc-boot/wait/wait_queue.h"
#include "common/result.h"

namespace runsc::boot::mqueue {

struct Message {
  unsigned priority = 0;
  std::string text;
  MemoryCharge charge;
};

// Who sends; ids are the kernel's.
struct Sender {
  pid_t process = 0;
  uid_t user = 0;
};

// mq_notify(3). Process ids are the kernel's.
struct Notification {
  pid_t process = 0;
  int kind = SIGEV_NONE;
  int signal = 0;
  // Tells of the message; without any lock.
  std::function<void(const Sender& sender)> send;
  // Tells that no message will be told of; without any lock.
  std::function<void()> removed;
};

class Receiver;

class Queue : public std::enable_shared_from_this<Queue> {
 public:
  Queue(const QueueSize& size, MemoryBudgetRef budget) : size_(size), budget_(std::move(budget)) {}

  const QueueSize& size() const { return size_; }
  int64_t message_count() const ABSL_LOCKS_EXCLUDED(mutex_);
  WaitQueue& wait_queue() { return wait_queue_; }
  PollEvents Poll() const ABSL_LOCKS_EXCLUDED(mutex_);

  // A message to send, with a text of zeros that is to be filled in. ENOMEM.
  Result<Message> MakeMessage(unsigned priority, size_t size) const;
  // EAGAIN: full; the message stays with the caller.
  Status Send(Message& message, const Sender& sender) ABSL_LOCKS_EXCLUDED(mutex_);
  // Gives the receiver the oldest message of the highest priority: true; or
  // queues it, if it may `wait`: false. EAGAIN: empty.
  Result<bool> Receive(Receiver& receiver, bool wait) ABSL_LOCKS_EXCLUDED(mutex_);

  // EBUSY: somebody is registered.
  Status Register(Notification notification) ABSL_LOCKS_EXCLUDED(mutex_);
  // That of `process`, if it is the one.
  void Unregister(pid_t process) ABSL_LOCKS_EXCLUDED(mutex_);
  // What a read of the queue's file gives.
  std::string Text() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  friend class Receiver;

  const QueueSize size_;
  const MemoryBudgetRef budget_;
  // Held while receivers are woken; else a leaf.
  mutable absl::Mutex mutex_;
  std::map<unsigned, std::deque<Message>, std::greater<>> messages_ ABSL_GUARDED_BY(mutex_);
  int64_t count_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::list<Receiver*> receivers_ ABSL_GUARDED_BY(mutex_);
  std::optional<Notification> notification_ ABSL_GUARDED_BY(mutex_);
  WaitQueue wait_queue_;
};
using QueueRef = std::shared_ptr<Queue>;

// One call of mq_timedreceive(2). Leaves the queue in its destructor.
class Receiver {
 public:
  explicit Receiver(Waker& waker) : waker_(waker) {}
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver() { (void)Abandon(); }

  // True once it has a message.
  bool done();
  // The same, and it waits no more.
  bool Abandon();
  const Message& message() const { return message_; }

 private:
  friend class Queue;

  Waker& waker_;
  // Set when it is queued; the rest is guarded by the queue's lock.
  QueueRef queue_;
  bool queued_ = false;
  Message message_;
};

}  // namespace runsc::boot::mqueue

#endif  // RUNSC_BOOT_FS_MQUEUE_QUEUE_H_
