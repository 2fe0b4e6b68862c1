#include "bin/runsc-boot/kernel/thread_group.h"

#include <linux/capability.h>
#include <sched.h>

#include "bin/runsc-boot/kernel/host_limits.h"
#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/process_timers.h"

namespace runsc::boot {

ThreadGroup::ThreadGroup(Key, Kernel& kernel)
    : kernel_(kernel),
      actions_(std::make_shared<SignalActions>()),
      timers_(std::make_unique<ProcessTimers>(*this, kernel.timers())) {}

ThreadGroup::~ThreadGroup() = default;

ThreadGroupRef ThreadGroup::Fork(ThreadGroup& parent, const CloneRequest& request) {
  auto child = std::make_shared<ThreadGroup>(Key(), parent.kernel_);
  {
    absl::MutexLock lock(&parent.limits_mutex_);
    absl::MutexLock child_lock(&child->limits_mutex_);
    child->limits_ = parent.limits_;
    child->stack_bytes_.store(parent.stack_bytes());
  }
  child->timers_->WatchCpuLimit();
  const bool clear = (request.flags & kCloneClearSighand) != 0;
  std::shared_ptr<SignalActions> actions = parent.actions();
  if ((request.flags & CLONE_SIGHAND) == 0) actions = actions->Clone(clear);
  {
    absl::MutexLock lock(&child->signal_mutex_);
    child->actions_ = std::move(actions);
  }
  child->exit_signal_ = request.exit_signal;
  child->oom_score_adj_.store(parent.oom_score_adj_.load());
  child->oom_score_adj_min_.store(parent.oom_score_adj_min_.load());
  child->coredump_filter_.store(parent.coredump_filter_.load());
  return child;
}

pid_t ThreadGroup::parent_pid() const {
  absl::MutexLock lock(&kernel_.tree_mutex());
  return parent_ == nullptr ? 0 : parent_->pid();
}

int ThreadGroup::exit_signal() const {
  absl::MutexLock lock(&kernel_.tree_mutex());
  return exit_signal_;
}

pid_t ThreadGroup::process_group() const {
  absl::MutexLock lock(&kernel_.tree_mutex());
  return process_group_ == nullptr ? 0 : process_group_->id;
}

pid_t ThreadGroup::session() const {
  absl::MutexLock lock(&kernel_.tree_mutex());
  return process_group_ == nullptr ? 0 : process_group_->session->id;
}

TaskRef ThreadGroup::leader() const {
  absl::MutexLock lock(&kernel_.tree_mutex());
  return leader_;
}

const void* ThreadGroup::action_table() const { return actions().get(); }

std::vector<TaskRef> ThreadGroup::tasks() const {
  absl::MutexLock lock(&signal_mutex_);
  return tasks_;
}

size_t ThreadGroup::task_count() const {
  absl::MutexLock lock(&signal_mutex_);
  return tasks_.size();
}

rlimit ThreadGroup::limit(int resource) const {
  if (resource < 0 || resource >= RLIM_NLIMITS) return {0, 0};
  absl::MutexLock lock(&limits_mutex_);
  return limits_[resource];
}

Status ThreadGroup::SetLimit(const Credentials& credentials, int resource, const rlimit& limit) {
  if (resource < 0 || resource >= RLIM_NLIMITS) return Error(EINVAL);
  if (limit.rlim_cur > limit.rlim_max) return Error(EINVAL);
  // Linux: no more descriptors than fs.nr_open.
  constexpr rlim_t kMaxDescriptors = 1 << 20;
  if (resource == RLIMIT_NOFILE && limit.rlim_max > kMaxDescriptors) return Error(EPERM);
  {
    absl::MutexLock lock(&limits_mutex_);
    if (limit.rlim_max > limits_[resource].rlim_max &&
        !credentials.HasInitially(CAP_SYS_RESOURCE)) {
      return Error(EPERM);
    }
    limits_[resource] = limit;
  }
  if (resource == RLIMIT_CPU) timers_->WatchCpuLimit();
  std::shared_ptr<platform::HostProcess> process;
  {
    absl::MutexLock lock(&signal_mutex_);
    process = process_;
  }
  if (process != nullptr) ApplyHostLimit(*process, resource, limit.rlim_cur, stack_bytes());
  return Ok();
}

void ThreadGroup::SetStackBytes(const platform::HostProcess& process, uint64_t bytes) {
  if (stack_bytes_.exchange(bytes, std::memory_order_relaxed) == bytes) return;
  for (int resource : {RLIMIT_AS, RLIMIT_DATA}) {
    ApplyHostLimit(process, resource, limit(resource).rlim_cur, bytes);
  }
}

void ThreadGroup::RaiseCpuLimit(rlim_t seconds) {
  absl::MutexLock lock(&limits_mutex_);
  rlimit& limit = limits_[RLIMIT_CPU];
  if (limit.rlim_cur < seconds) limit.rlim_cur = std::min(seconds, limit.rlim_max);
}

Usage ThreadGroup::usage() const {
  std::shared_ptr<platform::HostProcess> process;
  {
    absl::MutexLock lock(&signal_mutex_);
    if (exiting_ || process_ == nullptr) return final_usage_;
    process = process_;
  }
  return ReadUsage(*process);
}

Usage ThreadGroup::ReadUsage(platform::HostProcess& process) {
  Usage usage;
  const uint64_t total = process.TotalTimeNs();
  usage.user_ns = std::min(process.UserTimeNs(), total);
  usage.system_ns = total - usage.user_ns;
  return usage;
}

Usage ThreadGroup::children_usage() const {
  absl::MutexLock lock(&kernel_.tree_mutex());
  return children_usage_;
}

bool ThreadGroup::zombie() const { return life_.load() != Life::kAlive; }

int ThreadGroup::exit_status() const {
  absl::MutexLock lock(&signal_mutex_);
  return exit_status_;
}

Status ThreadGroup::SendFromOutside(int signo) {
  return Send(MakeSigInfo(signo, SI_USER), nullptr, /*outside=*/true);
}

std::shared_ptr<platform::HostProcess> ThreadGroup::host_process() const {
  absl::MutexLock lock(&signal_mutex_);
  return exiting_ ? nullptr : process_;
}

bool ThreadGroup::child_subreaper() const { return child_subreaper_.load(); }
void ThreadGroup::set_child_subreaper(bool value) { child_subreaper_.store(value); }

Result<itimerval> ThreadGroup::SetIntervalTimer(int which, const itimerval& value) {
  return timers_->SetInterval(which, value);
}
Result<itimerval> ThreadGroup::GetIntervalTimer(int which) const {
  return timers_->GetInterval(which);
}
Result<int> ThreadGroup::CreateTimer(Task& caller, clockid_t clock,
                                     const std::optional<sigevent>& event) {
  return timers_->posix().Create(caller, clock, event);
}
Result<itimerspec> ThreadGroup::SetTimer(int id, bool absolute, const itimerspec& value,
                                         const TimeNamespace& time) {
  return timers_->posix().Set(id, absolute, value, time);
}
Result<itimerspec> ThreadGroup::GetTimer(int id) const { return timers_->posix().Get(id); }
Result<int> ThreadGroup::TimerOverrun(int id) const { return timers_->posix().Overrun(id); }
Status ThreadGroup::DeleteTimer(int id) { return timers_->posix().Delete(id); }
std::vector<PosixTimerInfo> ThreadGroup::Timers() const { return timers_->posix().List(); }

}  // namespace runsc::boot
