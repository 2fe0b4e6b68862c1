// utime(2), utimes(2), futimesat(2), utimensat(2)

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <utime.h>

#include <array>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

using Times = std::array<timespec, 2>;  // access, modification
constexpr Times kNow = {timespec{0, UTIME_NOW}, timespec{0, UTIME_NOW}};

Result<Word> SetTimesAt(Task& task, int dirfd, uint64_t address, const Times& times,
                        unsigned at_flags) {
  // utimensat(fd, NULL, ...) means the descriptor itself (futimens).
  if (address == 0 && dirfd != AT_FDCWD) {
    if ((at_flags & AT_SYMLINK_NOFOLLOW) != 0) return Error(EINVAL);
    TRY_ASSIGN(FileRef file, FileForIo(task, dirfd));
    TRY(task.vfs().SetTimes(task.caller(), file->path(), times[0], times[1]));
    return 0;
  }
  TRY_ASSIGN(Path path, ResolveAt(task, dirfd, address, at_flags));
  TRY(task.vfs().SetTimes(task.caller(), path, times[0], times[1]));
  return 0;
}

Result<Times> CopyInTimevals(Task& task, uint64_t address) {
  if (address == 0) return kNow;
  using Timevals = std::array<timeval, 2>;
  TRY_ASSIGN(Timevals in, task.CopyInObject<Timevals>(address));
  Times times;
  for (int i = 0; i < 2; ++i) {
    if (in[i].tv_usec < 0 || in[i].tv_usec >= 1'000'000) return Error(EINVAL);
    times[i] = {in[i].tv_sec, in[i].tv_usec * 1000};
  }
  return times;
}

bool IsValidFileTime(const timespec& time) {
  if (time.tv_nsec == UTIME_NOW || time.tv_nsec == UTIME_OMIT) return true;
  return time.tv_nsec >= 0 && time.tv_nsec < kNsPerSecond;
}

}  // namespace

Result<Word> SysUtime(Task& task, const SyscallArgs& args) {
  Times times = kNow;
  if (args.Address(1) != 0) {
    TRY_ASSIGN(utimbuf in, task.CopyInObject<utimbuf>(args.Address(1)));
    times = {timespec{in.actime, 0}, timespec{in.modtime, 0}};
  }
  return SetTimesAt(task, AT_FDCWD, args.Address(0), times, 0);
}

Result<Word> SysUtimes(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(Times times, CopyInTimevals(task, args.Address(1)));
  return SetTimesAt(task, AT_FDCWD, args.Address(0), times, 0);
}

Result<Word> SysFutimesat(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(Times times, CopyInTimevals(task, args.Address(2)));
  return SetTimesAt(task, args.Fd(0), args.Address(1), times, 0);
}

Result<Word> SysUtimensat(Task& task, const SyscallArgs& args) {
  Times times = kNow;
  if (args.Address(2) != 0) {
    TRY_ASSIGN(times, task.CopyInObject<Times>(args.Address(2)));
    if (times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT) return 0;
  }
  if (!IsValidFileTime(times[0]) || !IsValidFileTime(times[1])) return Error(EINVAL);
  if ((args.Int(3) & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return Error(EINVAL);
  return SetTimesAt(task, args.Fd(0), args.Address(1), times, args.Uint(3));
}

}  // namespace runsc::boot
