// The table of signal actions; shared by a thread group, or by several with
// CLONE_SIGHAND.
#ifndef RUNSC_BOOT_KERNEL_SIGNAL_ACTIONS_H_
#define RUNSC_BOOT_KERNEL_SIGNAL_ACTIONS_H_

#include <array>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/signal.h"

namespace runsc::boot {

// Thread-safe; its lock is a leaf.
class SignalActions {
 public:
  SignalAction Get(int signo) const;
  SignalAction Exchange(int signo, const SignalAction& action);
  void Reset(int signo) { Exchange(signo, {}); }
  // For fork; with `clear` every handler becomes the default (CLONE_CLEAR_SIGHAND).
  // For exec `clear` is true too: ignored signals stay ignored.
  std::shared_ptr<SignalActions> Clone(bool clear) const;

 private:
  mutable absl::Mutex mutex_;
  std::array<SignalAction, kSignalCount> actions_ ABSL_GUARDED_BY(mutex_);
};

inline SignalAction SignalActions::Get(int signo) const {
  absl::MutexLock lock(&mutex_);
  return actions_[signo - 1];
}

inline SignalAction SignalActions::Exchange(int signo, const SignalAction& action) {
  absl::MutexLock lock(&mutex_);
  return std::exchange(actions_[signo - 1], action);
}

inline std::shared_ptr<SignalActions> SignalActions::Clone(bool clear) const {
  auto copy = std::make_shared<SignalActions>();
  absl::MutexLock lock(&mutex_);
  absl::MutexLock copy_lock(&copy->mutex_);
  copy->actions_ = actions_;
  if (!clear) return copy;
  for (SignalAction& action : copy->actions_) {
    const uint64_t handler = action.handler;
    action = {};
    if (handler == reinterpret_cast<uint64_t>(SIG_IGN)) action.handler = handler;
  }
  return copy;
}

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_SIGNAL_ACTIONS_H_
