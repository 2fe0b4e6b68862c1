// ptrace(2): what clone and exec mean to tracee and tracer.
#include <sched.h>

#include <algorithm>

#include "bin/runsc-boot/kernel/ptrace.h"

namespace runsc::boot {

namespace {

// What rax shows while a call is under way.
constexpr auto kNoResult = static_cast<uint64_t>(-int64_t{ENOSYS});

uint32_t OptionOf(int event) { return 1u << event; }

int EventOf(const CloneRequest& request) {
  if ((request.flags & CLONE_VFORK) != 0) return PTRACE_EVENT_VFORK;
  const bool is_fork = request.exit_signal == SIGCHLD;
  return is_fork ? PTRACE_EVENT_FORK : PTRACE_EVENT_CLONE;
}

}  // namespace

uint64_t Tracee::PrepareClone(Task& parent, const TaskRef& child, const CloneRequest& request) {
  const TraceeRef tracee = Of(parent);
  if (tracee == nullptr) return request.flags;
  tracee->event_number_ = 0;
  tracee->vfork_child_.reset();
  const TaskRef tracer = tracee->tracer_.lock();
  const int event = EventOf(request);
  const bool reports =
      (request.flags & CLONE_UNTRACED) == 0 && tracee->Has(OptionOf(event)) && tracer != nullptr;
  if (reports) tracee->event_number_ = static_cast<uint64_t>(event);
  const bool inherits = reports || (request.flags & CLONE_PTRACE) != 0;
  bool detached = false;
  uint32_t options = 0;
  {
    absl::MutexLock lock(&tracee->mutex_);
    detached = tracee->detached_;
    options = tracee->options_;
  }
  if (!inherits || detached || tracer == nullptr) return request.flags;
  auto traced = std::make_shared<Tracee>(Key(), child, tracer, tracee->seized_, options);
  traced->made_with_task_ = true;
  traced->debug_ = tracee->debug_.ForChild();
  if ((request.flags & CLONE_VFORK) != 0) {
    // The host would keep the parent asleep, which must stop for the event.
    traced->vfork_ = std::make_shared<VforkWait>();
    traced->vfork_->parent = parent.weak_from_this();
    tracee->vfork_child_ = traced->vfork_;
  }
  absl::MutexLock lock(&child->state_mutex_);
  child->tracee_ = std::move(traced);
  child->interception_.fetch_or(Task::kTraced);
  return tracee->vfork_child_ != nullptr ? request.flags & ~uint64_t{CLONE_VFORK} : request.flags;
}

void Tracee::OnStart(Task& task) {
  const TraceeRef tracee = Of(task);
  if (tracee == nullptr || !tracee->made_with_task_) return;
  {
    absl::MutexLock lock(&task.kernel().tree_mutex());
    const TaskRef tracer = tracee->tracer_.lock();
    // A tracer that has ended meanwhile leaves the child alone.
    if (tracer == nullptr || tracer->killed()) {
      absl::MutexLock state(&tracee->mutex_);
      tracee->detached_ = true;
      return;
    }
    Link(task.kernel(), tracee);
  }
  if (tracee->seized_) {
    absl::MutexLock lock(&tracee->mutex_);
    tracee->trap_pending_ = true;
    task.work_.fetch_or(Task::kSignalWork);
  } else {
    absl::MutexLock lock(&task.group().signal_mutex_);
    task.pending_.AddForced(MakeSigInfo(SIGSTOP, SI_USER));
    task.work_.fetch_or(Task::kSignalWork);
  }
}

void Tracee::AfterClone(Task& task, platform::Thread& thread, const TaskRef& child) {
  const TraceeRef tracee = Of(task);
  if (tracee == nullptr) return task.LeaveStub(thread);
  const std::shared_ptr<VforkWait> vfork = std::move(tracee->vfork_child_);
  tracee->vfork_child_.reset();
  const auto event = static_cast<int>(std::exchange(tracee->event_number_, 0));
  const bool failed = static_cast<int64_t>(thread.registers().rax) < 0;
  if (!failed) {
    const uint64_t result = thread.registers().rax;
    const TaskRef tracer = tracee->tracer_.lock();
    const auto tid = static_cast<uint64_t>(tracer == nullptr ? child->tid()
                                                             : tracer->FromKernelPid(child->tid()));
    if (const TraceeRef traced = Of(*child); traced != nullptr) {
      // The tracer may wait for the child as soon as it knows of it.
      absl::MutexLock lock(&task.kernel().tree_mutex());
      Link(task.kernel(), traced);
    }
    // The call has not returned yet.
    thread.registers().rax = kNoResult;
    if (event != 0) tracee->StopForEvent(task, event, tid);
    while (vfork != nullptr && !vfork->done.load() && task.SleepUninterruptibly()) {
    }
    if (vfork != nullptr && tracee->Has(PTRACE_O_TRACEVFORKDONE)) {
      tracee->StopForEvent(task, PTRACE_EVENT_VFORK_DONE, tid);
    }
    thread.registers().rax = result;
  }
  if (task.killed()) return task.FinishKilled();
  tracee->AfterExitStop(task, thread);
}

void Tracee::ReleaseVforkParent(Task& task) {
  const TraceeRef tracee = Of(task);
  if (tracee == nullptr || tracee->vfork_ == nullptr) return;
  const std::shared_ptr<VforkWait> wait = std::move(tracee->vfork_);
  tracee->vfork_.reset();
  wait->done.store(true);
  if (const TaskRef parent = wait->parent.lock(); parent != nullptr) parent->Wake();
}

void Tracee::AfterExec(Task& task, platform::Thread& thread) {
  const TraceeRef tracee = Of(task);
  if (tracee == nullptr) return task.LeaveStub(thread);
  tracee->all_calls_trap_.store(false);
  tracee->forced_step_ = false;
  tracee->debug_.Clear();
  {
    // The old leader's tracee has gone with it.
    absl::MutexLock lock(&task.kernel().tree_mutex());
    auto& all = task.kernel().tracees_;
    std::erase_if(all, [&](const TraceeRef& other) {
      const TaskRef owner = other->task_.lock();
      return other != tracee && owner != nullptr && owner.get() != &task &&
             &owner->group() == &task.group() && owner->tid() == task.tid();
    });
  }
  bool attached = false;
  {
    absl::MutexLock lock(&tracee->mutex_);
    attached = !tracee->detached_;
  }
  thread.registers().rax = kNoResult;
  if (tracee->Has(PTRACE_O_TRACEEXEC)) {
    tracee->StopForEvent(task, PTRACE_EVENT_EXEC, static_cast<uint64_t>(tracee->tid_before_exec_));
  } else if (attached && !tracee->seized_) {
    (void)task.SendSignal(MakeSigInfo(SIGTRAP, SI_USER, task.tgid())).ok();
  }
  if (task.killed()) return task.FinishKilled();
  thread.registers().rax = 0;
  tracee->AfterExitStop(task, thread);
}

}  // namespace runsc::boot
