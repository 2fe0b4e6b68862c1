#include "bin/runsc-boot/kernel/seccomp.h"

#include <linux/audit.h>

#include <algorithm>

#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/ptrace.h"
#include "bin/runsc-boot/kernel/task.h"
#include "common/log.h"

namespace runsc::boot {

namespace {

constexpr uint32_t kMaxErrno = 4095;
constexpr int kSysSeccomp = 1;  // si_code of SIGSYS

seccomp_data DataOf(const platform::SyscallInfo& call) {
  seccomp_data data{};
  data.nr = static_cast<int>(call.number);
  data.arch = AUDIT_ARCH_X86_64;
  data.instruction_pointer = call.instruction_pointer;
  std::copy(call.args.begin(), call.args.end(), data.args);
  return data;
}

}  // namespace

std::shared_ptr<const seccomp::Filter> Task::seccomp_filter() const {
  absl::MutexLock lock(&state_mutex_);
  return filter_ref_;
}

void Task::SetFilter(std::shared_ptr<const seccomp::Filter> filter) {
  if (filter == nullptr) return;
  absl::MutexLock lock(&state_mutex_);
  filter_.store(filter.get(), std::memory_order_release);
  filter_ref_.swap(filter);
  interception_.fetch_or(kFiltered);
}

void Task::StartWithSeccomp(std::shared_ptr<const seccomp::Filter> filter) {
  SetFilter(std::move(filter));
}

Status Task::TrapNativeCalls(seccomp::NativeCallSet calls, bool all_threads) {
  const seccomp::NativeCallSet missing = calls & ~trapped_calls_.load();
  if (missing == 0 && !all_threads) return Ok();
  std::vector<uint32_t> numbers;
  for (size_t i = 0; i < seccomp::kNativeCallCount; ++i) {
    if (((missing >> i) & 1) != 0) numbers.push_back(seccomp::kNativeCalls[i]);
  }
  TRY(thread_->EnterStub());
  TRY(thread_->TrapCalls(numbers, all_threads));
  trapped_calls_.fetch_or(missing);
  return Ok();
}

Result<uint64_t> Task::InstallSeccomp(SeccompRequest request) {
  const seccomp::FilterRef old = seccomp_filter();
  if (old != nullptr && old->strict()) return request.strict ? Result<uint64_t>(0) : Error(EINVAL);
  if (old != nullptr && request.strict) return Error(EINVAL);
  if (request.notifier != nullptr && old != nullptr && old->HasNotifier()) return Error(EBUSY);
  seccomp::FilterRef fresh = seccomp::Filter::Strict();
  if (!request.strict) {
    seccomp::Filter::Options options{request.log, request.wait_killable, request.notifier};
    TRY_ASSIGN(fresh, seccomp::Filter::Create(std::move(request.program), old, options));
  }
  const auto siblings = group_->tasks();
  const bool sync = request.sync && siblings.size() > 1;
  bool siblings_miss_calls = false;
  for (const TaskRef& task : siblings) {
    const seccomp::FilterRef theirs = task->seccomp_filter();
    if (!sync || task.get() == this) continue;
    const bool follows = theirs == nullptr ||
                         (old != nullptr && old->DescendsFrom(theirs.get()) && !theirs->strict());
    if (!follows && request.sync_esrch) return Error(ESRCH);
    if (!follows) return static_cast<uint64_t>(task->tid());
    siblings_miss_calls |= (fresh->native_calls() & ~task->trapped_calls_.load()) != 0;
  }
  TRY(TrapNativeCalls(fresh->native_calls(), siblings_miss_calls));
  const bool no_new_privs = credentials()->no_new_privs;
  absl::MutexLock lock(&group_->signal_mutex_);
  if (sync) {
    group_->synchronised_filter_ = fresh;
    for (const TaskRef& task : group_->tasks_) {
      if (task.get() == this) continue;
      task->SetFilter(fresh);
      task->trapped_calls_.fetch_or(trapped_calls_.load());
      if (!no_new_privs) continue;
      Credentials changed = *task->credentials();
      changed.no_new_privs = true;
      task->set_credentials(std::move(changed));
    }
  }
  SetFilter(fresh);
  return 0;
}

void Task::CatchUpWithSeccomp() {
  const seccomp::FilterRef mine = seccomp_filter();
  absl::MutexLock lock(&group_->signal_mutex_);
  const seccomp::FilterRef latest = group_->synchronised_filter_;
  if (latest != nullptr && latest != mine && latest->DescendsFrom(mine.get())) SetFilter(latest);
}

Result<uint64_t> Task::ExecuteFiltered(const platform::SyscallInfo& call) {
  const seccomp::Filter* filter = filter_.load(std::memory_order_acquire);
  if (filter == nullptr || filter->AlwaysAllows(call.number)) return Dispatch(call);
  return ApplyFilter(call);
}

Result<uint64_t> Task::ApplyFilter(const platform::SyscallInfo& call) {
  // Another thread's synchronisation may replace the filter meanwhile.
  const seccomp::FilterRef filter = seccomp_filter();
  if (filter == nullptr) return Dispatch(call);
  const seccomp::Filter::Verdict verdict = filter->Evaluate(DataOf(call));
  const uint32_t data = verdict.action & SECCOMP_RET_DATA;
  const uint32_t action = verdict.action & SECCOMP_RET_ACTION_FULL;
  if (verdict.filter->options().log && action != SECCOMP_RET_ALLOW) {
    LOG_DEBUG("seccomp: ", name(), "[", tid(), "] call ", call.number, " action ", action);
  }
  switch (action) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
      return Dispatch(call);
    case SECCOMP_RET_ERRNO:
      // A plain value, so that no errno means a restart.
      return static_cast<uint64_t>(-static_cast<int64_t>(std::min(data, kMaxErrno)));
    case SECCOMP_RET_TRAP:
      return TrapOnCall(call, data);
    case SECCOMP_RET_TRACE:
      if (auto traced = Tracee::OnSeccompTrace(*this, call, data); traced.has_value()) {
        return *std::move(traced);
      }
      return static_cast<uint64_t>(-int64_t{ENOSYS});
    case SECCOMP_RET_USER_NOTIF:
      return NotifySupervisor(call, *verdict.filter);
    case SECCOMP_RET_KILL_THREAD:
      return KillThread(filter->strict() ? SIGKILL : SIGSYS);
    default:  // as Linux, what is not known kills the process
      ExitGroup(SIGSYS);
      return EndHandled();
  }
}

