// The requests of ptrace(2), in Linux's order of checks.
#include <linux/audit.h>

#include <algorithm>

#include "bin/runsc-boot/kernel/ptrace.h"
#include "bin/runsc-boot/kernel/ptrace_access.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kPeekSiginfoShared = 1;
constexpr int kGetSyscallInfo = 0x420e;
constexpr int kArchPrctl = 30;  // PTRACE_ARCH_PRCTL of <asm/ptrace-abi.h>

bool IsValidSignal(uint64_t signal) { return signal <= kSignalCount; }

}  // namespace

Status Tracee::Attach(Task& caller, const TaskRef& target, bool seize, uint32_t options) {
  if (&caller.group() == &target->group()) return Error(EPERM);
  TRY(CheckPtraceAccess(caller, *target, PtraceIds::kReal));
  {
    absl::MutexLock lock(&caller.kernel().tree_mutex());
    if (target->group().life_.load() != ThreadGroup::Life::kAlive || target->killed()) {
      return Error(EPERM);
    }
    TraceeRef tracee =
        std::make_shared<Tracee>(Key(), target, caller.shared_from_this(), seize, options);
    absl::MutexLock state(&target->state_mutex_);
    if (const TraceeRef old = target->tracee_; old != nullptr) {
      absl::MutexLock old_lock(&old->mutex_);
      if (!old->detached_) return Error(EPERM);
      tracee->all_calls_trap_.store(old->all_calls_trap_.load());
      tracee->vfork_ = std::move(old->vfork_);
    }
    target->tracee_ = tracee;
    target->interception_.fetch_or(Task::kTraced);
    Link(caller.kernel(), tracee);
  }
  if (!seize) (void)target->SendSignal(MakeSigInfo(SIGSTOP, SI_KERNEL)).ok();
  // One that has stopped with its group stops for the tracer.
  target->Notify(Task::kSignalWork);
  target->Wake();
  return Ok();
}

Status Tracee::TraceMe(Task& caller) {
  absl::MutexLock lock(&caller.kernel().tree_mutex());
  const ThreadGroup* parent = caller.group().parent_;
  if (parent == nullptr || parent->tasks_.empty()) return Error(EPERM);
  // The thread that made the process, or the one that it was passed on to.
  auto tracer =
      std::find_if(parent->tasks_.begin(), parent->tasks_.end(),
                   [&](const TaskRef& task) { return task.get() == caller.group().parent_task_; });
  if (tracer == parent->tasks_.end()) tracer = parent->tasks_.begin();
  TRY(CheckTraceMe(**tracer, caller));
  absl::MutexLock state(&caller.state_mutex_);
  if (const TraceeRef old = caller.tracee_; old != nullptr) {
    absl::MutexLock old_lock(&old->mutex_);
    if (!old->detached_) return Error(EPERM);
  }
  TraceeRef tracee = std::make_shared<Tracee>(Key(), caller.shared_from_this(), *tracer, false, 0u);
  caller.tracee_ = tracee;
  caller.interception_.fetch_or(Task::kTraced);
  Link(caller.kernel(), tracee);
  return Ok();
}

Result<uint64_t> Tracee::Request(Task& caller, int request, pid_t pid, uint64_t address,
                                 uint64_t data) {
  constexpr uint64_t kSeizeOptions = PTRACE_O_MASK & ~PTRACE_O_SUSPEND_SECCOMP;
  if (request == PTRACE_TRACEME) {
    TRY(TraceMe(caller));
    return 0;
  }
  const TaskRef task = caller.FindTask(pid);
  if (task == nullptr) return Error(ESRCH);
  if (request == PTRACE_ATTACH || request == PTRACE_SEIZE) {
    const bool seize = request == PTRACE_SEIZE;
    if (seize && (address != 0 || (data & ~kSeizeOptions) != 0)) return Error(EIO);
    TRY(Attach(caller, task, seize, seize ? static_cast<uint32_t>(data) : 0));
    return 0;
  }
  const TraceeRef tracee = Of(*task);
  if (tracee == nullptr) return Error(ESRCH);
  if (request == PTRACE_INTERRUPT || request == PTRACE_KILL) {
    return tracee->AtAnyTime(caller, *task, request);
  }
  absl::MutexLock requests(&tracee->request_mutex_);
  TRY(tracee->CheckRequest(caller, /*stopped=*/true));
  return tracee->Handle(caller, *task, request, address, data);
}

Result<uint64_t> Tracee::AtAnyTime(Task& caller, Task& task, int request) {
  TRY(CheckRequest(caller, /*stopped=*/false));
  if (request == PTRACE_INTERRUPT) return Interrupt(task);
  (void)task.group().SendSignal(MakeSigInfo(SIGKILL, SI_USER, caller.tgid())).ok();
  return 0;
}

