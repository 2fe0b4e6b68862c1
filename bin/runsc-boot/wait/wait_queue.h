// Wait queues: how something that becomes ready wakes those who wait for it.
//
// Nothing below the system-call layer blocks. An object that is not ready
// returns EAGAIN; the caller registers a WaitEntry on the object's WaitQueue,
// tries again (so that no wake-up is lost), and sleeps on its Waker.
//
// Lock order: the queue's lock is taken inside the object's locks; callbacks
// run with it held, so they may only take leaf locks (a Waker's) and must not
// register or unregister entries on the same queue.
#ifndef RUNSC_BOOT_WAIT_WAIT_QUEUE_H_
#define RUNSC_BOOT_WAIT_WAIT_QUEUE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace runsc::boot {

// Readiness as in poll(2): EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP, EPOLLRDHUP...
using PollEvents = uint32_t;

// Something that can be woken; implemented by the task.
class Waker {
 public:
  virtual ~Waker() = default;
  // Makes the current or next sleep return. Callable with any lock held.
  virtual void Wake() = 0;
};

class WaitEntry;

namespace wait_internal {
// What a queue and its entries share, so that either may go first: an epoll
// instance does not keep the files alive that it watches.
struct QueueState {
  absl::Mutex mutex;
  WaitEntry* first ABSL_GUARDED_BY(mutex) = nullptr;
  WaitEntry* last ABSL_GUARDED_BY(mutex) = nullptr;
  // A hint that spares Notify the lock when nobody waits.
  std::atomic<int> count{0};
};
}  // namespace wait_internal

// One registration, in one queue at a time. The destructor unregisters.
// Register, Unregister and destruction of one entry must not run concurrently.
class WaitEntry {
 public:
  // Runs `callback(events)` on a notification that intersects `mask`
  // (EPOLLERR and EPOLLHUP always do).
  WaitEntry(PollEvents mask, std::function<void(PollEvents)> callback)
      : mask_(mask), callback_(std::move(callback)) {}
  WaitEntry(PollEvents mask, Waker& waker)
      : WaitEntry(mask, [&waker](PollEvents) { waker.Wake(); }) {}
  WaitEntry(const WaitEntry&) = delete;
  WaitEntry& operator=(const WaitEntry&) = delete;
  ~WaitEntry() { Unregister(); }

  bool registered() const { return state_ != nullptr; }
  // No callback runs any more once this has returned.
  void Unregister();

 private:
  friend class WaitQueue;
  PollEvents mask_;
  std::function<void(PollEvents)> callback_;
  std::shared_ptr<wait_internal::QueueState> state_;  // set while registered
  WaitEntry* previous_ = nullptr;
  WaitEntry* next_ = nullptr;
};

class WaitQueue {
 public:
  WaitQueue() : state_(std::make_shared<wait_internal::QueueState>()) {}
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  void Register(WaitEntry& entry);
  void Unregister(WaitEntry& entry);
  // Runs the callbacks of the entries that are interested in `events`, in the
  // order of registration.
  void Notify(PollEvents events);
  bool empty() const { return state_->count.load() == 0; }

 private:
  const std::shared_ptr<wait_internal::QueueState> state_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_WAIT_WAIT_QUEUE_H_
