// nanosleep(2), clock_nanosleep(2), restart_syscall(2)

#include <algorithm>

#include "bin/runsc-boot/kernel/cpu_clock.h"
#include "bin/runsc-boot/kernel/timer_math.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

constexpr size_t kTimeIndex = 2;  // of clock_nanosleep(2)

// Sleeps to the deadline; kRestartSys on a signal.
Status SleepUntil(Task& task, Deadline deadline) {
  while (!deadline || MonotonicNow() < *deadline) {
    Status slept = task.Sleep(deadline);
    if (slept.code() == ETIMEDOUT) break;
    if (!slept.ok()) return slept;
  }
  return Ok();
}

// A relative sleep that goes on after a signal with the time that is left.
Result<Word> RelativeSleep(Task& task, Deadline deadline, uint64_t remaining) {
  Status slept = SleepUntil(task, deadline);
  if (slept.ok()) return 0;
  if (slept.code() != kRestartSys) return std::move(slept).error();
  if (remaining != 0 && deadline) {
    const int64_t left = std::max<int64_t>(*deadline - MonotonicNow(), 0);
    TRY(task.CopyOutObject(remaining, ToTimespec(left)));
  }
  task.SetRestart([deadline, remaining](Task& restarted) {
    return RelativeSleep(restarted, deadline, remaining);
  });
  return Error(kRestartBlock);
}

// Lets the host sleep, which costs boot no thread; task_host_wait.cc has what
// happens to it by a signal. A thread in its stub cannot be left to the host.
Result<Word> StartRelativeSleep(Task& task, const timespec& time, uint64_t remaining) {
  const Deadline deadline = DeadlineAfter(ToNanoseconds(time));
  if (task.thread().in_stub()) return RelativeSleep(task, deadline, remaining);
  task.SetRestart([deadline, remaining](Task& restarted) {
    return RelativeSleep(restarted, deadline, remaining);
  });
  return task.EndOnHost(kRestartBlock);
}

Result<Word> AbsoluteSleep(Task& task, clockid_t clock, int64_t until) {
  // Other clocks than the monotonic one are read again after each sleep, since
  // they may be set; a second bounds how late that is noticed.
  while (true) {
    timespec now{};
    if (clock_gettime(clock, &now) != 0) return Error(EINVAL);
    const int64_t left = until - ToNanoseconds(now);
    if (left <= 0) return 0;
    const bool steady = clock == CLOCK_MONOTONIC;
    Status slept = SleepUntil(task, DeadlineAfter(steady ? left : std::min(left, kNsPerSecond)));
    if (slept.code() == kRestartSys) return Error(kRestartNoHand);
    if (!slept.ok()) return std::move(slept).error();
  }
}

// Sleeps on CPU time are the host's, whose ids of processes mean the same, with
// all their errors. After a stop, a relative one goes on with what is left.
Result<Word> ResumeCpuSleep(Task& task, const platform::SyscallInfo& call, const CpuClock& clock,
                            int64_t until) {
  const int64_t left = until - clock.Now();
  if (left <= 0) return 0;
  task.SetRestart([call, clock, until](Task& restarted) {
    return ResumeCpuSleep(restarted, call, clock, until);
  });
  return task.EndOnHostWithTime(call, kTimeIndex, left, kRestartBlock);
}

Result<Word> StartCpuSleep(Task& task, const SyscallArgs& args) {
  if ((args.Int(1) & TIMER_ABSTIME) != 0) return task.EndOnHost(kRestartNoHand);
  Result<CpuClock> clock = CpuClock::Find(task, args.Int(0));
  Result<timespec> time = task.CopyInObject<timespec>(args.Address(2));
  if (!clock.ok() || !time.ok() || !IsValid(*time)) return task.EndOnHost();
  const int64_t until = AddSaturating(clock->Now(), ToNanoseconds(*time));
  task.SetRestart([call = args.call(), clock = *clock, until](Task& restarted) {
    return ResumeCpuSleep(restarted, call, clock, until);
  });
  return task.EndOnHost(kRestartBlock);
}

}  // namespace

Result<Word> SysNanosleep(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(timespec time, task.CopyInObject<timespec>(args.Address(0)));
  if (!IsValid(time)) return Error(EINVAL);
  return StartRelativeSleep(task, time, args.Address(1));
}

Result<Word> SysClockNanosleep(Task& task, const SyscallArgs& args) {
  const clockid_t clock = args.Int(0);
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_TAI:
      break;
    default:
      return StartCpuSleep(task, args);
  }
  TRY_ASSIGN(timespec time, task.CopyInObject<timespec>(args.Address(2)));
  if (!IsValid(time)) return Error(EINVAL);
  if ((args.Int(1) & TIMER_ABSTIME) == 0) return StartRelativeSleep(task, time, args.Address(3));
  const int64_t until = ToNanoseconds(time);
  const int64_t on_host = task.namespaces()->time->ToHost(clock, until);
  if (task.thread().in_stub()) return AbsoluteSleep(task, clock, on_host);
  if (on_host == until) return task.EndOnHost(kRestartNoHand);
  return task.EndOnHostWithTime(args.call(), kTimeIndex, on_host, kRestartNoHand);
}

// The kernel runs what SetRestart left behind before this is reached.
Result<Word> SysRestartSyscall(Task&, const SyscallArgs&) { return Error(EINTR); }

}  // namespace runsc::boot
