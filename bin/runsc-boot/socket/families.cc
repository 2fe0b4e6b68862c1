#include "bin/runsc-boot/socket/families.h"

namespace runsc::boot {

void SocketFamilies::Register(int domain, std::unique_ptr<SocketFamily> family) {
  families_[domain] = std::move(family);
}

Result<SocketFamily*> SocketFamilies::Find(int domain) const {
  auto found = families_.find(domain);
  if (found == families_.end()) return Error(EAFNOSUPPORT);
  return found->second.get();
}

}  // namespace runsc::boot
