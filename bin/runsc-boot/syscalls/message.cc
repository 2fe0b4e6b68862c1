// sendto(2), sendmsg(2), sendmmsg(2), recvfrom(2), recvmsg(2), recvmmsg(2)

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>

#include "bin/runsc-boot/mm/user_io.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/control_message.h"
#include "bin/runsc-boot/syscalls/socket_arguments.h"
#include "bin/runsc-boot/syscalls/transfer.h"

namespace runsc::boot {

namespace {

// struct msghdr and struct mmsghdr as the application has them.
struct UserMessage {
  uint64_t name;
  int name_size;
  int padding0;
  uint64_t iov;
  uint64_t iov_count;
  uint64_t control;
  uint64_t control_size;
  int flags;
  int padding1;
};
struct UserMultiMessage {
  UserMessage message;
  unsigned length;
  unsigned padding;
};
constexpr uint64_t kMaxControl = 20480;  // net.core.optmem_max
constexpr unsigned kMaxMessages = 1024;
constexpr int kInternalFlags = 0x40000000;  // MSG_CMSG_CLOEXEC

// A stream takes everything unless it may not wait.
Result<size_t> Send(Task& task, Socket& socket, UserIo& data, OutgoingMessage& message, int flags) {
  const Deadline deadline = SendDeadline(socket);
  const bool nonblock = (flags & MSG_DONTWAIT) != 0 || (socket.flags() & O_NONBLOCK) != 0;
  size_t total = 0;
  while (true) {
    const std::function<Result<size_t>()> attempt = [&] {
      return socket.SendMessage(task.caller(), data, message,
                                flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL));
    };
    Result<size_t> sent =
        nonblock ? attempt() : task.BlockOnFile<size_t>(socket, EPOLLOUT, deadline, attempt);
    if (!sent.ok()) {
      if (sent.code() == EPIPE && (flags & MSG_NOSIGNAL) == 0 && socket.type() != SOCK_DGRAM) {
        RaiseSignal(task, SIGPIPE);
      }
      if (total > 0) return total;
      return EndOfWait(std::move(sent).error(), deadline);
    }
    total += *sent;
    if (nonblock || socket.type() != SOCK_STREAM || data.remaining() == 0 || *sent == 0) {
      return total;
    }
  }
}

Result<size_t> Receive(Task& task, Socket& socket, UserIo& data, IncomingMessage& message,
                       int flags) {
  const Deadline deadline = ReceiveDeadline(socket);
  const bool nonblock = (flags & MSG_DONTWAIT) != 0 || (socket.flags() & O_NONBLOCK) != 0;
  const bool wait_all = (flags & MSG_WAITALL) != 0 && (flags & MSG_PEEK) == 0 &&
                        socket.type() == SOCK_STREAM && !nonblock;
  size_t total = 0;
  while (true) {
    const std::function<Result<size_t>()> attempt = [&] {
      return socket.ReceiveMessage(task.caller(), data, message,
                                   flags & ~(MSG_DONTWAIT | MSG_WAITALL));
    };
    Result<size_t> got =
        nonblock ? attempt() : task.BlockOnFile<size_t>(socket, EPOLLIN, deadline, attempt);
    if (!got.ok()) {
      if (total > 0) return total;
      return EndOfWait(std::move(got).error(), deadline);
    }
    total += *got;
    if (!wait_all || *got == 0 || data.remaining() == 0 || !message.control.empty()) break;
  }
  if ((flags & MSG_TRUNC) != 0 && socket.type() != SOCK_STREAM) return message.full_size;
  return total;
}

Result<size_t> SendOne(Task& task, Socket& socket, const UserMessage& in, int flags) {
  OutgoingMessage message;
  SocketAddress destination;
  if (in.name != 0 && in.name_size != 0) {
    TRY_ASSIGN(destination, CopyInAddress(task, in.name, in.name_size));
    message.destination = &destination;
  }
  TRY_ASSIGN(UserIo data, UserIo::FromIovecs(task.memory(), in.iov, in.iov_count));
  ControlData control;
  if (in.control != 0 && in.control_size > 0) {
    if (in.control_size > kMaxControl) return Error(ENOBUFS);
    std::vector<std::byte> raw(in.control_size);
    TRY(task.CopyIn(in.control, raw.data(), raw.size()));
    TRY_ASSIGN(control, ParseControl(task, raw));
  }
  message.control = &control;
  message.sender = OwnCredentials(task);
  return Send(task, socket, data, message, flags);
}

// `out` is where the application's header lies.
Result<size_t> ReceiveOne(Task& task, Socket& socket, const UserMessage& in, uint64_t out,
                          int flags) {
  if (in.name != 0 && in.name_size < 0) return Error(EINVAL);
  TRY_ASSIGN(UserIo data, UserIo::FromIovecs(task.memory(), in.iov, in.iov_count));
  IncomingMessage message;
  TRY_ASSIGN(size_t size, Receive(task, socket, data, message, flags));
  int result_flags = message.flags | (flags & kInternalFlags);
  const size_t capacity = in.control == 0 ? 0 : std::min(in.control_size, kMaxControl);
  const std::vector<std::byte> control = BuildControl(
      task, std::move(message.control), capacity, (flags & MSG_CMSG_CLOEXEC) != 0, result_flags);
  if (!control.empty()) TRY(task.CopyOut(in.control, control.data(), control.size()));
  if (in.name != 0) {
    const size_t fits = std::min<size_t>(message.source.size, static_cast<size_t>(in.name_size));
    if (fits > 0) TRY(task.CopyOut(in.name, message.source.bytes.data(), fits));
    TRY(task.CopyOutObject(out + offsetof(UserMessage, name_size),
                           static_cast<int>(message.source.size)));
  }
  TRY(task.CopyOutObject(out + offsetof(UserMessage, control_size),
                         static_cast<uint64_t>(control.size())));
  TRY(task.CopyOutObject(out + offsetof(UserMessage, flags), result_flags));
  return size;
}

uint64_t MultiAt(uint64_t base, unsigned index) { return base + index * sizeof(UserMultiMessage); }

// An error behind the first message is left for the next call to find.
template <typename F>
Result<Word> ForEachMessage(Task& task, uint64_t base, unsigned count, F transfer) {
  unsigned done = 0;
  for (; done < std::min(count, kMaxMessages); ++done) {
    const uint64_t at = MultiAt(base, done);
    auto one = [&]() -> Status {
      TRY_ASSIGN(UserMessage in, task.CopyInObject<UserMessage>(at));
      TRY_ASSIGN(size_t size, transfer(in, at, done));
      return task.CopyOutObject(at + offsetof(UserMultiMessage, length),
                                static_cast<unsigned>(size));
    };
    if (Status status = one(); !status.ok()) {
      if (done == 0) return std::move(status).error();
      break;
    }
  }
  return done;
}

}  // namespace

