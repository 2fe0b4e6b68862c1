// What the specification's `process` section means for the container's init.
#ifndef RUNSC_BOOT_SANDBOX_PROCESS_H_
#define RUNSC_BOOT_SANDBOX_PROCESS_H_

#include <sys/resource.h>

#include <array>

#include "bin/runsc-boot/auth/credentials.h"
#include "ipc/oci.pb.h"

namespace runsc::boot {

Credentials CredentialsOf(const oci::Process& process);

// Linux's limits for init, with the specification's in their place.
std::array<rlimit, RLIM_NLIMITS> LimitsOf(const oci::Process& process, uint64_t memory_total);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SANDBOX_PROCESS_H_
