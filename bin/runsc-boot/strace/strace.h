// --strace: every system call with decoded arguments and its result, in the
// log (level info): `[pid] comm name(args...) = result`.
#ifndef RUNSC_BOOT_STRACE_STRACE_H_
#define RUNSC_BOOT_STRACE_STRACE_H_

#include "bin/runsc-boot/kernel/kernel.h"

namespace runsc::boot {

// DispatchSyscall with a line in the log, to be given to the Kernel in its
// place. Calls that do not come back here (exec, exit, clone) show "= ?", those
// that the host ends "= host".
Result<uint64_t> TracedDispatchSyscall(Task& task, const platform::SyscallInfo& call);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_STRACE_STRACE_H_