Result<Word> SysSendto(Task& task, const SyscallArgs& args) {
  if (args.Long(2) < 0) return Error(EINVAL);
  TRY_ASSIGN(SocketRef socket, SocketOf(task, args.Fd(0)));
  OutgoingMessage message;
  SocketAddress destination;
  if (args.Address(4) != 0) {
    TRY_ASSIGN(destination, CopyInAddress(task, args.Address(4), args.Int(5)));
    message.destination = &destination;
  }
  message.sender = OwnCredentials(task);
  UserIo data(task.memory(), args.Address(1), args.Size(2));
  TRY_ASSIGN(size_t size, Send(task, *socket, data, message, args.Int(3)));
  return size;
}

Result<Word> SysSendmsg(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(SocketRef socket, SocketOf(task, args.Fd(0)));
  TRY_ASSIGN(UserMessage in, task.CopyInObject<UserMessage>(args.Address(1)));
  TRY_ASSIGN(size_t size, SendOne(task, *socket, in, args.Int(2)));
  return size;
}

Result<Word> SysSendmmsg(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(SocketRef socket, SocketOf(task, args.Fd(0)));
  return ForEachMessage(task, args.Address(1), args.Uint(2),
                        [&](const UserMessage& in, uint64_t, unsigned) {
                          return SendOne(task, *socket, in, args.Int(3));
                        });
}

Result<Word> SysRecvfrom(Task& task, const SyscallArgs& args) {
  if (args.Long(2) < 0) return Error(EINVAL);
  TRY_ASSIGN(SocketRef socket, SocketOf(task, args.Fd(0)));
  UserIo data(task.memory(), args.Address(1), args.Size(2));
  IncomingMessage message;
  TRY_ASSIGN(size_t size, Receive(task, *socket, data, message, args.Int(3)));
  if (args.Address(4) != 0) {
    TRY(CopyOutAddress(task, args.Address(4), args.Address(5), message.source));
  }
  return size;
}

Result<Word> SysRecvmsg(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(SocketRef socket, SocketOf(task, args.Fd(0)));
  TRY_ASSIGN(UserMessage in, task.CopyInObject<UserMessage>(args.Address(1)));
  TRY_ASSIGN(size_t size, ReceiveOne(task, *socket, in, args.Address(1), args.Int(2)));
  return size;
}

Result<Word> SysRecvmmsg(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(SocketRef socket, SocketOf(task, args.Fd(0)));
  TRY_ASSIGN(std::optional<int64_t> timeout, TimeoutFromTimespec(task, args.Address(4)));
  const Deadline deadline = DeadlineAfter(timeout);
  int flags = args.Int(3) & ~MSG_WAITFORONE;
  const bool wait_for_one = (args.Int(3) & MSG_WAITFORONE) != 0;
  return ForEachMessage(task, args.Address(1), args.Uint(2),
                        [&](const UserMessage& in, uint64_t at, unsigned index) {
                          // The time-out is looked at between messages only, as
                          // in Linux.
                          const bool late = deadline && MonotonicNow() >= *deadline;
                          if (index > 0 && (wait_for_one || late)) flags |= MSG_DONTWAIT;
                          return ReceiveOne(task, *socket, in, at, flags);
                        });
}

}  // namespace runsc::boot
