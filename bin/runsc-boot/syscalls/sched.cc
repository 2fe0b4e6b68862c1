// sched_*(2), getpriority(2), setpriority(2), ioprio_get(2), ioprio_set(2),
// getcpu(2), membarrier(2)
//
// The host schedules; what a task asks for here is checked and reported, and
// changes nothing.

#include <linux/ioprio.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <vector>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

// struct sched_attr of sched_setattr(2), first version.
struct SchedAttr {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

Status CheckTarget(Task& task, pid_t pid) {
  if (pid < 0) return Error(EINVAL);
  if (pid != 0 && task.kernel().FindTask(pid) == nullptr) return Error(ESRCH);
  return Ok();
}

bool IsRealTime(int policy) { return policy == SCHED_FIFO || policy == SCHED_RR; }

// EINVAL, EPERM as sched_setscheduler(2).
Status CheckPolicy(Task& task, int policy, int priority) {
  if (IsRealTime(policy)) {
    if (priority < 1 || priority > 99) return Error(EINVAL);
    const uint64_t allowed = task.group().limit(RLIMIT_RTPRIO).rlim_cur;
    const bool permitted = static_cast<uint64_t>(priority) <= allowed;
    // Real-time scheduling is not to be had in the sandbox, even with the
    // capability: it would starve the machine.
    if (!permitted || !task.credentials()->Has(CAP_SYS_NICE)) return Error(EPERM);
    return Ok();
  }
  if (policy != SCHED_OTHER && policy != SCHED_BATCH && policy != SCHED_IDLE) {
    return Error(EINVAL);
  }
  return priority == 0 ? Ok() : Status(Error(EINVAL));
}

std::vector<uint8_t> ShownCpus(Task& task) {
  const size_t count = static_cast<size_t>(std::max(task.kernel().cpu_count(), 1));
  std::vector<uint8_t> mask((count + 63) / 64 * 8);
  for (size_t cpu = 0; cpu < count; ++cpu) mask[cpu / 8] |= static_cast<uint8_t>(1 << cpu % 8);
  return mask;
}

}  // namespace

Result<Word> SysSchedYield(Task&, const SyscallArgs&) {
  sched_yield();
  return 0;
}

Result<Word> SysSchedGetaffinity(Task& task, const SyscallArgs& args) {
  const std::vector<uint8_t> mask = ShownCpus(task);
  if (args.Uint(1) < mask.size() || args.Uint(1) % 8 != 0) return Error(EINVAL);
  TRY(CheckTarget(task, args.Pid(0)));
  TRY(task.CopyOut(args.Address(2), mask.data(), mask.size()));
  return mask.size();
}

Result<Word> SysSchedSetaffinity(Task& task, const SyscallArgs& args) {
  std::vector<uint8_t> shown = ShownCpus(task);
  std::vector<uint8_t> wanted(shown.size());
  const size_t size = std::min<size_t>(args.Uint(1), wanted.size());
  if (size > 0) TRY(task.CopyIn(args.Address(2), wanted.data(), size));
  TRY(CheckTarget(task, args.Pid(0)));
  for (size_t i = 0; i < shown.size(); ++i) {
    if ((shown[i] & wanted[i]) != 0) return 0;
  }
  return Error(EINVAL);
}

Result<Word> SysSchedGetscheduler(Task& task, const SyscallArgs& args) {
  TRY(CheckTarget(task, args.Pid(0)));
  return SCHED_OTHER;
}

Result<Word> SysSchedSetscheduler(Task& task, const SyscallArgs& args) {
  if (args.Address(2) == 0 || args.Int(1) < 0) return Error(EINVAL);
  TRY_ASSIGN(int priority, task.CopyInObject<int>(args.Address(2)));
  TRY(CheckTarget(task, args.Pid(0)));
  TRY(CheckPolicy(task, args.Int(1) & ~SCHED_RESET_ON_FORK, priority));
  return 0;
}

Result<Word> SysSchedGetparam(Task& task, const SyscallArgs& args) {
  if (args.Address(1) == 0) return Error(EINVAL);
  TRY(CheckTarget(task, args.Pid(0)));
  TRY(task.CopyOutObject(args.Address(1), int{0}));
  return 0;
}

Result<Word> SysSchedSetparam(Task& task, const SyscallArgs& args) {
  if (args.Address(1) == 0) return Error(EINVAL);
  TRY_ASSIGN(int priority, task.CopyInObject<int>(args.Address(1)));
  TRY(CheckTarget(task, args.Pid(0)));
  if (priority != 0) return Error(EINVAL);
  return 0;
}

