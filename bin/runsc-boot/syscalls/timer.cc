// alarm(2), getitimer(2), setitimer(2), timer_create(2), timer_settime(2),
// timer_gettime(2), timer_getoverrun(2), timer_delete(2)

#include <sys/time.h>

#include <csignal>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

Result<Word> SysAlarm(Task& task, const SyscallArgs& args) {
  itimerval value{};
  value.it_value.tv_sec = args.Uint(0);
  TRY_ASSIGN(itimerval old, task.group().SetIntervalTimer(ITIMER_REAL, value));
  // Rounded, but never to the 0 that means "none".
  Word seconds = static_cast<Word>(old.it_value.tv_sec);
  if (old.it_value.tv_usec >= 500'000 || (seconds == 0 && old.it_value.tv_usec > 0)) ++seconds;
  return seconds;
}

Result<Word> SysGetitimer(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(itimerval value, task.group().GetIntervalTimer(args.Int(0)));
  TRY(task.CopyOutObject(args.Address(1), value));
  return 0;
}

Result<Word> SysSetitimer(Task& task, const SyscallArgs& args) {
  itimerval value{};
  if (args.Address(1) != 0) {
    TRY_ASSIGN(value, task.CopyInObject<itimerval>(args.Address(1)));
    if (!IsValid(value.it_value) || !IsValid(value.it_interval)) return Error(EINVAL);
  }
  TRY_ASSIGN(itimerval old, task.group().SetIntervalTimer(args.Int(0), value));
  if (args.Address(2) != 0) TRY(task.CopyOutObject(args.Address(2), old));
  return 0;
}

Result<Word> SysTimerCreate(Task& task, const SyscallArgs& args) {
  std::optional<sigevent> event;
  if (args.Address(1) != 0) {
    TRY_ASSIGN(event, task.CopyInObject<sigevent>(args.Address(1)));
  }
  TRY_ASSIGN(int id, task.group().CreateTimer(task, args.Int(0), event));
  if (Status copied = task.CopyOutObject(args.Address(2), id); !copied.ok()) {
    (void)task.group().DeleteTimer(id);
    return std::move(copied).error();
  }
  return 0;
}

Result<Word> SysTimerSettime(Task& task, const SyscallArgs& args) {
  if (args.Address(2) == 0) return Error(EINVAL);
  TRY_ASSIGN(itimerspec value, task.CopyInObject<itimerspec>(args.Address(2)));
  if (!IsValid(value.it_value) || !IsValid(value.it_interval)) return Error(EINVAL);
  const bool absolute = (args.Int(1) & TIMER_ABSTIME) != 0;
  TRY_ASSIGN(itimerspec old,
             task.group().SetTimer(args.Int(0), absolute, value, *task.namespaces()->time));
  if (args.Address(3) != 0) TRY(task.CopyOutObject(args.Address(3), old));
  return 0;
}

Result<Word> SysTimerGettime(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(itimerspec value, task.group().GetTimer(args.Int(0)));
  TRY(task.CopyOutObject(args.Address(1), value));
  return 0;
}

Result<Word> SysTimerGetoverrun(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(int overrun, task.group().TimerOverrun(args.Int(0)));
  return static_cast<Word>(overrun);
}

Result<Word> SysTimerDelete(Task& task, const SyscallArgs& args) {
  TRY(task.group().DeleteTimer(args.Int(0)));
  return 0;
}

}  // namespace runsc::boot
