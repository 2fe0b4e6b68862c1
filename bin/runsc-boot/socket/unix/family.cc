#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/socket/unix/unix_socket.h"

namespace runsc::boot {

void UnixNames::Bind(const Inode* inode, const std::shared_ptr<UnixSocket>& socket) {
  absl::MutexLock lock(&mutex_);
  sockets_[inode] = socket;
}

void UnixNames::Forget(const Inode* inode) {
  absl::MutexLock lock(&mutex_);
  auto found = sockets_.find(inode);
  if (found != sockets_.end() && found->second.expired()) sockets_.erase(found);
}

std::shared_ptr<UnixSocket> UnixNames::Find(const Inode* inode) {
  absl::MutexLock lock(&mutex_);
  auto found = sockets_.find(inode);
  return found == sockets_.end() ? nullptr : found->second.lock();
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
  return std::make_shared<UnixSocket>(std::move(path), O_RDWR | flags, type, vfs_, names_,
                                      names_of_(context), poller_);
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
