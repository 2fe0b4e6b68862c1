// Network devices by netlink(7), rtnetlink(7) and netdevice(7), in new network
// namespaces, which have a loopback device only.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <map>
#include <vector>

#include "test/guest/cases.h"

using namespace guest;

namespace {

void FreshNet() { MUST(unshare(CLONE_NEWNET)); }

int Open() {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  MUST(fd);
  return fd;
}

// A request, with room for attributes.
struct Message {
  nlmsghdr header{};
  char rest[512] = {};

  Message(int type, int flags) {
    header.nlmsg_len = sizeof(header);
    header.nlmsg_type = static_cast<uint16_t>(type);
    header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
    header.nlmsg_seq = 5;
  }
  void Add(const void* data, size_t size) {
    memcpy(reinterpret_cast<char*>(&header) + header.nlmsg_len, data, size);
    header.nlmsg_len += NLMSG_ALIGN(size);
  }
  void Attribute(int type, const void* data, size_t size) {
    rtattr attribute{};
    attribute.rta_len = static_cast<uint16_t>(RTA_LENGTH(size));
    attribute.rta_type = static_cast<uint16_t>(type);
    Add(&attribute, sizeof(attribute));
    Add(data, size);
  }
};

Message Link(int type, int flags, int index, unsigned set = 0, unsigned change = 0) {
  Message message(type, flags);
  ifinfomsg body{};
  body.ifi_index = index;
  body.ifi_flags = set;
  body.ifi_change = change;
  message.Add(&body, sizeof(body));
  return message;
}
Message Address(int type, int flags, int family, const char* text, int prefix, int index = 1) {
  Message message(type, flags);
  ifaddrmsg body{};
  body.ifa_family = static_cast<uint8_t>(family);
  body.ifa_prefixlen = static_cast<uint8_t>(prefix);
  body.ifa_scope = RT_SCOPE_HOST;
  body.ifa_index = static_cast<uint32_t>(index);
  message.Add(&body, sizeof(body));
  char bytes[16];
  if (inet_pton(family, text, bytes) != 1) Broken("inet_pton");
  message.Attribute(IFA_LOCAL, bytes, family == AF_INET ? 4 : 16);
  message.Attribute(IFA_ADDRESS, bytes, family == AF_INET ? 4 : 16);
  return message;
}

// What an answer says, in short.
std::string Describe(const nlmsghdr& header) {
  const char* body = static_cast<const char*>(NLMSG_DATA(&header));
  if (header.nlmsg_type == NLMSG_DONE) return "done";
  if (header.nlmsg_type == NLMSG_ERROR) {
    const auto* error = reinterpret_cast<const nlmsgerr*>(body);
    return std::string("ack:") + (error->error == 0 ? "0" : strerrorname_np(-error->error)) + "," +
           std::to_string(error->msg.nlmsg_type) + "," + std::to_string(error->msg.nlmsg_seq) +
           ((header.nlmsg_flags & NLM_F_CAPPED) != 0 ? ",capped" : "");
  }
  if (header.nlmsg_type == RTM_NEWLINK || header.nlmsg_type == RTM_DELLINK) {
    const auto* link = reinterpret_cast<const ifinfomsg*>(body);
    std::string text = "link" + std::to_string(header.nlmsg_type) + ":" +
                       std::to_string(link->ifi_index) + ",type" + std::to_string(link->ifi_type) +
                       ",flags" + std::to_string(link->ifi_flags);
    int left = static_cast<int>(header.nlmsg_len - NLMSG_LENGTH(sizeof(*link)));
    for (const rtattr* a = IFLA_RTA(link); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
      const char* data = static_cast<const char*>(RTA_DATA(a));
      uint32_t number = 0;
      memcpy(&number, data, std::min<size_t>(RTA_PAYLOAD(a), sizeof(number)));
      switch (a->rta_type) {
        case IFLA_IFNAME:
        case IFLA_QDISC:
          text += std::string(",") + data;
          break;
        case IFLA_MTU:
        case IFLA_TXQLEN:
        case IFLA_OPERSTATE:
        case IFLA_CARRIER:
          text += "," + std::to_string(a->rta_type) + "=" + std::to_string(number);
          break;
        default:
          break;
      }
    }
    return text;
  }
  if (header.nlmsg_type == RTM_NEWADDR || header.nlmsg_type == RTM_DELADDR) {
    const auto* address = reinterpret_cast<const ifaddrmsg*>(body);
    std::string text = "address" + std::to_string(header.nlmsg_type) + ":" +
                       std::to_string(address->ifa_prefixlen) + ",scope" +
                       std::to_string(address->ifa_scope) + ",index" +
                       std::to_string(address->ifa_index) + ",flags" +
                       std::to_string(address->ifa_flags);
    int left = static_cast<int>(header.nlmsg_len - NLMSG_LENGTH(sizeof(*address)));
    for (const rtattr* a = IFA_RTA(address); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
      char shown[64] = "?";
      if (a->rta_type == IFA_ADDRESS || a->rta_type == IFA_LOCAL) {
        inet_ntop(address->ifa_family, RTA_DATA(a), shown, sizeof(shown));
        text += "," + std::to_string(a->rta_type) + "=" + shown;
      }
      if (a->rta_type == IFA_LABEL) {
        text += std::string(",") + static_cast<const char*>(RTA_DATA(a));
      }
    }
    return text;
  }
  return "type" + std::to_string(header.nlmsg_type);
}

// All that lies ready to be received.
std::string Received(int fd) {
  std::string text;
  char buffer[16384];
  while (true) {
    const ssize_t size = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (size < 0) return text.empty() ? strerrorname_np(errno) : text;
    auto left = static_cast<unsigned>(size);
    for (auto* h = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(h, left);
         h = NLMSG_NEXT(h, left)) {
      if (!text.empty()) text += ";";
      text += Describe(*h);
    }
  }
}
std::string Ask(int fd, const Message& message) {
  if (send(fd, &message.header, message.header.nlmsg_len, 0) < 0) return strerrorname_np(errno);
  return Received(fd);
}
// Those that getifaddrs(3) finds; the order of the families is nobody's concern.
std::string Interfaces() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) < 0) return strerrorname_np(errno);
  std::string text;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    char shown[64] = "-";
    if (one->ifa_addr != nullptr && one->ifa_addr->sa_family == AF_INET) {
      inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(one->ifa_addr)->sin_addr, shown, 64);
    } else if (one->ifa_addr != nullptr && one->ifa_addr->sa_family == AF_INET6) {
      inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(one->ifa_addr)->sin6_addr, shown, 64);
    }
    text += std::string(one->ifa_name) + "/" + std::to_string(one->ifa_flags) + "/" + shown + " ";
  }
  freeifaddrs(list);
  return text;
}
std::string Up() {
  const int fd = Open();
  const std::string answer = Ask(fd, Link(RTM_NEWLINK, NLM_F_ACK, 1, IFF_UP, IFF_UP));
  close(fd);
  return answer;
}

}  // namespace

