// ioctl(2) of sockets about network devices (netdevice(7)), as far as it does not
// depend on the family. The device is loopback.

#include "bin/runsc-boot/syscalls/netdevice.h"

#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "bin/runsc-boot/namespaces/net_namespace.h"
#include "bin/runsc-boot/socket/netlink/route.h"
#include "bin/runsc-boot/syscalls/arguments.h"

namespace runsc::boot {

namespace {

using netlink::Loopback;

bool NamesLoopback(const ifreq& request) {
  const std::string_view name(request.ifr_name, strnlen(request.ifr_name, IFNAMSIZ - 1));
  return name == Loopback::kName;
}

// SIOCGIFCONF: the addresses of AF_INET, as many as there is room for.
Result<Word> ListAddresses(Task& task, NetNamespace& space, uint64_t argument) {
  TRY_ASSIGN(ifconf list, task.CopyInObject<ifconf>(argument));
  if (list.ifc_len < 0) return Error(EINVAL);
  const auto buffer = reinterpret_cast<uint64_t>(list.ifc_buf);
  size_t size = 0;
  for (const netlink::InterfaceAddress& address : space.loopback().addresses()) {
    if (address.family != AF_INET) continue;
    ifreq entry{};
    memcpy(entry.ifr_name, address.label.data(), std::min<size_t>(address.label.size(), IFNAMSIZ));
    sockaddr_in shown{};
    shown.sin_family = AF_INET;
    memcpy(&shown.sin_addr, address.bytes.data(), sizeof(shown.sin_addr));
    memcpy(&entry.ifr_addr, &shown, sizeof(shown));
    if (buffer != 0) {
      if (size + sizeof(entry) > static_cast<size_t>(list.ifc_len)) break;
      TRY(task.CopyOutObject(buffer + size, entry));
    }
    size += sizeof(entry);
  }
  list.ifc_len = static_cast<int>(size);
  TRY(task.CopyOutObject(argument, list));
  return 0;
}

Result<Word> SetFlags(Task& task, NetNamespace& space, const ifreq& request) {
  if (!task.credentials()->HasIn(*space.owner(), CAP_NET_ADMIN)) return Error(EPERM);
  if (!NamesLoopback(request)) return Error(ENODEV);
  netlink::ChangeFlags(space, static_cast<uint16_t>(request.ifr_flags), IFF_UP);
  return 0;
}

// Those that give a value of the named device.
Status Fill(NetNamespace& space, unsigned command, ifreq& request) {
  if (!NamesLoopback(request)) return Error(ENODEV);
  switch (command) {
    case SIOCGIFFLAGS:
      request.ifr_flags = static_cast<short>(space.loopback().flags() & 0xffff);
      return Ok();
    case SIOCGIFINDEX:
      request.ifr_ifindex = Loopback::kIndex;
      return Ok();
    case SIOCGIFMTU:
      request.ifr_mtu = Loopback::kMtu;
      return Ok();
    case SIOCGIFTXQLEN:
      request.ifr_qlen = Loopback::kQueueLength;
      return Ok();
    case SIOCGIFMETRIC:
      request.ifr_metric = 0;
      return Ok();
    default:
      request.ifr_hwaddr = {};
      request.ifr_hwaddr.sa_family = ARPHRD_LOOPBACK;
      return Ok();
  }
}

}  // namespace

std::optional<Result<Word>> NetDeviceIoctl(Task& task, unsigned command, uint64_t argument) {
  const NamespaceSetRef namespaces = task.namespaces();
  NetNamespace& space = *namespaces->net;
  switch (command) {
    case SIOCGIFCONF:
      return ListAddresses(task, space, argument);
    case SIOCGIFNAME:
    case SIOCSIFFLAGS:
    case SIOCGIFFLAGS:
    case SIOCGIFINDEX:
    case SIOCGIFMTU:
    case SIOCGIFTXQLEN:
    case SIOCGIFMETRIC:
    case SIOCGIFHWADDR:
      break;
    default:
      return std::nullopt;
  }
  Result<ifreq> request = task.CopyInObject<ifreq>(argument);
  if (!request.ok()) return std::move(request).error();
  if (command == SIOCSIFFLAGS) return SetFlags(task, space, *request);
  if (command == SIOCGIFNAME) {
    if (request->ifr_ifindex != Loopback::kIndex) return Error(ENODEV);
    memset(request->ifr_name, 0, sizeof(request->ifr_name));
    memcpy(request->ifr_name, Loopback::kName, sizeof(Loopback::kName));
  } else if (Status filled = Fill(space, command, *request); !filled.ok()) {
    return std::move(filled).error();
  }
  if (Status copied = task.CopyOutObject(argument, *request); !copied.ok()) {
    return std::move(copied).error();
  }
  return Word{0};
}

}  // namespace runsc::boot
