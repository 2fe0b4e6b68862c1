#include "bin/runsc-boot/kernel/job_control.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <utility>

#include "bin/runsc-boot/kernel/tree_lock.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kSigDfl = 0, kSigIgn = 1;

}  // namespace

bool JobControl::IsLeader(const ThreadGroup& group) {
  group.kernel_.tree_mutex().AssertHeld();
  return group.process_group_ != nullptr && group.process_group_->session->id == group.pid();
}

void JobControl::Queue(const ProcessGroup& group, int signo, Kernel::DeferredSignals& signals) {
  for (ThreadGroup* member : group.members) {
    signals.push_back({member->shared_from_this(), MakeSigInfo(signo, SI_KERNEL)});
  }
}

void JobControl::ClearSession(Kernel& kernel, const ControllingTerminal& terminal) {
  kernel.tree_mutex().AssertHeld();
  for (auto& [pid, group] : kernel.groups_) {
    if (group->terminal_.get() == &terminal) group->terminal_.reset();
  }
}

ControllingTerminalRef JobControl::TerminalOf(const ThreadGroup& group) {
  absl::MutexLock lock(&group.kernel_.tree_mutex());
  return group.terminal_;
}

bool JobControl::IsTerminalOf(const ThreadGroup& group, const ControllingTerminal& terminal) {
  absl::MutexLock lock(&group.kernel_.tree_mutex());
  return group.terminal_.get() == &terminal;
}

void JobControl::AdoptLocked(ThreadGroup& leader, ControllingTerminalRef terminal) {
  leader.kernel_.tree_mutex().AssertHeld();
  terminal->session_ = leader.process_group_->session;
  terminal->foreground_ = leader.process_group_;
  leader.hung_up_foreground_.reset();
  leader.terminal_ = std::move(terminal);
}

void JobControl::ForgetLocked(ThreadGroup& group) {
  group.kernel_.tree_mutex().AssertHeld();
  group.terminal_.reset();
  group.hung_up_foreground_.reset();
}

void JobControl::InheritLocked(ThreadGroup& child, const ThreadGroup& parent) {
  child.kernel_.tree_mutex().AssertHeld();
  child.terminal_ = parent.terminal_;
}

void JobControl::AdoptByOpening(Task& task, ControllingTerminalRef terminal) {
  ThreadGroup& group = task.group();
  absl::MutexLock lock(&group.kernel_.tree_mutex());
  if (!IsLeader(group) || group.terminal_ != nullptr || terminal->session_ != nullptr) return;
  AdoptLocked(group, std::move(terminal));
}

Status JobControl::Adopt(Task& task, ControllingTerminalRef terminal, bool steal, bool readable) {
  ThreadGroup& group = task.group();
  const CredentialsRef credentials = task.credentials();
  absl::MutexLock lock(&group.kernel_.tree_mutex());
  if (IsLeader(group) && terminal->session_ == group.process_group_->session) return Ok();
  if (!IsLeader(group) || group.terminal_ != nullptr) return Error(EPERM);
  if (terminal->session_ != nullptr) {
    if (!steal || !credentials->Has(CAP_SYS_ADMIN)) return Error(EPERM);
    ClearSession(group.kernel_, *terminal);
  }
  if (!readable && !credentials->Has(CAP_SYS_ADMIN)) return Error(EPERM);
  AdoptLocked(group, std::move(terminal));
  return Ok();
}

Status JobControl::GiveUp(Task& task, const ControllingTerminal& terminal) {
  ThreadGroup& group = task.group();
  Kernel::TreeLock lock(group.kernel_);
  if (group.terminal_.get() != &terminal) return Error(ENOTTY);
  const ControllingTerminalRef own = std::move(group.terminal_);
  group.terminal_.reset();
  if (!IsLeader(group)) return Ok();
  if (own->foreground_ != nullptr) {
    Queue(*own->foreground_, SIGHUP, lock.signals());
    Queue(*own->foreground_, SIGCONT, lock.signals());
  }
  own->session_.reset();
  own->foreground_.reset();
  ClearSession(group.kernel_, *own);
  return Ok();
}

Status JobControl::CheckAccess(Task& task, const ControllingTerminal& terminal, int signo) {
  ThreadGroup& group = task.group();
  Kernel::TreeLock lock(group.kernel_);
  const ProcessGroupRef& own = group.process_group_;
  if (group.terminal_.get() != &terminal || terminal.foreground_ == nullptr ||
      terminal.foreground_ == own) {
    return Ok();
  }
  if ((task.signal_mask() & SignalBit(signo)) != 0 || group.action(signo).handler == kSigIgn) {
    // The signal would not stop the caller: a reader must not go on.
    return signo == SIGTTIN ? Status(Error(EIO)) : Ok();
  }
  if (group.kernel_.IsOrphaned(*own, nullptr)) return Error(EIO);
  Queue(*own, signo, lock.signals());
  return Error(kRestartSys);
}

