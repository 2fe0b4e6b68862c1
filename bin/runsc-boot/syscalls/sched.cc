// sched_setscheduler(2), sched_getscheduler(2), sched_setparam(2),
// sched_getparam(2), sched_setattr(2), sched_getattr(2),
// sched_get_priority_max(2), sched_get_priority_min(2),
// sched_rr_get_interval(2), sched_yield(2)
//
// The host schedules; policies and priorities are checked, kept and reported,
// and change nothing.

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "bin/runsc-boot/kernel/growing_struct.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/scheduling.h"

namespace runsc::boot {

namespace {

constexpr int kDeadline = 6;  // SCHED_DEADLINE
constexpr int kLowestPriority = 1, kHighestPriority = 99;
constexpr int kLowestNice = -20, kHighestNice = 19;
constexpr uint64_t kResetOnFork = 0x01, kKeepPolicy = 0x08, kKeepParams = 0x10;
constexpr uint64_t kUtilClamp = 0x20 | 0x40;
constexpr uint64_t kAttrFlags = 0x7f;

// struct sched_attr of sched_setattr(2): the first version, and what came later.
struct SchedAttr {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
  uint32_t util_min, util_max;
};
constexpr uint32_t kFirstAttrSize = 48;

bool IsRealTime(int policy) { return policy == SCHED_FIFO || policy == SCHED_RR; }
bool IsFair(int policy) { return policy == SCHED_OTHER || policy == SCHED_BATCH; }

// What is wanted of a task: the parameters of all three calls.
struct Wish {
  int policy = SCHED_OTHER;  // negative: as it is
  int priority = 0;
  std::optional<int> nice;  // nullopt: as it is
  bool reset_on_fork = false;
  bool util_clamp = false;
};

// EINVAL of sched(7), before any permission.
Status CheckValues(const Wish& wish, int policy) {
  if (!IsRealTime(policy) && !IsFair(policy) && policy != SCHED_IDLE) return Error(EINVAL);
  if (wish.priority < 0 || wish.priority > kHighestPriority) return Error(EINVAL);
  if (IsRealTime(policy) != (wish.priority != 0)) return Error(EINVAL);
  return Ok();
}

// EPERM of sched(7), "Privileges and resource limits".
Status CheckMayHave(Task& task, const Task& target, const Wish& wish, int policy) {
  if (task.credentials()->Has(CAP_SYS_NICE)) return Ok();
  const Scheduling current = target.scheduling();
  if (IsFair(policy) && wish.nice && *wish.nice < current.nice &&
      !MayHaveNice(task, target, *wish.nice)) {
    return Error(EPERM);
  }
  if (IsRealTime(policy)) {
    const rlim_t allowed = target.group().limit(RLIMIT_RTPRIO).rlim_cur;
    if (policy != current.policy && allowed == 0) return Error(EPERM);
    if (wish.priority > current.priority && static_cast<rlim_t>(wish.priority) > allowed) {
      return Error(EPERM);
    }
  }
  // Leaving SCHED_IDLE is a promotion.
  if (current.policy == SCHED_IDLE && policy != SCHED_IDLE &&
      !MayHaveNice(task, target, current.nice)) {
    return Error(EPERM);
  }
  TRY(CheckMaySchedule(task, target));
  if (current.reset_on_fork && !wish.reset_on_fork) return Error(EPERM);
  return Ok();
}

Status Apply(Task& task, Task& target, const Wish& wish) {
  Scheduling scheduling = target.scheduling();
  Wish wanted = wish;
  if (wish.policy < 0) {
    wanted.policy = scheduling.policy;
    wanted.reset_on_fork = scheduling.reset_on_fork;
  }
  TRY(CheckValues(wanted, wanted.policy));
  TRY(CheckMayHave(task, target, wanted, wanted.policy));
  // No clamp could be kept: as a Linux without CONFIG_UCLAMP_TASK.
  if (wanted.util_clamp) return Error(EOPNOTSUPP);
  // Real-time scheduling is not to be had in the sandbox, even with the
  // capability: it would starve the machine. It is reported all the same.
  scheduling.policy = wanted.policy;
  scheduling.priority = wanted.priority;
  scheduling.reset_on_fork = wanted.reset_on_fork;
  if (wanted.nice && IsFair(wanted.policy)) scheduling.nice = *wanted.nice;
  target.set_scheduling(std::move(scheduling));
  return Ok();
}

// Linux writes the size that it knows where it refuses one.
Result<SchedAttr> CopyInAttr(Task& task, uint64_t address) {
  constexpr uint32_t kPageBytes = 4096;
  TRY_ASSIGN(uint32_t size, task.CopyInObject<uint32_t>(address));
  if (size == 0) size = kFirstAttrSize;
  Result<SchedAttr> attr = Error(E2BIG);
  if (size >= kFirstAttrSize && size <= kPageBytes) {
    attr = CopyInGrowing<SchedAttr>(task, address, size);
  }
  if (attr.ok() && size < sizeof(SchedAttr) && (attr->flags & kUtilClamp) != 0) {
    return Error(EINVAL);
  }
  if (attr.code() != E2BIG) return attr;
  TRY(task.CopyOutObject(address, uint32_t{sizeof(SchedAttr)}));
  return Error(E2BIG);
}

Result<Word> PriorityLimit(int policy, Word real_time) {
  if (IsRealTime(policy)) return real_time;
  if (IsFair(policy) || policy == SCHED_IDLE || policy == kDeadline) return 0;
  return Error(EINVAL);
}

}  // namespace

Result<TaskRef> ScheduledTask(Task& task, pid_t pid) {
  if (pid < 0) return Error(EINVAL);
  if (pid == 0) return task.shared_from_this();
  TaskRef found = task.FindTask(pid);
  if (found == nullptr) return Error(ESRCH);
  return found;
}

Status CheckMaySchedule(Task& task, const Task& target) {
  const CredentialsRef own = task.credentials(), other = target.credentials();
  if (own->euid == other->euid || own->euid == other->ruid || own->Has(CAP_SYS_NICE)) return Ok();
  return Error(EPERM);
}

bool MayHaveNice(Task& task, const Task& target, int nice) {
  // RLIMIT_NICE counts from 1 (nice 19) to 40 (nice -20).
  constexpr int kOffset = 20;
  const auto needed = static_cast<rlim_t>(kOffset - nice);
  return needed <= target.group().limit(RLIMIT_NICE).rlim_cur ||
         task.credentials()->Has(CAP_SYS_NICE);
}

Result<Word> SysSchedYield(Task&, const SyscallArgs&) {
  sched_yield();
  return 0;
}

Result<Word> SysSchedGetscheduler(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(TaskRef target, ScheduledTask(task, args.Pid(0)));
  const Scheduling scheduling = target->scheduling();
  return static_cast<Word>(scheduling.policy |
                           (scheduling.reset_on_fork ? SCHED_RESET_ON_FORK : 0));
}

Result<Word> SysSchedSetscheduler(Task& task, const SyscallArgs& args) {
  if (args.Int(1) < 0 || args.Address(2) == 0 || args.Pid(0) < 0) return Error(EINVAL);
  Wish wish;
  TRY_ASSIGN(wish.priority, task.CopyInObject<int>(args.Address(2)));
  TRY_ASSIGN(TaskRef target, ScheduledTask(task, args.Pid(0)));
  wish.policy = args.Int(1) & ~SCHED_RESET_ON_FORK;
  wish.reset_on_fork = (args.Int(1) & SCHED_RESET_ON_FORK) != 0;
  TRY(Apply(task, *target, wish));
  return 0;
}

Result<Word> SysSchedGetparam(Task& task, const SyscallArgs& args) {
  if (args.Address(1) == 0) return Error(EINVAL);
  TRY_ASSIGN(TaskRef target, ScheduledTask(task, args.Pid(0)));
  TRY(task.CopyOutObject(args.Address(1), target->scheduling().priority));
  return 0;
}

Result<Word> SysSchedSetparam(Task& task, const SyscallArgs& args) {
  if (args.Address(1) == 0 || args.Pid(0) < 0) return Error(EINVAL);
  Wish wish;
  wish.policy = -1;
  TRY_ASSIGN(wish.priority, task.CopyInObject<int>(args.Address(1)));
  TRY_ASSIGN(TaskRef target, ScheduledTask(task, args.Pid(0)));
  TRY(Apply(task, *target, wish));
  return 0;
}

Result<Word> SysSchedGetPriorityMax(Task&, const SyscallArgs& args) {
  return PriorityLimit(args.Int(0), kHighestPriority);
}

Result<Word> SysSchedGetPriorityMin(Task&, const SyscallArgs& args) {
  return PriorityLimit(args.Int(0), kLowestPriority);
}

Result<Word> SysSchedRrGetInterval(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(TaskRef target, ScheduledTask(task, args.Pid(0)));
  timespec slice = {0, 4'000'000};
  const int policy = target->scheduling().policy;
  if (policy == SCHED_FIFO) slice.tv_nsec = 0;
  if (policy == SCHED_RR) slice.tv_nsec = 100'000'000;
  TRY(task.CopyOutObject(args.Address(1), slice));
  return 0;
}

Result<Word> SysSchedGetattr(Task& task, const SyscallArgs& args) {
  const uint32_t size = args.Uint(2);
  if (args.Address(1) == 0 || args.Pid(0) < 0 || size < kFirstAttrSize || size > 4096 ||
      args.Uint(3) != 0) {
    return Error(EINVAL);
  }
  TRY_ASSIGN(TaskRef target, ScheduledTask(task, args.Pid(0)));
  const Scheduling scheduling = target->scheduling();
  SchedAttr attr{};
  attr.size = std::min<uint32_t>(size, sizeof(attr));
  attr.policy = static_cast<uint32_t>(scheduling.policy);
  attr.flags = scheduling.reset_on_fork ? kResetOnFork : 0;
  attr.priority = static_cast<uint32_t>(scheduling.priority);
  if (!IsRealTime(scheduling.policy)) attr.nice = scheduling.nice;
  TRY(task.CopyOut(args.Address(1), &attr, attr.size));
  return 0;
}

Result<Word> SysSchedSetattr(Task& task, const SyscallArgs& args) {
  if (args.Address(1) == 0 || args.Pid(0) < 0 || args.Uint(2) != 0) return Error(EINVAL);
  TRY_ASSIGN(SchedAttr attr, CopyInAttr(task, args.Address(1)));
  Wish wish;
  wish.policy = static_cast<int>(attr.policy);
  if (wish.policy < 0) return Error(EINVAL);
  TRY_ASSIGN(TaskRef target, ScheduledTask(task, args.Pid(0)));
  const Scheduling current = target->scheduling();
  if ((attr.flags & kKeepPolicy) != 0) wish.policy = current.policy;
  wish.reset_on_fork = (attr.flags & kResetOnFork) != 0;
  wish.util_clamp = (attr.flags & kUtilClamp) != 0;
  wish.priority = static_cast<int>(std::min<uint32_t>(attr.priority, kHighestPriority + 1));
  wish.nice = std::clamp(attr.nice, kLowestNice, kHighestNice);
  if ((attr.flags & kKeepParams) != 0) {
    wish.priority = current.priority;
    wish.nice = current.nice;
  }
  if ((attr.flags & ~kAttrFlags) != 0) return Error(EINVAL);
  // No bandwidth can be promised here; Linux says EBUSY when there is none left.
  if (wish.policy == kDeadline) {
    const bool valid = attr.priority == 0 && attr.runtime >= 1024 &&
                       attr.runtime <= attr.deadline &&
                       (attr.period == 0 || attr.deadline <= attr.period);
    if (!valid) return Error(EINVAL);
    return Error(task.credentials()->Has(CAP_SYS_NICE) ? EBUSY : EPERM);
  }
  TRY(Apply(task, *target, wish));
  return 0;
}

}  // namespace runsc::boot
