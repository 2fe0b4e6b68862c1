#include "bin/runsc-boot/kernel/kernel.h"

#include <algorithm>

#include "bin/runsc-boot/kernel/job_control.h"
#include "bin/runsc-boot/vfs/device_numbers.h"
#include "common/log.h"

namespace runsc::boot {

namespace {

constexpr pid_t kInitPid = 1;

}  // namespace

Kernel::Kernel(std::unique_ptr<platform::Platform> platform, SyscallDispatch dispatch,
               UserNamespaceRef user_namespace)
    : platform_(std::move(platform)),
      dispatch_(dispatch),
      user_namespace_(std::move(user_namespace)),
      nsfs_(std::make_shared<NamespaceFilesystem>(NewAnonymousDevice())) {}

Kernel::~Kernel() {
  KillAll();
  platform_->Shutdown();
  // What is left refers to the kernel: let it go while the kernel is whole.
  absl::flat_hash_map<pid_t, TaskRef> tasks;
  absl::flat_hash_map<pid_t, ThreadGroupRef> groups;
  ThreadGroupRef init;
  {
    absl::MutexLock lock(&tree_mutex_);
    tasks.swap(tasks_);
    groups.swap(groups_);
    init.swap(init_);
    for (auto& [pid, group] : groups) {
      group->children_.clear();
      group->leader_.reset();
    }
    if (init != nullptr) init->leader_.reset();
    process_groups_.clear();
  }
}

TaskRef Kernel::FindTask(pid_t tid) {
  absl::MutexLock lock(&tree_mutex_);
  auto found = tasks_.find(tid);
  return found == tasks_.end() ? nullptr : found->second;
}

ThreadGroupRef Kernel::FindGroup(pid_t pid) {
  absl::MutexLock lock(&tree_mutex_);
  auto found = groups_.find(pid);
  return found == groups_.end() ? nullptr : found->second;
}

std::vector<ThreadGroupRef> Kernel::Groups() {
  std::vector<ThreadGroupRef> groups;
  {
    absl::MutexLock lock(&tree_mutex_);
    for (const auto& [pid, group] : groups_) groups.push_back(group);
  }
  std::sort(groups.begin(), groups.end(),
            [](const auto& a, const auto& b) { return a->pid() < b->pid(); });
  return groups;
}

std::vector<ThreadGroupRef> Kernel::ProcessGroupMembers(pid_t process_group) {
  std::vector<ThreadGroupRef> members;
  absl::MutexLock lock(&tree_mutex_);
  auto found = process_groups_.find(process_group);
  if (found == process_groups_.end()) return members;
  for (ThreadGroup* member : found->second->members) members.push_back(member->shared_from_this());
  return members;
}

Status Kernel::CheckKill(const Task& sender, const Task& target, int signo) {
  if (&sender.group() == &target.group()) return Ok();
  const CredentialsRef from = sender.credentials(), to = target.credentials();
  if (from->euid == to->suid || from->euid == to->ruid || from->ruid == to->suid ||
      from->ruid == to->ruid || from->HasIn(*to->user_namespace, CAP_KILL)) {
    return Ok();
  }
  if (signo == SIGCONT && sender.group().session() == target.group().session()) return Ok();
  return Error(EPERM);
}

bool Kernel::Register(const TaskRef& task, pid_t tid) {
  ThreadGroup& group = *task->group_;
  absl::MutexLock lock(&tree_mutex_);
  if (task->tid_.load() != 0) return true;
  {
    absl::MutexLock signal_lock(&group.signal_mutex_);
    if (group.exiting_ || group.executing_ != nullptr) return false;
    task->tid_.store(tid);
    if (group.pid_namespace_ != nullptr) {
      task->numbers_ = std::make_shared<const PidNumbers>(group.pid_namespace_, tid,
                                                          std::move(task->reserved_pids_));
      task->shown_tid_.store(task->numbers_->own());
    }
    group.tasks_.push_back(task);
    forks_.fetch_add(1, std::memory_order_relaxed);
    last_pid_.store(tid, std::memory_order_relaxed);
    if (group.stop_signal_ != 0) task->Notify(Task::kSignalWork);
  }
  tasks_[tid] = task;
  if (group.pid() == 0) RegisterGroup(task, tid);
  return true;
}

void Kernel::RegisterGroup(const TaskRef& task, pid_t pid) {
  ThreadGroup& group = *task->group_;
  if (groups_.contains(pid)) {
    // The host gave a number away that a zombie still has.
    LOG_WARNING("process ", pid, " takes the number of one that was not waited for");
  }
  group.pid_.store(pid);
  if (group.pid_namespace_ != nullptr) {
    group.shown_pid_.store(task->shown_tid_.load());
    if (group.is_init()) inits_[group.pid_namespace_.get()] = &group;
  }
  group.leader_ = task;
  groups_[pid] = task->group_;
  ThreadGroupRef parent = std::move(group.birth_parent_);
  if (parent == nullptr) {
    if (init_ == nullptr) init_ = task->group_;
    auto session = std::make_shared<Session>();
    session->id = pid;
    auto process_group = std::make_shared<ProcessGroup>();
    process_group->id = pid;
    process_group->session = std::move(session);
    JoinProcessGroup(group, std::move(process_group));
    if (ControllingTerminalRef terminal = std::move(group.terminal_); terminal != nullptr) {
      group.terminal_.reset();
      JobControl::AdoptLocked(group, std::move(terminal));
    }
    return;
  }
  JobControl::InheritLocked(group, *parent);
  if (parent->process_group_ != nullptr) JoinProcessGroup(group, parent->process_group_);
  if (parent->life_.load() != ThreadGroup::Life::kAlive) {
    ThreadGroup* reaper = FindReaper(*parent);
    if (reaper == nullptr) return;
    parent = reaper->shared_from_this();
    if (group.process_group_ == nullptr) JoinProcessGroup(group, parent->process_group_);
    group.parent_task_ = parent->tasks_.empty() ? nullptr : parent->tasks_.front().get();
  }
  group.parent_ = parent.get();
  parent->children_.push_back(task->group_);
}

void Kernel::BecomeLeader(Task& task) {
  TaskRef old_leader;  // dropped without the lock
  ThreadGroup& group = *task.group_;
  absl::MutexLock lock(&tree_mutex_);
  if (group.leader_.get() == &task) return;
  const TaskRef self = task.shared_from_this();
  tasks_.erase(task.tid());
  old_leader = std::exchange(group.leader_, self);
  task.tid_.store(group.pid());
  task.shown_tid_.store(group.shown_pid_.load());
  task.numbers_ = old_leader == nullptr ? nullptr : old_leader->numbers_;
  if (old_leader != nullptr) task.start_ns_.store(old_leader->start_ns());
  tasks_[group.pid()] = self;
}

int Kernel::WaitForInit() {
  absl::MutexLock lock(&tree_mutex_);
  auto ended = [this]()
                   ABSL_EXCLUSIVE_LOCKS_REQUIRED(tree_mutex_) { return init_status_.has_value(); };
  tree_mutex_.Await(absl::Condition(&ended));
  return *init_status_;
}

Status Kernel::SignalFromOutside(pid_t pid, int signo, bool all) {
  if (signo < 0 || signo > kSignalCount) return Error(EINVAL);
  const SigInfo info = MakeSigInfo(signo, SI_USER);
  if (!all) {
    ThreadGroupRef group = FindGroup(pid <= 0 ? kInitPid : pid);
    if (group == nullptr || group->zombie()) return Error(ESRCH);
    return group->Send(info, nullptr, /*outside=*/true);
  }
  std::vector<ThreadGroupRef> groups = Groups();
  if (groups.empty()) return Error(ESRCH);
  // Init last: its end would take the others with it.
  std::reverse(groups.begin(), groups.end());
  for (const ThreadGroupRef& group : groups) TRY(group->Send(info, nullptr, /*outside=*/true));
  return Ok();
}

void Kernel::KillAll() {
  std::vector<ThreadGroupRef> groups = Groups();
  std::reverse(groups.begin(), groups.end());
  for (const ThreadGroupRef& group : groups) group->ForceExit();
}

NamespaceSetRef Kernel::NamespacesOf(Context& context) {
  const Task* task = context.caller_task();
  return task == nullptr ? namespaces_ : task->namespaces();
}

int Kernel::cpu_count() const { return cpu_count_.load(); }
uint64_t Kernel::memory_total() const { return memory_total_.load(); }
int64_t Kernel::boot_time_monotonic_ns() const { return boot_time_ns_; }

int64_t Kernel::Uptime(const TimeNamespace& time, int64_t monotonic_ns) const {
  return std::max<int64_t>(monotonic_ns - boot_time_ns_ + time.OffsetOf(CLOCK_BOOTTIME), 0);
}

}  // namespace runsc::boot
