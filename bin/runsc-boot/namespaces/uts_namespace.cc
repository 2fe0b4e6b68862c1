#include "bin/runsc-boot/namespaces/uts_namespace.h"

#include <utility>

namespace runsc::boot {

UtsNamespace::UtsNamespace(UserNamespaceRef owner, const UtsNamespace& from)
    : Namespace(NamespaceKind::kUts, std::move(owner)) {
  set_hostname(from.hostname());
  set_domainname(from.domainname());
}

std::string UtsNamespace::hostname() const {
  absl::MutexLock lock(&mutex_);
  return hostname_;
}

std::string UtsNamespace::domainname() const {
  absl::MutexLock lock(&mutex_);
  return domainname_;
}

void UtsNamespace::set_hostname(std::string name) {
  absl::MutexLock lock(&mutex_);
  hostname_ = std::move(name);
}

void UtsNamespace::set_domainname(std::string name) {
  absl::MutexLock lock(&mutex_);
  domainname_ = std::move(name);
}

}  // namespace runsc::boot
