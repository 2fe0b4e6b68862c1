// The tracee's side of ptrace(2): where it stops, and how it goes on.
#include "bin/runsc-boot/kernel/ptrace.h"

#include <sys/epoll.h>
#include <sys/syscall.h>

#include "bin/runsc-boot/kernel/tree_lock.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kSyscallLength = 2;
constexpr int kSysGood = 0x80;
// To trap or not costs a call of the stub: a tracer that looks at few calls (by a
// filter) wants to see their ends, too.
constexpr int kManyUnwatchedCalls = 16;

SigInfo TrapInfo(int signo, int code, const Task& task) {
  return MakeSigInfo(signo, code, task.tid(), task.credentials()->ruid);
}

void CallFromRegisters(const platform::Registers& r, int64_t number, platform::SyscallInfo& call) {
  call.number = static_cast<uint64_t>(number);
  call.args = {r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9};
  call.instruction_pointer = r.rip;
}

}  // namespace

Tracee::Tracee(Key, const TaskRef& task, const TaskRef& tracer, bool seized, uint32_t options)
    : task_(task), tracer_(tracer), seized_(seized), options_(options) {}

TraceeRef Tracee::Of(const Task& task) { return task.tracee(); }

Tracee::Mode Tracee::mode() const {
  absl::MutexLock lock(&mutex_);
  return detached_ ? Mode::kContinue : mode_;
}

bool Tracee::Has(uint32_t option) const {
  absl::MutexLock lock(&mutex_);
  return !detached_ && (options_ & option) != 0;
}

bool Tracee::WantsTraps() const {
  absl::MutexLock lock(&mutex_);
  return (wants_all_calls_ || debug_.armed()) && !detached_;
}

bool Tracee::stopped() const {
  absl::MutexLock lock(&mutex_);
  return stopped_;
}

pid_t Tracee::TracerPid() const {
  {
    absl::MutexLock lock(&mutex_);
    if (detached_) return 0;
  }
  const TaskRef tracer = tracer_.lock();
  return tracer == nullptr ? 0 : tracer->tid();
}

// --- Stops

void Tracee::NotifyTracer(Task& task, const StopInfo& stop) {
  const TaskRef tracer = tracer_.lock();  // its last reference may not go under the lock
  if (tracer == nullptr) return;
  Kernel::TreeLock lock(task.kernel());
  ThreadGroup& group = tracer->group();
  const SignalAction action = group.actions()->Get(SIGCHLD);
  if (action.handler != reinterpret_cast<uint64_t>(SIG_IGN) && (action.flags & SA_NOCLDSTOP) == 0) {
    SigInfo info = TrapInfo(SIGCHLD, stop.code, task);
    info.si_pid = tracer->FromKernelPid(task.tid());
    info.si_status = stop.status & 0x7f;
    lock.signals().push_back({group.shared_from_this(), info});
  }
  group.child_queue_.Notify(EPOLLIN);
}

bool Tracee::BeginStop(Task& task, StopInfo stop) {
  if (!task.thread().EnterStub().ok()) return false;
  // The tracer sees the program's flags.
  EndForcedStep(task.thread().registers());
  const StopInfo told = stop;
  {
    absl::MutexLock lock(&mutex_);
    if (detached_) return false;
    stop_ = std::move(stop);
    stopped_ = true;
    reported_ = listening_ = false;
    resume_signal_ = 0;
  }
  NotifyTracer(task, told);
  return true;
}

int Tracee::Stop(Task& task, StopInfo stop) {
  if (task.killed() || !BeginStop(task, std::move(stop))) return 0;
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (!stopped_) return resume_signal_;
    }
    if (task.SleepUninterruptibly()) continue;
    absl::MutexLock requests(&request_mutex_);
    absl::MutexLock lock(&mutex_);
    stopped_ = false;
    return 0;
  }
}

void Tracee::StopForEvent(Task& task, int event, uint64_t message) {
  StopInfo stop;
  stop.status = SIGTRAP | event << 8;
  stop.code = CLD_TRAPPED;
  stop.info = TrapInfo(SIGTRAP, stop.status, task);
  stop.message = message;
  const int signo = Stop(task, std::move(stop));
  if (signo != 0) (void)task.SendSignal(MakeSigInfo(signo, SI_KERNEL)).ok();
}

