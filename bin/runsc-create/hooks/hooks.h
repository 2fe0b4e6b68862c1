// Runs the hooks of a container: programs that get its state on their standard
// input. They run in the caller's namespaces and with its privileges; those
// that OCI wants inside the container (createContainer, startContainer) too,
// since no host program runs in the sandbox.
#ifndef RUNSC_CREATE_HOOKS_HOOKS_H_
#define RUNSC_CREATE_HOOKS_HOOKS_H_

#include <string>
#include <string_view>

#include "common/result.h"
#include "google/protobuf/repeated_field.h"
#include "ipc/oci.pb.h"

namespace runsc::create {

// Runs `hooks` one after the other and stops at the first that fails: that
// cannot be executed, exits with another code than 0, or takes longer than its
// timeout. The error names "hooks.<kind>[n]", and has what it wrote to its
// standard error.
Status RunHooks(std::string_view kind, const google::protobuf::RepeatedPtrField<oci::Hook>& hooks,
                const std::string& state);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_HOOKS_HOOKS_H_
