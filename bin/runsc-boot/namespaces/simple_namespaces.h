// Namespaces that hold little (namespaces(7)).
#ifndef RUNSC_BOOT_NAMESPACES_SIMPLE_NAMESPACES_H_
#define RUNSC_BOOT_NAMESPACES_SIMPLE_NAMESPACES_H_

#include "bin/runsc-boot/auth/namespace.h"

namespace runsc::boot {

// cgroup_namespaces(7). A container sees its own cgroup as the root, which has
// none below it, so all namespaces show the same.
class CgroupNamespace final : public Namespace {
 public:
  explicit CgroupNamespace(UserNamespaceRef owner)
      : Namespace(NamespaceKind::kCgroup, std::move(owner)) {}
  CgroupNamespace() : Namespace(NamespaceKind::kCgroup) {}
};

// network_namespaces(7). All but the first have no way out.
class NetNamespace final : public Namespace {
 public:
  explicit NetNamespace(UserNamespaceRef owner)
      : Namespace(NamespaceKind::kNet, std::move(owner)), initial_(false) {}
  NetNamespace() : Namespace(NamespaceKind::kNet), initial_(true) {}
  bool is_initial() const { return initial_; }

 private:
  const bool initial_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_NAMESPACES_SIMPLE_NAMESPACES_H_
