#include "bin/runsc-boot/kernel/cpu_clock.h"

#include "bin/runsc-boot/kernel/kernel.h"

namespace runsc::boot {

namespace {

// A negative id is ~pid << 3, bit 2 for a thread, and in the low bits which of
// its times: 0 all as timers count it, 1 the user's, 2 all exactly.
constexpr int kThreadBit = 4, kKindMask = 3, kUserKind = 1, kKinds = 3;

}  // namespace

bool CpuClock::IsCpuClock(clockid_t id) {
  if (id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID) return true;
  return id < 0 && (id & kKindMask) < kKinds;
}

Result<CpuClock> CpuClock::Find(Task& caller, clockid_t id) {
  if (!IsCpuClock(id)) return Error(EINVAL);
  CpuClock clock;
  pid_t pid = 0;
  if (id >= 0) {
    clock.of_thread_ = id == CLOCK_THREAD_CPUTIME_ID;
  } else {
    pid = ~(id >> 3);
    clock.of_thread_ = (id & kThreadBit) != 0;
    clock.user_only_ = (id & kKindMask) == kUserKind;
  }
  if (pid == 0) {
    clock.group_ = caller.group().shared_from_this();
    if (clock.of_thread_) clock.task_ = caller.shared_from_this();
    return clock;
  }
  if (clock.of_thread_) {
    TaskRef task = caller.FindTask(pid);
    if (task == nullptr || &task->group() != &caller.group()) return Error(EINVAL);
    clock.group_ = task->group_ref();
    clock.task_ = task;
    return clock;
  }
  ThreadGroupRef group = caller.FindGroup(pid);
  if (group == nullptr) return Error(EINVAL);
  clock.group_ = group;
  return clock;
}

int64_t CpuClock::Now() const {
  if (of_thread_) {
    const TaskRef task = task_.lock();
    const platform::ThreadRef thread = task == nullptr ? nullptr : task->thread_ref();
    return thread == nullptr ? 0 : static_cast<int64_t>(thread->CpuTimeNs());
  }
  const ThreadGroupRef group = group_.lock();
  if (group == nullptr) return 0;
  const Usage usage = group->usage();
  return static_cast<int64_t>(user_only_ ? usage.user_ns : usage.user_ns + usage.system_ns);
}

}  // namespace runsc::boot
