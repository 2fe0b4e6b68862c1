#include "bin/runsc-boot/socket/netlink/loopback.h"

#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>

namespace runsc::boot::netlink {
namespace {

constexpr unsigned kLowerUp = 1 << 16;  // IFF_LOWER_UP, which net/if.h lacks

auto IsOf(sa_family_t family) {
  return [family](const InterfaceAddress& address) { return address.family == family; };
}

InterfaceAddress LocalHost(sa_family_t family) {
  InterfaceAddress address;
  address.family = family;
  address.scope = RT_SCOPE_HOST;
  if (family == AF_INET) {
    address.bytes[0] = std::byte{127};
    address.bytes[3] = std::byte{1};
    address.prefix = 8;
    address.label = Loopback::kName;
  } else {
    address.bytes[15] = std::byte{1};
    address.prefix = 128;
  }
  return address;
}

}  // namespace

unsigned Loopback::flags() const {
  absl::MutexLock lock(&mutex_);
  return IFF_LOOPBACK | (up_ ? IFF_UP | IFF_RUNNING | kLowerUp : 0u);
}

bool Loopback::SetUp(bool up) {
  absl::MutexLock lock(&mutex_);
  if (up == up_) return false;
  up_ = up;
  if (!up) {
    std::erase_if(addresses_, IsOf(AF_INET6));
    return true;
  }
  if (std::none_of(addresses_.begin(), addresses_.end(), IsOf(AF_INET))) {
    addresses_.insert(addresses_.begin(), LocalHost(AF_INET));
  }
  const InterfaceAddress six = LocalHost(AF_INET6);
  if (std::none_of(addresses_.begin(), addresses_.end(),
                   [&six](const InterfaceAddress& address) { return address.IsSame(six); })) {
    addresses_.push_back(six);
  }
  return true;
}

std::vector<InterfaceAddress> Loopback::addresses() const {
  absl::MutexLock lock(&mutex_);
  return addresses_;
}

Status Loopback::Add(const InterfaceAddress& address) {
  absl::MutexLock lock(&mutex_);
  if (addresses_.size() >= kMostAddresses) return Error(ENOBUFS);
  for (const InterfaceAddress& known : addresses_) {
    if (known.IsSame(address)) return Error(EEXIST);
  }
  // As Linux: AF_INET first, then the newest of AF_INET6, and ::1 at last.
  auto place = addresses_.end();
  if (address.family == AF_INET || address.scope != RT_SCOPE_HOST) {
    place = std::find_if(addresses_.begin(), addresses_.end(), IsOf(AF_INET6));
  }
  addresses_.insert(place, address);
  return Ok();
}

Status Loopback::Remove(const InterfaceAddress& address) {
  absl::MutexLock lock(&mutex_);
  const auto gone = std::erase_if(
      addresses_, [&address](const InterfaceAddress& known) { return known.IsSame(address); });
  if (gone == 0) return Error(EADDRNOTAVAIL);
  return Ok();
}

}  // namespace runsc::boot::netlink
