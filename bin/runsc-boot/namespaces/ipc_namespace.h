// ipc_namespaces(7): System V IPC and POSIX message queues.
#ifndef RUNSC_BOOT_NAMESPACES_IPC_NAMESPACE_H_
#define RUNSC_BOOT_NAMESPACES_IPC_NAMESPACE_H_

#include <memory>

#include "bin/runsc-boot/auth/namespace.h"
#include "bin/runsc-boot/fs/mqueue/mqueue_filesystem.h"
#include "bin/runsc-boot/ipc_sysv/message_queues.h"
#include "bin/runsc-boot/ipc_sysv/semaphores.h"
#include "bin/runsc-boot/ipc_sysv/shared_memory.h"

namespace runsc::boot {

class IpcNamespace final : public Namespace {
 public:
  // `origin`: another one of the sandbox; what limits them all is the same.
  IpcNamespace(UserNamespaceRef owner, const IpcNamespace& origin);
  // The first one, whose root is that of `first_owner`.
  struct First {
    const UserNamespaceRef& first_owner;
  };
  explicit IpcNamespace(const First& first);
  ~IpcNamespace() override;

  sysv::Semaphores& semaphores() const { return *semaphores_; }
  sysv::MessageQueues& message_queues() const { return *message_queues_; }
  sysv::SharedMemory& shared_memory() const { return *shared_memory_; }
  const std::shared_ptr<mqueue::MqueueFilesystem>& mqueue() const { return mqueue_; }
  // For what calls hold of boot's memory.
  MemoryBudget& memory_budget() const { return *accounts_.memory; }

 private:
  const mqueue::MqueueFilesystem::Accounts accounts_;
  const std::shared_ptr<sysv::Semaphores> semaphores_ =
      std::make_shared<sysv::Semaphores>(accounts_.memory);
  const std::shared_ptr<sysv::MessageQueues> message_queues_ =
      std::make_shared<sysv::MessageQueues>(accounts_.memory);
  const std::shared_ptr<sysv::SharedMemory> shared_memory_ =
      std::make_shared<sysv::SharedMemory>(accounts_.memory);
  const std::shared_ptr<mqueue::MqueueFilesystem> mqueue_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_NAMESPACES_IPC_NAMESPACE_H_
