// Signals that may not be sent where their cause is noticed: by whoever made the
// cause, at the end of its call, and else from the thread of the kernel's timers.
#ifndef RUNSC_BOOT_KERNEL_LATE_SIGNALS_H_
#define RUNSC_BOOT_KERNEL_LATE_SIGNALS_H_

#include <atomic>
#include <functional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/signal.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/kernel/timer.h"
#include "common/result.h"

namespace runsc::boot {

// Thread-safe; its lock is a leaf. Flush is called with no lock held. It belongs to the kernel, so
// what caused a signal may go before it is sent.
class LateSignals {
 public:
  struct Signal {
    TaskRef target;  // or its group
    SigInfo info{};
    bool to_task = false;
    // EAGAIN.
    Status Send() const;
  };

  explicit LateSignals(TimerQueue& queue) : timer_(queue, [this] { SendAll(); }) {}
  // Nothing new when the target is about to get this signal anyway.
  void Add(Signal signal) ABSL_LOCKS_EXCLUDED(mutex_);
  // Where it cannot even be found out who gets one. When too many wait, `send`
  // is forgotten, as what a full queue of signals does not take.
  void Add(std::function<void()> send) ABSL_LOCKS_EXCLUDED(mutex_);
  // What has been added has been sent afterwards: as on Linux, it is there when
  // the call returns that it comes from.
  void Flush() {
    if (waiting_.load(std::memory_order_acquire) != 0) SendAll();
  }

 private:
  void SendAll() ABSL_LOCKS_EXCLUDED(mutex_, sending_);

  absl::Mutex sending_;  // before all others of the kernel
  absl::Mutex mutex_;
  std::atomic<size_t> waiting_{0};  // counts what is being sent, too
  std::vector<Signal> signals_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::function<void()>> senders_ ABSL_GUARDED_BY(mutex_);
  Timer timer_;  // last, so that it ends first
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_LATE_SIGNALS_H_
