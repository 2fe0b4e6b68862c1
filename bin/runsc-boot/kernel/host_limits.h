// Limits of an address space that the host enforces: the application maps its
// memory natively.
#ifndef RUNSC_BOOT_KERNEL_HOST_LIMITS_H_
#define RUNSC_BOOT_KERNEL_HOST_LIMITS_H_

#include <sys/resource.h>

#include "bin/runsc-boot/platform/platform.h"

namespace runsc::boot {

// RLIMIT_AS and RLIMIT_DATA, with room for what the stub itself maps, and for the
// `stack_bytes` of a stack that is mapped as a whole while Linux counts what has
// been used of it; nothing for others. Children inherit it on the host.
void ApplyHostLimit(const platform::HostProcess& process, int resource, rlim_t limit,
                    uint64_t stack_bytes);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_HOST_LIMITS_H_
