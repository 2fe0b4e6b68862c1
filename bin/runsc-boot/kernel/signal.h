// Signal numbers, sets, information, actions and pending queues (signal(7)).
#ifndef RUNSC_BOOT_KERNEL_SIGNAL_H_
#define RUNSC_BOOT_KERNEL_SIGNAL_H_

#include <csignal>
#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "bin/runsc-boot/kernel/signal_quota.h"
#include "common/result.h"

namespace runsc::boot {

// Bit n-1 for signal n.
using SignalSet = uint64_t;
constexpr int kSignalCount = 64;
constexpr SignalSet SignalBit(int signo) { return SignalSet{1} << (signo - 1); }
constexpr SignalSet kUnblockable = SignalBit(SIGKILL) | SignalBit(SIGSTOP);

// The kernel's siginfo_t: 128 bytes as the application sees them.
using SigInfo = siginfo_t;
SigInfo MakeSigInfo(int signo, int code, pid_t pid = 0, uid_t uid = 0);

// struct sigaction as rt_sigaction(2) has it on x86-64.
struct SignalAction {
  uint64_t handler = 0;  // SIG_DFL, SIG_IGN or an address
  uint64_t flags = 0;
  uint64_t restorer = 0;
  SignalSet mask = 0;
};

enum class DefaultAction { kTerminate, kCore, kIgnore, kStop, kContinue };
DefaultAction DefaultActionOf(int signo);

// A signal of timer_create(2)'s timers carries a mark that no application can
// make: whoever takes it asks the timer for the overruns first.
void MarkTimerSignal(SigInfo& info);
// Takes the mark off; false when there is none.
bool TakeTimerMark(SigInfo& info);

// Whom a queued signal counts for, and how many may be queued.
struct SignalCharge {
  SignalQuota& quota;
  uid_t uid;
  uint64_t limit;
};

// Pending signals of a task or a thread group: standard signals once, real-time
// signals in order, bounded by RLIMIT_SIGPENDING. Not locked by itself.
class PendingSignals {
 public:
  SignalSet set() const { return set_; }
  // EAGAIN: there is no room for a real-time signal that carries data. Others
  // become pending without their information.
  Status Add(const SigInfo& info, const SignalCharge& charge);
  // Faults: always queued, never counted.
  void AddForced(const SigInfo& info);
  // Takes the first deliverable signal not in `blocked`: synchronous faults
  // first, then by number.
  std::optional<SigInfo> Take(SignalSet blocked);
  void Discard(SignalSet signals);
  // What is queued, in order of arrival.
  std::vector<SigInfo> Snapshot() const {
    std::vector<SigInfo> infos;
    for (const Entry& entry : queue_) infos.push_back(entry.info);
    return infos;
  }
  // True while an expiry of the POSIX timer `id` is queued.
  bool HasTimer(int id) const;

 private:
  struct Entry {
    SigInfo info;
    std::optional<SignalQuota::Charge> charge;
  };
  SignalSet set_ = 0;
  std::list<Entry> queue_;
};

// How an interrupted call goes on; internal error codes above errno's range
// that never leave the sandbox (Linux's names).
constexpr int kRestartSys = 512;     // restart if the handler has SA_RESTART
constexpr int kRestartNoIntr = 513;  // always restart
constexpr int kRestartNoHand = 514;  // restart only without a handler
constexpr int kRestartBlock = 516;   // restart through restart_syscall(2)

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_SIGNAL_H_
