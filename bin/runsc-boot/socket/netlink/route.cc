#include "bin/runsc-boot/socket/netlink/route.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>

#include <array>
#include <utility>

namespace runsc::boot::netlink {
namespace {

constexpr std::array<char, 6> kNoHardwareAddress{};
constexpr uint8_t kOperationalUnknown = 0, kOperationalDown = 2;  // RFC 2863

std::string LinkMessage(const Loopback& device, uint16_t type, uint16_t flags, uint32_t sequence,
                        uint32_t port) {
  const unsigned state = device.flags();
  const bool up = (state & IFF_UP) != 0;
  ifinfomsg body{};
  body.ifi_type = ARPHRD_LOOPBACK;
  body.ifi_index = Loopback::kIndex;
  body.ifi_flags = state;
  Writer writer(type, flags, sequence, port);
  writer.Body(body)
      .Text(IFLA_IFNAME, Loopback::kName)
      .Number(IFLA_TXQLEN, uint32_t{Loopback::kQueueLength})
      .Number(IFLA_OPERSTATE, up ? kOperationalUnknown : kOperationalDown)
      .Number(IFLA_LINKMODE, uint8_t{0})
      .Number(IFLA_MTU, uint32_t{Loopback::kMtu})
      .Number(IFLA_MIN_MTU, uint32_t{0})
      .Number(IFLA_MAX_MTU, uint32_t{0})
      .Number(IFLA_GROUP, uint32_t{0})
      .Number(IFLA_PROMISCUITY, uint32_t{0})
      .Number(IFLA_NUM_TX_QUEUES, uint32_t{1})
      .Number(IFLA_NUM_RX_QUEUES, uint32_t{1})
      .Number(IFLA_CARRIER, uint8_t{1})
      .Text(IFLA_QDISC, up ? "noqueue" : "noop")
      .Attribute(IFLA_ADDRESS, {kNoHardwareAddress.data(), kNoHardwareAddress.size()})
      .Attribute(IFLA_BROADCAST, {kNoHardwareAddress.data(), kNoHardwareAddress.size()})
      .Number(IFLA_STATS64, rtnl_link_stats64{})
      .Number(IFLA_STATS, rtnl_link_stats{});
  return std::move(writer).Finish();
}

std::string AddressMessage(const InterfaceAddress& address, uint16_t type, uint16_t flags,
                           uint32_t sequence, uint32_t port) {
  ifaddrmsg body{};
  body.ifa_family = static_cast<uint8_t>(address.family);
  body.ifa_prefixlen = address.prefix;
  body.ifa_flags = IFA_F_PERMANENT;
  body.ifa_scope = address.scope;
  body.ifa_index = Loopback::kIndex;
  const std::string_view bytes(reinterpret_cast<const char*>(address.bytes.data()), address.size());
  Writer writer(type, flags, sequence, port);
  writer.Body(body).Attribute(IFA_ADDRESS, bytes);
  if (address.family == AF_INET) {
    writer.Attribute(IFA_LOCAL, bytes);
    if (!address.label.empty()) writer.Text(IFA_LABEL, address.label);
  }
  writer.Number(IFA_FLAGS, uint32_t{IFA_F_PERMANENT});
  ifa_cacheinfo forever{};
  forever.ifa_prefered = forever.ifa_valid = ~uint32_t{0};
  writer.Number(IFA_CACHEINFO, forever);
  return std::move(writer).Finish();
}

unsigned GroupOf(const InterfaceAddress& address) {
  return address.family == AF_INET ? RTNLGRP_IPV4_IFADDR : RTNLGRP_IPV6_IFADDR;
}

// True when a request names the only device there is, or (with neither index nor
// name) none.
enum class Named { kLoopback, kNothing, kAnother };
Named DeviceOf(const Request& request) {
  const std::optional<ifinfomsg> body = request.Body<ifinfomsg>();
  if (!body.has_value()) return Named::kNothing;
  if (body->ifi_index != 0) {
    return body->ifi_index == Loopback::kIndex ? Named::kLoopback : Named::kAnother;
  }
  const Attributes attributes = ParseAttributes(request.payload, sizeof(ifinfomsg));
  const std::optional<std::string_view> name = TextOf(attributes, IFLA_IFNAME);
  if (!name.has_value()) return Named::kNothing;
  return *name == Loopback::kName ? Named::kLoopback : Named::kAnother;
}

Status GetLink(NetNamespace& space, const Request& request, uint32_t port,
               std::vector<std::string>& answers) {
  switch (DeviceOf(request)) {
    case Named::kNothing:
      return Error(EINVAL);
    case Named::kAnother:
      return Error(ENODEV);
    case Named::kLoopback:
      answers.push_back(
          LinkMessage(space.loopback(), RTM_NEWLINK, 0, request.header.nlmsg_seq, port));
      return Ok();
  }
  return Error(EINVAL);
}

// RTM_NEWLINK and RTM_SETLINK: only flags can be changed, and nothing be made.
Status SetLink(NetNamespace& space, const Request& request) {
  const std::optional<ifinfomsg> body = request.Body<ifinfomsg>();
  if (!body.has_value()) return Error(EINVAL);
  const bool makes = request.header.nlmsg_type == RTM_NEWLINK;
  if (DeviceOf(request) != Named::kLoopback) {
    return Error(makes && (request.header.nlmsg_flags & NLM_F_CREATE) != 0 ? EOPNOTSUPP : ENODEV);
  }
  if (makes && (request.header.nlmsg_flags & NLM_F_EXCL) != 0) return Error(EEXIST);
  if (body->ifi_flags != 0 || body->ifi_change != 0) {
    ChangeFlags(space, body->ifi_flags, body->ifi_change != 0 ? body->ifi_change : ~0u);
  }
  return Ok();
}

// The scope of an address of AF_INET6 follows from it.
uint8_t ScopeOf(const InterfaceAddress& address) {
  in6_addr six;
  memcpy(&six, address.bytes.data(), sizeof(six));
  if (IN6_IS_ADDR_LOOPBACK(&six)) return RT_SCOPE_HOST;
  return IN6_IS_ADDR_LINKLOCAL(&six) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

Result<InterfaceAddress> AddressOf(const Request& request) {
  const std::optional<ifaddrmsg> body = request.Body<ifaddrmsg>();
  if (!body.has_value()) return Error(EINVAL);
  InterfaceAddress address;
  address.family = body->ifa_family;
  if (address.family != AF_INET && address.family != AF_INET6) return Error(EOPNOTSUPP);
  if (body->ifa_prefixlen > address.size() * 8) return Error(EINVAL);
  if (body->ifa_index != Loopback::kIndex) return Error(ENODEV);
  const Attributes attributes = ParseAttributes(request.payload, sizeof(ifaddrmsg));
  auto bytes = attributes.find(IFA_LOCAL);
  if (bytes == attributes.end() && address.family == AF_INET6) bytes = attributes.find(IFA_ADDRESS);
  if (bytes == attributes.end() || bytes->second.size() < address.size()) return Error(EINVAL);
  memcpy(address.bytes.data(), bytes->second.data(), address.size());
  address.prefix = body->ifa_prefixlen;
  address.scope = address.family == AF_INET ? body->ifa_scope : ScopeOf(address);
  if (address.family == AF_INET) {
    address.label = TextOf(attributes, IFA_LABEL).value_or(Loopback::kName);
    if (address.label.size() >= IFNAMSIZ) return Error(EINVAL);
  }
  return address;
}

Status ChangeAddress(NetNamespace& space, const Request& request) {
  TRY_ASSIGN(const InterfaceAddress address, AddressOf(request));
  const bool adds = request.header.nlmsg_type == RTM_NEWADDR;
  Status changed = adds ? space.loopback().Add(address) : space.loopback().Remove(address);
  if (!changed.ok()) {
    const bool replaces =
        changed.code() == EEXIST &&
        (request.header.nlmsg_flags & (NLM_F_REPLACE | NLM_F_EXCL)) == NLM_F_REPLACE;
    return replaces ? Ok() : std::move(changed);
  }
  space.ports().Multicast(GroupOf(address),
                          AddressMessage(address, request.header.nlmsg_type, 0,
                                         request.header.nlmsg_seq, request.header.nlmsg_pid));
  return Ok();
}

std::string Done(const Request& request, uint32_t port) {
  return std::move(Writer(NLMSG_DONE, NLM_F_MULTI, request.header.nlmsg_seq, port).Body(int32_t{0}))
      .Finish();
}

Status Dump(NetNamespace& space, const Request& request, uint32_t port,
            std::vector<std::string>& answers) {
  const uint32_t sequence = request.header.nlmsg_seq;
  std::string listed;
  switch (request.header.nlmsg_type) {
    case RTM_GETLINK:
      listed = LinkMessage(space.loopback(), RTM_NEWLINK, NLM_F_MULTI, sequence, port);
      break;
    case RTM_GETADDR: {
      const auto family = static_cast<uint8_t>(request.payload[0]);
      for (const InterfaceAddress& address : space.loopback().addresses()) {
        if (family != AF_UNSPEC && family != address.family) continue;
        listed += AddressMessage(address, RTM_NEWADDR, NLM_F_MULTI, sequence, port);
      }
      break;
    }
    case RTM_GETROUTE:  // those of loopback are of the table `local`, which is not kept
      break;
    default:
      return Error(EOPNOTSUPP);
  }
  if (!listed.empty()) answers.push_back(std::move(listed));
  answers.push_back(Done(request, port));
  return Ok();
}

}  // namespace

void ChangeFlags(NetNamespace& space, unsigned flags, unsigned mask) {
  if ((mask & IFF_UP) == 0) return;
  const std::vector<InterfaceAddress> before = space.loopback().addresses();
  if (!space.loopback().SetUp((flags & IFF_UP) != 0)) return;
  space.ports().Multicast(RTNLGRP_LINK, LinkMessage(space.loopback(), RTM_NEWLINK, 0, 0, 0));
  const std::vector<InterfaceAddress> after = space.loopback().addresses();
  const auto tell_missing = [&space](const std::vector<InterfaceAddress>& from,
                                     const std::vector<InterfaceAddress>& in, uint16_t type) {
    for (const InterfaceAddress& address : from) {
      bool known = false;
      for (const InterfaceAddress& other : in) known |= other.IsSame(address);
      if (!known) space.ports().Multicast(GroupOf(address), AddressMessage(address, type, 0, 0, 0));
    }
  };
  tell_missing(before, after, RTM_DELADDR);
  tell_missing(after, before, RTM_NEWADDR);
}

Status AnswerRoute(NetNamespace& space, bool may_change, const Request& request, uint32_t port,
                   std::vector<std::string>& answers) {
  constexpr unsigned kKindMask = 3, kKindGet = 2;  // of RTM_{NEW,DEL,GET,SET}*
  const unsigned type = request.header.nlmsg_type;
  if (type > RTM_MAX) return Error(EOPNOTSUPP);
  if (request.payload.size() < sizeof(rtgenmsg)) return Ok();  // as Linux
  const bool reads = (type & kKindMask) == kKindGet;
  if (!reads && !may_change) return Error(EPERM);
  if (reads && (request.header.nlmsg_flags & NLM_F_DUMP) != 0) {
    return Dump(space, request, port, answers);
  }
  switch (type) {
    case RTM_GETLINK:
      return GetLink(space, request, port, answers);
    case RTM_NEWLINK:
    case RTM_SETLINK:
      return SetLink(space, request);
    case RTM_DELLINK:
      return Error(DeviceOf(request) == Named::kAnother ? ENODEV : EOPNOTSUPP);
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return ChangeAddress(space, request);
    default:
      return Error(EOPNOTSUPP);
  }
}

}  // namespace runsc::boot::netlink