void Tracee::StopForSyscall(Task& task, uint8_t op) {
  StopInfo stop;
  stop.status = SIGTRAP | (Has(PTRACE_O_TRACESYSGOOD) ? kSysGood : 0);
  stop.code = CLD_TRAPPED;
  stop.info = TrapInfo(SIGTRAP, stop.status, task);
  stop.syscall_op = op;
  stop.message = op == PTRACE_SYSCALL_INFO_ENTRY ? PTRACE_EVENTMSG_SYSCALL_ENTRY
                                                 : PTRACE_EVENTMSG_SYSCALL_EXIT;
  const int signo = Stop(task, std::move(stop));
  if (signo != 0) (void)task.SendSignal(MakeSigInfo(signo, SI_KERNEL)).ok();
}

void Tracee::StopForStep(Task& task, int code) {
  StopInfo stop;
  stop.status = SIGTRAP;
  stop.code = CLD_TRAPPED;
  stop.info = TrapInfo(SIGTRAP, code, task);
  const int signo = Stop(task, std::move(stop));
  if (signo != 0) (void)task.SendSignal(MakeSigInfo(signo, SI_KERNEL)).ok();
}

void Tracee::StopForGroup(Task& task, int signo) {
  ThreadGroup& group = task.group();
  bool complete = false;
  {
    absl::MutexLock lock(&group.signal_mutex_);
    if (group.stop_signal_ == 0) return;
    ++group.parked_;
    complete = group.StopCompletes();
  }
  if (complete) task.kernel().ReportStop(group);
  StopInfo stop;
  stop.status = signo;
  stop.code = CLD_STOPPED;
  if (seized_) {
    stop.status |= PTRACE_EVENT_STOP << 8;
    stop.info = TrapInfo(SIGTRAP, stop.status, task);
  }
  Stop(task, std::move(stop));
  absl::MutexLock lock(&group.signal_mutex_);
  --group.parked_;
}

bool Tracee::PassesGroupStop(const Task& task) {
  const TraceeRef tracee = Of(task);
  if (tracee == nullptr) return false;
  absl::MutexLock lock(&tracee->mutex_);
  return tracee->passed_stop_ && !tracee->detached_;
}

bool Tracee::HandleTraps(Task& task) {
  const TraceeRef tracee = Of(task);
  if (tracee == nullptr) return false;
  int group_signal = 0;
  {
    absl::MutexLock lock(&task.group().signal_mutex_);
    group_signal = task.group().stop_signal_;
  }
  bool trap = false, group_stop = false;
  {
    absl::MutexLock lock(&tracee->mutex_);
    if (tracee->detached_) return false;
    if (group_signal == 0) tracee->passed_stop_ = false;
    trap = std::exchange(tracee->trap_pending_, false);
    group_stop = group_signal != 0 && (trap || !tracee->passed_stop_);
    if (group_stop) tracee->passed_stop_ = true;
  }
  if (group_stop) {
    tracee->StopForGroup(task, group_signal);
    return true;
  }
  if (!trap) return false;
  tracee->StopForEvent(task, PTRACE_EVENT_STOP, 0);
  return true;
}

bool Tracee::HasTracer(const Task& task) {
  if (!task.IsTraced()) return false;
  const TraceeRef tracee = Of(task);
  if (tracee == nullptr) return false;
  absl::MutexLock lock(&tracee->mutex_);
  return !tracee->detached_;
}

bool Tracee::OfferSignal(Task& task, SigInfo& info) {
  const TraceeRef tracee = Of(task);
  if (tracee == nullptr) return true;
  {
    absl::MutexLock lock(&tracee->mutex_);
    if (tracee->detached_) return true;
  }
  StopInfo stop;
  stop.status = info.si_signo;
  stop.code = CLD_TRAPPED;
  stop.info = info;
  const int signo = tracee->Stop(task, std::move(stop));
  if (task.killed()) return false;
  bool left_over = false;
  {
    absl::MutexLock lock(&tracee->mutex_);
    info = tracee->stop_.info.value_or(info);
    left_over = tracee->detached_ && !tracee->reported_;
  }
  // A tracer that dies does not take a signal with it that it never waited for.
  const TaskRef tracer = tracee->tracer_.lock();
  if (signo == 0 && left_over && (tracer == nullptr || tracer->killed())) return true;
  if (signo == 0) return false;
  if (signo != info.si_signo) {
    info = MakeSigInfo(signo, SI_USER, tracer == nullptr ? 0 : task.FromKernelPid(tracer->tid()),
                       tracer == nullptr ? 0 : tracer->credentials()->ruid);
  }
  absl::MutexLock lock(&task.group().signal_mutex_);
  if (task.Wants(signo)) return true;
  task.pending_.AddForced(info);
  return false;
}

