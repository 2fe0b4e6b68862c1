// Calls of which nothing is the kernel's to know: brk(2), msync(2), mincore(2),
// set_robust_list(2), rseq(2), futex_wake(2), futex_requeue(2). They work on the
// caller's own memory and registers, where the host is as good as any kernel.

#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

Result<Word> SysOnHost(Task& task, const SyscallArgs&) { return task.EndOnHost(); }

}  // namespace runsc::boot