Result<Word> SysSchedGetPriorityMax(Task&, const SyscallArgs& args) {
  if (IsRealTime(args.Int(0))) return 99;
  if (args.Int(0) >= 0 && args.Int(0) <= 6 && args.Int(0) != 4) return 0;
  return Error(EINVAL);
}

Result<Word> SysSchedGetPriorityMin(Task&, const SyscallArgs& args) {
  if (IsRealTime(args.Int(0))) return 1;
  if (args.Int(0) >= 0 && args.Int(0) <= 6 && args.Int(0) != 4) return 0;
  return Error(EINVAL);
}

Result<Word> SysSchedRrGetInterval(Task& task, const SyscallArgs& args) {
  TRY(CheckTarget(task, args.Pid(0)));
  const timespec slice = {0, 4'000'000};
  TRY(task.CopyOutObject(args.Address(1), slice));
  return 0;
}

Result<Word> SysSchedGetattr(Task& task, const SyscallArgs& args) {
  if (args.Uint(2) < sizeof(SchedAttr) || args.Uint(2) > 4096 || args.Uint(3) != 0) {
    return Error(EINVAL);
  }
  TRY(CheckTarget(task, args.Pid(0)));
  SchedAttr attr{};
  attr.size = sizeof(attr);
  TRY(task.CopyOutObject(args.Address(1), attr));
  return 0;
}

Result<Word> SysSchedSetattr(Task& task, const SyscallArgs& args) {
  if (args.Uint(2) != 0) return Error(EINVAL);
  TRY_ASSIGN(SchedAttr attr, task.CopyInObject<SchedAttr>(args.Address(1)));
  TRY(CheckTarget(task, args.Pid(0)));
  TRY(CheckPolicy(task, static_cast<int>(attr.policy), static_cast<int>(attr.priority)));
  return 0;
}

// The raw call returns 20 - nice.
Result<Word> SysGetpriority(Task& task, const SyscallArgs& args) {
  if (args.Int(0) < PRIO_PROCESS || args.Int(0) > PRIO_USER) return Error(EINVAL);
  if (args.Int(0) == PRIO_PROCESS) TRY(CheckTarget(task, std::max(args.Pid(1), 0)));
  return 20;
}

Result<Word> SysSetpriority(Task& task, const SyscallArgs& args) {
  if (args.Int(0) < PRIO_PROCESS || args.Int(0) > PRIO_USER) return Error(EINVAL);
  if (args.Int(0) == PRIO_PROCESS) TRY(CheckTarget(task, std::max(args.Pid(1), 0)));
  const bool raises = args.Int(2) < 0;
  if (raises && !task.credentials()->Has(CAP_SYS_NICE)) return Error(EACCES);
  return 0;
}

Result<Word> SysIoprioGet(Task& task, const SyscallArgs& args) {
  if (args.Int(0) < IOPRIO_WHO_PROCESS || args.Int(0) > IOPRIO_WHO_USER) return Error(EINVAL);
  if (args.Int(0) == IOPRIO_WHO_PROCESS) TRY(CheckTarget(task, args.Pid(1)));
  return IOPRIO_PRIO_VALUE(IOPRIO_CLASS_NONE, 4);
}

Result<Word> SysIoprioSet(Task& task, const SyscallArgs& args) {
  if (args.Int(0) < IOPRIO_WHO_PROCESS || args.Int(0) > IOPRIO_WHO_USER) return Error(EINVAL);
  const int io_class = args.Int(2) >> IOPRIO_CLASS_SHIFT;
  if (io_class > IOPRIO_CLASS_IDLE) return Error(EINVAL);
  if (io_class == IOPRIO_CLASS_RT && !task.credentials()->Has(CAP_SYS_NICE)) return Error(EPERM);
  if (args.Int(0) == IOPRIO_WHO_PROCESS) TRY(CheckTarget(task, args.Pid(1)));
  return 0;
}

Result<Word> SysGetcpu(Task& task, const SyscallArgs& args) {
  const int count = std::max(task.kernel().cpu_count(), 1);
  const unsigned cpu = static_cast<unsigned>(std::max(sched_getcpu(), 0) % count);
  if (args.Address(0) != 0) TRY(task.CopyOutObject(args.Address(0), cpu));
  if (args.Address(1) != 0) TRY(task.CopyOutObject(args.Address(1), unsigned{0}));
  return 0;
}

// A barrier across the machine is what the host can do; the private variants
// would need a registration in every stub.
Result<Word> SysMembarrier(Task&, const SyscallArgs& args) {
  if (args.Uint(1) != 0) return Error(EINVAL);
  switch (args.Int(0)) {
    case MEMBARRIER_CMD_QUERY:
      return 0;
    default:
      return Error(EINVAL);
  }
}

}  // namespace runsc::boot
