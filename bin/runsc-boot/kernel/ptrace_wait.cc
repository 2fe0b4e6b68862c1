// ptrace(2): who traces whom, and what wait(2) tells of tracees.
#include <sys/epoll.h>

#include <algorithm>

#include "bin/runsc-boot/kernel/ptrace.h"
#include "bin/runsc-boot/kernel/tree_lock.h"

namespace runsc::boot {

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
    if (is_ended_thread) ForgetEnded(kernel, tracee->ended_group_, signals);
    return event;
  }
  return std::nullopt;
}

bool Tracee::IsHidden(Kernel& kernel, const ThreadGroup& child, const ThreadGroup& parent) {
  kernel.tree_mutex().AssertHeld();
  const bool ended = child.life_.load() == ThreadGroup::Life::kZombie;
  if (ended && HasUnreaped(kernel, child)) return true;
  for (const TraceeRef& tracee : kernel.tracees_) {
    const TaskRef task = tracee->task_.lock();
    if (task == nullptr || task != child.leader_) continue;
    const TaskRef tracer = tracee->tracer_.lock();
    const bool by_parent = tracer != nullptr && &tracer->group() == &parent;
    absl::MutexLock lock(&tracee->mutex_);
    if (tracee->detached_) continue;
    return by_parent ? !ended : ended;
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
