// socket(2), socketpair(2), bind(2), listen(2), connect(2), accept(2),
// accept4(2), shutdown(2), getsockname(2), getpeername(2)

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/socket_arguments.h"

namespace runsc::boot {

namespace {

// struct for SOCK_* of the type argument.
struct NewSocket {
  int type;
  int flags;  // O_NONBLOCK or 0
  bool close_on_exec;
};

Result<NewSocket> DecodeType(int type) {
  constexpr int kTypeMask = 0xf;
  if ((type & ~(kTypeMask | SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0) return Error(EINVAL);
  if ((type & kTypeMask) == 0 || (type & kTypeMask) > SOCK_PACKET) return Error(EINVAL);
  return NewSocket{type & kTypeMask, (type & SOCK_NONBLOCK) != 0 ? O_NONBLOCK : 0,
                   (type & SOCK_CLOEXEC) != 0};
}

bool HasNoPairs(int domain) {
  return domain == AF_INET || domain == AF_INET6 || domain == AF_NETLINK;
}

// EINPROGRESS ends here: the outcome is awaited, or the caller comes back.
Result<Word> Connect(Task& task, Socket& socket, const SocketAddress& address) {
  const Deadline deadline = SendDeadline(socket);
  Result<int> started = task.BlockOnFile<int>(socket, EPOLLOUT, deadline, [&]() -> Result<int> {
    TRY(socket.Connect(task.caller(), address));
    return 0;
  });
  if (started.ok()) return 0;
  const bool nonblock = (socket.flags() & O_NONBLOCK) != 0;
  if (started.code() != EINPROGRESS || nonblock)
    return EndOfWait(std::move(started).error(), deadline);
  Result<int> done = task.BlockOnFile<int>(socket, EPOLLOUT, deadline, [&]() -> Result<int> {
    if ((socket.Poll() & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return Error(EAGAIN);
    TRY_ASSIGN(std::vector<std::byte> raw, socket.GetOption(task.caller(), SOL_SOCKET, SO_ERROR));
    int error = 0;
    memcpy(&error, raw.data(), std::min(raw.size(), sizeof(error)));
    if (error != 0) return Error(error);
    return 0;
  });
  // A time-out leaves the connection attempt going on.
  if (done.code() == ETIMEDOUT && deadline) return Error(EINPROGRESS);
  if (!done.ok()) return EndOfWait(std::move(done).error(), deadline);
  return 0;
}

Result<Word> Accept(Task& task, const SyscallArgs& args, int flags) {
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0) return Error(EINVAL);
  TRY_ASSIGN(SocketRef listener, SocketOf(task, args.Fd(0)));
  const int status_flags = (flags & SOCK_NONBLOCK) != 0 ? O_NONBLOCK : 0;
  const Deadline deadline = ReceiveDeadline(*listener);
  Result<SocketRef> accepted = task.BlockOnFile<SocketRef>(
      *listener, EPOLLIN, deadline, [&] { return listener->Accept(task.caller(), status_flags); });
  if (!accepted.ok()) return EndOfWait(std::move(accepted).error(), deadline);
  if (args.Address(1) != 0) {
    TRY_ASSIGN(SocketAddress peer, (*accepted)->PeerName());
    TRY(CopyOutAddress(task, args.Address(1), args.Address(2), peer));
  }
  return InstallFile(task, *std::move(accepted), (flags & SOCK_CLOEXEC) != 0);
}

}  // namespace

Result<Word> SysSocket(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(NewSocket wanted, DecodeType(args.Int(1)));
  TRY_ASSIGN(SocketFamily * family, task.kernel().sockets().Find(args.Int(0)));
  TRY_ASSIGN(SocketRef socket,
             family->Create(task.caller(), wanted.type, args.Int(2), wanted.flags));
  return InstallFile(task, std::move(socket), wanted.close_on_exec);
}

Result<Word> SysSocketpair(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(NewSocket wanted, DecodeType(args.Int(1)));
  Result<SocketFamily*> found = task.kernel().sockets().Find(args.Int(0));
  // Families that Linux always has, and whose sockets come in no pairs, whether
  // this sandbox has them or not.
  if (!found.ok() && HasNoPairs(args.Int(0))) return Error(EOPNOTSUPP);
  TRY_ASSIGN(SocketFamily * family, std::move(found));
  TRY_ASSIGN(auto pair, family->CreatePair(task.caller(), wanted.type, args.Int(2), wanted.flags));
  TRY_ASSIGN(auto fds,
             task.fds().InstallPair(pair.first, pair.second, wanted.close_on_exec, MaxFiles(task)));
  const int out[2] = {fds.first, fds.second};
  if (Status copied = task.CopyOut(args.Address(3), out, sizeof(out)); !copied.ok()) {
    (void)task.fds().Remove(fds.first);
    (void)task.fds().Remove(fds.second);
    return std::move(copied).error();
  }
  return 0;
}

Result<Word> SysBind(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(SocketRef socket, SocketOf(task, args.Fd(0)));
  TRY_ASSIGN(SocketAddress address, CopyInAddress(task, args.Address(1), args.Int(2)));
  TRY(socket->Bind(task.caller(), address));
  return 0;
}

Result<Word> SysListen(Task& task, const SyscallArgs& args) {
  constexpr int kMaxBacklog = 4096;  // net.core.somaxconn
  TRY_ASSIGN(SocketRef socket, SocketOf(task, args.Fd(0)));
  // A negative number counts as a large one, as in Linux.
  const unsigned backlog = std::min<unsigned>(args.Uint(1), kMaxBacklog);
  TRY(socket->Listen(task.caller(), static_cast<int>(backlog)));
  return 0;
}

Result<Word> SysConnect(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(SocketRef socket, SocketOf(task, args.Fd(0)));
  TRY_ASSIGN(SocketAddress address, CopyInAddress(task, args.Address(1), args.Int(2)));
  return Connect(task, *socket, address);
}

Result<Word> SysAccept(Task& task, const SyscallArgs& args) { return Accept(task, args, 0); }

Result<Word> SysAccept4(Task& task, const SyscallArgs& args) {
  return Accept(task, args, args.Int(3));
}

Result<Word> SysShutdown(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(SocketRef socket, SocketOf(task, args.Fd(0)));
  if (args.Int(1) < SHUT_RD || args.Int(1) > SHUT_RDWR) return Error(EINVAL);
  TRY(socket->Shutdown(args.Int(1)));
  return 0;
}

Result<Word> SysGetsockname(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(SocketRef socket, SocketOf(task, args.Fd(0)));
  TRY_ASSIGN(SocketAddress name, socket->LocalName());
  TRY(CopyOutAddress(task, args.Address(1), args.Address(2), name));
  return 0;
}

Result<Word> SysGetpeername(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(SocketRef socket, SocketOf(task, args.Fd(0)));
  TRY_ASSIGN(SocketAddress name, socket->PeerName());
  TRY(CopyOutAddress(task, args.Address(1), args.Address(2), name));
  return 0;
}

}  // namespace runsc::boot
