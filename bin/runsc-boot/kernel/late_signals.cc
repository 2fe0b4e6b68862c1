#include "bin/runsc-boot/kernel/late_signals.h"

#include <utility>

namespace runsc::boot {

Status LateSignals::Signal::Send() const {
  return to_task ? target->SendSignal(info) : target->SendGroupSignal(info);
}

void LateSignals::Add(Signal signal) {
  {
    absl::MutexLock lock(&mutex_);
    for (const Signal& other : signals_) {
      if (other.target == signal.target && other.to_task == signal.to_task &&
          other.info.si_signo == signal.info.si_signo) {
        return;
      }
    }
    signals_.push_back(std::move(signal));
  }
  timer_.Arm(MonotonicNow());
}

void LateSignals::SendAll() {
  std::vector<Signal> signals;
  {
    absl::MutexLock lock(&mutex_);
    signals.swap(signals_);
  }
  for (const Signal& signal : signals) (void)signal.Send().ok();
}

}  // namespace runsc::boot
