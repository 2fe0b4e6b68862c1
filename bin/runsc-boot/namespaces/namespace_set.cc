#include "bin/runsc-boot/namespaces/namespace_set.h"

#include "bin/runsc-boot/namespaces/ipc_namespace.h"
#include "bin/runsc-boot/namespaces/net_namespace.h"

namespace runsc::boot {

NamespaceSetRef NamespaceSet::MakeInitial(const UserNamespaceRef& owner) {
  auto set = std::make_shared<NamespaceSet>();
  set->uts = std::make_shared<UtsNamespace>();
  set->ipc = std::make_shared<IpcNamespace>(IpcNamespace::First{owner});
  set->net = std::make_shared<NetNamespace>();
  set->cgroup = std::make_shared<CgroupNamespace>();
  set->time = set->time_for_children = std::make_shared<TimeNamespace>();
  set->pid_for_children = std::make_shared<PidNamespace>();
  for (Namespace* first :
       {static_cast<Namespace*>(set->uts.get()), static_cast<Namespace*>(set->ipc.get()),
        static_cast<Namespace*>(set->net.get()), static_cast<Namespace*>(set->cgroup.get()),
        static_cast<Namespace*>(set->time.get()),
        static_cast<Namespace*>(set->pid_for_children.get())}) {
    first->SetFirstOwner(owner);
  }
  return set;
}

NamespaceSetRef WithNewMemory(const NamespaceSetRef& set) {
  if (set->time == set->time_for_children) return set;
  auto changed = std::make_shared<NamespaceSet>(*set);
  changed->time = changed->time_for_children;
  changed->time->Freeze();
  return changed;
}

}  // namespace runsc::boot
