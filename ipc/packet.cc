#include "ipc/packet.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstring>

namespace runsc {
namespace {

constexpr size_t kMaxFds = 253;  // SCM_MAX_FD of the host
union ControlBuffer {
  cmsghdr align;
  char bytes[CMSG_SPACE(kMaxFds * sizeof(int))];
};

void TakeDescriptors(msghdr& message, std::vector<FileDescriptor>* fds) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      fds->emplace_back(fd);
    }
  }
}

}  // namespace

Status SendPacket(int socket, std::string_view packet, absl::Span<const int> fds) {
  if (fds.size() > kMaxFds) return Error(E2BIG);
  iovec iov = {const_cast<char*>(packet.data()), packet.size()};
  msghdr message = {};
  message.msg_iov = &iov;
  message.msg_iovlen = 1;
  ControlBuffer control;
  if (!fds.empty()) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    memset(control.bytes, 0, message.msg_controllen);
    cmsghdr* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    memcpy(CMSG_DATA(c), fds.data(), fds.size() * sizeof(int));
  }
  ssize_t sent;
  do {
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return ErrnoError("send message");
  return Ok();
}

Result<size_t> ReceivePacket(int socket, absl::Span<char> buffer,
                             std::vector<FileDescriptor>* fds) {
  iovec iov = {buffer.data(), buffer.size()};
  ControlBuffer control;
  msghdr message = {};
  message.msg_iov = &iov;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof(control.bytes);
  ssize_t size;
  do {
    size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    if (errno == EAGAIN) return MakeError(ETIMEDOUT, "receive message");
    return ErrnoError("receive message");
  }
  TakeDescriptors(message, fds);
  if (size == 0) return Error(ECONNRESET, "the peer closed the connection");
  if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
    fds->clear();
    shutdown(socket, SHUT_RDWR);
    return Error(EBADMSG, "malformed message: it is longer than a message may be");
  }
  return static_cast<size_t>(size);
}

}  // namespace runsc
