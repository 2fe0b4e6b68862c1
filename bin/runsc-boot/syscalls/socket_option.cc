// getsockopt(2), setsockopt(2): the options every family shares; the rest is
// the socket's.

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/control_message.h"
#include "bin/runsc-boot/syscalls/socket_arguments.h"

namespace runsc::boot {

namespace {

constexpr size_t kMaxOption = 64 << 10;

template <typename T>
std::vector<std::byte> BytesOf(const T& value) {
  const auto* raw = reinterpret_cast<const std::byte*>(&value);
  return {raw, raw + sizeof(value)};
}

Result<std::vector<std::byte>> GetOption(Task& task, Socket& socket, int level, int option) {
  if (level == SOL_SOCKET) {
    switch (option) {
      case SO_TYPE:
        return BytesOf(socket.type());
      case SO_DOMAIN:
        return BytesOf(socket.domain());
      case SO_PROTOCOL:
        return BytesOf(socket.protocol());
      case SO_RCVTIMEO:
        return BytesOf(ToTimeval(socket.receive_timeout()));
      case SO_SNDTIMEO:
        return BytesOf(ToTimeval(socket.send_timeout()));
      default:
        break;
    }
  }
  TRY_ASSIGN(std::vector<std::byte> value, socket.GetOption(task.caller(), level, option));
  if (level == SOL_SOCKET && option == SO_PEERCRED && value.size() == sizeof(ucred)) {
    ucred peer;
    memcpy(&peer, value.data(), sizeof(peer));
    // No peer, no ids.
    if (peer.pid != 0) return BytesOf(AsShownTo(task, peer));
  }
  return value;
}

// A negative time means "at once" to Linux; what is too long means for ever.
Result<int64_t> TimeoutOption(std::span<const std::byte> value) {
  timeval time;
  if (value.size() < sizeof(time)) return Error(EINVAL);
  memcpy(&time, value.data(), sizeof(time));
  if (time.tv_usec < 0 || time.tv_usec >= 1'000'000) return Error(EDOM);
  if (time.tv_sec < 0) return int64_t{1};
  return ToNanoseconds({time.tv_sec, time.tv_usec * 1000});
}

}  // namespace

Result<Word> SysGetsockopt(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(SocketRef socket, SocketOf(task, args.Fd(0)));
  TRY_ASSIGN(int capacity, task.CopyInObject<int>(args.Address(4)));
  if (capacity < 0) return Error(EINVAL);
  TRY_ASSIGN(std::vector<std::byte> value, GetOption(task, *socket, args.Int(1), args.Int(2)));
  const size_t size = std::min(value.size(), static_cast<size_t>(capacity));
  if (size > 0) TRY(task.CopyOut(args.Address(3), value.data(), size));
  TRY(task.CopyOutObject(args.Address(4), static_cast<int>(size)));
  return 0;
}

Result<Word> SysSetsockopt(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(SocketRef socket, SocketOf(task, args.Fd(0)));
  if (args.Int(4) < 0 || static_cast<size_t>(args.Int(4)) > kMaxOption) return Error(EINVAL);
  std::vector<std::byte> value(static_cast<size_t>(args.Int(4)));
  if (!value.empty()) TRY(task.CopyIn(args.Address(3), value.data(), value.size()));
  if (args.Int(1) == SOL_SOCKET && args.Int(2) == SO_RCVTIMEO) {
    TRY_ASSIGN(int64_t timeout, TimeoutOption(value));
    socket->set_receive_timeout(timeout);
    return 0;
  }
  if (args.Int(1) == SOL_SOCKET && args.Int(2) == SO_SNDTIMEO) {
    TRY_ASSIGN(int64_t timeout, TimeoutOption(value));
    socket->set_send_timeout(timeout);
    return 0;
  }
  TRY(socket->SetOption(task.caller(), args.Int(1), args.Int(2), value));
  return 0;
}

}  // namespace runsc::boot
