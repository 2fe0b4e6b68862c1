#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bin/runsc-boot/socket/unix/unix_socket.h"

namespace runsc::boot {

Status UnixNames::BindAbstract(const std::string& name, const std::shared_ptr<UnixSocket>& socket) {
  absl::MutexLock lock(&mutex_);
  std::weak_ptr<UnixSocket>& entry = abstract_[name];
  if (!entry.expired()) return Error(EADDRINUSE);
  entry = socket;
  return Ok();
}

std::string UnixNames::AutoBind(const std::shared_ptr<UnixSocket>& socket) {
  absl::MutexLock lock(&mutex_);
  while (true) {
    std::string name = absl::StrFormat("%05x", next_auto_++ & 0xfffff);
    std::weak_ptr<UnixSocket>& entry = abstract_[name];
    if (!entry.expired()) continue;
    entry = socket;
    return name;
  }
}

void UnixNames::BindInode(const Inode* inode, const std::shared_ptr<UnixSocket>& socket) {
  absl::MutexLock lock(&mutex_);
  inodes_[inode] = socket;
}

void UnixNames::Forget(const std::string& abstract_name, const Inode* inode,
                       const UnixSocket* socket) {
  absl::MutexLock lock(&mutex_);
  // It has expired already when its destructor calls.
  auto abstract = abstract_.find(abstract_name);
  if (abstract != abstract_.end() && abstract->second.expired()) abstract_.erase(abstract);
  auto bound = inodes_.find(inode);
  if (bound != inodes_.end() && bound->second.expired()) inodes_.erase(bound);
}

std::shared_ptr<UnixSocket> UnixNames::FindAbstract(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  auto found = abstract_.find(name);
  return found == abstract_.end() ? nullptr : found->second.lock();
}

std::shared_ptr<UnixSocket> UnixNames::FindInode(const Inode* inode) {
  absl::MutexLock lock(&mutex_);
  auto found = inodes_.find(inode);
  return found == inodes_.end() ? nullptr : found->second.lock();
}

Result<std::shared_ptr<UnixSocket>> UnixFamily::Make(Context& context, int type, int protocol,
                                                     int flags) {
  if (protocol != 0 && protocol != AF_UNIX) return Error(EPROTONOSUPPORT);
  if (type == SOCK_RAW) type = SOCK_DGRAM;  // as Linux
  if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET) {
    return Error(ESOCKTNOSUPPORT);
  }
  auto inode =
      std::make_shared<AnonymousInode>(vfs_.anonymous(), *context.credentials(), S_IFSOCK | 0777);
  std::string name = absl::StrCat("socket:[", inode->ino(), "]");
  Path path = AnonymousFilesystem::MakePath(std::move(name), std::move(inode));
  return std::make_shared<UnixSocket>(std::move(path), O_RDWR | flags, type, vfs_, names_, poller_);
}

Result<SocketRef> UnixFamily::Create(Caller caller, int type, int protocol, int flags) {
  TRY_ASSIGN(std::shared_ptr<UnixSocket> socket, Make(caller.context, type, protocol, flags));
  return SocketRef(std::move(socket));
}

Result<std::pair<SocketRef, SocketRef>> UnixFamily::CreatePair(Caller caller, int type,
                                                               int protocol, int flags) {
  TRY_ASSIGN(std::shared_ptr<UnixSocket> a, Make(caller.context, type, protocol, flags));
  TRY_ASSIGN(std::shared_ptr<UnixSocket> b, Make(caller.context, type, protocol, flags));
  CredentialsRef credentials = caller.context.credentials();
  UnixSocket::Join(*a, *b, {caller.context.caller_pid(), credentials->euid, credentials->egid});
  return std::pair<SocketRef, SocketRef>(std::move(a), std::move(b));
}

}  // namespace runsc::boot
