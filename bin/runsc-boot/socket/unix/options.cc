// getsockopt(2) and setsockopt(2) of unix sockets.
#include <sys/socket.h>

#include <algorithm>

#include "bin/runsc-boot/socket/option_value.h"
#include "bin/runsc-boot/socket/unix/unix_socket.h"

namespace runsc::boot {
namespace {

constexpr size_t kMinBuffer = 4608;        // SOCK_MIN_SNDBUF
constexpr size_t kMaxBuffer = 2 * 212992;  // twice net.core.wmem_max, as Linux doubles

size_t BufferSize(int wanted) {
  return std::clamp<size_t>(static_cast<size_t>(std::max(wanted, 0)) * 2, kMinBuffer, kMaxBuffer);
}

}  // namespace

Result<std::vector<std::byte>> UnixSocket::GetOption(Caller caller, int level, int option) {
  if (level != SOL_SOCKET) return Error(EOPNOTSUPP);
  absl::MutexLock lock(&mutex_);
  switch (option) {
    case SO_PASSCRED:
      return OptionBytes(int{pass_credentials_});
    case SO_PEERCRED:
      return OptionBytes(peer_.value_or(ucred{0, static_cast<uid_t>(-1), static_cast<gid_t>(-1)}));
    case SO_ACCEPTCONN:
      return OptionBytes(int{listening_});
    case SO_SNDBUF:
      return OptionBytes(static_cast<int>(out_ != nullptr ? out_->capacity() : in_->capacity()));
    case SO_RCVBUF:
      return OptionBytes(static_cast<int>(in_->capacity()));
    case SO_LINGER:
      return OptionBytes(linger{0, 0});
    case SO_ERROR:
    case SO_REUSEADDR:
    case SO_KEEPALIVE:
    case SO_BROADCAST:
    case SO_PRIORITY:
    case SO_TIMESTAMP:
    case SO_PASSSEC:
    case SO_OOBINLINE:
      return OptionBytes(0);
    case SO_RCVLOWAT:
    case SO_SNDLOWAT:
      return OptionBytes(1);
    default:
      return Error(ENOPROTOOPT);
  }
}

Status UnixSocket::SetOption(Caller caller, int level, int option,
                             std::span<const std::byte> value) {
  if (level != SOL_SOCKET) return Error(EOPNOTSUPP);
  switch (option) {
    case SO_PASSCRED: {
      TRY_ASSIGN(int enabled, OptionInt(value));
      pass_credentials_ = enabled != 0;
      return Ok();
    }
    case SO_SNDBUF: {
      TRY_ASSIGN(int size, OptionInt(value));
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
      TRY(OptionInt(value));
      return Ok();
    }
    default:
      return Error(ENOPROTOOPT);
  }
}

}  // namespace runsc::boot
