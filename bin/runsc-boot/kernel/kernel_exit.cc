// How processes end: zombies, reaping, orphans.
#include <sys/epoll.h>

#include <algorithm>

#include "bin/runsc-boot/kernel/host_memory.h"
#include "bin/runsc-boot/kernel/job_control.h"
#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/process_timers.h"
#include "bin/runsc-boot/kernel/ptrace.h"
#include "bin/runsc-boot/kernel/tree_lock.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kSigIgn = 1;

int CodeOf(int wait_status) { return WIFSIGNALED(wait_status) ? CLD_KILLED : CLD_EXITED; }
int StatusOf(int wait_status) {
  return WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

}  // namespace

void ThreadGroup::BeginExit(int status) {
  std::vector<TaskRef> victims;
  bool keeps_host = false;
  {
    absl::MutexLock lock(&signal_mutex_);
    if (exiting_) return;
    exiting_ = true;
    exit_status_ = status;
    stop_signal_ = 0;
    victims = tasks_;
    // The end of the container's init does not depend on anybody in it.
    const bool reported =
        pid() != 1 && std::any_of(tasks_.begin(), tasks_.end(),
                                  [](const TaskRef& task) { return Tracee::ReportsEnd(*task); });
    keeps_host_ = keeps_host = reported && leaving_ < tasks_.size();
  }
  if (!keeps_host) EndHost();
  for (const TaskRef& task : victims) {
    task->Kill(keeps_host ? Task::Death::kComesIn : Task::Death::kNow);
  }
}

void ThreadGroup::ForceExit() {
  BeginExit(SIGKILL);
  std::vector<TaskRef> victims;
  {
    absl::MutexLock lock(&signal_mutex_);
    if (!keeps_host_) return;
    keeps_host_ = false;
    victims = tasks_;
  }
  EndHost();
  for (const TaskRef& task : victims) task->Kill(Task::Death::kNow);
}

void ThreadGroup::LeaveHost(const Task& task) {
  {
    absl::MutexLock lock(&signal_mutex_);
    const bool counts = std::any_of(tasks_.begin(), tasks_.end(),
                                    [&](const TaskRef& other) { return other.get() == &task; });
    if (!counts || ++leaving_ < tasks_.size() || !keeps_host_) return;
    keeps_host_ = false;
  }
  EndHost();
}

void ThreadGroup::EndHost() {
  if (is_init()) kernel_.KillOthers(*this);
  std::shared_ptr<platform::HostProcess> process;
  {
    absl::MutexLock lock(&signal_mutex_);
    process = process_;
  }
  if (process != nullptr) {
    Usage usage = ReadUsage(*process);
    // Those that did little have little memory, and are to end fast.
    constexpr uint64_t kLittleWorkNs = 5'000'000;
    const pid_t host_pid = process->host_pid();
    const HostMemory memory = ReadHostMemory(host_pid);
    usage.minor_faults = memory.minor_faults;
    usage.major_faults = memory.major_faults;
    usage.max_rss_kib = usage.user_ns + usage.system_ns > kLittleWorkNs ? PeakMemoryKib(host_pid)
                                                                        : memory.resident_kib;
    process->Kill();
    absl::MutexLock lock(&signal_mutex_);
    final_usage_ = usage;
  }
}

void Kernel::KillOthers(const ThreadGroup& init) {
  const PidNamespaceRef& space = init.pid_namespace_;
  if (space != nullptr) space->Close();
  for (const ThreadGroupRef& group : Groups()) {
    if (group.get() == &init) continue;
    const PidNamespaceRef& other = group->pid_namespace_;
    const bool inside = space == nullptr || (other != nullptr && space->IsAncestorOf(*other));
    if (!inside) continue;
    // Nobody of the first pid namespace is left to look at it.
    if (space == nullptr) {
      group->ForceExit();
    } else {
      group->BeginExit(SIGKILL);
    }
  }
}

