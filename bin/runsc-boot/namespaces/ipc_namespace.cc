#include "bin/runsc-boot/namespaces/ipc_namespace.h"

#include "bin/runsc-boot/auth/user_namespace.h"

namespace runsc::boot {
namespace {

// Who does not exist in it has the directory belong to the first root.
std::shared_ptr<mqueue::MqueueFilesystem> MakeMqueue(const UserNamespaceRef& owner) {
  const uid_t uid = owner == nullptr ? 0 : owner->ToKernelUid(0);
  const gid_t gid = owner == nullptr ? 0 : owner->ToKernelGid(0);
  return mqueue::MqueueFilesystem::Make(uid == kNoId ? 0 : uid, gid == kNoId ? 0 : gid);
}

}  // namespace

IpcNamespace::IpcNamespace(UserNamespaceRef owner)
    : Namespace(NamespaceKind::kIpc, std::move(owner)), mqueue_(MakeMqueue(this->owner())) {}

IpcNamespace::IpcNamespace(const First& first)
    : Namespace(NamespaceKind::kIpc), mqueue_(MakeMqueue(first.first_owner)) {}

IpcNamespace::~IpcNamespace() { mqueue_->Close(); }

}  // namespace runsc::boot
