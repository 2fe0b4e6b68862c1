// Shared by the calls about scheduling: whom they are about, and who may.
#ifndef RUNSC_BOOT_SYSCALLS_SCHEDULING_H_
#define RUNSC_BOOT_SYSCALLS_SCHEDULING_H_

#include "bin/runsc-boot/syscalls/arguments.h"

namespace runsc::boot {

// The task `pid`, 0 being the caller. EINVAL: negative; ESRCH.
Result<TaskRef> ScheduledTask(Task& task, pid_t pid);
// EPERM unless the caller's effective uid is one of the target's, or it has
// CAP_SYS_NICE.
Status CheckMaySchedule(Task& task, const Task& target);
// RLIMIT_NICE or CAP_SYS_NICE lets the caller give `target` this nice value.
bool MayHaveNice(Task& task, const Task& target, int nice);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SYSCALLS_SCHEDULING_H_
