// The messages of NETLINK_ROUTE (rtnetlink(7)): devices and their addresses.
#ifndef RUNSC_BOOT_SOCKET_NETLINK_ROUTE_H_
#define RUNSC_BOOT_SOCKET_NETLINK_ROUTE_H_

#include <string>
#include <vector>

#include "bin/runsc-boot/namespaces/net_namespace.h"
#include "bin/runsc-boot/socket/netlink/message.h"

namespace runsc::boot::netlink {

// Does what one request asks for in `space`, and puts what the kernel says of
// devices and addresses at the end of `answers`; each is a datagram for `port`.
// `may_change`: the sender has CAP_NET_ADMIN there. EPERM, ENODEV, EINVAL, EEXIST,
// EADDRNOTAVAIL, EOPNOTSUPP: what an acknowledgement is to say.
Status AnswerRoute(NetNamespace& space, bool may_change, const Request& request, uint32_t port,
                   std::vector<std::string>& answers);

// Changes the flags in `mask` of loopback to those in `flags`, as far as they can
// be changed (IFF_UP), and tells who listens.
void ChangeFlags(NetNamespace& space, unsigned flags, unsigned mask);

}  // namespace runsc::boot::netlink

#endif  // RUNSC_BOOT_SOCKET_NETLINK_ROUTE_H_
