// The loopback device of a network namespace, the only device that there is: its
// state and its addresses, as rtnetlink(7) and netdevice(7) show and change them.
#ifndef RUNSC_BOOT_SOCKET_NETLINK_LOOPBACK_H_
#define RUNSC_BOOT_SOCKET_NETLINK_LOOPBACK_H_

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/result.h"

namespace runsc::boot::netlink {

struct InterfaceAddress {
  sa_family_t family = AF_UNSPEC;     // AF_INET or AF_INET6
  std::array<std::byte, 16> bytes{};  // the first four for AF_INET
  uint8_t prefix = 0;                 // bits
  uint8_t scope = 0;                  // RT_SCOPE_*
  std::string label;                  // AF_INET only

  size_t size() const { return family == AF_INET ? 4 : 16; }
  bool IsSame(const InterfaceAddress& other) const {
    return family == other.family && bytes == other.bytes && prefix == other.prefix;
  }
};

// Thread-safe; its lock is a leaf.
class Loopback {
 public:
  static constexpr int kIndex = 1;
  static constexpr char kName[] = "lo";
  static constexpr int kMtu = 65536, kQueueLength = 1000;
  static constexpr size_t kMostAddresses = 1024;

  // IFF_*: without IFF_UP as long as nobody has set it.
  unsigned flags() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Brings it up, with 127.0.0.1 unless it has an address, and ::1, or down,
  // without addresses of AF_INET6. False: it was so before.
  bool SetUp(bool up) ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<InterfaceAddress> addresses() const ABSL_LOCKS_EXCLUDED(mutex_);
  // EEXIST; ENOBUFS: more than kMostAddresses.
  Status Add(const InterfaceAddress& address) ABSL_LOCKS_EXCLUDED(mutex_);
  // EADDRNOTAVAIL.
  Status Remove(const InterfaceAddress& address) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  bool up_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<InterfaceAddress> addresses_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot::netlink

#endif  // RUNSC_BOOT_SOCKET_NETLINK_LOOPBACK_H_
