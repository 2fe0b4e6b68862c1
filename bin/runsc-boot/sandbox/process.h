// What the specification's `process` section means for the container's init.
#ifndef RUNSC_BOOT_SANDBOX_PROCESS_H_
#define RUNSC_BOOT_SANDBOX_PROCESS_H_

#include <sys/resource.h>

#include <array>

#include "bin/runsc-boot/auth/credentials.h"
#include "common/result.h"
#include "ipc/oci.pb.h"

namespace runsc::boot {

// The ids are those of `user_namespace`, the container's. EINVAL: one is not
// mapped there.
Result<Credentials> CredentialsOf(const oci::Process& process,
                                  const UserNamespaceRef& user_namespace);

// Linux's limits for init, with the specification's in their place.
std::array<rlimit, RLIM_NLIMITS> LimitsOf(const oci::Process& process, uint64_t memory_total);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SANDBOX_PROCESS_H_
