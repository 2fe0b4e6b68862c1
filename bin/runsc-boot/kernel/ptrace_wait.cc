// ptrace(2): who traces whom, and what wait(2) tells of tracees.
#include <sys/epoll.h>

#include <algorithm>

#include "bin/runsc-boot/kernel/ptrace.h"
#include "bin/runsc-boot/kernel/tree_lock.h"

namespace runsc::boot {

namespace {

constexpr size_t kMaxTracees = 32768;

}  // namespace

void Tracee::Link(Kernel& kernel, const TraceeRef& tracee) {
  kernel.tree_mutex().AssertHeld();
  if (std::exchange(tracee->linked_, true)) return;
  kernel.tracees_.push_back(tracee);
}

std::optional<ChildEvent> Tracee::TakeEvent(Kernel& kernel, const Task& waiter,
                                            const WaitRequest& request, bool* found_any) {
  Kernel::TreeLock lock(kernel);
  if (kernel.tracees_.empty()) return std::nullopt;
  return TakeEventLocked(kernel, waiter, request, found_any, lock.signals());
}

std::optional<ChildEvent> Tracee::TakeEventLocked(Kernel& kernel, const Task& waiter,
                                                  const WaitRequest& request, bool* found_any,
                                                  Kernel::DeferredSignals& signals) {
  kernel.tree_mutex().AssertHeld();
  const ThreadGroup& group = waiter.group();
  for (const TraceeRef& entry : kernel.tracees_) {
    const TraceeRef tracee = entry;
    const TaskRef tracer = tracee->tracer_.lock();
    if (tracer == nullptr || &tracer->group() != &group) continue;
    if ((request.options & __WNOTHREAD) != 0 && tracer.get() != &waiter) continue;
    const bool is_ended_thread = tracee->ended_tid_ != 0;
    const TaskRef task = is_ended_thread ? nullptr : tracee->task_.lock();
    if (task == nullptr && !is_ended_thread) continue;
    const pid_t tid = is_ended_thread ? tracee->ended_tid_ : task->tid();
    const ProcessGroupRef process_group = is_ended_thread ? nullptr : task->group().process_group_;
    const bool selected =
        request.type == P_ALL || (request.type == P_PID && tid == request.id) ||
        (request.type == P_PGID && process_group != nullptr &&
         process_group->id == (request.id == 0 ? group.process_group_->id : request.id));
    if (!selected) continue;
    ChildEvent event;
    event.pid = FromKernelPid(group.pid_namespace_.get(), tid);
    event.uid = is_ended_thread ? tracee->ended_uid_ : task->credentials()->ruid;
    const bool consume = (request.options & WNOWAIT) == 0;
    bool ended = false;
    {
      absl::MutexLock lock(&tracee->mutex_);
      if (tracee->detached_) continue;
      *found_any = true;
      ended = tracee->ended_;
      if (!ended && tracee->stopped_ && !tracee->reported_ && !tracee->listening_) {
        event.code = tracee->stop_.code;
        event.status = tracee->stop_.status;
        event.wait_status = tracee->stop_.status << 8 | 0x7f;
        if (consume) tracee->reported_ = true;
        return event;
      }
      if (ended) event.wait_status = tracee->exit_status_.value_or(0);
    }
    if (!ended || (request.options & WEXITED) == 0) continue;
    const bool killed = WIFSIGNALED(event.wait_status);
    event.code = killed ? CLD_KILLED : CLD_EXITED;
    event.status = killed ? WTERMSIG(event.wait_status) : WEXITSTATUS(event.wait_status);
    if (!consume) return event;
    std::erase(kernel.tracees_, tracee);
    // Now it is the parent's turn.
    if (task != nullptr && task->group().leader_ == task &&
        task->group().life_.load() == ThreadGroup::Life::kZombie) {
      kernel.NotifyParentOfEnd(task->group(), signals);
    }
    return event;
  }
  return std::nullopt;
}

bool Tracee::IsHidden(Kernel& kernel, const ThreadGroup& child, const ThreadGroup& parent) {
  kernel.tree_mutex().AssertHeld();
  for (const TraceeRef& tracee : kernel.tracees_) {
    const TaskRef task = tracee->task_.lock();
    if (task == nullptr || task != child.leader_) continue;
    const TaskRef tracer = tracee->tracer_.lock();
    const bool by_parent = tracer != nullptr && &tracer->group() == &parent;
    const bool zombie = child.life_.load() == ThreadGroup::Life::kZombie;
    absl::MutexLock lock(&tracee->mutex_);
    if (tracee->detached_) continue;
    return by_parent ? !zombie : zombie;
  }
  return false;
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
      if (owner == nullptr || tracee->ended_tid_ != 0) continue;
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

void Tracee::OnContinue(Task& task) {
  const TraceeRef tracee = Of(task);
  if (tracee == nullptr || !tracee->seized_) return;
  absl::MutexLock lock(&tracee->mutex_);
  if (tracee->detached_) return;
  tracee->trap_pending_ = true;
  task.work_.fetch_or(Task::kSignalWork);
  if (!tracee->stopped_ || !tracee->listening_) return;
  tracee->stopped_ = tracee->listening_ = false;
  task.Wake();
}

void Tracee::LetGo(Task* task, int signal, bool detach) {
  {
    absl::MutexLock lock(&mutex_);
    resume_signal_ = signal;
    stopped_ = listening_ = false;
    if (detach) detached_ = true;
  }
  if (task == nullptr) return;
  task->Wake();
  // Its calls must not trap for ever.
  if (detach) task->Notify(Task::kSignalWork);
}

}  // namespace runsc::boot
