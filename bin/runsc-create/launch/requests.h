// What the specification means for the gofer and for boot.
#ifndef RUNSC_CREATE_LAUNCH_REQUESTS_H_
#define RUNSC_CREATE_LAUNCH_REQUESTS_H_

#include <string>
#include <vector>

#include "bin/runsc-create/options.h"
#include "common/result.h"
#include "ipc/boot.pb.h"
#include "ipc/gofer.pb.h"
#include "ipc/oci.pb.h"

namespace runsc::create {

// Indices into spec.mounts of the bind mounts that the gofer serves: all but
// those on and below what the sandbox's own /dev provides.
std::vector<uint32_t> ServedMounts(const oci::Spec& spec);

gofer::GoferRequest MakeGoferRequest(const GlobalOptions& options, const oci::Spec& spec);

// Without `fds`, which go along with the descriptors.
control::BootRequest MakeBootRequest(const GlobalOptions& options, const oci::Spec& spec,
                                     const std::string& id, bool attached);

// Where boot's network namespace comes from.
struct NetworkNamespace {
  enum class Kind { kNew, kJoin, kHost };
  Kind kind = Kind::kNew;
  std::string path;  // of kJoin
};
NetworkNamespace ChooseNetworkNamespace(const GlobalOptions& options, const oci::Spec& spec);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_LAUNCH_REQUESTS_H_