Status Tracee::CheckRequest(const Task& caller, bool stopped) const {
  const bool ours = tracer_.lock().get() == &caller;
  absl::MutexLock lock(&mutex_);
  const bool right_state = !stopped || (stopped_ && !listening_);
  return ours && !detached_ && right_state ? Ok() : Status(Error(ESRCH));
}

Result<uint64_t> Tracee::Handle(Task& caller, Task& task, int request, uint64_t address,
                                uint64_t data) {
  switch (request) {
    case PTRACE_PEEKTEXT:
    case PTRACE_PEEKDATA:
    case PTRACE_POKETEXT:
    case PTRACE_POKEDATA:
      return Memory(caller, task, request, address, data);
    case PTRACE_PEEKUSR:
    case PTRACE_POKEUSR:
      return User(caller, task, request, address, data);
    case PTRACE_CONT:
      return Continue(task, Mode::kContinue, data);
    case PTRACE_SYSCALL:
      return Continue(task, Mode::kSyscall, data);
    case PTRACE_SINGLESTEP:
      return Continue(task, Mode::kStep, data);
    case PTRACE_SYSEMU:
      return Continue(task, Mode::kEmulate, data);
    case PTRACE_SYSEMU_SINGLESTEP:
      return Continue(task, Mode::kEmulateStep, data);
    case PTRACE_DETACH:
      return Detach(caller, task, data);
    case PTRACE_GETREGS:
    case PTRACE_SETREGS:
    case PTRACE_GETFPREGS:
    case PTRACE_SETFPREGS:
      return Registers(caller, task, request, data);
    case kArchPrctl:
      return SegmentBase(caller, task, data, address);
    case PTRACE_GETREGSET:
    case PTRACE_SETREGSET:
      return RegisterSet(caller, task, request == PTRACE_SETREGSET, address, data);
    case PTRACE_SETOPTIONS: {
      if ((data & ~uint64_t{PTRACE_O_MASK}) != 0) return Error(EINVAL);
      if ((data & PTRACE_O_SUSPEND_SECCOMP) != 0) return Error(EINVAL);
      absl::MutexLock lock(&mutex_);
      options_ = static_cast<uint32_t>(data);
      return 0;
    }
    case PTRACE_GETEVENTMSG: {
      uint64_t message = 0;
      {
        absl::MutexLock lock(&mutex_);
        message = stop_.message;
      }
      TRY(caller.CopyOutObject(data, message));
      return 0;
    }
    case PTRACE_GETSIGINFO:
    case PTRACE_SETSIGINFO:
      return SignalInfo(caller, request, data);
    case PTRACE_PEEKSIGINFO:
      return PeekSignals(caller, task, address, data);
    case PTRACE_GETSIGMASK:
    case PTRACE_SETSIGMASK:
      return SignalMask(caller, task, request, address, data);
    case PTRACE_LISTEN:
      return Listen(task);
    case PTRACE_SECCOMP_GET_FILTER:
      return SeccompFilter(caller, task, address, data);
    case PTRACE_SECCOMP_GET_METADATA:
      return SeccompMetadata(caller, task, address, data);
    case kGetSyscallInfo:
      return SyscallInfo(caller, task, address, data);
    default:
      return Error(EIO);
  }
}

Result<uint64_t> Tracee::Continue(Task& task, Mode mode, uint64_t signal) {
  if (!IsValidSignal(signal)) return Error(EIO);
  {
    absl::MutexLock lock(&mutex_);
    mode_ = mode;
    if (mode != Mode::kContinue) wants_all_calls_ = true;
  }
  LetGo(&task, static_cast<int>(signal), /*detach=*/false);
  return 0;
}

Result<uint64_t> Tracee::Detach(Task& caller, Task& task, uint64_t signal) {
  if (!IsValidSignal(signal)) return Error(EIO);
  Kernel& kernel = caller.kernel();
  {
    absl::MutexLock lock(&kernel.tree_mutex());
    std::erase(kernel.tracees_, shared_from_this());
  }
  LetGo(&task, static_cast<int>(signal), /*detach=*/true);
  return 0;
}

Result<uint64_t> Tracee::Interrupt(Task& task) {
  if (!seized_) return Error(EIO);
  bool wakes = false;
  {
    absl::MutexLock lock(&mutex_);
    trap_pending_ = true;
    wakes = stopped_ && listening_;
    if (wakes) stopped_ = listening_ = false;
  }
  task.Notify(Task::kSignalWork);
  if (wakes) task.Wake();
  return 0;
}

