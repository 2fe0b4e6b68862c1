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
    waiting_.fetch_add(1, std::memory_order_release);
  }
  timer_.Arm(MonotonicNow());
}

void LateSignals::Add(std::function<void()> send) {
  constexpr size_t kMaxSenders = 4096;
  {
    absl::MutexLock lock(&mutex_);
    if (senders_.size() >= kMaxSenders) return;
    senders_.push_back(std::move(send));
    waiting_.fetch_add(1, std::memory_order_release);
  }
  timer_.Arm(MonotonicNow());
}

void LateSignals::SendAll() {
  absl::MutexLock sending(&sending_);
  std::vector<Signal> signals;
  std::vector<std::function<void()>> senders;
  {
    absl::MutexLock lock(&mutex_);
    signals.swap(signals_);
    senders.swap(senders_);
  }
  for (const auto& send : senders) send();
  for (const Signal& signal : signals) (void)signal.Send().ok();
  waiting_.fetch_sub(signals.size() + senders.size(), std::memory_order_release);
}

}  // namespace runsc::boot