void Kernel::Unregister(Task& task) {
  TaskRef keep;  // so that no reference is the last one under the lock
  bool stopped = false;
  ThreadGroup& group = *task.group_;
  {
    TreeLock lock(*this);
    DeferredSignals& signals = lock.signals();
    bool last = false;
    {
      absl::MutexLock signal_lock(&group.signal_mutex_);
      auto position = std::find_if(group.tasks_.begin(), group.tasks_.end(),
                                   [&](const TaskRef& other) { return other.get() == &task; });
      if (position == group.tasks_.end()) return;
      keep = std::move(*position);
      group.tasks_.erase(position);
      --group.leaving_;
      last = group.tasks_.empty();
      if (group.executing_ != nullptr) group.executing_->Wake();
      if (!last) {
        group.Retarget(task);
        stopped = group.StopCompletes();
      }
    }
    if (group.leader_.get() != &task) tasks_.erase(task.tid());
    if (!tracees_.empty()) Tracee::OnTaskEnd(*this, task, signals);
    if (last) {
      EndGroup(group, signals);
    } else {
      PassOnChildren(task, signals);
    }
  }
  if (stopped) ReportStop(group);
}

void Kernel::EndGroup(ThreadGroup& group, DeferredSignals& signals) {
  group.life_.store(ThreadGroup::Life::kZombie);
  group.timers_->DisarmAll();
  if (init_.get() == &group) {
    absl::MutexLock lock(&group.signal_mutex_);
    init_status_ = group.exit_status_;
  }
  if (group.pid_namespace_ != nullptr && group.is_init()) {
    inits_.erase(group.pid_namespace_.get());
  }
  JobControl::LeaderEndsLocked(group, signals);
  SignalNewOrphans(group, signals);
  ReparentChildren(group, signals);
  NotifyParentOfEnd(group, signals);
  group.exit_queue_.Notify(EPOLLIN | EPOLLRDNORM);
}

ThreadGroup* Kernel::FindReaper(const ThreadGroup& group) {
  for (ThreadGroup* ancestor = group.parent_; ancestor != nullptr; ancestor = ancestor->parent_) {
    if (ancestor->pid_namespace_ != group.pid_namespace_) break;
    if (ancestor->child_subreaper_.load() && ancestor->life_.load() == ThreadGroup::Life::kAlive) {
      return ancestor;
    }
  }
  ThreadGroup* init = init_.get();
  if (group.pid_namespace_ != nullptr) {
    auto found = inits_.find(group.pid_namespace_.get());
    init = found == inits_.end() ? nullptr : found->second;
  }
  return init == &group ? nullptr : init;
}

void Kernel::ReparentChildren(ThreadGroup& group, DeferredSignals& signals) {
  ThreadGroup* reaper = FindReaper(group);
  std::vector<ThreadGroupRef> children = std::move(group.children_);
  group.children_.clear();
  for (ThreadGroupRef& child : children) {
    child->parent_ = reaper;
    // Its leader may have ended before other threads.
    const bool has_tasks = reaper != nullptr && !reaper->tasks_.empty();
    child->parent_task_ = has_tasks ? reaper->tasks_.front().get() : nullptr;
    child->exit_signal_ = SIGCHLD;
    const bool zombie = child->life_.load() == ThreadGroup::Life::kZombie;
    if (!zombie) SendDeathSignals(*child, group.pid(), signals);
    if (reaper == nullptr) {
      // The end of a pid namespace: nobody waits for what was in it.
      if (zombie) Reap(*child);
      continue;
    }
    reaper->children_.push_back(child);
    if (zombie) NotifyParentOfEnd(*child, signals);
  }
}

void Kernel::SendDeathSignals(ThreadGroup& child, pid_t parent, DeferredSignals& signals) {
  const pid_t seen = FromKernelPid(child.pid_namespace_.get(), parent);
  absl::MutexLock lock(&child.signal_mutex_);
  for (const TaskRef& task : child.tasks_) {
    const int signo = task->parent_death_signal();
    if (signo == 0) continue;
    signals.push_back({child.shared_from_this(), MakeSigInfo(signo, SI_USER, seen)});
  }
}

void Kernel::PassOnChildren(Task& task, DeferredSignals& signals) {
  ThreadGroup& group = *task.group_;
  for (const ThreadGroupRef& child : group.children_) {
    if (child->parent_task_ != &task) continue;
    {
      absl::MutexLock lock(&group.signal_mutex_);
      child->parent_task_ = group.tasks_.front().get();
    }
    SendDeathSignals(*child, group.pid(), signals);
  }
}

