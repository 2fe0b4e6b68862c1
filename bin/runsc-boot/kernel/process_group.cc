// setpgid(2), setsid(2), and when a process group is orphaned.
#include "bin/runsc-boot/kernel/process_group.h"

#include <algorithm>

#include "bin/runsc-boot/kernel/job_control.h"
#include "bin/runsc-boot/kernel/kernel.h"

namespace runsc::boot {

ProcessGroupRef Kernel::FindProcessGroup(pid_t id) {
  auto found = process_groups_.find(id);
  return found == process_groups_.end() ? nullptr : found->second;
}

void Kernel::JoinProcessGroup(ThreadGroup& group, ProcessGroupRef target) {
  if (group.process_group_ == target) return;
  LeaveProcessGroup(group);
  target->members.push_back(&group);
  process_groups_[target->id] = target;
  group.process_group_ = std::move(target);
}

void Kernel::LeaveProcessGroup(ThreadGroup& group) {
  ProcessGroupRef old = std::move(group.process_group_);
  group.process_group_.reset();
  if (old == nullptr) return;
  std::erase(old->members, &group);
  if (!old->members.empty()) return;
  auto found = process_groups_.find(old->id);
  if (found != process_groups_.end() && found->second == old) process_groups_.erase(found);
}

bool Kernel::IsOrphaned(const ProcessGroup& group, const ThreadGroup* ignored) const {
  for (const ThreadGroup* member : group.members) {
    if (member == ignored || member->life_.load() != ThreadGroup::Life::kAlive) continue;
    const ThreadGroup* parent = member->parent_;
    if (parent == nullptr || parent == ignored) continue;
    if (parent->process_group_ == nullptr) continue;
    if (parent->process_group_.get() != &group &&
        parent->process_group_->session == group.session) {
      return false;
    }
  }
  return true;
}

void Kernel::SignalNewOrphans(ThreadGroup& ending, DeferredSignals& signals) {
  if (ending.process_group_ == nullptr) return;
  const ProcessGroupRef& own = ending.process_group_;
  std::vector<ProcessGroupRef> candidates;
  // Only a parent outside of a group, in its session, keeps it from being an
  // orphan.
  const ThreadGroup* parent = ending.parent_;
  if (parent != nullptr && parent->process_group_ != nullptr && parent->process_group_ != own &&
      parent->process_group_->session == own->session) {
    candidates.push_back(own);
  }
  for (const ThreadGroupRef& child : ending.children_) {
    const ProcessGroupRef& group = child->process_group_;
    if (group != nullptr && group != own && group->session == own->session) {
      candidates.push_back(group);
    }
  }
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  for (const ProcessGroupRef& candidate : candidates) {
    if (!IsOrphaned(*candidate, &ending)) continue;
    const bool stopped = std::any_of(candidate->members.begin(), candidate->members.end(),
                                     [](const ThreadGroup* member) {
                                       absl::MutexLock lock(&member->signal_mutex_);
                                       return member->stop_complete_;
                                     });
    if (!stopped) continue;
    for (ThreadGroup* member : candidate->members) {
      for (int signo : {SIGHUP, SIGCONT}) {
        signals.push_back({member->shared_from_this(), MakeSigInfo(signo, SI_KERNEL)});
      }
    }
  }
}

Status ThreadGroup::SetProcessGroup(Task& caller, pid_t pid, pid_t group) {
  // Without a group, it is that of `pid`.
  if (group < 0 || (group == 0 && pid < 0)) return Error(EINVAL);
  ThreadGroup& self = caller.group();
  absl::MutexLock lock(&kernel_.tree_mutex());
  ThreadGroup* target = &self;
  if (pid != 0 && pid != self.pid()) {
    auto found = kernel_.groups_.find(pid);
    if (found == kernel_.groups_.end()) return Error(kernel_.tasks_.contains(pid) ? EINVAL : ESRCH);
    target = found->second.get();
    if (target->parent_ != &self) return Error(ESRCH);
    if (target->process_group_->session != self.process_group_->session) return Error(EPERM);
    if (target->has_executed_) return Error(EACCES);
  }
  if (target->process_group_ == nullptr) return Error(ESRCH);
  const std::shared_ptr<Session> session = target->process_group_->session;
  if (session->id == target->pid()) return Error(EPERM);
  const pid_t id = group == 0 ? target->pid() : group;
  ProcessGroupRef destination = kernel_.FindProcessGroup(id);
  if (destination == nullptr) {
    if (id != target->pid()) return Error(EPERM);
    destination = std::make_shared<ProcessGroup>();
    destination->id = id;
    if (target->leader_ != nullptr) destination->numbers = target->leader_->numbers_;
    destination->session = session;
  }
  if (destination->session != session) return Error(EPERM);
  kernel_.JoinProcessGroup(*target, std::move(destination));
  return Ok();
}

Result<pid_t> ThreadGroup::NewSession() {
  absl::MutexLock lock(&kernel_.tree_mutex());
  if (kernel_.FindProcessGroup(pid()) != nullptr) return Error(EPERM);
  auto session = std::make_shared<Session>();
  session->id = pid();
  if (leader_ != nullptr) session->numbers = leader_->numbers_;
  auto process_group = std::make_shared<ProcessGroup>();
  process_group->id = pid();
  process_group->numbers = session->numbers;
  process_group->session = std::move(session);
  kernel_.JoinProcessGroup(*this, std::move(process_group));
  JobControl::ForgetLocked(*this);
  return pid();
}

}  // namespace runsc::boot
