// What a task does about signals: masks, waiting, delivery, return.
#include <sys/epoll.h>

#include <algorithm>
#include <cstring>

#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/process_timers.h"
#include "bin/runsc-boot/kernel/ptrace.h"
#include "bin/runsc-boot/kernel/signal_frame.h"
#include "bin/runsc-boot/kernel/task.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kSigDfl = 0, kSigIgn = 1;
constexpr uint64_t kSaRestorer = 0x04000000;
constexpr int kSsAutodisarm = static_cast<int>(1u << 31);
constexpr uint64_t kRedZone = 128;
constexpr uint64_t kEflagsTf = 0x100, kEflagsDf = 0x400, kEflagsRf = 0x10000;
// What rt_sigreturn(2) may set: AC, OF, DF, TF, SF, ZF, AF, PF, CF, RF.
constexpr uint64_t kUserEflags =
    0x40000 | 0x800 | 0x400 | 0x100 | 0x80 | 0x40 | 0x10 | 0x4 | 0x1 | 0x10000;
constexpr size_t kMinSignalStack = 2048;
constexpr uint64_t kSyscallLength = 2;      // of the instruction
constexpr size_t kLegacyXstate = 512;       // without the header and what is behind it
constexpr size_t kMostXstateGap = 64 + 16;  // from a frame's end, by its alignments

constexpr SignalSet kFaults = SignalBit(SIGSEGV) | SignalBit(SIGBUS) | SignalBit(SIGFPE) |
                              SignalBit(SIGILL) | SignalBit(SIGTRAP) | SignalBit(SIGSYS);

bool IsForcedFault(const SigInfo& info) {
  return (kFaults & SignalBit(info.si_signo)) != 0 && info.si_code > 0;
}

// What has been read of the application's stack for rt_sigreturn(2).
struct StackCopy {
  uint64_t address = 0;
  std::vector<std::byte> bytes;

  // From the copy, or from the application's memory if it lies elsewhere.
  Status CopyIn(Task& task, uint64_t from, void* buffer, size_t size) const {
    const uint64_t offset = from - address;
    if (from < address || offset > bytes.size() || bytes.size() - offset < size) {
      return task.CopyIn(from, buffer, size);
    }
    memcpy(buffer, bytes.data() + offset, size);
    return Ok();
  }
};

// The floating-point state that a frame of rt_sigreturn(2) points to. EFAULT, EINVAL.
Status RestoreXstate(Task& task, platform::Thread& thread, uint64_t address, size_t limit,
                     const StackCopy& copy) {
  if (address == 0) {
    thread.ResetXstate();
    return Ok();
  }
  std::vector<std::byte> image(limit);
  TRY(copy.CopyIn(task, address, image.data(), kLegacyXstate));
  image.resize(XstateSize({image.data(), kLegacyXstate}, limit));
  TRY(copy.CopyIn(task, address, image.data(), image.size()));
  return thread.WriteXstate(image);
}

}  // namespace

SignalSet Task::signal_mask() const {
  absl::MutexLock lock(&group_->signal_mutex_);
  return saved_mask_.value_or(mask_);
}

SignalSet Task::blocked_now() const {
  absl::MutexLock lock(&group_->signal_mutex_);
  return mask_;
}

void Task::SetMaskLocked(SignalSet mask) {
  group_->signal_mutex_.AssertHeld();
  mask &= ~kUnblockable;
  const SignalSet newly_blocked = mask & ~mask_;
  const SignalSet newly_open = mask_ & ~mask;
  mask_ = mask;
  // Signals of the group that this task no longer takes go to another one.
  if ((group_->pending_.set() & newly_blocked) != 0) group_->Retarget(*this);
  if (((group_->pending_.set() | pending_.set()) & newly_open) != 0) {
    work_.fetch_or(kSignalWork);
  }
}

void Task::SetSignalMask(SignalSet mask) {
  absl::MutexLock lock(&group_->signal_mutex_);
  SetMaskLocked(mask);
}

