#include "bin/runsc-boot/socket/netlink/netlink_socket.h"

#include <linux/rtnetlink.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/socket/netlink/route.h"

namespace runsc::boot {
namespace {

using netlink::Request;

constexpr size_t kMostSent = 212992 - 32;  // net.core.wmem_default without Linux's margin

SocketAddress AddressOf(uint32_t port, uint32_t groups) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_pid = port;
  address.nl_groups = groups;
  return SocketAddress::From(&address, sizeof(address));
}

// EINVAL.
Result<sockaddr_nl> Parse(const SocketAddress& address) {
  sockaddr_nl parsed;
  if (address.size < sizeof(parsed) || address.family() != AF_NETLINK) return Error(EINVAL);
  memcpy(&parsed, address.bytes.data(), sizeof(parsed));
  return parsed;
}

// NLMSG_ERROR: with the request behind it, or its header alone when it went well
// or the socket wants it so.
std::string Acknowledgement(const Request& request, int error, bool is_short, uint32_t port) {
  const bool capped = error == 0 || is_short;
  netlink::Writer writer(NLMSG_ERROR, capped ? NLM_F_CAPPED : 0, request.header.nlmsg_seq, port);
  nlmsgerr body{};
  body.error = -error;
  body.msg = request.header;
  writer.Body(body);
  if (!capped) writer.Append(request.payload);
  return std::move(writer).Finish();
}

}  // namespace

NetlinkSocket::NetlinkSocket(Path path, int flags, int type, CredentialsRef opener,
                             NetNamespaceRef space)
    : Socket(std::move(path), flags, AF_NETLINK, type, NETLINK_ROUTE),
      opener_(std::move(opener)),
      space_(std::move(space)) {}

NetlinkSocket::~NetlinkSocket() {
  absl::MutexLock lock(&mutex_);
  if (port_ != 0) space_->ports().Release(port_);
}

uint32_t NetlinkSocket::PortFor(Context& context) {
  auto self = std::static_pointer_cast<NetlinkSocket>(shared_from_this());
  absl::MutexLock lock(&mutex_);
  if (port_ == 0)
    port_ = space_->ports().TakeAny(static_cast<uint32_t>(context.caller_pid()), self);
  return port_;
}

void NetlinkSocket::JoinGroups(uint64_t groups) {
  constexpr uint64_t kKnown = (uint64_t{1} << RTNLGRP_MAX) - 1;
  static_assert(RTNLGRP_MAX < 64);
  groups_.store(groups & kKnown, std::memory_order_relaxed);
}

Status NetlinkSocket::Bind(Caller caller, const SocketAddress& address) {
  TRY_ASSIGN(const sockaddr_nl wanted, Parse(address));
  auto self = std::static_pointer_cast<NetlinkSocket>(shared_from_this());
  {
    absl::MutexLock lock(&mutex_);
    if (port_ != 0 && wanted.nl_pid != port_) return Error(EINVAL);
    if (port_ == 0 && wanted.nl_pid != 0) {
      TRY(space_->ports().Take(wanted.nl_pid, self));
      port_ = wanted.nl_pid;
    }
  }
  (void)PortFor(caller.context);
  constexpr uint64_t kFirst32 = 0xffffffff;
  JoinGroups((groups() & ~kFirst32) | wanted.nl_groups);
  return Ok();
}

Status NetlinkSocket::Connect(Caller caller, const SocketAddress& address) {
  if (address.size < sizeof(sa_family_t)) return Error(EINVAL);
  sockaddr_nl peer{};
  if (address.family() != AF_UNSPEC) {
    TRY_ASSIGN(peer, Parse(address));
    const bool to_others = peer.nl_pid != 0 || peer.nl_groups != 0;
    if (to_others && !caller.context.credentials()->HasIn(*space_->owner(), CAP_NET_ADMIN)) {
      return Error(EPERM);
    }
    (void)PortFor(caller.context);
  }
  absl::MutexLock lock(&mutex_);
  peer_port_ = peer.nl_pid;
  peer_groups_ = peer.nl_groups;
  return Ok();
}

Result<SocketAddress> NetlinkSocket::LocalName() {
  absl::MutexLock lock(&mutex_);
  return AddressOf(port_, static_cast<uint32_t>(groups()));
}

Result<SocketAddress> NetlinkSocket::PeerName() {
  absl::MutexLock lock(&mutex_);
  return AddressOf(peer_port_, peer_groups_);
}

Result<size_t> NetlinkSocket::SendMessage(Caller caller, IoBuffer& source, OutgoingMessage& message,
                                          int flags) {
  if ((flags & MSG_OOB) != 0) return Error(EOPNOTSUPP);
  if (source.remaining() == 0) return Error(ENODATA);
  return Send(caller.context, source, message.destination);
}

Result<size_t> NetlinkSocket::Write(Context& context, IoBuffer& source) {
  return Send(context, source, nullptr);
}

