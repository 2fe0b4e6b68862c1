// cgroup_namespaces(7). A container sees its own cgroup as the root, which has
// none below it, so all namespaces show the same.
#ifndef RUNSC_BOOT_NAMESPACES_CGROUP_NAMESPACE_H_
#define RUNSC_BOOT_NAMESPACES_CGROUP_NAMESPACE_H_

#include "bin/runsc-boot/auth/namespace.h"

namespace runsc::boot {

class CgroupNamespace final : public Namespace {
 public:
  explicit CgroupNamespace(UserNamespaceRef owner)
      : Namespace(NamespaceKind::kCgroup, std::move(owner)) {}
  CgroupNamespace() : Namespace(NamespaceKind::kCgroup) {}
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_NAMESPACES_CGROUP_NAMESPACE_H_
