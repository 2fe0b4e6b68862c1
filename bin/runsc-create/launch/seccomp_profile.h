// Compiles linux.seccomp of config.json into the program that the container's
// processes start with.
#ifndef RUNSC_CREATE_LAUNCH_SECCOMP_PROFILE_H_
#define RUNSC_CREATE_LAUNCH_SECCOMP_PROFILE_H_

#include <string>

#include "common/result.h"
#include "ipc/oci.pb.h"

namespace runsc::create {

// The instructions (struct sock_filter) as bytes. As runc: names that the
// library does not know are left out, and calls newer than all that the profile
// names fail with ENOSYS, unless the default allows. Only x86-64 is compiled,
// since no other call table can be used. EINVAL: SCMP_ACT_NOTIFY, for which
// there would have to be a listener, or a rule that cannot be built.
Result<std::string> CompileSeccompProfile(const oci::Seccomp& profile);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_LAUNCH_SECCOMP_PROFILE_H_
