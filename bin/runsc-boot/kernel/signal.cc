#include "bin/runsc-boot/kernel/signal.h"

#include <algorithm>
#include <cstring>

namespace runsc::boot {

namespace {

constexpr SignalSet kSynchronous = SignalBit(SIGSEGV) | SignalBit(SIGBUS) | SignalBit(SIGILL) |
                                   SignalBit(SIGTRAP) | SignalBit(SIGFPE) | SignalBit(SIGSYS);
// The kernel's SIGRTMIN; the C library's is larger.
constexpr int kFirstRealTime = 32;

// In the part of siginfo_t that no layout uses; rt_sigqueueinfo(2) clears it.
constexpr size_t kMarkOffset = sizeof(SigInfo) - sizeof(uint32_t);
constexpr uint32_t kTimerMark = 0x54494d45;

}  // namespace

SigInfo MakeSigInfo(int signo, int code, pid_t pid, uid_t uid) {
  SigInfo info;
  memset(&info, 0, sizeof(info));
  info.si_signo = signo;
  info.si_code = code;
  info.si_pid = pid;
  info.si_uid = uid;
  return info;
}

DefaultAction DefaultActionOf(int signo) {
  switch (signo) {
    case SIGCHLD:
    case SIGURG:
    case SIGWINCH:
      return DefaultAction::kIgnore;
    case SIGCONT:
      return DefaultAction::kContinue;
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
      return DefaultAction::kStop;
    case SIGQUIT:
    case SIGILL:
    case SIGTRAP:
    case SIGABRT:
    case SIGBUS:
    case SIGFPE:
    case SIGSEGV:
    case SIGXCPU:
    case SIGXFSZ:
    case SIGSYS:
      return DefaultAction::kCore;
    default:
      return DefaultAction::kTerminate;
  }
}

void MarkTimerSignal(SigInfo& info) {
  memcpy(reinterpret_cast<char*>(&info) + kMarkOffset, &kTimerMark, sizeof(kTimerMark));
}

bool TakeTimerMark(SigInfo& info) {
  char* mark = reinterpret_cast<char*>(&info) + kMarkOffset;
  if (memcmp(mark, &kTimerMark, sizeof(kTimerMark)) != 0) return false;
  memset(mark, 0, sizeof(kTimerMark));
  return true;
}

Status PendingSignals::Add(const SigInfo& info, const SignalCharge& charge) {
  const SignalSet bit = SignalBit(info.si_signo);
  const bool standard = info.si_signo < kFirstRealTime;
  if (standard && (set_ & bit) != 0) return Ok();
  // As Linux: what the kernel or kill(2) sends needs no room, standard signals
  // lose what they carry, and only real-time signals with data fail.
  const uint64_t limit = standard && info.si_code >= 0 ? UINT64_MAX : charge.limit;
  std::optional<SignalQuota::Charge> taken = charge.quota.Take(charge.uid, limit);
  if (!taken.has_value() && !standard && info.si_code != SI_USER) return Error(EAGAIN);
  if (taken.has_value()) queue_.push_back({info, std::move(taken)});
  set_ |= bit;
  return Ok();
}

void PendingSignals::AddForced(const SigInfo& info) {
  queue_.push_back({info, std::nullopt});
  set_ |= SignalBit(info.si_signo);
}

std::optional<SigInfo> PendingSignals::Take(SignalSet blocked) {
  SignalSet candidates = set_ & ~blocked;
  if (candidates == 0) return std::nullopt;
  if ((candidates & kSynchronous) != 0) candidates &= kSynchronous;
  const int signo = __builtin_ctzll(candidates) + 1;
  auto is_it = [signo](const Entry& entry) { return entry.info.si_signo == signo; };
  auto first = std::find_if(queue_.begin(), queue_.end(), is_it);
  if (first == queue_.end()) {
    // It became pending when there was no room for more than that.
    set_ &= ~SignalBit(signo);
    return MakeSigInfo(signo, SI_USER);
  }
  SigInfo info = first->info;
  auto next = queue_.erase(first);
  if (std::none_of(next, queue_.end(), is_it)) set_ &= ~SignalBit(signo);
  return info;
}

void PendingSignals::Discard(SignalSet signals) {
  if ((set_ & signals) == 0) return;
  queue_.remove_if(
      [signals](const Entry& entry) { return (signals & SignalBit(entry.info.si_signo)) != 0; });
  set_ &= ~signals;
}

bool PendingSignals::HasTimer(int id) const {
  return std::any_of(queue_.begin(), queue_.end(), [id](const Entry& entry) {
    SigInfo info = entry.info;
    return info.si_code == SI_TIMER && info.si_timerid == id && TakeTimerMark(info);
  });
}

}  // namespace runsc::boot
