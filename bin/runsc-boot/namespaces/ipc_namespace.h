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
  explicit IpcNamespace(UserNamespaceRef owner);
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

 private:
  const std::shared_ptr<sysv::Semaphores> semaphores_ = std::make_shared<sysv::Semaphores>();
  const std::shared_ptr<sysv::MessageQueues> message_queues_ =
      std::make_shared<sysv::MessageQueues>();
  const std::shared_ptr<sysv::SharedMemory> shared_memory_ = std::make_shared<sysv::SharedMemory>();
  const std::shared_ptr<mqueue::MqueueFilesystem> mqueue_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_NAMESPACES_IPC_NAMESPACE_H_
