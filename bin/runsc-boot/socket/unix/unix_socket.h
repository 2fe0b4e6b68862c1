// AF_UNIX sockets (unix(7)): streams, datagrams, sequential packets.
#ifndef RUNSC_BOOT_SOCKET_UNIX_UNIX_SOCKET_H_
#define RUNSC_BOOT_SOCKET_UNIX_UNIX_SOCKET_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/socket/families.h"
#include "bin/runsc-boot/socket/socket.h"
#include "bin/runsc-boot/socket/unix/abstract_names.h"
#include "bin/runsc-boot/socket/unix/host_connection.h"
#include "bin/runsc-boot/socket/unix/queue.h"

namespace runsc::boot {

class UnixSocket;

// The sockets that are bound to inodes. Thread-safe; its lock is a leaf.
class UnixNames {
 public:
  void Bind(const Inode* inode, const std::shared_ptr<UnixSocket>& socket)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Of a socket that is being destroyed, so that nobody finds it any more.
  void Forget(const Inode* inode) ABSL_LOCKS_EXCLUDED(mutex_);
  // Null when none is.
  std::shared_ptr<UnixSocket> Find(const Inode* inode) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Mutex mutex_;
  absl::flat_hash_map<const Inode*, std::weak_ptr<UnixSocket>> sockets_ ABSL_GUARDED_BY(mutex_);
};

// Lock order: a socket's lock, then queues' locks; never two sockets' locks.
class UnixSocket final : public Socket {
 public:
  // `poller`: watches connections to the host; null: there are none.
  UnixSocket(Path path, int flags, int type, Vfs& vfs, std::shared_ptr<UnixNames> names,
             std::shared_ptr<AbstractNames> abstract_names, HostPoller* poller = nullptr);
  ~UnixSocket() override;

  Status Bind(Caller caller, const SocketAddress& address) override;
  Status Listen(Caller caller, int backlog) override;
  Status Connect(Caller caller, const SocketAddress& address) override;
  Result<SocketRef> Accept(Caller caller, int flags) override;
  Status Shutdown(int how) override;
  Result<SocketAddress> LocalName() override;
  Result<SocketAddress> PeerName() override;
  Result<size_t> SendMessage(Caller caller, IoBuffer& source, OutgoingMessage& message,
                             int flags) override;
  Result<size_t> ReceiveMessage(Caller caller, IoBuffer& destination, IncomingMessage& message,
                                int flags) override;
  Result<std::vector<std::byte>> GetOption(Caller caller, int level, int option) override;
  Status SetOption(Caller caller, int level, int option, std::span<const std::byte> value) override;

  Result<size_t> Read(Context& context, IoBuffer& destination) override;
  Result<size_t> Write(Context& context, IoBuffer& source) override;
  Result<int64_t> Ioctl(Context& context, uint64_t command, uint64_t argument) override;
  PollEvents Poll() override;
  WaitQueue* wait_queue() override { return wait_.get(); }
  std::string Describe() const override { return path().dentry->name(); }

  // socketpair(2); both new.
  static void Join(UnixSocket& a, UnixSocket& b, const ucred& owner);

 private:
  bool connection_based() const { return type() != SOCK_DGRAM; }
  Status BindPath(Caller caller, const SocketAddress& address);
  Result<std::shared_ptr<UnixSocket>> Find(Caller caller, const SocketAddress& address);
  Status ConnectStream(Caller caller, UnixSocket& listener);
  Status ConnectDatagram(Caller caller, UnixSocket* target);
  // To a socket of a host process. ECONNREFUSED: the name is of no such socket.
  Status ConnectHost(Caller caller, const SocketAddress& address);
  std::shared_ptr<HostConnection> host() const {
    absl::MutexLock lock(&mutex_);
    return host_;
  }
  // The listener's half of a connection: a new socket in its backlog. EAGAIN,
  // ECONNREFUSED.
  struct Accepted;
  Result<Accepted> Enqueue(Caller caller, UnixSocket& client, const SocketAddress& client_name);
  Result<size_t> SendToConnected(IoBuffer& source, OutgoingMessage& message, int flags);
  Result<std::shared_ptr<UnixQueue>> DatagramTarget(Caller caller,
                                                    const SocketAddress& destination);
  Result<size_t> Receive(IoBuffer& destination, IncomingMessage& message, int flags);
  static ucred OwnerOf(Context& context);

  Vfs& vfs_;
  const std::shared_ptr<UnixNames> names_;
  const std::shared_ptr<AbstractNames> abstract_names_;
  HostPoller* const poller_;
  const std::shared_ptr<WaitQueue> wait_;
  const std::shared_ptr<UnixQueue> in_;
  std::atomic<bool> pass_credentials_{false};

  mutable absl::Mutex mutex_;
  std::shared_ptr<UnixQueue> out_ ABSL_GUARDED_BY(mutex_);        // null: not connected
  std::shared_ptr<HostConnection> host_ ABSL_GUARDED_BY(mutex_);  // then out_ is null
  SocketAddress name_ ABSL_GUARDED_BY(mutex_);
  SocketAddress peer_name_ ABSL_GUARDED_BY(mutex_);
  std::optional<ucred> peer_ ABSL_GUARDED_BY(mutex_);
  std::string abstract_name_ ABSL_GUARDED_BY(mutex_);
  Path bound_path_ ABSL_GUARDED_BY(mutex_);  // keeps the inode
  bool listening_ ABSL_GUARDED_BY(mutex_) = false;
  size_t backlog_ ABSL_GUARDED_BY(mutex_) = 0;
  ucred listener_{};  // who listens; written before listening_
  std::deque<std::shared_ptr<UnixSocket>> pending_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<WaitQueue>> waiting_clients_ ABSL_GUARDED_BY(mutex_);
};

class UnixFamily final : public SocketFamily {
 public:
  // Who finds the abstract names of a caller's network namespace.
  using NamesOf = std::function<std::shared_ptr<AbstractNames>(Context& context)>;
  // `poller` null: sockets of the host cannot be reached.
  UnixFamily(Vfs& vfs, NamesOf names_of, HostPoller* poller = nullptr)
      : vfs_(vfs),
        names_of_(std::move(names_of)),
        poller_(poller),
        names_(std::make_shared<UnixNames>()) {}
  Result<SocketRef> Create(Caller caller, int type, int protocol, int flags) override;
  Result<std::pair<SocketRef, SocketRef>> CreatePair(Caller caller, int type, int protocol,
                                                     int flags) override;

 private:
  Result<std::shared_ptr<UnixSocket>> Make(Context& context, int type, int protocol, int flags);

  Vfs& vfs_;
  const NamesOf names_of_;
  HostPoller* const poller_;
  const std::shared_ptr<UnixNames> names_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SOCKET_UNIX_UNIX_SOCKET_H_