void Task::SetTemporaryMask(SignalSet mask) {
  absl::MutexLock lock(&group_->signal_mutex_);
  if (!saved_mask_.has_value()) saved_mask_ = mask_;
  SetMaskLocked(mask);
}

void Task::RestoreSavedMask() {
  absl::MutexLock lock(&group_->signal_mutex_);
  SetMaskLocked(*saved_mask_);
  saved_mask_.reset();
}

Status Task::SendSignal(const SigInfo& info) { return group_->Send(info, this, false); }

Status Task::SendGroupSignal(const SigInfo& info) { return group_->Send(info, nullptr, false); }

bool Task::HasDeliverableSignal() const { return HasWork(); }

SignalSet Task::PendingSet() const {
  absl::MutexLock lock(&group_->signal_mutex_);
  return pending_.set() | group_->pending_.set();
}

Task::Pending Task::PendingSets() const {
  absl::MutexLock lock(&group_->signal_mutex_);
  return {pending_.set(), group_->pending_.set()};
}

std::optional<SigInfo> Task::TakeLocked(SignalSet blocked) {
  group_->signal_mutex_.AssertHeld();
  if (std::optional<SigInfo> own = pending_.Take(blocked); own.has_value()) return own;
  return group_->pending_.Take(blocked);
}

std::optional<SigInfo> Task::TakePending(SignalSet set) {
  while (true) {
    std::optional<SigInfo> info;
    {
      absl::MutexLock lock(&group_->signal_mutex_);
      info = TakeLocked(~(set & ~kUnblockable));
    }
    if (!info.has_value() || group_->timers_->posix().OnTaken(*info)) return info;
  }
}

Result<SigInfo> Task::WaitForSignal(SignalSet set, Deadline deadline) {
  set &= ~kUnblockable;
  Status slept;
  while (true) {
    std::optional<SigInfo> info;
    {
      absl::MutexLock lock(&group_->signal_mutex_);
      info = TakeLocked(~set);
      waited_for_ = info.has_value() || !slept.ok() ? 0 : set;
    }
    if (info.has_value()) {
      if (group_->timers_->posix().OnTaken(*info)) return *info;
      continue;
    }
    if (slept.code() == ETIMEDOUT) return Error(EAGAIN);
    if (!slept.ok()) return Error(EINTR);
    slept = Sleep(deadline);
  }
}

std::optional<Task::Delivery> Task::NextSignal() {
  while (true) {
    SigInfo info{};
    SignalAction action;
    const bool traced = Tracee::HasTracer(*this);
    if (traced && Tracee::HandleTraps(*this)) {
      if (killed()) return std::nullopt;
      continue;
    }
    const bool passes_stop = traced && Tracee::PassesGroupStop(*this);
    {
      absl::MutexLock lock(&group_->signal_mutex_);
      if (group_->stop_signal_ == 0 || passes_stop) {
        std::optional<SigInfo> taken = TakeLocked(mask_);
        if (!taken.has_value()) {
          work_.fetch_and(~kSignalWork);
          return std::nullopt;
        }
        info = *taken;
      }
    }
    if (traced && info.si_signo != 0 && !Tracee::OfferSignal(*this, info)) {
      if (killed()) return std::nullopt;
      continue;
    }
    if (info.si_signo != 0) {
      if (!group_->timers_->posix().OnTaken(info)) continue;
      absl::MutexLock lock(&group_->signal_mutex_);
      action = group_->actions_->Get(info.si_signo);
      if (action.handler == kSigIgn) continue;
      if (action.handler != kSigDfl) {
        if ((action.flags & SA_RESETHAND) != 0) group_->actions_->Reset(info.si_signo);
        return Delivery{info, action};
      }
    }
    if (traced && info.si_signo == 0) continue;
    if (info.si_signo == 0 || group_->HandleDefault(info, IsForcedFault(info))) {
      // A stop is under way.
      if (!traced) group_->Park(*this);
    }
    if (killed()) return std::nullopt;
  }
}

