// getpriority(2), setpriority(2), ioprio_get(2), ioprio_set(2): kept and
// reported; the host schedules all alike.

#include <linux/ioprio.h>
#include <sys/resource.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/scheduling.h"

namespace runsc::boot {

namespace {

constexpr int kLowestNice = -20, kHighestNice = 19;

// How both families name tasks; PRIO_* of getpriority(2).
enum class Who : uint8_t { kProcess, kGroup, kUser };

std::vector<TaskRef> TasksOf(Task& task, Who who, int id) {
  std::vector<TaskRef> tasks;
  auto add_all = [&tasks](const ThreadGroupRef& group) {
    for (TaskRef& member : group->tasks()) tasks.push_back(std::move(member));
  };
  Kernel& kernel = task.kernel();
  if (who == Who::kProcess) {
    TaskRef found = id == 0 ? task.shared_from_this() : task.FindTask(id);
    if (found != nullptr) tasks.push_back(std::move(found));
  } else if (who == Who::kGroup) {
    const pid_t group = id == 0 ? task.group().process_group() : task.ToKernelPid(id);
    for (const ThreadGroupRef& member : kernel.ProcessGroupMembers(group)) add_all(member);
  } else {
    const CredentialsRef own = task.credentials();
    const uid_t uid =
        id == 0 ? own->ruid : own->user_namespace->ToKernelUid(static_cast<uid_t>(id));
    for (const ThreadGroupRef& group : kernel.Groups()) {
      if (task.FromKernelPid(group->pid()) != 0) add_all(group);
    }
    std::erase_if(tasks, [uid](const TaskRef& t) { return t->credentials()->ruid != uid; });
  }
  return tasks;
}

// EPERM, EACCES as setpriority(2).
Status SetNice(Task& task, Task& target, int nice) {
  const CredentialsRef own = task.credentials(), other = target.credentials();
  const bool related = other->ruid == own->euid || other->euid == own->euid;
  if (!related && !own->Has(CAP_SYS_NICE)) return Error(EPERM);
  Scheduling scheduling = target.scheduling();
  if (nice < scheduling.nice && !MayHaveNice(task, target, nice)) return Error(EACCES);
  scheduling.nice = nice;
  target.set_scheduling(std::move(scheduling));
  return Ok();
}

Result<Who> IoWho(int which) {
  switch (which) {
    case IOPRIO_WHO_PROCESS:
      return Who::kProcess;
    case IOPRIO_WHO_PGRP:
      return Who::kGroup;
    case IOPRIO_WHO_USER:
      return Who::kUser;
    default:
      return Error(EINVAL);
  }
}

// What the I/O of a task has: without a priority of its own that of its policy
// and nice value.
int EffectiveIoPriority(const Scheduling& scheduling) {
  if (IOPRIO_PRIO_CLASS(scheduling.io_priority) != IOPRIO_CLASS_NONE) {
    return scheduling.io_priority;
  }
  constexpr int kNicePerLevel = 5;
  const bool real_time = scheduling.policy == SCHED_FIFO || scheduling.policy == SCHED_RR;
  const int io_class = scheduling.policy == SCHED_IDLE ? IOPRIO_CLASS_IDLE
                       : real_time                     ? IOPRIO_CLASS_RT
                                                       : IOPRIO_CLASS_BE;
  return IOPRIO_PRIO_VALUE(io_class, (scheduling.nice - kLowestNice) / kNicePerLevel);
}

Status CheckIoPriority(Task& task, int value) {
  const int io_class = value >> IOPRIO_CLASS_SHIFT;
  const int level = value & ((1 << IOPRIO_CLASS_SHIFT) - 1);
  switch (io_class) {
    case IOPRIO_CLASS_RT:
      if (!task.credentials()->Has(CAP_SYS_NICE) && !task.credentials()->Has(CAP_SYS_ADMIN)) {
        return Error(EPERM);
      }
      return Ok();
    case IOPRIO_CLASS_BE:
    case IOPRIO_CLASS_IDLE:
      return Ok();
    case IOPRIO_CLASS_NONE:
      return level == 0 ? Ok() : Status(Error(EINVAL));
    default:
      return Error(EINVAL);
  }
}

}  // namespace

// The raw call returns 20 - nice.
Result<Word> SysGetpriority(Task& task, const SyscallArgs& args) {
  constexpr int kOffset = 20;
  if (args.Int(0) < PRIO_PROCESS || args.Int(0) > PRIO_USER) return Error(EINVAL);
  int best = std::numeric_limits<int>::max();
  for (const TaskRef& target : TasksOf(task, static_cast<Who>(args.Int(0)), args.Int(1))) {
    best = std::min(best, target->scheduling().nice);
  }
  if (best > kHighestNice) return Error(ESRCH);
  return static_cast<Word>(kOffset - best);
}

Result<Word> SysSetpriority(Task& task, const SyscallArgs& args) {
  if (args.Int(0) < PRIO_PROCESS || args.Int(0) > PRIO_USER) return Error(EINVAL);
  const int nice = std::clamp(args.Int(2), kLowestNice, kHighestNice);
  int error = ESRCH;
  for (const TaskRef& target : TasksOf(task, static_cast<Who>(args.Int(0)), args.Int(1))) {
    const Status status = SetNice(task, *target, nice);
    if (!status.ok()) {
      error = status.code();
    } else if (error == ESRCH) {
      error = 0;
    }
  }
  if (error != 0) return Error(error);
  return 0;
}

Result<Word> SysIoprioGet(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(const Who who, IoWho(args.Int(0)));
  std::optional<int> best;
  for (const TaskRef& target : TasksOf(task, who, args.Int(1))) {
    // A single process is shown what was set for it, or nothing; of several
    // the best is that which their I/O really has.
    const Scheduling scheduling = target->scheduling();
    const int value =
        who == Who::kProcess ? scheduling.io_priority : EffectiveIoPriority(scheduling);
    best = best ? std::min(*best, value) : value;
  }
  if (!best) return Error(ESRCH);
  return static_cast<Word>(*best);
}

Result<Word> SysIoprioSet(Task& task, const SyscallArgs& args) {
  TRY(CheckIoPriority(task, args.Int(2)));
  TRY_ASSIGN(const Who who, IoWho(args.Int(0)));
  const std::vector<TaskRef> targets = TasksOf(task, who, args.Int(1));
  if (targets.empty()) return Error(ESRCH);
  for (const TaskRef& target : targets) {
    TRY(CheckMaySchedule(task, *target));
    Scheduling scheduling = target->scheduling();
    scheduling.io_priority = args.Int(2);
    target->set_scheduling(std::move(scheduling));
  }
  return 0;
}

}  // namespace runsc::boot
