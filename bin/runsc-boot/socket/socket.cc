#include "bin/runsc-boot/socket/socket.h"

#include <algorithm>
#include <cstring>

namespace runsc::boot {

sa_family_t SocketAddress::family() const {
  sa_family_t family = AF_UNSPEC;
  if (size >= sizeof(family)) memcpy(&family, bytes.data(), sizeof(family));
  return family;
}

SocketAddress SocketAddress::From(const void* data, size_t size) {
  SocketAddress address;
  address.size = std::min(size, address.bytes.size());
  if (address.size > 0) memcpy(address.bytes.data(), data, address.size);
  return address;
}

}  // namespace runsc::boot
