// timerfd_create(2), timerfd_settime(2), timerfd_gettime(2)

#include "bin/runsc-boot/fs/timerfd/timerfd.h"

#include <sys/timerfd.h>

#include <algorithm>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

Result<std::shared_ptr<TimerFile>> TimerOf(Task& task, int fd) {
  TRY_ASSIGN(FileRef file, task.fds().Get(fd));
  auto timer = std::dynamic_pointer_cast<TimerFile>(file);
  if (timer == nullptr) return Error(EINVAL);
  return timer;
}

}  // namespace

Result<Word> SysTimerfdCreate(Task& task, const SyscallArgs& args) {
  const int flags = args.Int(1);
  if ((flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) != 0) return Error(EINVAL);
  TRY_ASSIGN(
      std::shared_ptr<TimerFile> timer,
      TimerFile::Make(task.vfs(), task, task.kernel().timers(), args.Int(0), flags & TFD_NONBLOCK));
  return InstallFile(task, std::move(timer), (flags & TFD_CLOEXEC) != 0);
}

Result<Word> SysTimerfdSettime(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(itimerspec value, task.CopyInObject<itimerspec>(args.Address(2)));
  if ((args.Int(1) & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0) return Error(EINVAL);
  if (!IsValid(value.it_value) || !IsValid(value.it_interval)) return Error(EINVAL);
  TRY_ASSIGN(std::shared_ptr<TimerFile> timer, TimerOf(task, args.Fd(0)));
  if ((args.Int(1) & TFD_TIMER_ABSTIME) != 0) {
    const int64_t time = ToNanoseconds(value.it_value);
    // Not 0, which would disarm it.
    const int64_t there = task.namespaces()->time->ToHost(timer->clock(), time);
    if (time != 0) value.it_value = ToTimespec(std::max<int64_t>(there, 1));
  }
  TRY_ASSIGN(itimerspec old, timer->Set(args.Int(1), value));
  if (args.Address(3) != 0) TRY(task.CopyOutObject(args.Address(3), old));
  return 0;
}

Result<Word> SysTimerfdGettime(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(std::shared_ptr<TimerFile> timer, TimerOf(task, args.Fd(0)));
  TRY(task.CopyOutObject(args.Address(1), timer->Get()));
  return 0;
}

}  // namespace runsc::boot
