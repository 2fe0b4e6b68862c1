// Signals as a thread group receives them, and its stops.
#include <sys/epoll.h>

#include <algorithm>

#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/ptrace.h"
#include "bin/runsc-boot/kernel/thread_group.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kSigDfl = 0, kSigIgn = 1;
constexpr SignalSet kStopSignals =
    SignalBit(SIGSTOP) | SignalBit(SIGTSTP) | SignalBit(SIGTTIN) | SignalBit(SIGTTOU);

bool EndsByDefault(int signo) {
  const DefaultAction action = DefaultActionOf(signo);
  return action == DefaultAction::kTerminate || action == DefaultAction::kCore;
}

}  // namespace

Status ThreadGroup::SendSignal(const SigInfo& info) { return Send(info, nullptr, false); }

std::shared_ptr<SignalActions> ThreadGroup::actions() const {
  absl::MutexLock lock(&signal_mutex_);
  return actions_;
}

SignalAction ThreadGroup::action(int signo) const { return actions()->Get(signo); }

Result<SignalAction> ThreadGroup::SetAction(int signo, const SignalAction& action) {
  if (signo < 1 || signo > kSignalCount || (kUnblockable & SignalBit(signo)) != 0) {
    return Error(EINVAL);
  }
  SignalAction fresh = action;
  fresh.mask &= ~kUnblockable;
  absl::MutexLock lock(&signal_mutex_);
  const SignalAction old = actions_->Exchange(signo, fresh);
  // A pending signal that is ignored from now on is gone.
  const DefaultAction by_default = DefaultActionOf(signo);
  if (fresh.handler == kSigIgn ||
      (fresh.handler == kSigDfl &&
       (by_default == DefaultAction::kIgnore || by_default == DefaultAction::kContinue))) {
    DiscardEverywhere(SignalBit(signo));
  }
  return old;
}

Status ThreadGroup::Send(const SigInfo& info, Task* target, bool outside) {
  if (info.si_signo == 0) return Ok();
  Sent sent = TakeIn(info, target, outside);
  Announce(sent);
  return std::move(sent.status);
}

Status ThreadGroup::SendPreferring(const SigInfo& info, Task* preferred) {
  Sent sent = TakeIn(info, nullptr, /*outside=*/false, preferred);
  Announce(sent);
  return std::move(sent.status);
}

ThreadGroup::Sent ThreadGroup::TakeIn(const SigInfo& info, Task* target, bool outside,
                                      Task* preferred) {
  const int signo = info.si_signo;
  Sent sent;
  absl::MutexLock lock(&signal_mutex_);
  if (exiting_ || tasks_.empty()) return sent;
  sent.resumed = PrepareStopAndContinue(signo);
  if (IsIgnored(signo, target, outside)) {
    // Nothing to queue.
  } else if (signo == SIGKILL) {
    sent.exit_status = signo;
  } else if (outside && pid() == 1 && EndsByDefault(signo) &&
             actions_->Get(signo).handler == kSigDfl && tasks_.front()->Wants(signo)) {
    // Init does not act on signals that it has no handler for, but who runs
    // the container may end it.
    sent.exit_status = signo;
  } else if (EndsAtOnce(signo, target)) {
    sent.exit_status = signo;
  } else {
    sent.status = Queue(info, target, preferred);
  }
  return sent;
}

void ThreadGroup::Announce(const Sent& sent) {
  signal_queue_.Notify(EPOLLIN);
  if (sent.exit_status != 0) BeginExit(sent.exit_status);
  if (sent.resumed) kernel_.ReportContinue(*this);
}

bool ThreadGroup::IsIgnored(int signo, const Task* target, bool outside) {
  const Task& representative = target != nullptr ? *target : *tasks_.front();
  if (!representative.Wants(signo)) return false;
  if (representative.IsTraced()) return false;
  for (const TaskRef& task : tasks_) {
    if ((task->waited_for_ & SignalBit(signo)) != 0) return false;
  }
  const uint64_t handler = actions_->Get(signo).handler;
  if (handler == kSigIgn) return true;
  if (handler != kSigDfl) return false;
  // Who is outside of a nested pid namespace can only kill or stop its init.
  const bool pierces = outside && (pid() == 1 || (SignalBit(signo) & kUnblockable) != 0);
  if (is_init() && !pierces) return true;
  const DefaultAction action = DefaultActionOf(signo);
  return action == DefaultAction::kIgnore || action == DefaultAction::kContinue;
}

