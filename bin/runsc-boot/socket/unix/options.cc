// getsockopt(2) and setsockopt(2) of unix sockets.
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "bin/runsc-boot/socket/unix/unix_socket.h"

namespace runsc::boot {
namespace {

constexpr size_t kMinBuffer = 4608;        // SOCK_MIN_SNDBUF
constexpr size_t kMaxBuffer = 2 * 212992;  // twice net.core.wmem_max, as Linux doubles

template <typename T>
std::vector<std::byte> Bytes(const T& value) {
  std::vector<std::byte> bytes(sizeof value);
  memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

Result<int> IntOf(std::span<const std::byte> value) {
  int result;
  if (value.size() < sizeof result) return Error(EINVAL);
  memcpy(&result, value.data(), sizeof result);
  return result;
}

size_t BufferSize(int wanted) {
  return std::clamp<size_t>(static_cast<size_t>(std::max(wanted, 0)) * 2, kMinBuffer, kMaxBuffer);
}

}  // namespace

Result<std::vector<std::byte>> UnixSocket::GetOption(Caller caller, int level, int option) {
  if (level != SOL_SOCKET) return Error(EOPNOTSUPP);
  absl::MutexLock lock(&mutex_);
  switch (option) {
    case SO_PASSCRED:
      return Bytes(int{pass_credentials_});
    case SO_PEERCRED:
      return Bytes(peer_.value_or(ucred{0, static_cast<uid_t>(-1), static_cast<gid_t>(-1)}));
    case SO_ACCEPTCONN:
      return Bytes(int{listening_});
    case SO_SNDBUF:
      return Bytes(static_cast<int>(out_ != nullptr ? out_->capacity() : in_->capacity()));
    case SO_RCVBUF:
      return Bytes(static_cast<int>(in_->capacity()));
    case SO_LINGER:
      return Bytes(linger{0, 0});
    case SO_ERROR:
    case SO_REUSEADDR:
    case SO_KEEPALIVE:
    case SO_BROADCAST:
    case SO_PRIORITY:
    case SO_TIMESTAMP:
    case SO_PASSSEC:
    case SO_OOBINLINE:
      return Bytes(0);
    case SO_RCVLOWAT:
    case SO_SNDLOWAT:
      return Bytes(1);
    default:
      return Error(ENOPROTOOPT);
  }
}

Status UnixSocket::SetOption(Caller caller, int level, int option,
                             std::span<const std::byte> value) {
  if (level != SOL_SOCKET) return Error(EOPNOTSUPP);
  switch (option) {
    case SO_PASSCRED: {
      TRY_ASSIGN(int enabled, IntOf(value));
      pass_credentials_ = enabled != 0;
      return Ok();
    }
    case SO_SNDBUF: {
      TRY_ASSIGN(int size, IntOf(value));
      absl::MutexLock lock(&mutex_);
      // What is sent lies in the peer's queue.
      if (out_ != nullptr && connection_based()) out_->set_capacity(BufferSize(size));
      return Ok();
    }
    // Accepted for programs that set them on every socket.
    case SO_RCVBUF:
    case SO_REUSEADDR:
    case SO_KEEPALIVE:
    case SO_BROADCAST:
    case SO_PRIORITY:
    case SO_TIMESTAMP:
    case SO_LINGER:
    case SO_OOBINLINE:
    case SO_RCVLOWAT: {
      TRY(IntOf(value));
      return Ok();
    }
    default:
      return Error(ENOPROTOOPT);
  }
}

}  // namespace runsc::boot