Result<uint64_t> Task::KillThread(int signo) {
  if (group_->task_count() <= 1) {
    ExitGroup(signo);
  } else {
    Exit(signo);
  }
  return EndHandled();
}

Result<uint64_t> Task::TrapOnCall(const platform::SyscallInfo& call, uint32_t data) {
  TRY(thread_->EnterStub());
  platform::Registers& registers = thread_->registers();
  registers.rax = call.number;
  SigInfo info = MakeSigInfo(SIGSYS, kSysSeccomp);
  info.si_errno = static_cast<int>(data);
  info.si_call_addr = reinterpret_cast<void*>(call.instruction_pointer);
  info.si_syscall = static_cast<int>(call.number);
  info.si_arch = AUDIT_ARCH_X86_64;
  ForceSignal(info);
  return EndInStub();
}

Result<uint64_t> Task::NotifySupervisor(const platform::SyscallInfo& call,
                                        const seccomp::Filter& filter) {
  const auto notifier = std::static_pointer_cast<SeccompNotifier>(filter.options().notifier);
  if (notifier == nullptr) return static_cast<uint64_t>(-int64_t{ENOSYS});
  Result<SeccompNotifier::Answer> answer =
      notifier->Ask(*this, DataOf(call), filter.options().wait_killable);
  if (answer.code() == ENOSYS) return static_cast<uint64_t>(-int64_t{ENOSYS});
  if (!answer.ok()) return std::move(answer).error();
  if (answer->execute) return Dispatch(call);
  return static_cast<uint64_t>(answer->value);
}

std::shared_ptr<Tracee> Task::tracee() const {
  absl::MutexLock lock(&state_mutex_);
  return tracee_;
}

}  // namespace runsc::boot
