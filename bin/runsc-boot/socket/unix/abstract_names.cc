#include "bin/runsc-boot/socket/unix/abstract_names.h"

#include "absl/strings/str_format.h"

namespace runsc::boot {

Status AbstractNames::Bind(const std::string& name, const std::shared_ptr<UnixSocket>& socket) {
  absl::MutexLock lock(&mutex_);
  std::weak_ptr<UnixSocket>& entry = sockets_[name];
  if (!entry.expired()) return Error(EADDRINUSE);
  entry = socket;
  return Ok();
}

std::string AbstractNames::BindAny(const std::shared_ptr<UnixSocket>& socket) {
  absl::MutexLock lock(&mutex_);
  while (true) {
    std::string name = absl::StrFormat("%05x", next_++ & 0xfffff);
    std::weak_ptr<UnixSocket>& entry = sockets_[name];
    if (!entry.expired()) continue;
    entry = socket;
    return name;
  }
}

void AbstractNames::Forget(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  auto found = sockets_.find(name);
  if (found != sockets_.end() && found->second.expired()) sockets_.erase(found);
}

std::shared_ptr<UnixSocket> AbstractNames::Find(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  auto found = sockets_.find(name);
  return found == sockets_.end() ? nullptr : found->second.lock();
}

}  // namespace runsc::boot
