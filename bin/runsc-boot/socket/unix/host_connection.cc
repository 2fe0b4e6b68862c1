#include "bin/runsc-boot/socket/unix/host_connection.h"

#include <poll.h>
#include <sys/uio.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "bin/runsc-boot/vfs/host_io.h"

namespace runsc::boot {
namespace {

// The longest message of a datagram or packet socket that passes, in bytes:
// net.core.wmem_default of Linux.
constexpr size_t kMaxMessage = 212992;

// Room for one transfer: the thread's buffer, or one of its own for a message
// that must pass whole.
class Transfer {
 public:
  Transfer(int type, size_t wanted) : buffer_(ThreadTransferBuffer()) {
    if (type == SOCK_STREAM || wanted <= buffer_.size) return;
    own_.resize(std::min(wanted, kMaxMessage));
    buffer_ = {own_.data(), own_.size()};
  }
  char* data() const { return buffer_.data; }
  size_t size() const { return buffer_.size; }

 private:
  std::vector<char> own_;
  TransferBuffer buffer_;
};

int CallError() { return errno == EWOULDBLOCK ? EAGAIN : errno; }

}  // namespace

Result<std::shared_ptr<HostConnection>> HostConnection::Make(HostPoller& poller, FileDescriptor fd,
                                                             int type,
                                                             std::shared_ptr<WaitQueue> queue) {
  auto made = std::make_shared<HostConnection>(poller, std::move(fd), type, std::move(queue));
  TRY_ASSIGN(made->token_, poller.Watch(made->fd_.get(), *made->queue_));
  return made;
}

HostConnection::~HostConnection() {
  if (token_ != 0) poller_.Forget(token_);
}

Result<size_t> HostConnection::Send(IoBuffer& source, const OutgoingMessage& message, int flags) {
  if (message.control != nullptr && !message.control->files.empty()) return Error(EPERM);
  size_t wanted = source.remaining();
  if (type_ != SOCK_STREAM && wanted > kMaxMessage) return Error(EMSGSIZE);
  Transfer transfer(type_, wanted);
  TRY_ASSIGN(size_t taken, source.Take(transfer.data(), std::min(transfer.size(), wanted)));
  iovec range{transfer.data(), taken};
  msghdr header{.msg_iov = &range, .msg_iovlen = 1};
  ssize_t count;
  do {
    count = sendmsg(fd_.get(), &header, (flags & MSG_EOR) | MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  int error = CallError();
  size_t sent = count < 0 ? 0 : static_cast<size_t>(count);
  source.StepBack(taken - sent);
  if (count < 0) return Error(error);
  return sent;
}

Result<size_t> HostConnection::Receive(IoBuffer& destination, IncomingMessage& message, int flags) {
  Transfer transfer(type_, destination.remaining());
  iovec range{transfer.data(), std::min(transfer.size(), destination.remaining())};
  // No room for control data: the host closes what is sent along.
  msghdr header{.msg_iov = &range, .msg_iovlen = 1};
  int host_flags = (flags & MSG_PEEK) | MSG_DONTWAIT;
  if (type_ != SOCK_STREAM) host_flags |= MSG_TRUNC;  // the result is the full size
  ssize_t count;
  do {
    count = recvmsg(fd_.get(), &header, host_flags);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return Error(CallError());
  message.full_size = static_cast<size_t>(count);
  message.flags = header.msg_flags & (MSG_TRUNC | MSG_EOR | MSG_CTRUNC);
  return destination.Put(transfer.data(), std::min(message.full_size, range.iov_len));
}

Status HostConnection::Shutdown(int how) {
  return shutdown(fd_.get(), how) == 0 ? Ok() : Status(Error(errno));
}

PollEvents HostConnection::Poll() const {
  pollfd entry{.fd = fd_.get(), .events = POLLIN | POLLOUT | POLLRDHUP, .revents = 0};
  if (poll(&entry, 1, 0) < 0) return EPOLLERR;
  PollEvents ready = static_cast<unsigned short>(entry.revents);
  if ((ready & EPOLLIN) != 0) ready |= EPOLLRDNORM;
  if ((ready & EPOLLOUT) != 0) ready |= EPOLLWRNORM;
  return ready;
}

}  // namespace runsc::boot