Result<uint64_t> Tracee::Listen(Task& task) {
  absl::MutexLock lock(&mutex_);
  if (!seized_ || stop_.status >> 8 != PTRACE_EVENT_STOP) return Error(EIO);
  if (trap_pending_) {
    // What there is to listen for has come already.
    stopped_ = false;
    task.Wake();
  } else {
    listening_ = true;
  }
  return 0;
}

Result<uint64_t> Tracee::SignalInfo(Task& caller, int request, uint64_t address) {
  if (request == PTRACE_SETSIGINFO) {
    TRY_ASSIGN(const SigInfo info, caller.CopyInObject<SigInfo>(address));
    absl::MutexLock lock(&mutex_);
    if (!stop_.info.has_value()) return Error(EINVAL);
    stop_.info = info;
    return 0;
  }
  std::optional<SigInfo> info;
  {
    absl::MutexLock lock(&mutex_);
    info = stop_.info;
  }
  if (!info.has_value()) return Error(EINVAL);
  TRY(caller.CopyOutObject(address, *info));
  return 0;
}

Result<uint64_t> Tracee::PeekSignals(Task& caller, Task& task, uint64_t address, uint64_t data) {
  struct Arguments {
    uint64_t offset;
    uint32_t flags;
    int32_t count;
  };
  TRY_ASSIGN(const Arguments wanted, caller.CopyInObject<Arguments>(address));
  if ((wanted.flags & ~kPeekSiginfoShared) != 0 || wanted.count < 0) return Error(EINVAL);
  std::vector<SigInfo> queue;
  {
    absl::MutexLock lock(&task.group().signal_mutex_);
    const bool shared = (wanted.flags & kPeekSiginfoShared) != 0;
    queue = shared ? task.group().pending_.Snapshot() : task.pending_.Snapshot();
  }
  uint64_t done = 0;
  for (uint64_t i = wanted.offset; i < queue.size(); ++i) {
    if (done == static_cast<uint64_t>(wanted.count)) break;
    if (!caller.CopyOutObject(data + done * sizeof(SigInfo), queue[i]).ok()) {
      if (done > 0) break;
      return Error(EFAULT);
    }
    ++done;
  }
  return done;
}

Result<uint64_t> Tracee::SignalMask(Task& caller, Task& task, int request, uint64_t size,
                                    uint64_t address) {
  if (size != sizeof(SignalSet)) return Error(EINVAL);
  if (request == PTRACE_GETSIGMASK) {
    TRY(caller.CopyOutObject(address, task.signal_mask()));
    return 0;
  }
  TRY_ASSIGN(const SignalSet mask, caller.CopyInObject<SignalSet>(address));
  task.SetSignalMask(mask);
  return 0;
}

Result<uint64_t> Tracee::SyscallInfo(Task& caller, Task& task, uint64_t size, uint64_t address) {
  struct Info {
    uint8_t op;
    uint8_t padding[3];
    uint32_t arch;
    uint64_t instruction_pointer, stack_pointer;
    union {
      struct {
        uint64_t number;
        uint64_t args[6];
        uint32_t data;
      } call;
      struct {
        int64_t value;
        uint8_t is_error;
      } exit;
    };
  };
  Info info{};
  const platform::Registers& r = task.thread().registers();
  size_t actual = offsetof(Info, call);
  {
    absl::MutexLock lock(&mutex_);
    info.op = stop_.syscall_op;
    if (stop_.status == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
      info.op = PTRACE_SYSCALL_INFO_SECCOMP;
      info.call.data = static_cast<uint32_t>(stop_.message);
    }
  }
  info.arch = AUDIT_ARCH_X86_64;
  info.instruction_pointer = r.rip;
  info.stack_pointer = r.rsp;
  if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
    info.exit.value = static_cast<int64_t>(r.rax);
    info.exit.is_error = info.exit.value < 0 && info.exit.value >= -4095;
    actual = offsetof(Info, exit.is_error) + sizeof(info.exit.is_error);
  } else if (info.op != PTRACE_SYSCALL_INFO_NONE) {
    info.call.number = static_cast<uint64_t>(original_rax_);
    const uint64_t args[6] = {r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9};
    std::copy(std::begin(args), std::end(args), info.call.args);
    actual = info.op == PTRACE_SYSCALL_INFO_SECCOMP ? offsetof(Info, call.data) + sizeof(uint32_t)
                                                    : offsetof(Info, call.data);
  }
  TRY(caller.CopyOut(address, &info, std::min<size_t>(size, actual)));
  return actual;
}

}  // namespace runsc::boot