Task::Delivered Task::DeliverSignals(platform::Thread& thread, InterruptedCall* call) {
  bool entered = false;
  while (true) {
    std::optional<Delivery> next;
    if (!killed()) next = NextSignal();
    if (killed()) {
      FinishKilled();
      return Delivered::kGone;
    }
    if (!next.has_value()) return entered ? Delivered::kHandler : Delivered::kNothing;
    if (!thread.EnterStub().ok()) {
      group_->BeginExit(SIGKILL);
      continue;
    }
    if (call != nullptr && !entered) {
      ResolveInterruptedCall(thread.registers(), *call, next->action);
    }
    entered = true;
    if (!SetUpFrame(thread, *next).ok()) {
      // As Linux: a fault while a SIGSEGV is delivered is the end.
      if (next->info.si_signo == SIGSEGV) group_->actions()->Reset(SIGSEGV);
      ForceSignal(MakeSigInfo(SIGSEGV, SI_KERNEL));
    }
  }
}

void Task::ResolveInterruptedCall(platform::Registers& registers, const InterruptedCall& call,
                                  const SignalAction& action) {
  int64_t value = call.result;
  bool restart = false;
  switch (-call.result) {
    case kRestartSys:
      restart = (action.flags & SA_RESTART) != 0;
      value = -EINTR;
      break;
    case kRestartNoIntr:
      restart = true;
      break;
    case kRestartNoHand:
    case kRestartBlock:
      value = -EINTR;
      break;
    default:
      break;
  }
  registers.rip = call.call.instruction_pointer;
  if (restart) {
    registers.rax = call.call.number;
    registers.rip -= kSyscallLength;
  } else {
    registers.rax = static_cast<uint64_t>(value);
  }
}

bool Task::OnAlternateStack(uint64_t stack_pointer) const {
  if (alternate_stack_.ss_size == 0 || (alternate_stack_.ss_flags & kSsAutodisarm) != 0) {
    return false;
  }
  const auto base = reinterpret_cast<uint64_t>(alternate_stack_.ss_sp);
  return stack_pointer > base && stack_pointer - base <= alternate_stack_.ss_size;
}

Status Task::SetUpFrame(platform::Thread& thread, const Delivery& delivery) {
  const SignalAction& action = delivery.action;
  // x86-64 has no return trampoline in the vDSO: the C library gives one.
  if ((action.flags & kSaRestorer) == 0) return Error(EFAULT);
  platform::Registers& registers = thread.registers();
  uint64_t stack_pointer = registers.rsp - kRedZone;
  const bool nested = OnAlternateStack(registers.rsp);
  const bool enters = (action.flags & SA_ONSTACK) != 0 && !nested && alternate_stack_.ss_size != 0;
  const auto alternate_base = reinterpret_cast<uint64_t>(alternate_stack_.ss_sp);
  if (enters) stack_pointer = alternate_base + alternate_stack_.ss_size;

  SignalFrameContents contents;
  contents.info = delivery.info;
  contents.action = action;
  contents.saved_mask = saved_mask_.value_or(mask_);
  contents.stack = alternate_stack_;
  contents.registers = registers;
  contents.xstate = thread.ReadXstate();
  contents.fault = fault_codes_;
  const SignalFrame frame = BuildSignalFrame(contents, stack_pointer);
  if ((enters || nested) && (frame.address <= alternate_base ||
                             frame.address > alternate_base + alternate_stack_.ss_size)) {
    return Error(EFAULT);
  }
  TRY(CopyOut(frame.address, frame.bytes.data(), frame.bytes.size()));

  registers.rdi = delivery.info.si_signo;
  registers.rsi = frame.info_address;
  registers.rdx = frame.context_address;
  registers.rax = 0;
  registers.rip = action.handler;
  registers.rsp = frame.address;
  registers.eflags &= ~(kEflagsDf | kEflagsRf | kEflagsTf);
  thread.ResetXstate();
  if ((alternate_stack_.ss_flags & kSsAutodisarm) != 0) alternate_stack_ = {nullptr, SS_DISABLE, 0};

  absl::MutexLock lock(&group_->signal_mutex_);
  saved_mask_.reset();
  SignalSet mask = mask_ | action.mask;
  if ((action.flags & SA_NODEFER) == 0) mask |= SignalBit(delivery.info.si_signo);
  SetMaskLocked(mask);
  return Ok();
}

