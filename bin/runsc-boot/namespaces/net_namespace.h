// network_namespaces(7): a loopback device, which is all there is so far, the
// netlink sockets that watch it, and abstract names of Unix sockets.
#ifndef RUNSC_BOOT_NAMESPACES_NET_NAMESPACE_H_
#define RUNSC_BOOT_NAMESPACES_NET_NAMESPACE_H_

#include <memory>
#include <utility>

#include "bin/runsc-boot/auth/namespace.h"
#include "bin/runsc-boot/socket/netlink/loopback.h"
#include "bin/runsc-boot/socket/netlink/ports.h"
#include "bin/runsc-boot/socket/unix/abstract_names.h"

namespace runsc::boot {

class NetNamespace final : public Namespace {
 public:
  explicit NetNamespace(UserNamespaceRef owner)
      : Namespace(NamespaceKind::kNet, std::move(owner)) {}
  // The first one, whose loopback is up, as runtimes leave it.
  NetNamespace() : Namespace(NamespaceKind::kNet) { loopback_.SetUp(true); }

  netlink::Loopback& loopback() { return loopback_; }
  const std::shared_ptr<AbstractNames>& abstract_names() const { return abstract_names_; }
  // Of NETLINK_ROUTE.
  netlink::Ports& ports() { return ports_; }

 private:
  const std::shared_ptr<AbstractNames> abstract_names_ = std::make_shared<AbstractNames>();
  netlink::Loopback loopback_;
  netlink::Ports ports_;
};
using NetNamespaceRef = std::shared_ptr<NetNamespace>;

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_NAMESPACES_NET_NAMESPACE_H_
