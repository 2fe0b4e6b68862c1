// ptrace(2): the ends of tasks, as their tracers and as their tracees see them.
#include <sys/epoll.h>

#include <algorithm>

#include "bin/runsc-boot/kernel/ptrace.h"
#include "bin/runsc-boot/kernel/tree_lock.h"

namespace runsc::boot {

namespace {

constexpr size_t kMaxTracees = 32768;
constexpr int kExitStop = SIGTRAP | PTRACE_EVENT_EXIT << 8;

}  // namespace

// --- The last stop

bool Tracee::ReportsEnd(const Task& task) {
  if (!task.IsTraced()) return false;
  const TraceeRef tracee = Of(task);
  return tracee != nullptr && tracee->Has(PTRACE_O_TRACEEXIT);
}

void Tracee::BeforeExit(Task& task, int status, bool stops) {
  const TraceeRef tracee = Of(task);
  if (tracee == nullptr) return;
  {
    absl::MutexLock lock(&tracee->mutex_);
    if (tracee->exit_status_.has_value()) return;
    tracee->exit_status_ = status;
  }
  if (!stops || !tracee->Has(PTRACE_O_TRACEEXIT)) return;
  StopInfo stop;
  stop.status = kExitStop;
  stop.code = CLD_TRAPPED;
  stop.info = MakeSigInfo(SIGTRAP, kExitStop, task.tid(), task.credentials()->ruid);
  stop.message = static_cast<uint64_t>(status);
  tracee->StopAtEnd(task, std::move(stop));
}

void Tracee::StopAtEnd(Task& task, StopInfo stop) {
  if (!BeginStop(task, std::move(stop))) return;
  while (stopped()) task.SleepAtEnd();
  // A request that is under way still uses the thread.
  absl::MutexLock requests(&request_mutex_);
}

void Tracee::EndLastStop(Task& task) {
  const TraceeRef tracee = Of(task);
  if (tracee == nullptr) return;
  absl::MutexLock lock(&tracee->mutex_);
  if (tracee->stopped_ && tracee->stop_.status == kExitStop) tracee->stopped_ = false;
}

// --- Who has not been waited for

bool Tracee::HasUnreaped(Kernel& kernel, const ThreadGroup& group) {
  kernel.tree_mutex().AssertHeld();
  const pid_t pid = group.pid();
  return std::any_of(kernel.tracees_.begin(), kernel.tracees_.end(), [&](const TraceeRef& tracee) {
    return tracee->ended_tid_ != 0 && tracee->ended_group_ == pid;
  });
}

bool Tracee::HasUnreapedThread(Kernel& kernel, const ThreadGroup& group) {
  absl::MutexLock lock(&kernel.tree_mutex());
  return HasUnreaped(kernel, group);
}

void Tracee::ForgetEnded(Kernel& kernel, pid_t group, Kernel::DeferredSignals& signals) {
  kernel.tree_mutex().AssertHeld();
  const auto found = kernel.groups_.find(group);
  if (found == kernel.groups_.end()) return;
  const ThreadGroupRef ended = found->second;
  {
    absl::MutexLock lock(&ended->signal_mutex_);
    if (ended->executing_ != nullptr) ended->executing_->Wake();
  }
  if (ended->life_.load() == ThreadGroup::Life::kZombie && !HasUnreaped(kernel, *ended)) {
    kernel.NotifyParentOfEnd(*ended, signals);
  }
}

void Tracee::OnTaskEnd(Kernel& kernel, Task& task, Kernel::DeferredSignals& signals) {
  kernel.tree_mutex().AssertHeld();
  if (kernel.tracees_.empty()) return;
  for (const TraceeRef& tracee : std::vector<TraceeRef>(kernel.tracees_)) {
    const TaskRef owner = tracee->task_.lock();
    const TaskRef tracer = tracee->tracer_.lock();
    if (owner == nullptr && tracee->ended_tid_ == 0) {
      std::erase(kernel.tracees_, tracee);
      continue;
    }
    if (tracer.get() == &task || tracer == nullptr) {
      // Its tracees go on alone.
      std::erase(kernel.tracees_, tracee);
      if (tracee->ended_tid_ != 0) {
        ForgetEnded(kernel, tracee->ended_group_, signals);
        continue;
      }
      if (owner == nullptr) continue;
      const bool kills = tracee->Has(PTRACE_O_EXITKILL);
      bool ended = false;
      {
        absl::MutexLock lock(&tracee->mutex_);
        ended = tracee->ended_;
      }
      tracee->LetGo(owner.get(), 0, /*detach=*/true);
      ThreadGroup& group = owner->group();
      if (kills) signals.push_back({group.shared_from_this(), MakeSigInfo(SIGKILL, SI_KERNEL)});
      if (ended && group.leader_ == owner && group.life_.load() == ThreadGroup::Life::kZombie) {
        kernel.NotifyParentOfEnd(group, signals);
      }
      continue;
    }
    if (owner.get() != &task || task.group().leader_.get() == &task) continue;
    // A thread's end is the tracer's to wait for.
    int status = 0;
    {
      absl::MutexLock lock(&task.group().signal_mutex_);
      status = task.group().exit_status_;
    }
    {
      absl::MutexLock lock(&tracee->mutex_);
      if (tracee->detached_) continue;
      tracee->ended_ = true;
      tracee->stopped_ = false;
      if (!tracee->exit_status_.has_value()) tracee->exit_status_ = status;
      status = *tracee->exit_status_;
    }
    tracee->ended_tid_ = task.tid();
    tracee->ended_group_ = task.tgid();
    tracee->ended_uid_ = task.credentials()->ruid;
    // Linux would run out of thread ids.
    if (kernel.tracees_.size() > kMaxTracees) std::erase(kernel.tracees_, tracee);
    SigInfo info = MakeSigInfo(SIGCHLD, WIFSIGNALED(status) ? CLD_KILLED : CLD_EXITED, task.tid(),
                               task.credentials()->ruid);
    info.si_status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    signals.push_back({tracer->group().shared_from_this(), info});
    tracer->group().child_queue_.Notify(EPOLLIN);
  }
}

bool Tracee::HoldsBack(Kernel& kernel, ThreadGroup& group, Kernel::DeferredSignals& signals) {
  kernel.tree_mutex().AssertHeld();
  // As Linux: the leader's end comes last.
  if (HasUnreaped(kernel, group)) return true;
  for (const TraceeRef& tracee : std::vector<TraceeRef>(kernel.tracees_)) {
    const TaskRef owner = tracee->task_.lock();
    if (owner == nullptr || owner != group.leader_) continue;
    const TaskRef tracer = tracee->tracer_.lock();
    if (tracer == nullptr || &tracer->group() == group.parent_) {
      // The parent's own wait tells of it.
      std::erase(kernel.tracees_, tracee);
      return false;
    }
    int status = 0;
    {
      absl::MutexLock lock(&group.signal_mutex_);
      status = group.exit_status_;
    }
    {
      absl::MutexLock lock(&tracee->mutex_);
      if (tracee->detached_ || tracee->ended_) continue;
      tracee->ended_ = true;
      tracee->stopped_ = false;
      tracee->exit_status_ = status;
    }
    SigInfo info = MakeSigInfo(SIGCHLD, WIFSIGNALED(status) ? CLD_KILLED : CLD_EXITED, group.pid(),
                               owner->credentials()->ruid);
    info.si_status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    signals.push_back({tracer->group().shared_from_this(), info});
    tracer->group().child_queue_.Notify(EPOLLIN);
    return true;
  }
  return false;
}

}  // namespace runsc::boot