Result<pid_t> JobControl::ForegroundGroup(Task& task, const ControllingTerminal& terminal,
                                          bool master) {
  const ThreadGroup& group = task.group();
  absl::MutexLock lock(&group.kernel_.tree_mutex());
  if (!master && group.terminal_.get() != &terminal) return Error(ENOTTY);
  return terminal.foreground_ == nullptr ? 0 : terminal.foreground_->id;
}

Status JobControl::SetForegroundGroup(Task& task, ControllingTerminal& terminal, pid_t id) {
  if (id < 0) return Error(EINVAL);
  ThreadGroup& group = task.group();
  ProcessGroupRef old;
  absl::MutexLock lock(&group.kernel_.tree_mutex());
  if (group.terminal_.get() != &terminal || terminal.session_ != group.process_group_->session) {
    return Error(ENOTTY);
  }
  ProcessGroupRef target = group.kernel_.FindProcessGroup(id);
  if (target == nullptr) {
    // A process that is no group yet is in some session all the same.
    return Error(group.kernel_.groups_.contains(id) ? EPERM : ESRCH);
  }
  if (target->session != terminal.session_) return Error(EPERM);
  old = std::exchange(terminal.foreground_, std::move(target));
  return Ok();
}

Result<pid_t> JobControl::SessionOf(Task& task, const ControllingTerminal& terminal, bool master) {
  const ThreadGroup& group = task.group();
  absl::MutexLock lock(&group.kernel_.tree_mutex());
  if (!master && group.terminal_.get() != &terminal) return Error(ENOTTY);
  if (terminal.session_ == nullptr) return Error(ENOTTY);
  return terminal.session_->id;
}

void JobControl::SignalForeground(Kernel& kernel, const ControllingTerminal& terminal, int signo) {
  Kernel::TreeLock lock(kernel);
  if (terminal.foreground_ != nullptr) Queue(*terminal.foreground_, signo, lock.signals());
}

bool JobControl::ForegroundHandles(Kernel& kernel, const ControllingTerminal& terminal, int signo) {
  absl::MutexLock lock(&kernel.tree_mutex());
  if (terminal.foreground_ == nullptr) return false;
  const auto& members = terminal.foreground_->members;
  return std::any_of(members.begin(), members.end(), [signo](const ThreadGroup* member) {
    const uint64_t handler = member->action(signo).handler;
    return handler != kSigDfl && handler != kSigIgn;
  });
}

void JobControl::HangUp(Kernel& kernel, ControllingTerminal& terminal) {
  ProcessGroupRef foreground;  // so that the last reference goes after the lock
  Kernel::TreeLock lock(kernel);
  for (auto& [pid, group] : kernel.groups_) {
    if (group->terminal_.get() != &terminal) continue;
    group->terminal_.reset();
    if (!IsLeader(*group)) continue;
    for (int signo : {SIGHUP, SIGCONT}) {
      lock.signals().push_back({group, MakeSigInfo(signo, SI_KERNEL)});
    }
    group->hung_up_foreground_ = terminal.foreground_;
  }
  terminal.session_.reset();
  foreground = std::move(terminal.foreground_);
  terminal.foreground_.reset();
}

void JobControl::LeaderEndsLocked(ThreadGroup& leader, Kernel::DeferredSignals& signals) {
  Kernel& kernel = leader.kernel_;
  kernel.tree_mutex().AssertHeld();
  const ControllingTerminalRef terminal = std::move(leader.terminal_);
  const ProcessGroupRef hung_up = std::move(leader.hung_up_foreground_);
  leader.terminal_.reset();
  leader.hung_up_foreground_.reset();
  if (!IsLeader(leader)) return;
  if (terminal == nullptr) {
    if (hung_up == nullptr) return;
    Queue(*hung_up, SIGHUP, signals);
    Queue(*hung_up, SIGCONT, signals);
    return;
  }
  if (terminal->foreground_ != nullptr) Queue(*terminal->foreground_, SIGHUP, signals);
  terminal->session_.reset();
  terminal->foreground_.reset();
  ClearSession(kernel, *terminal);
}

JobControl::Shown JobControl::ShownOf(const ThreadGroup& group) {
  Shown shown;
  absl::MutexLock lock(&group.kernel_.tree_mutex());
  if (group.terminal_ == nullptr) return shown;
  // The kernel's own 32-bit form of device numbers.
  const dev_t device = group.terminal_->device();
  shown.device = static_cast<int>((minor(device) & 0xff) | (major(device) << 8) |
                                  ((minor(device) & ~0xffu) << 12));
  const ProcessGroupRef& foreground = group.terminal_->foreground_;
  if (foreground != nullptr) shown.foreground = foreground->id;
  return shown;
}

}  // namespace runsc::boot
