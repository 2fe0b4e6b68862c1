#include "bin/runsc-boot/vfs/mount.h"

#include <sys/inotify.h>
#include <sys/mount.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/vfs/mount_table.h"

namespace runsc::boot {

MountFlags AccessTimeFlags() { return MS_NOATIME | MS_RELATIME | MS_STRICTATIME | MS_NODIRATIME; }

MountFlags KeptFlags(MountFlags flags) {
  constexpr MountFlags kKept =
      MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW | MS_NODIRATIME;
  MountFlags kept = flags & kKept;
  if ((flags & MS_STRICTATIME) != 0) return kept | MS_STRICTATIME;
  return kept | ((flags & MS_NOATIME) != 0 ? MS_NOATIME : MS_RELATIME);
}

Mount::Mount(int id, FilesystemRef filesystem, DentryRef root, MountFlags flags, std::string source,
             UserNamespaceRef owner)
    : id_(id),
      filesystem_(std::move(filesystem)),
      root_(std::move(root)),
      flags_(KeptFlags(flags)),
      source_(std::move(source)),
      filesystem_owner_(std::move(owner)) {
  filesystem_->mounts_.fetch_add(1);
}

Mount::~Mount() {
  if (filesystem_->mounts_.fetch_sub(1) > 1) return;
  if (filesystem_->watches().active()) filesystem_->watches().End(nullptr, IN_UNMOUNT);
  // Cached names and their directories keep each other.
  DentryRef top = std::move(root_);
  while (DentryRef parent = top->parent()) top = std::move(parent);
  top->Prune();
}

bool Mount::read_only() const { return (flags() & MS_RDONLY) != 0; }

MountNamespace::MountNamespace(MountRef root)
    : Namespace(NamespaceKind::kMount), table_(std::make_shared<MountTable>()) {
  absl::MutexLock lock(&table_->mutex());
  table_->ReserveIds(root->id() + 1);
  root->space_ = this;
  mounts_.push_back(std::move(root));
}

MountNamespace::MountNamespace(UserNamespaceRef owner, std::shared_ptr<MountTable> table)
    : Namespace(NamespaceKind::kMount, std::move(owner)), table_(std::move(table)) {}

MountNamespace::~MountNamespace() {
  std::vector<MountRef> gone;  // dropped without the lock
  absl::MutexLock lock(&table_->mutex());
  gone = mounts_;
  for (auto mount = gone.rbegin(); mount != gone.rend(); ++mount) (void)table_->Remove(**mount);
}

MountRef MountNamespace::root() const {
  absl::MutexLock lock(&table_->mutex());
  return mounts_.front();
}

bool MountNamespace::Contains(const Mount& mount) const {
  absl::MutexLock lock(&table_->mutex());
  return mount.space_ == this;
}

Result<MountRef> MountNamespace::Attach(FilesystemRef filesystem, DentryRef root,
                                        const Path& target, MountFlags flags, std::string source,
                                        UserNamespaceRef owner) {
  TRY(CheckTarget(*root, target));
  MountRef mount;  // outlives the lock
  absl::MutexLock lock(&table_->mutex());
  if (target.mount->space_ != this) return Error(EINVAL);
  const Path place = table_->Top(target);
  mount = std::make_shared<Mount>(table_->NewId(), std::move(filesystem), std::move(root), flags,
                                  std::move(source), std::move(owner));
  TRY(table_->GraftEverywhere({&mount, 1}, place, *this));
  return mount;
}

Status MountNamespace::CheckTarget(const Dentry& root, const Path& target) {
  if (root.is_directory() != target.dentry->is_directory()) return Error(ENOTDIR);
  if (target.dentry->deleted()) return Error(ENOENT);
  // The walk must find this very dentry again, also where lookups are not cached.
  if (DentryRef parent = target.dentry->parent(); parent != nullptr) {
    absl::MutexLock lock(&parent->mutex_);
    parent->children_.insert_or_assign(target.dentry->name(), target.dentry);
  }
  return Ok();
}

Path MountNamespace::Descend(Path path) const {
  if (!path.dentry->is_mount_point()) return path;
  absl::ReaderMutexLock lock(&table_->mutex());
  return table_->Top(std::move(path));
}

bool MountNamespace::Ascend(Path& path) const {
  absl::ReaderMutexLock lock(&table_->mutex());
  bool moved = false;
  while (path.mount != nullptr && path.dentry == path.mount->root() &&
         path.mount->mount_point_.valid()) {
    Path above = path.mount->mount_point_;
    path = std::move(above);
    moved = true;
  }
  return moved;
}

std::vector<MountNamespace::Listed> MountNamespace::List() const {
  absl::MutexLock lock(&table_->mutex());
  std::vector<Listed> result;
  result.reserve(mounts_.size());
  for (const MountRef& mount : mounts_) {
    const Path& place = mount->mount_point_;
    std::string propagation;
    if (mount->peers_ != nullptr) absl::StrAppend(&propagation, " shared:", mount->peers_->id);
    if (mount->master_ != nullptr) absl::StrAppend(&propagation, " master:", mount->master_->id);
    if (mount->unbindable_) propagation += " unbindable";
    // The root lies on what a container cannot see.
    const int parent = place.valid() ? place.mount->id() : 0;
    result.push_back({mount, parent, place, std::move(propagation)});
  }
  return result;
}

std::shared_ptr<MountNamespace> MountNamespace::Clone(const UserNamespaceRef& owner,
                                                      std::span<Path* const> remap) const {
  std::shared_ptr<MountNamespace> result(new MountNamespace(owner, table_));
  absl::flat_hash_map<const Mount*, MountRef> copy_of;
  {
    absl::MutexLock lock(&table_->mutex());
    unsigned relation = MountTable::kKeepUnbindable;
    // What happens to who has fewer rights must not come back.
    if (owner != this->owner()) {
      relation |= MountTable::kSlaveOfOriginal | MountTable::kOfLessPrivileged;
    }
    const std::vector<MountRef> tree = table_->TreeOf(mounts_.front());
    result->mounts_ = table_->CopyTree(tree, mounts_.front()->root(), relation);
    for (size_t i = 0; i < tree.size(); ++i) {
      result->mounts_[i]->space_ = result.get();
      copy_of[tree[i].get()] = result->mounts_[i];
    }
  }
  for (Path* path : remap) {
    auto found = copy_of.find(path->mount.get());
    if (found != copy_of.end()) path->mount = found->second;
  }
  return result;
}

bool MountNamespace::IsFullyVisible(const char* type) const {
  absl::MutexLock lock(&table_->mutex());
  for (const MountRef& mount : mounts_) {
    if (std::string_view(mount->filesystem()->type()) != type) continue;
    if (mount->root()->parent() != nullptr) continue;
    if ((mount->locked_flags_ & MS_RDONLY) != 0) continue;
    const std::vector<Mount*> children = table_->ChildrenOf(*mount);
    const bool hidden = std::any_of(children.begin(), children.end(), [](const Mount* child) {
      return child->locked_ && !child->mount_point_.dentry->inode()->IsPermanentlyEmpty();
    });
    if (!hidden) return true;
  }
  return false;
}

}  // namespace runsc::boot
