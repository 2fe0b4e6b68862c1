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

#include <cstdint>
#include <functional>
#include <list>

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

class WaitQueue;

// One registration. Must outlive its presence in the queue; the destructor
// unregisters.
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
  ~WaitEntry();

 private:
  friend class WaitQueue;
  PollEvents mask_;
  std::function<void(PollEvents)> callback_;
  WaitQueue* queue_ = nullptr;  // set while registered
  std::list<WaitEntry*>::iterator position_;
};

class WaitQueue {
 public:
  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;
  // No entry may be registered any more.
  ~WaitQueue();

  void Register(WaitEntry& entry) ABSL_LOCKS_EXCLUDED(mutex_);
  void Unregister(WaitEntry& entry) ABSL_LOCKS_EXCLUDED(mutex_);
  // Runs the callbacks of the entries that are interested in `events`, in the
  // order of registration.
  void Notify(PollEvents events) ABSL_LOCKS_EXCLUDED(mutex_);
  bool empty() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  std::list<WaitEntry*> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_WAIT_WAIT_QUEUE_H_