bool ThreadGroup::EndsAtOnce(int signo, const Task* target) {
  if (is_init() || !EndsByDefault(signo) || actions_->Get(signo).handler != kSigDfl) return false;
  const bool dumps_core = DefaultActionOf(signo) == DefaultAction::kCore;
  const bool stopped = stop_signal_ != 0;
  const auto ends = [&](const Task& task) {
    if (!task.Wants(signo)) return false;
    if ((task.waited_for_ & SignalBit(signo)) != 0) return true;
    return !dumps_core && !stopped && !task.IsTraced();
  };
  if (target != nullptr) return ends(*target);
  return std::any_of(tasks_.begin(), tasks_.end(),
                     [&ends](const TaskRef& task) { return ends(*task); });
}

Status ThreadGroup::Queue(const SigInfo& info, Task* target, Task* preferred) {
  const int signo = info.si_signo;
  PendingSignals& queue = target != nullptr ? target->pending_ : pending_;
  const Task& owner = target != nullptr ? *target : *tasks_.front();
  SigInfo probe = info;
  // A timer has taken room when it was made.
  const bool reserved = info.si_code == SI_TIMER && TakeTimerMark(probe);
  const uint64_t most = reserved ? RLIM_INFINITY : limit(RLIMIT_SIGPENDING).rlim_cur;
  TRY(queue.Add(info, {kernel_.signal_quota(), owner.credentials()->ruid, most}));
  auto wakes = [&](Task& task) {
    if (!task.Wants(signo)) return false;
    task.Notify(Task::kSignalWork);
    return true;
  };
  auto waits = [&](Task& task) {
    if ((task.waited_for_ & SignalBit(signo)) == 0) return false;
    task.Wake();
    return true;
  };
  if (target != nullptr) {
    if (!waits(*target)) wakes(*target);
    return Ok();
  }
  for (const TaskRef& task : tasks_) {
    // It may have ended meanwhile.
    if (task.get() == preferred && wakes(*task)) return Ok();
  }
  for (const TaskRef& task : tasks_) {
    if (waits(*task)) return Ok();
  }
  for (const TaskRef& task : tasks_) {
    if (wakes(*task)) return Ok();
  }
  return Ok();
}

void ThreadGroup::Retarget(const Task& task) {
  for (const TaskRef& other : tasks_) {
    if (other.get() == &task) continue;
    if ((pending_.set() & ~other->mask_) != 0) other->Notify(Task::kSignalWork);
  }
}

void ThreadGroup::DiscardEverywhere(SignalSet signals) {
  pending_.Discard(signals);
  for (const TaskRef& task : tasks_) task->pending_.Discard(signals);
}

bool ThreadGroup::PrepareStopAndContinue(int signo) {
  if ((kStopSignals & SignalBit(signo)) != 0) {
    DiscardEverywhere(SignalBit(SIGCONT));
    return false;
  }
  if (signo != SIGCONT) return false;
  DiscardEverywhere(kStopSignals);
  const bool was_stopped = stop_complete_;
  stop_signal_ = 0;
  stop_complete_ = false;
  for (const TaskRef& task : tasks_) {
    if (task->parked_.load()) task->Wake();
    if (task->IsTraced()) Tracee::OnContinue(*task);
  }
  return was_stopped;
}

void ThreadGroup::BeginStop(int signo) {
  if (stop_signal_ != 0 || exiting_) return;
  stop_signal_ = signo;
  stop_complete_ = false;
  for (const TaskRef& task : tasks_) task->Notify(Task::kSignalWork);
}

bool ThreadGroup::StopCompletes() {
  if (stop_signal_ == 0 || stop_complete_ || parked_ < tasks_.size()) return false;
  stop_complete_ = true;
  return true;
}

void ThreadGroup::Park(Task& task) {
  bool complete = false;
  {
    absl::MutexLock lock(&signal_mutex_);
    if (stop_signal_ == 0) return;
    ++parked_;
    task.parked_.store(true);
    complete = StopCompletes();
  }
  if (complete) kernel_.ReportStop(*this);
  while (true) {
    {
      absl::MutexLock lock(&signal_mutex_);
      if (stop_signal_ == 0 || task.killed() || Tracee::HasTracer(task)) {
        --parked_;
        task.parked_.store(false);
        return;
      }
    }
    task.SleepUninterruptibly();
  }
}

bool ThreadGroup::HandleDefault(const SigInfo& info, bool forced) {
  const int signo = info.si_signo;
  switch (DefaultActionOf(signo)) {
    case DefaultAction::kIgnore:
    case DefaultAction::kContinue:
      return false;
    case DefaultAction::kStop: {
      if (is_init()) return false;
      if (signo != SIGSTOP) {
        absl::MutexLock lock(&kernel_.tree_mutex());
        if (process_group_ == nullptr || kernel_.IsOrphaned(*process_group_, nullptr)) return false;
      }
      absl::MutexLock lock(&signal_mutex_);
      BeginStop(signo);
      return true;
    }
    case DefaultAction::kTerminate:
    case DefaultAction::kCore:
      if (is_init() && !forced) return false;
      BeginExit(signo);
      return false;
  }
  return false;
}

}  // namespace runsc::boot
