// "Ptrace access mode checking" of ptrace(2): whether a task may look into
// another or control it. Asked by ptrace(2), process_vm_readv(2), kcmp(2),
// pidfd_getfd(2), get_robust_list(2) and the files of /proc/PID.
//
//   TRY(CheckPtraceAccess(task, *target, PtraceIds::kReal));
//
// PTRACE_MODE_READ and PTRACE_MODE_ATTACH differ for security modules only,
// which the sandbox has not.
#ifndef RUNSC_BOOT_KERNEL_PTRACE_ACCESS_H_
#define RUNSC_BOOT_KERNEL_PTRACE_ACCESS_H_

#include "bin/runsc-boot/auth/credentials.h"
#include "bin/runsc-boot/kernel/task.h"
#include "common/result.h"

namespace runsc::boot {

// Which of the caller's ids and capabilities count.
enum class PtraceIds : uint8_t {
  kFileSystem,  // PTRACE_MODE_FSCREDS: fsuid, fsgid, what is effective
  kReal,        // PTRACE_MODE_REALCREDS: ruid, rgid, what is permitted
};

// EPERM.
Status CheckPtraceAccess(const Task& caller, const Task& target, PtraceIds ids);
// The same for a caller outside the container.
Status CheckPtraceAccess(const Credentials& caller, const Task& target, PtraceIds ids);

// Whether `parent` may become the tracer of `child` by its PTRACE_TRACEME: it
// must have what the child has. EPERM.
Status CheckTraceMe(const Task& parent, const Task& child);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_PTRACE_ACCESS_H_
