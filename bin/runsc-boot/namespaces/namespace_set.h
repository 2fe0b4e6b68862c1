// The namespaces that a task has besides those of its credentials (user), its
// view of the file system (mount) and its process (pid). Immutable and shared;
// a change makes a new set.
#ifndef RUNSC_BOOT_NAMESPACES_NAMESPACE_SET_H_
#define RUNSC_BOOT_NAMESPACES_NAMESPACE_SET_H_

#include <memory>

#include "bin/runsc-boot/namespaces/cgroup_namespace.h"
#include "bin/runsc-boot/namespaces/pid_namespace.h"
#include "bin/runsc-boot/namespaces/time_namespace.h"
#include "bin/runsc-boot/namespaces/uts_namespace.h"

namespace runsc::boot {

class IpcNamespace;  // ipc_namespace.h
class NetNamespace;  // net_namespace.h

struct NamespaceSet {
  std::shared_ptr<UtsNamespace> uts;
  std::shared_ptr<IpcNamespace> ipc;
  std::shared_ptr<NetNamespace> net;
  std::shared_ptr<CgroupNamespace> cgroup;
  std::shared_ptr<TimeNamespace> time, time_for_children;
  PidNamespaceRef pid_for_children;

  // The first ones, owned by `owner`.
  static std::shared_ptr<const NamespaceSet> MakeInitial(const UserNamespaceRef& owner);
};
using NamespaceSetRef = std::shared_ptr<const NamespaceSet>;

// `set` for who has got memory of its own (by clone(2) or execve(2)): only then
// does a process move to the time namespace that has been made for its children.
NamespaceSetRef WithNewMemory(const NamespaceSetRef& set);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_NAMESPACES_NAMESPACE_SET_H_
