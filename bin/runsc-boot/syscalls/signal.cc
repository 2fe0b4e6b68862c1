// rt_sigaction(2), rt_sigprocmask(2), rt_sigpending(2), rt_sigtimedwait(2),
// rt_sigsuspend(2), sigaltstack(2), rt_sigreturn(2), pause(2)

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kSaRestorer = 0x04000000, kSaExposeTagBits = 0x800;
constexpr uint64_t kKnownActionFlags =
    SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER |
    static_cast<unsigned>(SA_RESETHAND) | kSaRestorer | kSaExposeTagBits;

}  // namespace

Result<Word> SysRtSigaction(Task& task, const SyscallArgs& args) {
  const int signo = args.Int(0);
  if (args.Size(3) != sizeof(SignalSet)) return Error(EINVAL);
  SignalAction old;
  if (signo < 1 || signo > kSignalCount) return Error(EINVAL);
  if (args.Address(1) != 0) {
    TRY_ASSIGN(SignalAction action, task.CopyInObject<SignalAction>(args.Address(1)));
    // As Linux: flags that it does not know read back as 0.
    action.flags &= kKnownActionFlags;
    action.mask &= ~kUnblockable;
    TRY_ASSIGN(old, task.group().SetAction(signo, action));
  } else {
    old = task.group().action(signo);
  }
  if (args.Address(2) != 0) TRY(task.CopyOutObject(args.Address(2), old));
  return 0;
}

Result<Word> SysRtSigprocmask(Task& task, const SyscallArgs& args) {
  if (args.Size(3) != sizeof(SignalSet)) return Error(EINVAL);
  const SignalSet old = task.signal_mask();
  if (args.Address(1) != 0) {
    TRY_ASSIGN(SignalSet set, task.CopyInObject<SignalSet>(args.Address(1)));
    switch (args.Int(0)) {
      case SIG_BLOCK:
        task.SetSignalMask(old | set);
        break;
      case SIG_UNBLOCK:
        task.SetSignalMask(old & ~set);
        break;
      case SIG_SETMASK:
        task.SetSignalMask(set);
        break;
      default:
        return Error(EINVAL);
    }
  }
  if (args.Address(2) != 0) TRY(task.CopyOutObject(args.Address(2), old));
  return 0;
}

Result<Word> SysRtSigpending(Task& task, const SyscallArgs& args) {
  const size_t size = args.Size(1);
  if (size > sizeof(SignalSet)) return Error(EINVAL);
  const SignalSet pending = task.PendingSet() & task.signal_mask();
  TRY(task.CopyOut(args.Address(0), &pending, size));
  return 0;
}

Result<Word> SysRtSigtimedwait(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(SignalSet wanted, CopyInSignalSet(task, args.Address(0), args.Size(3)));
  TRY_ASSIGN(std::optional<int64_t> timeout, TimeoutFromTimespec(task, args.Address(2)));
  TRY_ASSIGN(SigInfo info, task.WaitForSignal(wanted & ~kUnblockable, DeadlineAfter(timeout)));
  if (args.Address(1) != 0) TRY(task.CopyOutObject(args.Address(1), info));
  return static_cast<Word>(info.si_signo);
}

Result<Word> SysRtSigsuspend(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(SignalSet mask, CopyInSignalSet(task, args.Address(0), args.Size(1)));
  task.SetTemporaryMask(mask);
  while (true) {
    if (Status slept = task.Sleep(std::nullopt); !slept.ok()) return Error(kRestartNoHand);
  }
}

Result<Word> SysPause(Task& task, const SyscallArgs&) {
  while (true) {
    if (Status slept = task.Sleep(std::nullopt); !slept.ok()) return Error(kRestartNoHand);
  }
}

Result<Word> SysRtSigreturn(Task& task, const SyscallArgs&) { return task.SignalReturn(); }

Result<Word> SysSigaltstack(Task& task, const SyscallArgs& args) {
  const stack_t old = task.alternate_stack();
  if (args.Address(0) != 0) {
    TRY_ASSIGN(stack_t stack, task.CopyInObject<stack_t>(args.Address(0)));
    TRY(task.SetAlternateStack(stack));
  }
  if (args.Address(1) != 0) TRY(task.CopyOutObject(args.Address(1), old));
  return 0;
}

}  // namespace runsc::boot
