// Timers of the kernel: callbacks that run at a time, on one thread for all.
//
//   Timer timer(kernel.timers(), [this] { OnExpiry(); });
//   timer.Arm(MonotonicNow() + 1'000'000);
//
// Callbacks run without any lock of the queue held, one at a time, and must
// not block.
#ifndef RUNSC_BOOT_KERNEL_TIMER_H_
#define RUNSC_BOOT_KERNEL_TIMER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace runsc::boot {

// In nanoseconds of CLOCK_MONOTONIC.
int64_t MonotonicNow();

class TimerQueue;

class Timer {
 public:
  Timer(TimerQueue& queue, std::function<void()> callback)
      : queue_(queue),
        callback_(std::make_shared<const std::function<void()>>(std::move(callback))) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  // Waits for a running callback to end (unless it is the callback that ends
  // its timer); not to be called with a lock held that the callback takes.
  ~Timer();

  // Runs the callback once at `deadline_ns` of CLOCK_MONOTONIC (at once when
  // that has passed); replaces an earlier deadline.
  void Arm(int64_t deadline_ns);
  // A callback that has already begun still runs.
  void Disarm();

 private:
  friend class TimerQueue;
  TimerQueue& queue_;
  const std::shared_ptr<const std::function<void()>> callback_;
  int64_t deadline_ns_ = 0;  // guarded by the queue's mutex
  bool armed_ = false;       // guarded by the queue's mutex
};

class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  // No timer may be armed any more.
  ~TimerQueue();

 private:
  friend class Timer;
  void Run();
  void DisarmLocked(Timer& timer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sleeps until the deadline or a change; gives up the lock meanwhile.
  void WaitForChange(int64_t deadline_ns) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteChange() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  std::set<std::pair<int64_t, Timer*>> armed_ ABSL_GUARDED_BY(mutex_);
  // Signalled when a callback has ended.
  absl::CondVar finished_;
  Timer* running_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  // Started with the first timer.
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
  // Futex word: counts changes.
  std::atomic<uint32_t> changes_{0};
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_TIMER_H_
