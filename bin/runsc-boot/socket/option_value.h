// The values of getsockopt(2) and setsockopt(2) as bytes.
#ifndef RUNSC_BOOT_SOCKET_OPTION_VALUE_H_
#define RUNSC_BOOT_SOCKET_OPTION_VALUE_H_

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "common/result.h"

namespace runsc::boot {

template <typename T>
std::vector<std::byte> OptionBytes(const T& value) {
  std::vector<std::byte> bytes(sizeof value);
  memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

// EINVAL: too short.
inline Result<int> OptionInt(std::span<const std::byte> value) {
  int result;
  if (value.size() < sizeof result) return Error(EINVAL);
  memcpy(&result, value.data(), sizeof result);
  return result;
}

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SOCKET_OPTION_VALUE_H_
