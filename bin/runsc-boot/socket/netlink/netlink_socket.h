// AF_NETLINK sockets of the protocol NETLINK_ROUTE (netlink(7)): requests to the
// kernel are answered while they are sent, so answers only wait to be received.
#ifndef RUNSC_BOOT_SOCKET_NETLINK_NETLINK_SOCKET_H_
#define RUNSC_BOOT_SOCKET_NETLINK_NETLINK_SOCKET_H_

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/namespaces/net_namespace.h"
#include "bin/runsc-boot/socket/families.h"
#include "bin/runsc-boot/socket/netlink/message.h"
#include "bin/runsc-boot/socket/netlink/ports.h"
#include "bin/runsc-boot/socket/socket.h"

namespace runsc::boot {

class NetlinkSocket final : public Socket, public netlink::Listener {
 public:
  // What it keeps of answers that nobody receives, in bytes.
  static constexpr size_t kCapacity = 212992;

  NetlinkSocket(Path path, int flags, int type, CredentialsRef opener, NetNamespaceRef space);
  ~NetlinkSocket() override;

  Status Bind(Caller caller, const SocketAddress& address) override;
  Status Listen(Caller, int) override { return Error(EOPNOTSUPP); }
  Status Connect(Caller caller, const SocketAddress& address) override;
  Result<SocketRef> Accept(Caller, int) override { return Error(EOPNOTSUPP); }
  Status Shutdown(int) override { return Error(EOPNOTSUPP); }
  Result<SocketAddress> LocalName() override;
  Result<SocketAddress> PeerName() override;
  Result<size_t> SendMessage(Caller caller, IoBuffer& source, OutgoingMessage& message,
                             int flags) override;
  Result<size_t> ReceiveMessage(Caller, IoBuffer& destination, IncomingMessage& message,
                                int flags) override {
    return Receive(destination, message, flags);
  }
  Result<std::vector<std::byte>> GetOption(Caller caller, int level, int option) override;
  Status SetOption(Caller caller, int level, int option, std::span<const std::byte> value) override;

  Result<size_t> Read(Context& context, IoBuffer& destination) override;
  Result<size_t> Write(Context& context, IoBuffer& source) override;
  PollEvents Poll() override;
  WaitQueue* wait_queue() override { return &wait_; }
  std::string Describe() const override { return path().dentry->name(); }

  // --- netlink::Listener
  uint64_t groups() const override { return groups_.load(std::memory_order_relaxed); }
  // What finds no room is lost, and the next call fails with ENOBUFS.
  void Deliver(std::string message, unsigned group) override;

 private:
  struct Datagram {
    std::string bytes;
    unsigned group = 0;
  };

  uint32_t PortFor(Context& context) ABSL_LOCKS_EXCLUDED(mutex_);
  void JoinGroups(uint64_t groups);
  Result<size_t> Send(Context& context, IoBuffer& source, const SocketAddress* destination);
  void Answer(Context& context, std::string_view requests, uint32_t port);
  Result<size_t> Receive(IoBuffer& destination, IncomingMessage& message, int flags);
  // One of the switches of SOL_NETLINK, or null.
  std::atomic<bool>* SwitchOf(int option);

  const CredentialsRef opener_;
  const NetNamespaceRef space_;
  WaitQueue wait_;
  std::atomic<uint64_t> groups_{0};
  std::atomic<bool> packet_info_{false}, no_overflow_error_{false}, short_acks_{false},
      strict_checks_{false}, extended_acks_{false}, pass_credentials_{false};

  mutable absl::Mutex mutex_;
  uint32_t port_ ABSL_GUARDED_BY(mutex_) = 0;  // 0: not bound
  uint32_t peer_port_ ABSL_GUARDED_BY(mutex_) = 0, peer_groups_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Datagram> received_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int error_ ABSL_GUARDED_BY(mutex_) = 0;
};

class NetlinkFamily final : public SocketFamily {
 public:
  // Who finds the network namespace of a caller.
  using SpaceOf = std::function<NetNamespaceRef(Context& context)>;
  NetlinkFamily(Vfs& vfs, SpaceOf space_of) : vfs_(vfs), space_of_(std::move(space_of)) {}

  Result<SocketRef> Create(Caller caller, int type, int protocol, int flags) override;

 private:
  Vfs& vfs_;
  const SpaceOf space_of_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SOCKET_NETLINK_NETLINK_SOCKET_H_