CASE(netlink_kinds) {
  T(socket(AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE) >= 0);
  T(socket(AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE));
  T(socket(AF_NETLINK, SOCK_RAW, 77));
  T(socket(AF_NETLINK, SOCK_RAW, -1));
  int pair[2];
  T(socketpair(AF_NETLINK, SOCK_RAW, 0, pair));
  const int fd = Open();
  T(listen(fd, 1));
  T(accept(fd, nullptr, nullptr));
  T(shutdown(fd, SHUT_RDWR));
  int value = 0;
  socklen_t size = sizeof(value);
  T(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &size));
  Record("domain", value);
  T(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &size));
  Record("protocol", value);
}
CASE(netlink_names) {
  FreshNet();
  const int fd = Open();
  sockaddr_nl name{};
  socklen_t size = sizeof(name);
  T(getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size));
  Record("size", size);
  Record("unbound", name.nl_pid);
  name = {};
  name.nl_family = AF_NETLINK;
  T(bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name) - 1));
  name.nl_family = AF_UNIX;
  T(bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)));
  name.nl_family = AF_NETLINK;
  T(bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)));
  T(getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size));
  Record("own_pid", name.nl_pid == static_cast<unsigned>(getpid()));
  const int second = Open();
  T(bind(second, reinterpret_cast<sockaddr*>(&name), sizeof(name)));
  name.nl_pid = 0;
  T(bind(second, reinterpret_cast<sockaddr*>(&name), sizeof(name)));
  T(getsockname(second, reinterpret_cast<sockaddr*>(&name), &size));
  Record("another", name.nl_pid != static_cast<unsigned>(getpid()) && name.nl_pid != 0);
  name.nl_pid = 4242;
  T(bind(second, reinterpret_cast<sockaddr*>(&name), sizeof(name)));
  const int third = Open();
  T(bind(third, reinterpret_cast<sockaddr*>(&name), sizeof(name)));
  T(getsockname(third, reinterpret_cast<sockaddr*>(&name), &size));
  Record("chosen", name.nl_pid);
  close(third);
  const int fourth = Open();
  name.nl_pid = 4242;
  T(bind(fourth, reinterpret_cast<sockaddr*>(&name), sizeof(name)));
}
CASE(netlink_connect) {
  FreshNet();
  const int fd = Open();
  sockaddr_nl peer{};
  socklen_t size = sizeof(peer);
  peer.nl_family = AF_NETLINK;
  T(connect(fd, reinterpret_cast<sockaddr*>(&peer), sizeof(peer)));
  T(getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size));
  Record("peer", peer.nl_pid);
  peer.nl_pid = 4343;
  T(sendto(fd, "0123456789abcdef", 16, 0, reinterpret_cast<sockaddr*>(&peer), sizeof(peer)));
  T(send(fd, "", 0, 0));
  peer.nl_family = AF_UNSPEC;
  T(connect(fd, reinterpret_cast<sockaddr*>(&peer), sizeof(peer)));
}
CASE(netlink_fresh_loopback) {
  FreshNet();
  const int fd = Open();
  Record("links", Ask(fd, Link(RTM_GETLINK, NLM_F_DUMP, 0)));
  Record("addresses", Ask(fd, Link(RTM_GETADDR, NLM_F_DUMP, 0)));
  Record("interfaces", Interfaces());
}
CASE(netlink_one_link) {
  FreshNet();
  const int fd = Open();
  Record("index", Ask(fd, Link(RTM_GETLINK, 0, 1)));
  Record("acknowledged", Ask(fd, Link(RTM_GETLINK, NLM_F_ACK, 1)));
  Record("missing", Ask(fd, Link(RTM_GETLINK, 0, 7)));
  Message by_name = Link(RTM_GETLINK, 0, 0);
  by_name.Attribute(IFLA_IFNAME, "lo", 3);
  Record("name", Ask(fd, by_name));
  Message by_other = Link(RTM_GETLINK, 0, 0);
  by_other.Attribute(IFLA_IFNAME, "eth0", 5);
  Record("other", Ask(fd, by_other));
}
CASE(netlink_up_and_down) {
  FreshNet();
  Record("up", Up());
  Record("interfaces", Interfaces());
  Record("again", Up());
  Record("six", Content("/proc/net/if_inet6"));
  const int fd = Open();
  Record("links", Ask(fd, Link(RTM_GETLINK, NLM_F_DUMP, 0)));
  Record("addresses", Ask(fd, Link(RTM_GETADDR, NLM_F_DUMP, 0)));
  Record("down", Ask(fd, Link(RTM_SETLINK, NLM_F_ACK, 1, 0, IFF_UP)));
  Record("interfaces", Interfaces());
  Record("six", Content("/proc/net/if_inet6"));
  Record("missing", Ask(fd, Link(RTM_NEWLINK, NLM_F_ACK, 9, IFF_UP, IFF_UP)));
  Record("deleted", Ask(fd, Link(RTM_DELLINK, NLM_F_ACK, 1)));
}
// As programs do that make a sandbox of their own.
CASE(netlink_addresses) {
  FreshNet();
  const int fd = Open();
  constexpr int kNew = NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
  Record("add", Ask(fd, Address(RTM_NEWADDR, kNew, AF_INET, "127.0.0.1", 8)));
  Record("again", Ask(fd, Address(RTM_NEWADDR, kNew, AF_INET, "127.0.0.1", 8)));
  Record("up", Up());
  Record("second", Ask(fd, Address(RTM_NEWADDR, kNew, AF_INET, "127.0.0.2", 32)));
  Record("six", Ask(fd, Address(RTM_NEWADDR, kNew, AF_INET6, "fd00::1", 64)) != "");
  Record("missing", Ask(fd, Address(RTM_NEWADDR, kNew, AF_INET, "127.0.0.1", 8, 7)));
  Record("prefix", Ask(fd, Address(RTM_NEWADDR, kNew, AF_INET, "127.0.0.3", 33)));
  Record("interfaces", Interfaces());
  Record("remove", Ask(fd, Address(RTM_DELADDR, NLM_F_ACK, AF_INET, "127.0.0.2", 32)));
  Record("remove_again", Ask(fd, Address(RTM_DELADDR, NLM_F_ACK, AF_INET, "127.0.0.2", 32)));
}
CASE(netlink_needs_a_capability) {
  FreshNet();
  const int before = Open();
  BecomeUser(1000, 1000);
  const int fd = Open();
  for (int one : {before, fd}) {
    Record("up", Ask(one, Link(RTM_NEWLINK, NLM_F_ACK, 1, IFF_UP, IFF_UP)));
    Record("see", Ask(one, Link(RTM_GETLINK, 0, 1)));
  }
  Record("add", Ask(fd, Address(RTM_NEWADDR, NLM_F_ACK, AF_INET, "127.0.0.1", 8)));
  MUST(unshare(CLONE_NEWUSER | CLONE_NEWNET));
  Record("own", Up());
  Record("old", Ask(fd, Link(RTM_NEWLINK, NLM_F_ACK, 1, IFF_UP, IFF_UP)));
  Record("interfaces", Interfaces());
}
CASE(netlink_odd_messages) {
  FreshNet();
  const int fd = Open();
  Message message = Link(RTM_GETLINK, NLM_F_ACK, 1);
  message.header.nlmsg_len = 4;
  T(send(fd, &message.header, 100, 0));
  Record("short", Received(fd));
  message.header.nlmsg_len = 4000;
  T(send(fd, &message.header, 100, 0));
  Record("long", Received(fd));
  Record("unknown", Ask(fd, Message(500, NLM_F_ACK)));
  Record("control", Ask(fd, Message(NLMSG_NOOP, NLM_F_ACK)));
  Record("empty", Ask(fd, Message(RTM_GETLINK, NLM_F_ACK)));
  Message no_request = Link(RTM_GETLINK, 0, 1);
  no_request.header.nlmsg_flags = NLM_F_ACK;
  Record("no_request", Ask(fd, no_request));
  // Two in one datagram.
  std::string both;
  for (int index : {1, 7}) {
    const Message one = Link(RTM_GETLINK, NLM_F_ACK, index);
    both.append(reinterpret_cast<const char*>(&one.header), one.header.nlmsg_len);
  }
  T(send(fd, both.data(), both.size(), 0));
  Record("both", Received(fd));
  T(send(fd, BadPointer(), 100, 0));
  T(write(fd, both.data(), both.size()));
  Record("written", Received(fd));
}
CASE(netlink_receive) {
  FreshNet();
  const int fd = Open();
  char buffer[8192];
  T(recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT));
  pollfd ready = {fd, POLLIN | POLLOUT, 0};
  T(poll(&ready, 1, 0));
  Record("events", ready.revents);
  const Message message = Link(RTM_GETLINK, NLM_F_ACK, 7);
  T(send(fd, &message.header, message.header.nlmsg_len, 0));
  T(poll(&ready, 1, 0));
  Record("events", ready.revents);
  T(recv(fd, buffer, 10, MSG_PEEK));
  T(recv(fd, buffer, 0, MSG_PEEK | MSG_TRUNC));
  sockaddr_nl from{};
  from.nl_pid = 99;
  iovec vector = {buffer, 20};
  msghdr header{};
  header.msg_name = &from;
  header.msg_namelen = sizeof(from);
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  T(recvmsg(fd, &header, 0));
  Record("flags", header.msg_flags);
  Record("from", std::to_string(from.nl_family) + "," + std::to_string(from.nl_pid) + "," +
                     std::to_string(header.msg_namelen));
  T(recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT));
  T(recv(fd, buffer, sizeof(buffer), MSG_OOB));
}
CASE(netlink_groups) {
  FreshNet();
  const int fd = Open();
  sockaddr_nl name{};
  name.nl_family = AF_NETLINK;
  name.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR;
  T(bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)));
  int group = RTNLGRP_IPV6_IFADDR;
  T(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)));
  T(setsockopt(fd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &group, sizeof(group)));
  group = 0;
  T(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)));
  group = 12345;
  T(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)));
  T(setsockopt(fd, SOL_NETLINK, 999, &group, sizeof(group)));
  const int other = Open();
  Record("answer",
         Ask(other, Address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_ACK, AF_INET, "127.0.0.5", 32)));
  sockaddr_nl from{};
  socklen_t size = sizeof(from);
  char buffer[8192];
  T(recvfrom(fd, buffer, sizeof(buffer), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size) >
    0);
  Record("what", Describe(*reinterpret_cast<nlmsghdr*>(buffer)));
  Record("groups", from.nl_groups);
}
CASE(netlink_options) {
  const int fd = Open();
  for (int option : {NETLINK_PKTINFO, NETLINK_NO_ENOBUFS, NETLINK_CAP_ACK, NETLINK_EXT_ACK,
                     NETLINK_GET_STRICT_CHK}) {
    int value = 1;
    T(setsockopt(fd, SOL_NETLINK, option, &value, sizeof(value)));
    value = 7;
    socklen_t size = sizeof(value);
    T(getsockopt(fd, SOL_NETLINK, option, &value, &size));
    Record("value", value);
  }
  int value = 0;
  socklen_t size = sizeof(value);
  T(getsockopt(fd, SOL_NETLINK, 999, &value, &size));
  T(getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size));
  T(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, sizeof(value)));
  T(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, 2));
  T(setsockopt(fd, 12345, 1, &value, sizeof(value)));
}
CASE(netdevice_of_any_socket) {
  FreshNet();
  for (int domain : {AF_UNIX, AF_NETLINK}) {
    const int fd = socket(domain, SOCK_DGRAM, 0);
    MUST(fd);
    ifreq request{};
    strcpy(request.ifr_name, "lo");
    T(ioctl(fd, SIOCGIFINDEX, &request));
    Record("index", request.ifr_ifindex);
    T(ioctl(fd, SIOCGIFNAME, &request));
    Record("name", request.ifr_name);
    T(ioctl(fd, SIOCGIFFLAGS, &request));
    Record("flags", request.ifr_flags);
    T(ioctl(fd, SIOCGIFMTU, &request));
    Record("mtu", request.ifr_mtu);
    T(ioctl(fd, SIOCGIFTXQLEN, &request));
    Record("queue", request.ifr_qlen);
    T(ioctl(fd, SIOCGIFHWADDR, &request));
    Record("hardware", request.ifr_hwaddr.sa_family);
    request.ifr_flags = IFF_UP;
    T(ioctl(fd, SIOCSIFFLAGS, &request));
    T(ioctl(fd, SIOCGIFFLAGS, &request));
    Record("flags", request.ifr_flags);
    strcpy(request.ifr_name, "eth7");
    T(ioctl(fd, SIOCGIFINDEX, &request));
    T(ioctl(fd, SIOCSIFFLAGS, &request));
    request.ifr_ifindex = 9;
    T(ioctl(fd, SIOCGIFNAME, &request));
    T(ioctl(fd, SIOCGIFINDEX, BadPointer()));
    ifreq list[4] = {};
    ifconf all{};
    all.ifc_len = sizeof(list);
    all.ifc_req = list;
    T(ioctl(fd, SIOCGIFCONF, &all));
    Record("size", all.ifc_len);
    Record("first", list[0].ifr_name);
    all.ifc_buf = nullptr;
    T(ioctl(fd, SIOCGIFCONF, &all));
    Record("needs", all.ifc_len);
  }
  T(ioctl(STDIN_FILENO, SIOCGIFINDEX, BadPointer()));
  Record("lo", if_nametoindex("lo"));
  T(if_nametoindex("eth7"));
  char name[IF_NAMESIZE];
  Record("name", if_indextoname(1, name) != nullptr ? name : "none");
}
CASE(netdevice_flags_need_a_capability) {
  FreshNet();
  BecomeUser(1000, 1000);
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  ifreq request{};
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  T(ioctl(fd, SIOCSIFFLAGS, &request));
  T(ioctl(fd, SIOCGIFFLAGS, &request));
}
CASE(netns_has_its_own_abstract_names) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strcpy(address.sun_path + 1, "runsc-test-name");
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  constexpr socklen_t kSize = offsetof(sockaddr_un, sun_path) + 16;
  FreshNet();
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  T(bind(listener, name, kSize));
  T(listen(listener, 5));
  T(connect(socket(AF_UNIX, SOCK_STREAM, 0), name, kSize));
  const int outside = socket(AF_UNIX, SOCK_STREAM, 0);
  FreshNet();
  T(connect(socket(AF_UNIX, SOCK_STREAM, 0), name, kSize));
  T(bind(socket(AF_UNIX, SOCK_STREAM, 0), name, kSize));
  // A socket stays in the namespace that it was made in.
  T(connect(outside, name, kSize));
  sockaddr_un path{};
  path.sun_family = AF_UNIX;
  strcpy(path.sun_path, "socket");
  const auto* path_name = reinterpret_cast<const sockaddr*>(&path);
  const int on_path = socket(AF_UNIX, SOCK_STREAM, 0);
  T(bind(on_path, path_name, sizeof(path)));
  T(listen(on_path, 5));
  FreshNet();
  T(connect(socket(AF_UNIX, SOCK_STREAM, 0), path_name, sizeof(path)));
}
