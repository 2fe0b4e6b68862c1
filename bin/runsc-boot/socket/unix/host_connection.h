// The far end of a unix socket that is connected to a process of the host
// (--host-uds). Bytes pass; descriptors and credentials do not: neither side's
// have a meaning on the other.
#ifndef RUNSC_BOOT_SOCKET_UNIX_HOST_CONNECTION_H_
#define RUNSC_BOOT_SOCKET_UNIX_HOST_CONNECTION_H_

#include <memory>

#include "bin/runsc-boot/fs/host/host_poller.h"
#include "bin/runsc-boot/socket/socket.h"
#include "common/file_descriptor.h"

namespace runsc::boot {

// Thread-safe.
class HostConnection {
 public:
  // `fd`: a connected socket; `queue` is notified of its readiness.
  static Result<std::shared_ptr<HostConnection>> Make(HostPoller& poller, FileDescriptor fd,
                                                      int type, std::shared_ptr<WaitQueue> queue);
  HostConnection(HostPoller& poller, FileDescriptor fd, int type, std::shared_ptr<WaitQueue> queue)
      : poller_(poller), fd_(std::move(fd)), type_(type), queue_(std::move(queue)) {}
  ~HostConnection();

  // As Socket::SendMessage and ReceiveMessage. EPERM: descriptors are to be sent.
  Result<size_t> Send(IoBuffer& source, const OutgoingMessage& message, int flags);
  Result<size_t> Receive(IoBuffer& destination, IncomingMessage& message, int flags);
  Status Shutdown(int how);
  PollEvents Poll() const;

 private:
  HostPoller& poller_;
  const FileDescriptor fd_;
  const int type_;
  const std::shared_ptr<WaitQueue> queue_;
  uint64_t token_ = 0;  // of the poller; constant once made
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SOCKET_UNIX_HOST_CONNECTION_H_
