#include "bin/runsc-boot/kernel/signal.h"

#include <algorithm>
#include <cstring>

namespace runsc::boot {

namespace {

constexpr SignalSet kSynchronous = SignalBit(SIGSEGV) | SignalBit(SIGBUS) | SignalBit(SIGILL) |
                                   SignalBit(SIGTRAP) | SignalBit(SIGFPE) | SignalBit(SIGSYS);
// The kernel's SIGRTMIN; the C library's is larger.
constexpr int kFirstRealTime = 32;

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

Status PendingSignals::Add(const SigInfo& info, size_t limit) {
  const SignalSet bit = SignalBit(info.si_signo);
  if (info.si_signo < kFirstRealTime) {
    if ((set_ & bit) != 0) return Ok();
  } else if (queue_.size() >= limit) {
    // kill(2) must work without queue space; only what carries data may fail.
    if (info.si_code != SI_USER) return Error(EAGAIN);
    if ((set_ & bit) != 0) return Ok();
  }
  queue_.push_back(info);
  set_ |= bit;
  return Ok();
}

std::optional<SigInfo> PendingSignals::Take(SignalSet blocked) {
  SignalSet candidates = set_ & ~blocked;
  if (candidates == 0) return std::nullopt;
  if ((candidates & kSynchronous) != 0) candidates &= kSynchronous;
  const int signo = __builtin_ctzll(candidates) + 1;
  auto is_it = [signo](const SigInfo& info) { return info.si_signo == signo; };
  auto first = std::find_if(queue_.begin(), queue_.end(), is_it);
  SigInfo info = *first;
  auto next = queue_.erase(first);
  if (std::none_of(next, queue_.end(), is_it)) set_ &= ~SignalBit(signo);
  return info;
}

void PendingSignals::Discard(SignalSet signals) {
  if ((set_ & signals) == 0) return;
  queue_.remove_if(
      [signals](const SigInfo& info) { return (signals & SignalBit(info.si_signo)) != 0; });
  set_ &= ~signals;
}

bool PendingSignals::HasTimer(int id) const {
  return std::any_of(queue_.begin(), queue_.end(), [id](const SigInfo& info) {
    return info.si_code == SI_TIMER && info.si_timerid == id;
  });
}

}  // namespace runsc::boot
