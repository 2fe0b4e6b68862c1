// Runs one system call of a task by the table: what the kernel is given as its
// SyscallDispatch.
#ifndef RUNSC_BOOT_SYSCALLS_DISPATCH_H_
#define RUNSC_BOOT_SYSCALLS_DISPATCH_H_

#include "bin/runsc-boot/kernel/kernel.h"

namespace runsc::boot {

// ENOSYS for what the table does not have; logged once per number.
Result<uint64_t> DispatchSyscall(Task& task, const platform::SyscallInfo& call);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SYSCALLS_DISPATCH_H_