SigInfo Kernel::ChildSignal(const ThreadGroup& parent, const ThreadGroup& child, int signo,
                            int code) {
  const uid_t uid = child.leader_->credentials()->ruid;
  const TaskRef& receiver = parent.leader_;
  return MakeSigInfo(signo, code, FromKernelPid(parent.pid_namespace_.get(), child.pid()),
                     receiver == nullptr ? uid : receiver->credentials()->ShownUid(uid));
}

void Kernel::NotifyParentOfEnd(ThreadGroup& group, DeferredSignals& signals) {
  ThreadGroup* parent = group.parent_;
  if (!tracees_.empty() && Tracee::HoldsBack(*this, group, signals)) return;
  if (parent == nullptr) {
    // Whoever started it from outside holds the group, and needs no zombie.
    if (init_.get() != &group) Reap(group);
    return;
  }
  int status = 0;
  {
    absl::MutexLock lock(&group.signal_mutex_);
    status = group.exit_status_;
  }
  const SignalAction action = parent->actions()->Get(SIGCHLD);
  const bool ignored = action.handler == kSigIgn;
  const bool vanishes =
      group.exit_signal_ == SIGCHLD && (ignored || (action.flags & SA_NOCLDWAIT) != 0);
  const bool valid = group.exit_signal_ > 0 && group.exit_signal_ <= kSignalCount;
  if (valid && !(ignored && group.exit_signal_ == SIGCHLD)) {
    SigInfo info = ChildSignal(*parent, group, group.exit_signal_, CodeOf(status));
    info.si_status = StatusOf(status);
    signals.push_back({parent->shared_from_this(), info});
  }
  if (vanishes) Reap(group);
  parent->child_queue_.Notify(EPOLLIN);
}

void Kernel::Reap(ThreadGroup& group) {
  const ThreadGroupRef self = group.shared_from_this();
  group.life_.store(ThreadGroup::Life::kReaped);
  if (ThreadGroup* parent = std::exchange(group.parent_, nullptr); parent != nullptr) {
    auto& children = parent->children_;
    auto position = std::find(children.begin(), children.end(), self);
    if (position != children.end()) children.erase(position);
    Usage used;
    {
      absl::MutexLock lock(&group.signal_mutex_);
      used = group.final_usage_;
      // What was queued counts no more, from before the parent's wait returns.
      group.pending_.Discard(~SignalSet{0});
      if (group.leader_ != nullptr) group.leader_->pending_.Discard(~SignalSet{0});
    }
    parent->children_usage_.Add(used);
    parent->children_usage_.Add(group.children_usage_);
  }
  LeaveProcessGroup(group);
  auto task = tasks_.find(group.pid());
  if (task != tasks_.end() && task->second == group.leader_) tasks_.erase(task);
  auto found = groups_.find(group.pid());
  if (found != groups_.end() && found->second == self) groups_.erase(found);
  // Its numbers are free from now on, even if its worker still has it for a moment.
  if (group.leader_ != nullptr) group.leader_->numbers_.reset();
  // Breaks the cycle between a group and its leader.
  group.leader_.reset();
}

void Kernel::ReportToParent(ThreadGroup& group, int code, int status, DeferredSignals& signals) {
  ThreadGroup* parent = group.parent_;
  if (parent == nullptr) return;
  const SignalAction action = parent->actions()->Get(SIGCHLD);
  if (action.handler != kSigIgn && (action.flags & SA_NOCLDSTOP) == 0) {
    SigInfo info = ChildSignal(*parent, group, SIGCHLD, code);
    info.si_status = status;
    signals.push_back({parent->shared_from_this(), info});
  }
  parent->child_queue_.Notify(EPOLLIN);
}

void Kernel::ReportStop(ThreadGroup& group) {
  TreeLock lock(*this);
  int signo = 0;
  {
    absl::MutexLock signal_lock(&group.signal_mutex_);
    if (group.stop_complete_) signo = group.stop_signal_;
  }
  if (signo == 0) return;
  group.stop_report_ = signo;
  group.continue_report_ = false;
  ReportToParent(group, CLD_STOPPED, signo, lock.signals());
}

void Kernel::ReportContinue(ThreadGroup& group) {
  TreeLock lock(*this);
  group.stop_report_ = 0;
  group.continue_report_ = true;
  ReportToParent(group, CLD_CONTINUED, SIGCONT, lock.signals());
}

}  // namespace runsc::boot
