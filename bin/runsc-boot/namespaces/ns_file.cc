#include "bin/runsc-boot/namespaces/ns_file.h"

#include <linux/nsfs.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/namespaces/pid_namespace.h"
#include "bin/runsc-boot/vfs/anonymous.h"

namespace runsc::boot {

namespace {

class NamespaceInode final : public Inode {
 public:
  NamespaceInode(NamespaceFilesystem& filesystem, NamespaceRef target)
      : Inode(filesystem),
        filesystem_(std::static_pointer_cast<NamespaceFilesystem>(filesystem.shared_from_this())),
        target_(std::move(target)) {
    SetType(S_IFREG);
  }

  Result<Attributes> GetAttributes() override {
    Attributes attributes;
    attributes.ino = target_->number();
    attributes.mode = S_IFREG | 0444;
    return attributes;
  }
  Result<FileRef> Open(Context& context, const Path& path, int flags) override {
    if ((flags & O_ACCMODE) != O_RDONLY) return Error(EPERM);
    return FileRef(std::make_shared<NamespaceFile>(path, flags, target_));
  }

 private:
  const std::shared_ptr<NamespaceFilesystem> filesystem_;
  const NamespaceRef target_;
};

bool Owns(const UserNamespace* caller, const UserNamespace* owner) {
  return caller == nullptr || (owner != nullptr && caller->IsAncestorOf(*owner));
}

}  // namespace

Result<struct statfs> NamespaceFilesystem::StatFs() {
  struct statfs result{};
  result.f_type = 0x6e736673;  // NSFS_MAGIC
  result.f_bsize = 4096;
  result.f_frsize = 4096;
  result.f_namelen = 255;
  return result;
}

std::string NamespaceFilesystem::TextOf(const Namespace& target) {
  return absl::StrCat(NameOf(target.kind()), ":[", target.number(), "]");
}

Path NamespaceFilesystem::PathOf(NamespaceRef target) {
  std::string text = TextOf(*target);
  return AnonymousFilesystem::MakePath(std::move(text),
                                       std::make_shared<NamespaceInode>(*this, std::move(target)));
}

Result<int64_t> NamespaceFile::Ioctl(Context& context, uint64_t command, uint64_t argument) {
  switch (command) {
    case NS_GET_NSTYPE:
      return CloneFlagOf(target_->kind());
    case NS_GET_OWNER_UID: {
      if (target_->kind() != NamespaceKind::kUser) return Error(EINVAL);
      const auto& user = static_cast<const UserNamespace&>(*target_);
      const uid_t shown = context.credentials()->ShownUid(user.owner_uid());
      TRY(context.CopyOut(argument, &shown, sizeof(shown)));
      return 0;
    }
    default:
      return Error(ENOTTY);
  }
}

Result<NamespaceRef> NamespaceFile::Related(Context& context, uint64_t command) const {
  const CredentialsRef credentials = context.credentials();
  const UserNamespace* caller = credentials->user_namespace.get();
  if (command == NS_GET_USERNS || target_->kind() == NamespaceKind::kUser) {
    const UserNamespaceRef& owner = target_->owner();
    if (owner == nullptr || !Owns(caller, owner.get())) return Error(EPERM);
    return NamespaceRef(owner);
  }
  if (target_->kind() != NamespaceKind::kPid) return Error(EINVAL);
  const PidNamespaceRef& parent = static_cast<const PidNamespace&>(*target_).parent();
  if (parent == nullptr || !Owns(caller, parent->owner().get())) return Error(EPERM);
  return NamespaceRef(parent);
}

}  // namespace runsc::boot
