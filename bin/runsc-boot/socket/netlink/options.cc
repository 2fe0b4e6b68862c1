// getsockopt(2) and setsockopt(2) of netlink sockets.
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "bin/runsc-boot/socket/netlink/netlink_socket.h"
#include "bin/runsc-boot/socket/option_value.h"

namespace runsc::boot {

std::atomic<bool>* NetlinkSocket::SwitchOf(int option) {
  switch (option) {
    case NETLINK_PKTINFO:
      return &packet_info_;
    case NETLINK_NO_ENOBUFS:
      return &no_overflow_error_;
    case NETLINK_CAP_ACK:
      return &short_acks_;
    // What they ask for is said of errors in more detail, or checked more closely:
    // there is no more to say, and no less is accepted.
    case NETLINK_EXT_ACK:
      return &extended_acks_;
    case NETLINK_GET_STRICT_CHK:
      return &strict_checks_;
    default:
      return nullptr;
  }
}

Result<std::vector<std::byte>> NetlinkSocket::GetOption(Caller, int level, int option) {
  if (level == SOL_NETLINK) {
    if (option == NETLINK_LIST_MEMBERSHIPS) return OptionBytes(groups());
    std::atomic<bool>* found = SwitchOf(option);
    if (found == nullptr) return Error(ENOPROTOOPT);
    return OptionBytes(int{found->load(std::memory_order_relaxed)});
  }
  if (level != SOL_SOCKET) return Error(ENOPROTOOPT);
  absl::MutexLock lock(&mutex_);
  switch (option) {
    case SO_SNDBUF:
    case SO_RCVBUF:
      return OptionBytes(static_cast<int>(kCapacity));
    case SO_PASSCRED:
      return OptionBytes(int{pass_credentials_});
    case SO_ERROR:
      return OptionBytes(std::exchange(error_, 0));
    case SO_ACCEPTCONN:
      return OptionBytes(0);
    default:
      return Error(ENOPROTOOPT);
  }
}

Status NetlinkSocket::SetOption(Caller, int level, int option, std::span<const std::byte> value) {
  TRY_ASSIGN(const int wanted, OptionInt(value));
  if (level == SOL_NETLINK) {
    if (option == NETLINK_ADD_MEMBERSHIP || option == NETLINK_DROP_MEMBERSHIP) {
      if (wanted < 1 || wanted > RTNLGRP_MAX) return Error(EINVAL);
      const uint64_t bit = uint64_t{1} << (wanted - 1);
      JoinGroups(option == NETLINK_ADD_MEMBERSHIP ? groups() | bit : groups() & ~bit);
      return Ok();
    }
    std::atomic<bool>* found = SwitchOf(option);
    if (found == nullptr) return Error(ENOPROTOOPT);
    found->store(wanted != 0, std::memory_order_relaxed);
    return Ok();
  }
  if (level != SOL_SOCKET) return Error(ENOPROTOOPT);
  switch (option) {
    case SO_PASSCRED:
      pass_credentials_.store(wanted != 0, std::memory_order_relaxed);
      return Ok();
    case SO_SNDBUF:  // accepted: what is kept is bounded anyway
    case SO_RCVBUF:
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE:
    case SO_REUSEADDR:
      return Ok();
    default:
      return Error(ENOPROTOOPT);
  }
}

}  // namespace runsc::boot