Result<size_t> NetlinkSocket::Send(Context& context, IoBuffer& source,
                                   const SocketAddress* destination) {
  uint32_t port = 0, groups = 0;
  if (destination != nullptr && destination->size > 0) {
    TRY_ASSIGN(const sockaddr_nl parsed, Parse(*destination));
    port = parsed.nl_pid;
    groups = parsed.nl_groups;
    if ((port != 0 || groups != 0) &&
        !context.credentials()->HasIn(*space_->owner(), CAP_NET_ADMIN)) {
      return Error(EPERM);
    }
  } else {
    absl::MutexLock lock(&mutex_);
    port = peer_port_;
  }
  const size_t size = source.remaining();
  if (size > kMostSent) return Error(EMSGSIZE);
  const uint32_t own = PortFor(context);
  std::string requests(size, '\0');
  TRY_ASSIGN(const size_t taken, source.Take(requests.data(), size));
  if (taken < size) return Error(EFAULT);
  // Sockets of this protocol speak with the kernel only.
  if (port != 0) return Error(ECONNREFUSED);
  Answer(context, requests, own);
  return size;
}

void NetlinkSocket::Answer(Context& context, std::string_view requests, uint32_t port) {
  const bool may_change = opener_->HasIn(*space_->owner(), CAP_NET_ADMIN) &&
                          context.credentials()->HasIn(*space_->owner(), CAP_NET_ADMIN);
  while (const std::optional<Request> request = netlink::TakeRequest(requests)) {
    std::vector<std::string> answers;
    Status done;
    const nlmsghdr& header = request->header;
    if ((header.nlmsg_flags & NLM_F_REQUEST) != 0 && header.nlmsg_type >= NLMSG_MIN_TYPE) {
      done = netlink::AnswerRoute(*space_, may_change, *request, port, answers);
    }
    const bool dumped = done.ok() && !answers.empty() && (header.nlmsg_flags & NLM_F_DUMP) != 0;
    if (!done.ok() || ((header.nlmsg_flags & NLM_F_ACK) != 0 && !dumped)) {
      answers.push_back(Acknowledgement(*request, done.ok() ? 0 : done.code(),
                                        short_acks_.load(std::memory_order_relaxed), port));
    }
    for (std::string& answer : answers) Deliver(std::move(answer), 0);
  }
}

void NetlinkSocket::Deliver(std::string message, unsigned group) {
  {
    absl::MutexLock lock(&mutex_);
    if (bytes_ + message.size() > kCapacity) {
      if (!no_overflow_error_.load(std::memory_order_relaxed)) error_ = ENOBUFS;
    } else {
      bytes_ += message.size();
      received_.push_back({std::move(message), group});
    }
  }
  wait_.Notify(EPOLLIN | EPOLLRDNORM);
}

Result<size_t> NetlinkSocket::Read(Context&, IoBuffer& destination) {
  IncomingMessage message;
  return Receive(destination, message, 0);
}

Result<size_t> NetlinkSocket::Receive(IoBuffer& destination, IncomingMessage& message, int flags) {
  if ((flags & MSG_OOB) != 0) return Error(EOPNOTSUPP);
  absl::MutexLock lock(&mutex_);
  if (error_ != 0) return Error(std::exchange(error_, 0));
  if (received_.empty()) return Error(EAGAIN);
  Datagram& first = received_.front();
  const size_t wanted = std::min(first.bytes.size(), destination.remaining());
  if (wanted > 0) {
    TRY_ASSIGN(const size_t put, destination.Put(first.bytes.data(), wanted));
    if (put < wanted) return Error(EFAULT);
  }
  if (wanted < first.bytes.size()) message.flags |= MSG_TRUNC;
  message.full_size = first.bytes.size();
  message.source = AddressOf(0, first.group != 0 ? 1u << (first.group - 1) : 0);
  if (packet_info_.load(std::memory_order_relaxed)) {
    RawControl info{SOL_NETLINK, NETLINK_PKTINFO, std::vector<std::byte>(sizeof(first.group))};
    memcpy(info.data.data(), &first.group, sizeof(first.group));
    message.control.others.push_back(std::move(info));
  }
  if (pass_credentials_.load(std::memory_order_relaxed)) message.control.credentials = ucred{};
  if ((flags & MSG_PEEK) == 0) {
    bytes_ -= first.bytes.size();
    received_.pop_front();
  }
  return wanted;
}

PollEvents NetlinkSocket::Poll() {
  absl::MutexLock lock(&mutex_);
  PollEvents events = EPOLLOUT | EPOLLWRNORM;
  if (!received_.empty()) events |= EPOLLIN | EPOLLRDNORM;
  if (error_ != 0) events |= EPOLLERR;
  return events;
}

Result<SocketRef> NetlinkFamily::Create(Caller caller, int type, int protocol, int flags) {
  if (type != SOCK_RAW && type != SOCK_DGRAM) return Error(ESOCKTNOSUPPORT);
  if (protocol != NETLINK_ROUTE) return Error(EPROTONOSUPPORT);
  CredentialsRef opener = caller.context.credentials();
  auto inode = std::make_shared<AnonymousInode>(vfs_.anonymous(), *opener, S_IFSOCK | 0777);
  std::string name = absl::StrCat("socket:[", inode->ino(), "]");
  Path path = AnonymousFilesystem::MakePath(std::move(name), std::move(inode));
  return SocketRef(std::make_shared<NetlinkSocket>(std::move(path), O_RDWR | flags, type,
                                                   std::move(opener), space_of_(caller.context)));
}

}  // namespace runsc::boot
