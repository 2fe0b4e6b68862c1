// Sockets as the system calls see them; each address family implements it
// (unix/, inet/, netlink/). A socket is a file: read(2) and write(2) are
// ReceiveMessage and SendMessage without an address.
//
// As for every File, nothing here blocks: EAGAIN, and the system-call layer
// waits on wait_queue(), honouring O_NONBLOCK, MSG_DONTWAIT and the time-outs.
#ifndef RUNSC_BOOT_SOCKET_SOCKET_H_
#define RUNSC_BOOT_SOCKET_SOCKET_H_

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "bin/runsc-boot/vfs/file.h"
#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

// A socket address in the application's layout, checked by its family only.
struct SocketAddress {
  std::array<std::byte, sizeof(sockaddr_storage)> bytes{};
  size_t size = 0;  // bytes used, at most sizeof(sockaddr_storage)

  // AF_UNSPEC when too short to have a family.
  sa_family_t family() const;
  std::span<const std::byte> view() const { return {bytes.data(), size}; }
  // Copies at most sizeof(sockaddr_storage) bytes.
  static SocketAddress From(const void* data, size_t size);
};

// Ancillary data that has a meaning of its own in the kernel; other cmsgs are
// kept as they are.
struct RawControl {
  int level;
  int type;
  std::vector<std::byte> data;
};
struct ControlData {
  std::vector<FileRef> files;        // SCM_RIGHTS, at most 253
  std::optional<ucred> credentials;  // SCM_CREDENTIALS; checked by the sender's call
  std::vector<RawControl> others;

  bool empty() const { return files.empty() && !credentials && others.empty(); }
};

struct OutgoingMessage {
  const SocketAddress* destination = nullptr;  // null: the connected peer
  ControlData* control = nullptr;              // taken (moved from) by a successful send
  ucred sender{};                              // the caller's own pid, uid, gid
};

struct IncomingMessage {
  SocketAddress source;  // size 0: none
  ControlData control;
  int flags = 0;         // MSG_TRUNC, MSG_CTRUNC, MSG_EOR, MSG_OOB
  size_t full_size = 0;  // of the datagram, for MSG_TRUNC in the call's flags
};

class Socket : public File {
 public:
  // `type` without SOCK_NONBLOCK and SOCK_CLOEXEC.
  Socket(Path path, int flags, int domain, int type, int protocol)
      : File(std::move(path), flags), domain_(domain), type_(type), protocol_(protocol) {}

  bool async_capable() const override { return true; }
  int domain() const { return domain_; }
  int type() const { return type_; }
  int protocol() const { return protocol_; }

  // The calls of socket(7); errors as the man pages of bind(2)... have them.
  virtual Status Bind(Caller caller, const SocketAddress& address) = 0;
  virtual Status Listen(Caller caller, int backlog) = 0;
  // EAGAIN: the listener's backlog is full, try again when notified with
  // EPOLLOUT. EINPROGRESS: the outcome is SO_ERROR once EPOLLOUT is there.
  virtual Status Connect(Caller caller, const SocketAddress& address) = 0;
  // `flags`: O_NONBLOCK or 0, for the new socket. EAGAIN: none is waiting.
  virtual Result<std::shared_ptr<Socket>> Accept(Caller caller, int flags) = 0;
  // `how`: SHUT_RD, SHUT_WR, SHUT_RDWR (checked).
  virtual Status Shutdown(int how) = 0;
  virtual Result<SocketAddress> LocalName() = 0;
  virtual Result<SocketAddress> PeerName() = 0;

  // `flags` has MSG_OOB, MSG_EOR, MSG_MORE... EPIPE without the signal, which
  // is the system-call layer's business. A short count on streams only.
  virtual Result<size_t> SendMessage(Caller caller, IoBuffer& source, OutgoingMessage& message,
                                     int flags) = 0;
  // `flags` has MSG_PEEK, MSG_TRUNC, MSG_OOB, MSG_CMSG_CLOEXEC... The result is
  // the number of bytes put; 0 is the end of a stream.
  virtual Result<size_t> ReceiveMessage(Caller caller, IoBuffer& destination,
                                        IncomingMessage& message, int flags) = 0;

  // What is not handled by the system-call layer (SO_TYPE, SO_DOMAIN,
  // SO_PROTOCOL, SO_RCVTIMEO, SO_SNDTIMEO). ENOPROTOOPT for unknown ones.
  // The result is the option's bytes, cut to what the caller asked for.
  virtual Result<std::vector<std::byte>> GetOption(Caller caller, int level, int option) {
    return Error(ENOPROTOOPT);
  }
  virtual Status SetOption(Caller caller, int level, int option, std::span<const std::byte> value) {
    return Error(ENOPROTOOPT);
  }

  // SO_RCVTIMEO and SO_SNDTIMEO in nanoseconds; 0: none.
  int64_t receive_timeout() const { return receive_timeout_.load(std::memory_order_relaxed); }
  int64_t send_timeout() const { return send_timeout_.load(std::memory_order_relaxed); }
  void set_receive_timeout(int64_t ns) { receive_timeout_.store(ns, std::memory_order_relaxed); }
  void set_send_timeout(int64_t ns) { send_timeout_.store(ns, std::memory_order_relaxed); }

 private:
  const int domain_, type_, protocol_;
  std::atomic<int64_t> receive_timeout_{0}, send_timeout_{0};
};
using SocketRef = std::shared_ptr<Socket>;

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SOCKET_SOCKET_H_
