// uts_namespaces(7): the names of the machine.
#ifndef RUNSC_BOOT_NAMESPACES_UTS_NAMESPACE_H_
#define RUNSC_BOOT_NAMESPACES_UTS_NAMESPACE_H_

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/auth/namespace.h"

namespace runsc::boot {

class UtsNamespace final : public Namespace {
 public:
  UtsNamespace() : Namespace(NamespaceKind::kUts) {}
  // A copy of `from`.
  UtsNamespace(UserNamespaceRef owner, const UtsNamespace& from);

  std::string hostname() const;
  std::string domainname() const;
  void set_hostname(std::string name);
  void set_domainname(std::string name);

 private:
  mutable absl::Mutex mutex_;  // a leaf
  std::string hostname_ ABSL_GUARDED_BY(mutex_);
  std::string domainname_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_NAMESPACES_UTS_NAMESPACE_H_
