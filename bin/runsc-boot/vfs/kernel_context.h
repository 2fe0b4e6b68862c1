// The context of set-up code and tests: all capabilities, uid and gid 0.
#ifndef RUNSC_BOOT_VFS_KERNEL_CONTEXT_H_
#define RUNSC_BOOT_VFS_KERNEL_CONTEXT_H_

#include <utility>

#include "bin/runsc-boot/vfs/context.h"

namespace runsc::boot {

class KernelContext : public Context {
 public:
  KernelContext() {
    auto root = std::make_shared<Credentials>();
    root->permitted = root->effective = root->bounding = kAllCapabilities;
    credentials_ = std::move(root);
  }
  explicit KernelContext(CredentialsRef credentials) : credentials_(std::move(credentials)) {}
  CredentialsRef credentials() const override { return credentials_; }

 private:
  CredentialsRef credentials_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_KERNEL_CONTEXT_H_