void Task::ForceSignal(const SigInfo& info) {
  absl::MutexLock lock(&group_->signal_mutex_);
  const SignalSet bit = SignalBit(info.si_signo);
  if ((mask_ & bit) != 0 || group_->actions_->Get(info.si_signo).handler == kSigIgn) {
    group_->actions_->Reset(info.si_signo);
    mask_ &= ~bit;
  }
  pending_.Discard(bit);
  pending_.AddForced(info);
  work_.fetch_or(kSignalWork);
}

Result<uint64_t> Task::SignalReturn() {
  if (!RestoreFrame(*thread_).ok()) ForceSignal(MakeSigInfo(SIGSEGV, SI_KERNEL));
  return EndInStub();
}

Status Task::RestoreFrame(platform::Thread& thread) {
  platform::Registers& registers = thread.registers();
  const size_t limit = std::max(thread.ReadXstate().size(), kLegacyXstate);
  // One read for all that the kernel has put there. The handler's `ret` has taken
  // the return address off the frame.
  StackCopy copy{registers.rsp - sizeof(uint64_t),
                 std::vector<std::byte>(kSignalFrameSize + kMostXstateGap + limit)};
  TRY_ASSIGN(const size_t size,
             memory().address_space().Read(copy.address, copy.bytes.data(), copy.bytes.size()));
  if (size < kSignalFrameSize) return Error(EFAULT);
  copy.bytes.resize(size);
  SavedContext saved = ParseSignalFrame(
      std::span<const std::byte, kSignalFrameSize>(copy.bytes.data(), kSignalFrameSize));
  SetSignalMask(saved.mask);
  saved.registers.fs_base = registers.fs_base;
  saved.registers.gs_base = registers.gs_base;
  saved.registers.eflags =
      (registers.eflags & ~kUserEflags) | (saved.registers.eflags & kUserEflags);
  // What is wrong with the floating-point state is found out when the other
  // registers are back: a handler of that SIGSEGV returns to where they point.
  registers = saved.registers;
  if (Status restored = RestoreXstate(*this, thread, saved.xstate_address, limit, copy);
      !restored.ok()) {
    thread.ResetXstate();
    return restored;
  }
  // As Linux, an impossible stack is not an error here.
  (void)SetAlternateStack(saved.stack).ok();
  return Ok();
}

stack_t Task::alternate_stack() const {
  stack_t stack = alternate_stack_;
  stack.ss_flags &= kSsAutodisarm;
  if (stack.ss_size == 0) {
    stack.ss_flags |= SS_DISABLE;
  } else if ((stack.ss_flags & kSsAutodisarm) == 0 && thread_->EnterStub().ok() &&
             OnAlternateStack(thread_->registers().rsp)) {
    // The stack pointer is known in the stub only.
    stack.ss_flags |= SS_ONSTACK;
  }
  return stack;
}

Status Task::SetAlternateStack(const stack_t& stack) {
  const bool may_be_in_use =
      alternate_stack_.ss_size != 0 && (alternate_stack_.ss_flags & kSsAutodisarm) == 0;
  if (may_be_in_use && thread_->EnterStub().ok() && OnAlternateStack(thread_->registers().rsp)) {
    return Error(EPERM);
  }
  const int mode = stack.ss_flags & ~kSsAutodisarm;
  if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE) return Error(EINVAL);
  if (mode == SS_DISABLE) {
    alternate_stack_ = {nullptr, stack.ss_flags, 0};
    return Ok();
  }
  if (stack.ss_size < kMinSignalStack) return Error(ENOMEM);
  alternate_stack_ = stack;
  return Ok();
}

}  // namespace runsc::boot
