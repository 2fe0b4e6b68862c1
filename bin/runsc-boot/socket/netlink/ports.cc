#include "bin/runsc-boot/socket/netlink/ports.h"

#include <utility>
#include <vector>

namespace runsc::boot::netlink {

Status Ports::Take(uint32_t port, std::weak_ptr<Listener> listener) {
  absl::MutexLock lock(&mutex_);
  if (!listeners_.emplace(port, std::move(listener)).second) return Error(EADDRINUSE);
  return Ok();
}

uint32_t Ports::TakeAny(uint32_t wanted, const std::weak_ptr<Listener>& listener) {
  absl::MutexLock lock(&mutex_);
  uint32_t port = wanted;
  // 0 is the kernel's.
  while (port == 0 || !listeners_.emplace(port, listener).second) port = next_--;
  return port;
}

void Ports::Release(uint32_t port) {
  absl::MutexLock lock(&mutex_);
  listeners_.erase(port);
}

void Ports::Multicast(unsigned group, const std::string& message) {
  std::vector<std::shared_ptr<Listener>> listeners;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [port, known] : listeners_) {
      if (std::shared_ptr<Listener> listener = known.lock()) listeners.push_back(listener);
    }
  }
  for (const std::shared_ptr<Listener>& listener : listeners) {
    if ((listener->groups() >> (group - 1) & 1) != 0) listener->Deliver(message, group);
  }
}

}  // namespace runsc::boot::netlink
