// How a task's events begin and end.
#include <sys/syscall.h>

#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/ptrace.h"
#include "bin/runsc-boot/kernel/task.h"

namespace runsc::boot {

namespace {

// Results that are none: no system call returns values in this range.
constexpr uint64_t kEndOnHost = static_cast<uint64_t>(-100001);
constexpr uint64_t kEndHandled = static_cast<uint64_t>(-100002);
constexpr uint64_t kEndInStub = static_cast<uint64_t>(-100003);

constexpr int64_t kFirstRestartCode = kRestartSys;

}  // namespace

uint64_t Task::EndOnHost(int restart_code) {
  host_sleep_.restart_code = restart_code;
  return kEndOnHost;
}
uint64_t Task::EndHandled() { return kEndHandled; }
uint64_t Task::EndInStub() { return kEndInStub; }

void Task::SetRestart(std::function<Result<uint64_t>(Task&)> restart) {
  restart_ = std::move(restart);
}

bool Task::BeginEvent(const platform::SyscallInfo* call) {
  absl::MutexLock lock(&state_mutex_);
  if (dead_) return false;
  where_ = Where::kKernel;
  call_ = call;
  return true;
}

template <typename Action>
bool Task::TryLeave(Where to, Action action) {
  absl::MutexLock lock(&state_mutex_);
  if (HasWork()) return false;
  where_ = to;
  action();
  return true;
}

void Task::Notify(uint32_t bits) {
  if ((work_.fetch_or(bits) & bits) == bits) return;
  {
    absl::MutexLock lock(&state_mutex_);
    if (where_ == Where::kApplication && thread_ != nullptr) thread_->Interrupt();
  }
  Wake();
}

Result<uint64_t> Task::Dispatch(const platform::SyscallInfo& call) {
  return kernel_.dispatch_(*this, call);
}

void Task::LeaveOnHost(platform::Thread& thread, const platform::SyscallInfo& call) {
  if (host_sleep_.restart_code != 0) host_sleep_.call = call;
  const platform::SyscallInfo& executed =
      host_sleep_.substitute.has_value() ? *host_sleep_.substitute : call;
  {
    absl::MutexLock lock(&state_mutex_);
    if (!killed()) {
      where_ = Where::kApplication;
      thread.ContinueOnHost(executed);
      if (HasWork()) thread.Interrupt();
      return;
    }
  }
  FinishKilled();
}

void Task::LeaveStub(platform::Thread& thread) {
  if (IsTraced()) return Tracee::Leave(*this, thread);
  while (!TryLeave(Where::kApplication, [&] { thread.Resume(); })) {
    if (DeliverSignals(thread, nullptr) == Delivered::kGone) return;
  }
}

void Task::EndFutexWait(platform::Thread& thread, const HostWait& wait) {
  InterruptedCall interrupted{wait.call, -wait.restart_code};
  while (!TryLeave(Where::kApplication, [&] { thread.Resume(); })) {
    switch (DeliverSignals(thread, &interrupted)) {
      case Delivered::kGone:
        return;
      case Delivered::kHandler:
        return LeaveStub(thread);
      case Delivered::kNothing:
        break;
    }
  }
}

void Task::EndCall(platform::Thread& thread, const platform::SyscallInfo& call,
                   Result<uint64_t> result) {
  kernel_.late_signals().Flush();
  bool delivered = false;
  while (true) {
    if (IsTraced()) {
      return Tracee::FinishCall(*this, thread, call, std::move(result), delivered);
    }
    if (result.ok() && *result == kEndHandled) return;
    if (result.ok() && *result == kEndOnHost) return LeaveOnHost(thread, call);
    if (result.ok() && *result == kEndInStub) return LeaveStub(thread);
    const int64_t value = result.ok() ? static_cast<int64_t>(*result) : -result.error().code();
    const bool restarts = !result.ok() && value <= -kFirstRestartCode;
    const bool interrupted_by_signal = restarts || (!result.ok() && value == -EINTR);
    // An interrupted call keeps its temporary mask until the handler is set up.
    if (saved_mask_.has_value() && !interrupted_by_signal) RestoreSavedMask();
    if (!restarts && !saved_mask_.has_value() &&
        TryLeave(Where::kApplication, [&] { thread.Return(value); })) {
      return;
    }
    delivered = true;
    InterruptedCall interrupted{call, value};
    switch (DeliverSignals(thread, &interrupted)) {
      case Delivered::kGone:
        return;
      case Delivered::kHandler:
        return LeaveStub(thread);
      case Delivered::kNothing:
        break;
    }
    if (saved_mask_.has_value()) RestoreSavedMask();
    if (restarts) result = Redispatch(call, static_cast<int>(-value));
  }
}

Result<uint64_t> Task::Redispatch(const platform::SyscallInfo& call, int code) {
  if (code == kRestartBlock && restart_ != nullptr) {
    auto restart = std::exchange(restart_, nullptr);
    return restart(*this);
  }
  return Execute(call);
}

void Task::OnSyscall(platform::Thread& thread, const platform::SyscallInfo& call) {
  // The task must outlive the end of its event.
  const TaskRef self = shared_from_this();
  if (!BeginEvent(&call)) return;
  if (killed()) return FinishKilled();
  host_sleep_.restart_code = 0;
  host_sleep_.substitute.reset();
  if (IsTraced()) return Tracee::HandleSyscall(*this, thread, call);
  EndCall(thread, call, Execute(call));
}

void Task::OnFault(platform::Thread& thread, const siginfo_t& info) {
  const TaskRef self = shared_from_this();
  if (!BeginEvent()) return;
  fault_codes_ = thread.fault_codes();
  SigInfo fault = info;
  switch (info.si_signo) {
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
      break;
    default:
      fault = MakeSigInfo(SIGSEGV, SI_KERNEL);
  }
  // A fault's code is the kernel's; anything else is the application's forgery.
  if (fault.si_code <= 0) fault = MakeSigInfo(fault.si_signo, SI_KERNEL);
  if (IsTraced() && Tracee::EndStep(*this, thread, fault)) return LeaveStub(thread);
  ForceSignal(fault);
  LeaveStub(thread);
}

void Task::OnInterrupt(platform::Thread& thread) {
  const TaskRef self = shared_from_this();
  if (!BeginEvent()) return;
  const std::optional<HostWait> wait = InterruptedHostWait(thread.registers());
  if (!wait.has_value()) return LeaveStub(thread);
  if (wait->restart_code == kRestartBlock || wait->call.number == SYS_clock_nanosleep) {
    return EndCall(thread, wait->call, Error(wait->restart_code));
  }
  if (IsTraced()) {
    return Tracee::FinishCall(*this, thread, wait->call, Error(wait->restart_code), true);
  }
  EndFutexWait(thread, *wait);
}

void Task::OnDeath(platform::Thread& thread) {
  const TaskRef self = shared_from_this();
  group_->BeginExit(SIGKILL);
  // It cannot come in any more.
  Kill(Death::kNow);
}

}  // namespace runsc::boot
