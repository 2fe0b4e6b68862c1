// Parts of prctl(2) that have files of their own.
#ifndef RUNSC_BOOT_SYSCALLS_PRCTL_H_
#define RUNSC_BOOT_SYSCALLS_PRCTL_H_

#include "bin/runsc-boot/syscalls/arguments.h"

namespace runsc::boot {

// prctl_mm.cc: PR_SET_MM.
Result<Word> PrctlSetMm(Task& task, const SyscallArgs& args);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SYSCALLS_PRCTL_H_
