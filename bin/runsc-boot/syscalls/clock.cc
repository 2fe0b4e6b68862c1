// clock_gettime(2), clock_getres(2), clock_settime(2), gettimeofday(2),
// settimeofday(2), time(2), times(2), getrusage(2), adjtimex(2),
// clock_adjtime(2)

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>

#include "bin/runsc-boot/kernel/cpu_clock.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

constexpr int64_t kNsPerTick = kNsPerSecond / 100;  // USER_HZ

// ADJ_OFFSET_SINGLESHOT and ADJ_OFFSET_SS_READ, taken apart as the kernel does.
constexpr unsigned kSingleShot = 0x0001, kReadOnly = 0x2000, kAdjtime = 0x8000;

// Clocks of the host that tell nothing about others than the time.
bool IsHostClock(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
    case CLOCK_TAI:
      return true;
    default:
      return false;
  }
}

Result<timespec> ReadClock(Task& task, clockid_t clock) {
  timespec now{};
  if (IsHostClock(clock)) {
    if (clock_gettime(clock, &now) != 0) return Error(errno);
    const int64_t offset = task.namespaces()->time->OffsetOf(clock);
    return offset == 0 ? now : ToTimespec(ToNanoseconds(now) + offset);
  }
  TRY_ASSIGN(const CpuClock cpu, CpuClock::Find(task, clock));
  return ToTimespec(cpu.Now());
}

// The time of the machine is not the container's to set.
Result<Word> MayNotSetTime(Task&) { return Error(EPERM); }

rusage ToRusage(const Usage& usage) {
  rusage out{};
  out.ru_utime = ToTimeval(static_cast<int64_t>(usage.user_ns));
  out.ru_stime = ToTimeval(static_cast<int64_t>(usage.system_ns));
  out.ru_maxrss = static_cast<long>(usage.max_rss_kib);
  out.ru_minflt = static_cast<long>(usage.minor_faults);
  out.ru_majflt = static_cast<long>(usage.major_faults);
  return out;
}

Result<Word> AdjustClock(Task& task, uint64_t address) {
  TRY_ASSIGN(timex in, task.CopyInObject<timex>(address));
  if ((in.modes & kAdjtime) != 0 && (in.modes & kSingleShot) == 0) return Error(EINVAL);
  // Nothing is under way that adjtime(3) could read or stop.
  const bool reads = in.modes == 0 || (in.modes & (kAdjtime | kReadOnly)) == (kAdjtime | kReadOnly);
  if (!reads) return Error(EPERM);
  timex out{};
  out.modes = in.modes;
  timespec now{};
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return Error(errno);
  out.tick = 10'000;
  out.status = STA_UNSYNC;
  out.time = {now.tv_sec, now.tv_nsec / 1000};
  TRY(task.CopyOutObject(address, out));
  return TIME_ERROR;
}

}  // namespace

Result<Word> SysClockGettime(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(timespec now, ReadClock(task, args.Int(0)));
  TRY(task.CopyOutObject(args.Address(1), now));
  return 0;
}

Result<Word> SysClockGetres(Task& task, const SyscallArgs& args) {
  const clockid_t clock = args.Int(0);
  timespec resolution{0, 1};
  if (IsHostClock(clock)) {
    if (clock_getres(clock, &resolution) != 0) return Error(errno);
  } else {
    TRY(ReadClock(task, clock));
  }
  if (args.Address(1) != 0) TRY(task.CopyOutObject(args.Address(1), resolution));
  return 0;
}

Result<Word> SysClockSettime(Task& task, const SyscallArgs& args) {
  const clockid_t clock = args.Int(0);
  // Those of processes and threads (negative ids) exist only to be refused.
  if (clock != CLOCK_REALTIME && clock >= 0) return Error(EINVAL);
  TRY_ASSIGN(timespec time, task.CopyInObject<timespec>(args.Address(1)));
  if (clock < 0) {
    TRY(CpuClock::Find(task, clock));
  } else if (!IsValid(time)) {
    return Error(EINVAL);
  }
  return MayNotSetTime(task);
}

Result<Word> SysSettimeofday(Task& task, const SyscallArgs& args) {
  if (args.Address(0) != 0) TRY(task.CopyInObject<timeval>(args.Address(0)));
  return MayNotSetTime(task);
}

Result<Word> SysGettimeofday(Task& task, const SyscallArgs& args) {
  if (args.Address(0) != 0) {
    TRY_ASSIGN(timespec now, ReadClock(task, CLOCK_REALTIME));
    const timeval out = {now.tv_sec, now.tv_nsec / 1000};
    TRY(task.CopyOutObject(args.Address(0), out));
  }
  if (args.Address(1) != 0) {
    const struct timezone utc{};
    TRY(task.CopyOutObject(args.Address(1), utc));
  }
  return 0;
}

Result<Word> SysTime(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(timespec now, ReadClock(task, CLOCK_REALTIME));
  if (args.Address(0) != 0) TRY(task.CopyOutObject(args.Address(0), now.tv_sec));
  return static_cast<Word>(now.tv_sec);
}

Result<Word> SysTimes(Task& task, const SyscallArgs& args) {
  const Usage own = task.group().usage(), children = task.group().children_usage();
  auto ticks = [](uint64_t ns) { return static_cast<clock_t>(ns / kNsPerTick); };
  if (args.Address(0) != 0) {
    const tms out = {ticks(own.user_ns), ticks(own.system_ns), ticks(children.user_ns),
                     ticks(children.system_ns)};
    TRY(task.CopyOutObject(args.Address(0), out));
  }
  return static_cast<Word>(MonotonicNow() / kNsPerTick);
}

Result<Word> SysGetrusage(Task& task, const SyscallArgs& args) {
  rusage out{};
  switch (args.Int(0)) {
    case RUSAGE_SELF:
    case RUSAGE_THREAD:
      // The host's process and thread are the application's, and nobody else
      // knows their memory, faults and switches.
      return task.EndOnHost();
    case RUSAGE_CHILDREN:
      out = ToRusage(task.group().children_usage());
      break;
    default:
      return Error(EINVAL);
  }
  TRY(task.CopyOutObject(args.Address(1), out));
  return 0;
}

Result<Word> SysAdjtimex(Task& task, const SyscallArgs& args) {
  return AdjustClock(task, args.Address(0));
}

Result<Word> SysClockAdjtime(Task& task, const SyscallArgs& args) {
  const clockid_t clock = args.Int(0);
  if (clock != CLOCK_REALTIME) return Error(IsHostClock(clock) ? EOPNOTSUPP : EINVAL);
  return AdjustClock(task, args.Address(1));
}

}  // namespace runsc::boot
