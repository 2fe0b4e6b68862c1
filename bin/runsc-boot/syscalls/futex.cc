// futex(2), futex_waitv(2), futex_wait(2), get_robust_list(2). They concern the caller's own memory
// and the container's threads, whose ids are the host's, so the host does them: usually without
// being seen here, see the platform's stub_filter.cc. What it does not know, it refuses. The
// younger calls about futexes are in on_host.cc.
//
// Robust lists are walked by the host where a host thread ends, which is also
// where Linux does it: at exit(2), at the death of a process, and in execve(2)
// before the old memory goes. A hostile list can only loop (the host stops after
// 2,048 entries) or point outside (it stops at the fault).

#include <linux/futex.h>
#include <sys/syscall.h>

#include <algorithm>

#include "bin/runsc-boot/kernel/ptrace_access.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

bool IsKnown(int operation) {
  switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAKE:
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
    case FUTEX_WAKE_OP:
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAKE_BITSET:
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
    case FUTEX_TRYLOCK_PI:
    case FUTEX_UNLOCK_PI:
    case FUTEX_WAIT_REQUEUE_PI:
    case FUTEX_CMP_REQUEUE_PI:
      return true;
    default:
      return false;
  }
}

// The answer for a thread that has ended, which the host does not know any more.
Result<Word> NoRobustList(Task& task, const SyscallArgs& args) {
  TRY(task.CopyOutObject(args.Address(2), uint64_t{sizeof(robust_list_head)}));
  TRY(task.CopyOutObject(args.Address(1), uint64_t{0}));
  return 0;
}

constexpr size_t kTimeoutIndex = 3;  // of futex(2) and futex_waitv(2)

// After a stop, FUTEX_WAIT goes on with what is left of its time.
Result<Word> ResumeWait(Task& task, const platform::SyscallInfo& call, int64_t deadline) {
  task.SetRestart(
      [call, deadline](Task& restarted) { return ResumeWait(restarted, call, deadline); });
  return task.EndOnHostWithTime(call, kTimeoutIndex,
                                std::max<int64_t>(deadline - MonotonicNow(), 0), kRestartBlock);
}

// FUTEX_WAIT with its relative time-out.
Result<Word> StartTimedWait(Task& task, const SyscallArgs& args) {
  Result<timespec> time = task.CopyInObject<timespec>(args.Address(kTimeoutIndex));
  // The errors are the host's.
  if (!time.ok() || !IsValid(*time)) return task.EndOnHost();
  task.SetRestart([call = args.call(), deadline = *DeadlineAfter(ToNanoseconds(*time))](
                      Task& restarted) { return ResumeWait(restarted, call, deadline); });
  return task.EndOnHost(kRestartBlock);
}

// A wait that ends at an absolute time of `clock`, which the caller's time
// namespace may have moved.
Result<Word> StartWaitUntil(Task& task, const SyscallArgs& args, size_t index, clockid_t clock,
                            int restart_code) {
  const std::shared_ptr<TimeNamespace> space = task.namespaces()->time;
  if (args.Address(index) == 0 || space->OffsetOf(clock) == 0) return task.EndOnHost();
  Result<timespec> time = task.CopyInObject<timespec>(args.Address(index));
  // The errors are the host's.
  if (!time.ok() || !IsValid(*time)) return task.EndOnHost();
  return task.EndOnHostWithTime(args.call(), index, space->ToHost(clock, ToNanoseconds(*time)),
                                restart_code);
}

}  // namespace

Result<Word> SysFutex(Task& task, const SyscallArgs& args) {
  if (!IsKnown(args.Int(1))) return Error(ENOSYS);
  if ((args.Int(1) & FUTEX_CMD_MASK) == FUTEX_WAIT && args.Address(kTimeoutIndex) != 0) {
    return StartTimedWait(task, args);
  }
  if ((args.Int(1) & FUTEX_CLOCK_REALTIME) != 0) return task.EndOnHost();
  switch (args.Int(1) & FUTEX_CMD_MASK) {
    case FUTEX_WAIT_BITSET:
      return StartWaitUntil(task, args, kTimeoutIndex, CLOCK_MONOTONIC, kRestartNoHand);
    case FUTEX_LOCK_PI2:
    case FUTEX_WAIT_REQUEUE_PI:
      return StartWaitUntil(task, args, kTimeoutIndex, CLOCK_MONOTONIC, kRestartNoIntr);
    default:
      return task.EndOnHost();
  }
}

Result<Word> SysFutexWaitv(Task& task, const SyscallArgs& args) {
  return StartWaitUntil(task, args, kTimeoutIndex, args.Int(4), kRestartSys);
}

Result<Word> SysFutexWait(Task& task, const SyscallArgs& args) {
  constexpr size_t kIndex = 4;
  return StartWaitUntil(task, args, kIndex, args.Int(5), kRestartSys);
}

Result<Word> SysGetRobustList(Task& task, const SyscallArgs& args) {
  if (args.Pid(0) == 0) return task.EndOnHost();
  const TaskRef other = task.FindTask(args.Pid(0));
  if (other == nullptr) return Error(ESRCH);
  TRY(CheckPtraceAccess(task, *other, PtraceIds::kReal));
  if (other->memory_ref() == nullptr) return NoRobustList(task, args);
  if (task.pid_namespace() == nullptr) return task.EndOnHost();
  // The host would look for its own number.
  platform::NativeCall call;
  call.number = SYS_get_robust_list;
  call.args = {static_cast<uint64_t>(other->tid()), args.Address(1), args.Address(2)};
  TRY(task.thread().EnterStub());
  TRY(task.thread().RunNative({&call, 1}, true));
  return static_cast<Word>(call.result);
}

}  // namespace runsc::boot