bool Tracee::MayGain(const Task& task) {
  const TraceeRef tracee = Of(task);
  const TaskRef tracer = tracee == nullptr ? nullptr : tracee->tracer_.lock();
  return tracer == nullptr || tracer->credentials()->Has(CAP_SYS_PTRACE);
}

// --- System calls

void Tracee::HandleSyscall(Task& task, platform::Thread& thread, platform::SyscallInfo call) {
  const TraceeRef tracee = Of(task);
  if (tracee == nullptr) return task.EndCall(thread, call, task.Execute(call));
  tracee->tid_before_exec_ = task.tid();
  const Mode mode = tracee->mode();
  // The call may go on in other places: in a child, in a handler.
  if (thread.in_stub()) tracee->EndForcedStep(thread.registers());
  tracee->original_rax_ = static_cast<int64_t>(call.number);
  tracee->CountUnwatchedCall(mode);
  if (mode != Mode::kContinue && mode != Mode::kStep) {
    if (!thread.EnterStub().ok()) return task.FinishKilled();
    thread.registers().rax = static_cast<uint64_t>(-int64_t{ENOSYS});
    tracee->StopForSyscall(task, PTRACE_SYSCALL_INFO_ENTRY);
    if (task.killed()) return task.FinishKilled();
    CallFromRegisters(thread.registers(), tracee->original_rax_, call);
    const bool emulated = mode == Mode::kEmulate || mode == Mode::kEmulateStep;
    if (emulated || tracee->original_rax_ < 0) {
      return FinishCall(task, thread, call, thread.registers().rax);
    }
  }
  if (call.number == SYS_restart_syscall && task.restart_ != nullptr) {
    return task.EndCall(thread, call, task.Redispatch(call, kRestartBlock));
  }
  task.EndCall(thread, call, task.Execute(call));
}

std::optional<Result<uint64_t>> Tracee::OnSeccompTrace(Task& task,
                                                       const platform::SyscallInfo& call,
                                                       uint32_t data) {
  const TraceeRef tracee = Of(task);
  if (tracee == nullptr || !tracee->Has(PTRACE_O_TRACESECCOMP)) return std::nullopt;
  // The filters see the call again, as the tracer has left it.
  if (tracee->rechecks_) return task.Dispatch(call);
  platform::Thread& thread = task.thread();
  TRY(thread.EnterStub());
  thread.registers().rax = static_cast<uint64_t>(-int64_t{ENOSYS});
  tracee->original_rax_ = static_cast<int64_t>(call.number);
  tracee->StopForEvent(task, PTRACE_EVENT_SECCOMP, data);
  if (task.killed()) {
    task.FinishKilled();
    return task.EndHandled();
  }
  platform::SyscallInfo changed = call;
  CallFromRegisters(thread.registers(), tracee->original_rax_, changed);
  if (tracee->original_rax_ < 0) return Result<uint64_t>(thread.registers().rax);
  tracee->rechecks_ = true;
  Result<uint64_t> result = task.ApplyFilter(changed);
  tracee->rechecks_ = false;
  return result;
}

void Tracee::CountUnwatchedCall(Mode mode) {
  if (mode != Mode::kContinue) unwatched_calls_ = 0;
  if (!all_calls_trap_.load() || ++unwatched_calls_ < kManyUnwatchedCalls) return;
  unwatched_calls_ = 0;
  absl::MutexLock lock(&mutex_);
  if (mode_ == Mode::kContinue) wants_all_calls_ = false;
}

void Tracee::FinishCall(Task& task, platform::Thread& thread, const platform::SyscallInfo& call,
                        Result<uint64_t> result, bool late) {
  if (result.ok() && *result == task.EndHandled()) return;
  // Asked with its own value, so that the note of a sleep stays.
  const uint64_t on_host = task.EndOnHost(task.host_sleep_.restart_code);
  if (result.ok() && *result == on_host) return task.LeaveOnHost(thread, call);
  const TraceeRef tracee = Of(task);
  if (tracee == nullptr) return task.LeaveStub(thread);
  const bool in_stub = result.ok() && *result == task.EndInStub();
  const bool step = tracee->Steps() && !late;
  const bool exit_stop = tracee->WantsExit() && !late;
  if (!in_stub) {
    const int64_t value = result.ok() ? static_cast<int64_t>(*result) : -result.error().code();
    const bool interrupted =
        !result.ok() && (value <= -int64_t{kRestartSys} || value == -int64_t{EINTR});
    if (task.saved_mask_.has_value() && !interrupted) task.RestoreSavedMask();
    const bool plain = !exit_stop && !step && !interrupted && !tracee->Watches() &&
                       tracee->WantsTraps() == tracee->all_calls_trap_.load();
    if (plain && ReturnPlainly(task, thread, value)) return;
    if (!thread.EnterStub().ok()) return task.FinishKilled();
    thread.registers().rax = static_cast<uint64_t>(value);
    thread.registers().rip = call.instruction_pointer;
    tracee->original_rax_ = static_cast<int64_t>(call.number);
  } else {
    tracee->original_rax_ = -1;
  }
  if (late) return Leave(task, thread);
  tracee->AfterExitStop(task, thread);
}

