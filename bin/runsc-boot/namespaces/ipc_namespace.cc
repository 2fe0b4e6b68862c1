#include "bin/runsc-boot/namespaces/ipc_namespace.h"

#include "bin/runsc-boot/auth/user_namespace.h"

namespace runsc::boot {
namespace {

// Who does not exist in it has the directory belong to the first root.
std::shared_ptr<mqueue::MqueueFilesystem> MakeMqueue(const UserNamespaceRef& owner,
                                                     mqueue::MqueueFilesystem::Accounts accounts) {
  const uid_t uid = owner == nullptr ? 0 : owner->ToKernelUid(0);
  const gid_t gid = owner == nullptr ? 0 : owner->ToKernelGid(0);
  return mqueue::MqueueFilesystem::Make(uid == kNoId ? 0 : uid, gid == kNoId ? 0 : gid,
                                        std::move(accounts));
}

}  // namespace

IpcNamespace::IpcNamespace(UserNamespaceRef owner, const IpcNamespace& origin)
    : Namespace(NamespaceKind::kIpc, std::move(owner)),
      accounts_(origin.accounts_),
      mqueue_(MakeMqueue(this->owner(), accounts_)) {}

IpcNamespace::IpcNamespace(const First& first)
    : Namespace(NamespaceKind::kIpc),
      accounts_{std::make_shared<MemoryBudget>(), std::make_shared<mqueue::Quota>()},
      mqueue_(MakeMqueue(first.first_owner, accounts_)) {}

IpcNamespace::~IpcNamespace() { mqueue_->Close(); }

}  // namespace runsc::boot
