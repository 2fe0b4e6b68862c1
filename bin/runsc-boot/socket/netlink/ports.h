// The port numbers of the netlink sockets of a network namespace and a protocol
// (netlink(7), nl_pid), and who of them listens to which multicast groups.
#ifndef RUNSC_BOOT_SOCKET_NETLINK_PORTS_H_
#define RUNSC_BOOT_SOCKET_NETLINK_PORTS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/result.h"

namespace runsc::boot::netlink {

// A socket, for those who send to it.
class Listener {
 public:
  virtual ~Listener() = default;
  // The groups it has joined, group N as bit N - 1.
  virtual uint64_t groups() const = 0;
  // Queues a message of the kernel; `group` 0: to it alone.
  virtual void Deliver(std::string message, unsigned group) = 0;
};

// Thread-safe; no lock is held while something is delivered.
class Ports {
 public:
  // EADDRINUSE.
  Status Take(uint32_t port, std::weak_ptr<Listener> listener) ABSL_LOCKS_EXCLUDED(mutex_);
  // `wanted`, the caller's process id, or a large number if another has it.
  uint32_t TakeAny(uint32_t wanted, const std::weak_ptr<Listener>& listener)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Release(uint32_t port) ABSL_LOCKS_EXCLUDED(mutex_);
  void Multicast(unsigned group, const std::string& message) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Mutex mutex_;
  std::map<uint32_t, std::weak_ptr<Listener>> listeners_ ABSL_GUARDED_BY(mutex_);
  uint32_t next_ ABSL_GUARDED_BY(mutex_) = 0xffffefff;  // goes down, as in Linux
};

}  // namespace runsc::boot::netlink

#endif  // RUNSC_BOOT_SOCKET_NETLINK_PORTS_H_