void Tracee::AfterExitStop(Task& task, platform::Thread& thread) {
  if (WantsExit()) StopForSyscall(task, PTRACE_SYSCALL_INFO_EXIT);
  if (Steps() && !task.killed()) {
    SigInfo info = MakeSigInfo(SIGTRAP, TRAP_BRKPT);
    info.si_addr = reinterpret_cast<void*>(thread.registers().rip);
    task.ForceSignal(info);
  }
  Leave(task, thread);
}

// --- How it goes on

bool Tracee::ReturnPlainly(Task& task, platform::Thread& thread, int64_t value) {
  absl::MutexLock lock(&task.state_mutex_);
  if (task.HasWork()) return false;
  task.where_ = Task::Where::kApplication;
  thread.Return(value);
  return true;
}

bool Tracee::Resume(Task& task, platform::Thread& thread) {
  absl::MutexLock lock(&task.state_mutex_);
  if (task.HasWork()) return false;
  task.where_ = Task::Where::kApplication;
  thread.Resume();
  return true;
}

void Tracee::ResolveRestart(platform::Registers& registers, const SignalAction* action) {
  const int64_t original = std::exchange(original_rax_, -1);
  if (original < 0) return;
  const int64_t code = -static_cast<int64_t>(registers.rax);
  bool restart = action == nullptr;
  switch (code) {
    case kRestartSys:
      restart |= action != nullptr && (action->flags & SA_RESTART) != 0;
      break;
    case kRestartNoIntr:
      restart = true;
      break;
    case kRestartNoHand:
    case kRestartBlock:
      break;
    default:
      return;
  }
  if (!restart) {
    registers.rax = static_cast<uint64_t>(-int64_t{EINTR});
    return;
  }
  const bool block = code == kRestartBlock;
  registers.rax = block ? SYS_restart_syscall : static_cast<uint64_t>(original);
  registers.rip -= kSyscallLength;
  // The host must not take the restart of a call that it does not know.
  if (block) {
    absl::MutexLock lock(&mutex_);
    wants_all_calls_ = true;
  }
}

void Tracee::PrepareToRun(Task& task, platform::Thread& thread) {
  PrepareStep(thread);
  const bool traps = WantsTraps();
  if (traps != all_calls_trap_.load() && thread.TrapAllCalls(traps).ok()) {
    all_calls_trap_.store(traps);
  }
  if (HasTracer(task)) return;
  absl::MutexLock lock(&task.state_mutex_);
  if (task.tracee_.get() == this) task.interception_.fetch_and(~Task::kTraced);
}

bool Tracee::Deliver(Task& task, platform::Thread& thread, const Task::Delivery& delivery) {
  if (!thread.EnterStub().ok()) return false;
  platform::Registers& registers = thread.registers();
  ResolveRestart(registers, &delivery.action);
  // The application's frame has its own trap flag, not ours.
  EndForcedStep(registers);
  if (!task.SetUpFrame(thread, delivery).ok()) {
    if (delivery.info.si_signo == SIGSEGV) task.group_->actions()->Reset(SIGSEGV);
    task.ForceSignal(MakeSigInfo(SIGSEGV, SI_KERNEL));
  } else if (Steps()) {
    StopForStep(task, SIGTRAP);
  }
  return true;
}

void Tracee::Leave(Task& task, platform::Thread& thread) {
  const TraceeRef tracee = Of(task);
  while (tracee != nullptr) {
    if (task.HasWork() && !task.killed()) {
      const std::optional<Task::Delivery> next = task.NextSignal();
      if (next.has_value() && !task.killed()) {
        if (!tracee->Deliver(task, thread, *next)) return task.FinishKilled();
        continue;
      }
    }
    if (task.killed()) break;
    tracee->ResolveRestart(thread.registers(), nullptr);
    if (task.saved_mask_.has_value()) {
      task.RestoreSavedMask();
      continue;
    }
    if (tracee->MeetBreakpoint(task, thread.registers())) continue;
    tracee->PrepareToRun(task, thread);
    if (Resume(task, thread)) return;
  }
  task.FinishKilled();
}

}  // namespace runsc::boot
