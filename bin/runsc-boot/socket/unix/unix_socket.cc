#include "bin/runsc-boot/socket/unix/unix_socket.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/vfs/host_socket.h"

namespace runsc::boot {
namespace {

constexpr size_t kPathOffset = offsetof(sockaddr_un, sun_path);

// The two kinds of names behind the family.
struct ParsedName {
  bool abstract = false;
  std::string text;
};

// EINVAL: not a unix address, or too long.
Result<ParsedName> Parse(const SocketAddress& address) {
  if (address.size <= kPathOffset || address.size > sizeof(sockaddr_un) ||
      address.family() != AF_UNIX) {
    return Error(EINVAL);
  }
  const char* text = reinterpret_cast<const char*>(address.bytes.data()) + kPathOffset;
  size_t size = address.size - kPathOffset;
  if (text[0] == 0) return ParsedName{true, std::string(text + 1, size - 1)};
  return ParsedName{false, std::string(text, strnlen(text, size))};
}

SocketAddress MakeAddress(std::string_view text, bool abstract) {
  // Paths are returned with their terminating zero, for which the longest have no
  // place in the structure.
  std::array<char, sizeof(sockaddr_un) + 1> address{};
  constexpr sa_family_t kFamily = AF_UNIX;
  memcpy(address.data(), &kFamily, sizeof kFamily);
  const size_t size = std::min(text.size(), address.size() - kPathOffset - 1);
  memcpy(address.data() + kPathOffset + (abstract ? 1 : 0), text.data(), size);
  return SocketAddress::From(address.data(), kPathOffset + size + 1);
}

SocketAddress Unnamed() {
  sa_family_t family = AF_UNIX;
  return SocketAddress::From(&family, sizeof family);
}

}  // namespace

UnixSocket::UnixSocket(Path path, int flags, int type, Vfs& vfs, std::shared_ptr<UnixNames> names,
                       std::shared_ptr<AbstractNames> abstract_names, HostPoller* poller)
    : Socket(std::move(path), flags, AF_UNIX, type, 0),
      vfs_(vfs),
      names_(std::move(names)),
      abstract_names_(std::move(abstract_names)),
      poller_(poller),
      wait_(std::make_shared<WaitQueue>()),
      in_(std::make_shared<UnixQueue>(type == SOCK_STREAM, wait_)) {}

UnixSocket::~UnixSocket() {
  std::shared_ptr<UnixQueue> out;
  std::deque<std::shared_ptr<UnixSocket>> pending;
  std::vector<std::weak_ptr<WaitQueue>> waiting;
  {
    absl::MutexLock lock(&mutex_);
    abstract_names_->Forget(abstract_name_);
    if (bound_path_.valid()) names_->Forget(bound_path_.dentry->inode().get());
    out = std::move(out_);
    pending.swap(pending_);
    waiting.swap(waiting_clients_);
  }
  if (out != nullptr && connection_based()) out->CloseWriting();
  in_->CloseReading(/*drop=*/true);
  for (const auto& client : waiting) {
    if (auto queue = client.lock()) queue->Notify(EPOLLOUT | EPOLLHUP);
  }
}

ucred UnixSocket::OwnerOf(Context& context) {
  CredentialsRef credentials = context.credentials();
  return {context.caller_pid(), credentials->euid, credentials->egid};
}

void UnixSocket::Join(UnixSocket& a, UnixSocket& b, const ucred& owner) {
  for (auto [self, peer] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    absl::MutexLock lock(&self->mutex_);
    self->out_ = peer->in_;
    self->peer_ = owner;
    peer->in_->SetWriter(self->wait_);
  }
}

Status UnixSocket::BindPath(Caller caller, const SocketAddress& address) {
  TRY_ASSIGN(ParsedName name, Parse(address));
  auto self = std::static_pointer_cast<UnixSocket>(shared_from_this());
  WalkOptions walk{.start = caller.fs.cwd(), .follow_last = false};
  Status made = vfs_.Mknod(caller, walk, name.text, S_IFSOCK | 0777, 0);
  if (!made.ok()) return Error(made.code() == EEXIST ? EADDRINUSE : made.code());
  TRY_ASSIGN(Path path, vfs_.Walk(caller, walk, name.text));
  names_->Bind(path.dentry->inode().get(), self);
  absl::MutexLock lock(&mutex_);
  bound_path_ = std::move(path);
  name_ = MakeAddress(name.text, /*abstract=*/false);
  return Ok();
}

Status UnixSocket::Bind(Caller caller, const SocketAddress& address) {
  if (address.family() != AF_UNIX) return Error(EINVAL);
  auto self = std::static_pointer_cast<UnixSocket>(shared_from_this());
  {
    absl::MutexLock lock(&mutex_);
    if (name_.size > 0) return Error(EINVAL);
  }
  std::string abstract;
  if (address.size == sizeof(sa_family_t)) {
    abstract = abstract_names_->BindAny(self);
  } else {
    TRY_ASSIGN(ParsedName name, Parse(address));
    if (!name.abstract) return BindPath(caller, address);
    TRY(abstract_names_->Bind(name.text, self));
    abstract = std::move(name.text);
  }
  absl::MutexLock lock(&mutex_);
  name_ = MakeAddress(abstract, /*abstract=*/true);
  abstract_name_ = std::move(abstract);
  return Ok();
}

Status UnixSocket::Listen(Caller caller, int backlog) {
  if (!connection_based()) return Error(EOPNOTSUPP);
  std::vector<std::weak_ptr<WaitQueue>> waiting;
  {
    absl::MutexLock lock(&mutex_);
    if (name_.size == 0 || out_ != nullptr) return Error(EINVAL);
    listener_ = OwnerOf(caller.context);
    listening_ = true;
    backlog_ = static_cast<size_t>(backlog);
    waiting.swap(waiting_clients_);
  }
  for (const auto& client : waiting) {
    if (auto queue = client.lock()) queue->Notify(EPOLLOUT);
  }
  return Ok();
}

Result<std::shared_ptr<UnixSocket>> UnixSocket::Find(Caller caller, const SocketAddress& address) {
  TRY_ASSIGN(ParsedName name, Parse(address));
  std::shared_ptr<UnixSocket> found;
  if (name.abstract) {
    found = abstract_names_->Find(name.text);
  } else {
    WalkOptions walk{.start = caller.fs.cwd()};
    TRY_ASSIGN(Path path, vfs_.Walk(caller, walk, name.text));
    TRY(vfs_.CheckAccess(caller, path, kWrite));
    if (!S_ISSOCK(path.dentry->inode()->Type())) return Error(ECONNREFUSED);
    found = names_->Find(path.dentry->inode().get());
  }
  if (found == nullptr) return Error(ECONNREFUSED);
  if (found->type() != type()) return Error(EPROTOTYPE);
  return found;
}

struct UnixSocket::Accepted {
  std::shared_ptr<UnixQueue> queue;
  SocketAddress name;
  ucred owner;
};

Result<UnixSocket::Accepted> UnixSocket::Enqueue(Caller caller, UnixSocket& client,
                                                 const SocketAddress& client_name) {
  auto inode = std::make_shared<AnonymousInode>(vfs_.anonymous(), *caller.context.credentials(),
                                                S_IFSOCK | 0777);
  std::string label = absl::StrCat("socket:[", inode->ino(), "]");
  Path path = AnonymousFilesystem::MakePath(std::move(label), std::move(inode));
  auto server =
      std::make_shared<UnixSocket>(std::move(path), O_RDWR, type(), vfs_, names_, abstract_names_);
  Accepted accepted;
  {
    absl::MutexLock lock(&mutex_);
    if (!listening_) return Error(ECONNREFUSED);
    if (pending_.size() > backlog_) {
      waiting_clients_.push_back(client.wait_);
      return Error(EAGAIN);
    }
    {
      absl::MutexLock server_lock(&server->mutex_);
      server->out_ = client.in_;
      server->name_ = name_;
      server->peer_name_ = client_name;
      server->peer_ = OwnerOf(caller.context);
      server->pass_credentials_ = pass_credentials_.load();
    }
    server->in_->SetWriter(client.wait_);
    client.in_->SetWriter(server->wait_);
    accepted = Accepted{server->in_, name_, listener_};
    pending_.push_back(std::move(server));
  }
  wait_->Notify(EPOLLIN | EPOLLRDNORM);
  return accepted;
}

Status UnixSocket::ConnectStream(Caller caller, UnixSocket& listener) {
  SocketAddress own;
  {
    absl::MutexLock lock(&mutex_);
    if (out_ != nullptr || host_ != nullptr) return Error(EISCONN);
    if (listening_) return Error(EINVAL);
    own = name_;
  }
  TRY_ASSIGN(Accepted accepted, listener.Enqueue(caller, *this, own));
  {
    absl::MutexLock lock(&mutex_);
    out_ = std::move(accepted.queue);
    peer_name_ = accepted.name;
    peer_ = accepted.owner;
  }
  wait_->Notify(EPOLLOUT | EPOLLWRNORM);
  return Ok();
}

Status UnixSocket::ConnectDatagram(Caller caller, UnixSocket* target) {
  SocketAddress name;
  std::shared_ptr<UnixQueue> queue;
  if (target != nullptr) {
    queue = target->in_;
    absl::MutexLock lock(&target->mutex_);
    name = target->name_;
  }
  std::shared_ptr<HostConnection> host;  // ends outside the lock
  absl::MutexLock lock(&mutex_);
  host_.swap(host);
  out_ = std::move(queue);
  peer_name_ = name;
  return Ok();
}

Status UnixSocket::Connect(Caller caller, const SocketAddress& address) {
  if (!connection_based() && address.family() == AF_UNSPEC) {
    return ConnectDatagram(caller, nullptr);
  }
  Result<std::shared_ptr<UnixSocket>> target = Find(caller, address);
  if (target.code() == ECONNREFUSED && poller_ != nullptr) return ConnectHost(caller, address);
  if (!target.ok()) return std::move(target).error();
  if (!connection_based()) return ConnectDatagram(caller, target->get());
  return ConnectStream(caller, **target);
}

Status UnixSocket::ConnectHost(Caller caller, const SocketAddress& address) {
  TRY_ASSIGN(ParsedName name, Parse(address));
  if (name.abstract) return Error(ECONNREFUSED);
  WalkOptions walk{.start = caller.fs.cwd()};
  TRY_ASSIGN(Path path, vfs_.Walk(caller, walk, name.text));
  auto* inode = dynamic_cast<HostSocketInode*>(path.dentry->inode().get());
  if (inode == nullptr) return Error(ECONNREFUSED);
  Result<FileDescriptor> connected = inode->ConnectHostSocket(type());
  // Without the permission the name is of a socket that nobody listens to.
  if (!connected.ok()) return Error(connected.code() == EPERM ? ECONNREFUSED : connected.code());
  TRY_ASSIGN(std::shared_ptr<HostConnection> host,
             HostConnection::Make(*poller_, *std::move(connected), type(), wait_));
  {
    absl::MutexLock lock(&mutex_);
    if (out_ != nullptr || (host_ != nullptr && connection_based())) return Error(EISCONN);
    if (listening_) return Error(EINVAL);
    host_.swap(host);
    peer_name_ = MakeAddress(name.text, /*abstract=*/false);
  }
  wait_->Notify(EPOLLOUT | EPOLLWRNORM);
  return Ok();
}

Result<SocketRef> UnixSocket::Accept(Caller caller, int flags) {
  if (!connection_based()) return Error(EOPNOTSUPP);
  std::shared_ptr<UnixSocket> accepted;
  std::vector<std::weak_ptr<WaitQueue>> waiting;
  {
    absl::MutexLock lock(&mutex_);
    if (!listening_) return Error(EINVAL);
    if (pending_.empty()) return Error(in_->reading_closed() ? EINVAL : EAGAIN);
    accepted = std::move(pending_.front());
    pending_.pop_front();
    waiting.swap(waiting_clients_);
  }
  for (const auto& client : waiting) {
    if (auto queue = client.lock()) queue->Notify(EPOLLOUT);
  }
  if ((flags & O_NONBLOCK) != 0) TRY(accepted->SetFlags(O_NONBLOCK));
  return SocketRef(std::move(accepted));
}

Status UnixSocket::Shutdown(int how) {
  if (auto connection = host()) return connection->Shutdown(how);
  std::shared_ptr<UnixQueue> out;
  {
    absl::MutexLock lock(&mutex_);
    if (connection_based() && out_ == nullptr && !listening_) return Error(ENOTCONN);
    out = out_;
  }
  if (how != SHUT_RD && out != nullptr && connection_based()) out->CloseWriting();
  if (how != SHUT_WR) in_->CloseReading(/*drop=*/false);
  wait_->Notify(EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP);
  return Ok();
}

Result<SocketAddress> UnixSocket::LocalName() {
  absl::MutexLock lock(&mutex_);
  return name_.size > 0 ? name_ : Unnamed();
}

Result<SocketAddress> UnixSocket::PeerName() {
  absl::MutexLock lock(&mutex_);
  if (out_ == nullptr && host_ == nullptr) return Error(ENOTCONN);
  return peer_name_.size > 0 ? peer_name_ : Unnamed();
}

Result<size_t> UnixSocket::SendToConnected(IoBuffer& source, OutgoingMessage& message, int flags) {
  std::shared_ptr<UnixQueue> out;
  std::shared_ptr<HostConnection> host;
  SocketAddress own;
  {
    absl::MutexLock lock(&mutex_);
    out = out_;
    host = host_;
    own = name_;
  }
  if (host != nullptr) return host->Send(source, message, flags);
  if (out == nullptr) return Error(ENOTCONN);
  Result<size_t> sent = out->Push(source, message, own, flags, wait_);
  if (sent.code() == EPIPE && !connection_based()) return Error(ECONNREFUSED);
  return sent;
}

Result<std::shared_ptr<UnixQueue>> UnixSocket::DatagramTarget(Caller caller,
                                                              const SocketAddress& destination) {
  TRY_ASSIGN(std::shared_ptr<UnixSocket> target, Find(caller, destination));
  absl::MutexLock lock(&target->mutex_);
  // A connected datagram socket hears its peer only.
  if (target->out_ != nullptr && target->out_ != in_) return Error(EPERM);
  return target->in_;
}

Result<size_t> UnixSocket::SendMessage(Caller caller, IoBuffer& source, OutgoingMessage& message,
                                       int flags) {
  if ((flags & MSG_OOB) != 0) return Error(EOPNOTSUPP);
  if (message.destination == nullptr) return SendToConnected(source, message, flags);
  if (connection_based()) {
    absl::MutexLock lock(&mutex_);
    return Error(out_ != nullptr || host_ != nullptr ? EISCONN : EOPNOTSUPP);
  }
  TRY_ASSIGN(std::shared_ptr<UnixQueue> target, DatagramTarget(caller, *message.destination));
  TRY_ASSIGN(SocketAddress own, LocalName());
  Result<size_t> sent = target->Push(source, message, own, flags, wait_);
  if (sent.code() == EPIPE) return Error(ECONNREFUSED);
  return sent;
}

Result<size_t> UnixSocket::Receive(IoBuffer& destination, IncomingMessage& message, int flags) {
  if ((flags & MSG_OOB) != 0) return Error(EOPNOTSUPP);
  if (auto connection = host()) return connection->Receive(destination, message, flags);
  if (connection_based()) {
    absl::MutexLock lock(&mutex_);
    if (out_ == nullptr) return Error(listening_ ? EINVAL : ENOTCONN);
  }
  return in_->Pop(destination, message, flags, pass_credentials_.load(std::memory_order_relaxed));
}

Result<size_t> UnixSocket::ReceiveMessage(Caller caller, IoBuffer& destination,
                                          IncomingMessage& message, int flags) {
  return Receive(destination, message, flags);
}

Result<size_t> UnixSocket::Read(Context& context, IoBuffer& destination) {
  // Descriptors that come along are dropped, as by read(2).
  IncomingMessage message;
  if (destination.remaining() == 0 && type() == SOCK_STREAM) return 0;
  return Receive(destination, message, 0);
}

Result<size_t> UnixSocket::Write(Context& context, IoBuffer& source) {
  OutgoingMessage message;
  message.sender = OwnerOf(context);
  return SendToConnected(source, message, 0);
}

Result<int64_t> UnixSocket::Ioctl(Context& context, uint64_t command, uint64_t argument) {
  int value;
  if (command == FIONREAD) {
    value = static_cast<int>(in_->first_size());
  } else if (command == SIOCOUTQ) {
    absl::MutexLock lock(&mutex_);
    value = out_ != nullptr ? static_cast<int>(out_->bytes()) : 0;
  } else {
    return Error(ENOTTY);
  }
  TRY(context.CopyOut(argument, &value, sizeof value));
  return 0;
}

PollEvents UnixSocket::Poll() {
  std::shared_ptr<UnixQueue> out;
  if (auto connection = host()) return connection->Poll();
  {
    absl::MutexLock lock(&mutex_);
    if (listening_) return pending_.empty() ? 0 : PollEvents{EPOLLIN | EPOLLRDNORM};
    out = out_;
  }
  PollEvents events = 0;
  if (out == nullptr) {
    events = EPOLLOUT | EPOLLWRNORM;
    if (connection_based()) return events | EPOLLHUP;
    if (in_->readable()) events |= EPOLLIN | EPOLLRDNORM;
    return events;
  }
  if (in_->readable()) events |= EPOLLIN | EPOLLRDNORM;
  if (out->writable()) events |= EPOLLOUT | EPOLLWRNORM;
  if (!connection_based()) return events;
  bool no_more_in = in_->writing_closed() || in_->reading_closed();
  bool no_more_out = out->writing_closed() || out->reading_closed();
  if (no_more_in) events |= EPOLLRDHUP;
  if (no_more_in && no_more_out) events |= EPOLLHUP;
  return events;
}

}  // namespace runsc::boot
