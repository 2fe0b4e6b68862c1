// What the calls of System V IPC have in common.
#ifndef RUNSC_BOOT_SYSCALLS_IPC_ARGUMENTS_H_
#define RUNSC_BOOT_SYSCALLS_IPC_ARGUMENTS_H_

#include <memory>

#include "bin/runsc-boot/ipc_sysv/permissions.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/namespaces/ipc_namespace.h"

namespace runsc::boot {

// The caller's ipc namespace, and itself as its objects see it. Kept for the
// whole call.
class IpcContext {
 public:
  explicit IpcContext(Task& task)
      : space_(task.namespaces()->ipc), credentials_(task.credentials()), pid_(task.tgid()) {}

  IpcNamespace* operator->() const { return space_.get(); }
  sysv::Caller caller() const { return {*credentials_, *space_->owner(), pid_}; }
  const Credentials& credentials() const { return *credentials_; }

 private:
  const std::shared_ptr<IpcNamespace> space_;
  const CredentialsRef credentials_;
  const pid_t pid_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SYSCALLS_IPC_ARGUMENTS_H_
