// What mount(2), umount2(2) and pivot_root(2) change in a namespace.
#include <sys/mount.h>

#include <algorithm>
#include <functional>

#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/vfs/mount_table.h"

namespace runsc::boot {

namespace {

// Whether `path` can be reached from `top` by going down.
bool IsReachable(const Path& path, const Path& top,
                 const std::function<Path(const Mount&)>& above) {
  Path place = path;
  while (place.mount != top.mount) {
    Path up = above(*place.mount);
    if (!up.valid()) return false;
    place = std::move(up);
  }
  for (DentryRef dentry = place.dentry; dentry != nullptr; dentry = dentry->parent()) {
    if (dentry == top.dentry) return true;
  }
  return false;
}

}  // namespace

Status MountNamespace::Bind(const Path& source, const Path& target, bool recursive) {
  TRY(CheckTarget(*source.dentry, target));
  std::vector<MountRef> copies;  // outlive the lock
  absl::MutexLock lock(&table_->mutex());
  if (source.mount->space_ != this || target.mount->space_ != this) return Error(EINVAL);
  if (source.mount->unbindable_) return Error(EINVAL);
  const std::vector<MountRef> tree = table_->TreeOf(source.mount);
  if (recursive) {
    copies = table_->CopyTree(tree, source.dentry, MountTable::kLikeOriginal);
  } else {
    for (const MountRef& mount : tree) {
      const Path& place = mount->mount_point_;
      if (mount == source.mount || !mount->locked_ || place.mount != source.mount) continue;
      for (DentryRef up = place.dentry; up != nullptr; up = up->parent()) {
        if (up == source.dentry) return Error(EINVAL);
      }
    }
    copies.push_back(table_->CopyOne(*source.mount, source.dentry, MountTable::kLikeOriginal));
  }
  Status grafted = table_->GraftEverywhere(copies, table_->Top(target), *this);
  if (!grafted.ok()) table_->Discard(copies);
  return grafted;
}

Status MountNamespace::Move(const Path& source, const Path& target) {
  if (source.dentry != source.mount->root()) return Error(EINVAL);
  if (source.dentry->is_directory() != target.dentry->is_directory()) return Error(EINVAL);
  TRY(CheckTarget(*source.dentry, target));
  absl::MutexLock lock(&table_->mutex());
  const MountRef& moved = source.mount;
  if (moved->space_ != this || target.mount->space_ != this) return Error(EINVAL);
  if (!moved->mount_point_.valid() || moved->locked_) return Error(EINVAL);
  if (moved->mount_point_.mount->peers_ != nullptr) return Error(EINVAL);
  const std::vector<MountRef> tree = table_->TreeOf(moved);
  const Path place = table_->Top(target);
  if (place.mount->peers_ != nullptr &&
      std::any_of(tree.begin(), tree.end(), [](const MountRef& m) { return m->unbindable_; })) {
    return Error(EINVAL);
  }
  for (const Mount* up = place.mount.get(); up != nullptr; up = up->mount_point_.mount.get()) {
    if (up == moved.get()) return Error(ELOOP);
  }
  const Path old = moved->mount_point_;
  for (const MountRef& mount : tree) std::erase(mounts_, mount);
  table_->Unhook(*moved);
  Status grafted = table_->GraftEverywhere(tree, place, *this);
  if (!grafted.ok()) table_->Graft(tree, old, *this, /*beneath=*/false);
  return grafted;
}

Status MountNamespace::SetPropagation(const Path& target, MountPropagation propagation,
                                      bool recursive) {
  if (target.dentry != target.mount->root()) return Error(EINVAL);
  absl::MutexLock lock(&table_->mutex());
  if (target.mount->space_ != this) return Error(EINVAL);
  std::vector<MountRef> tree = {target.mount};
  if (recursive) tree = table_->TreeOf(target.mount);
  for (const MountRef& mount : tree) table_->Change(*mount, propagation);
  return Ok();
}

Status MountNamespace::SetFlags(const Path& target, MountFlags flags) {
  if (target.dentry != target.mount->root()) return Error(EINVAL);
  absl::MutexLock lock(&table_->mutex());
  if (target.mount->space_ != this) return Error(EINVAL);
  const MountFlags fresh = KeptFlags(flags), locked = target.mount->locked_flags_;
  const MountFlags times = locked & AccessTimeFlags();
  if ((locked & ~AccessTimeFlags() & ~fresh) != 0) return Error(EPERM);
  if (((target.mount->flags() ^ fresh) & times) != 0) return Error(EPERM);
  target.mount->set_flags(fresh);
  return Ok();
}

Status MountNamespace::Detach(const Path& target, bool lazy) {
  const MountRef& victim = target.mount;
  std::vector<MountRef> gone;  // dropped without the lock
  {
    absl::MutexLock lock(&table_->mutex());
    if (target.dentry != victim->root()) return Error(EINVAL);
    if (victim->space_ != this || victim->locked_) return Error(EINVAL);
    if (victim == mounts_.front()) return Error(lazy ? EINVAL : EBUSY);
    std::vector<MountRef> tree = table_->TreeOf(victim);
    // Known are the caller, the namespace, the table and the list just made.
    constexpr long kOwnReferences = 4;
    if (!lazy && (tree.size() > 1 || victim.use_count() > kOwnReferences)) return Error(EBUSY);
    // The same goes where its place propagates to, unless something is on it.
    const Path place = victim->mount_point_;
    for (Mount* receiver : table_->Receivers(*place.mount)) {
      const MountRef cover = table_->Cover(Path{receiver->shared_from_this(), place.dentry});
      if (cover == nullptr || cover->root() != victim->root()) continue;
      std::vector<MountRef> there = table_->TreeOf(cover);
      if (there.size() == 1 || lazy) tree.insert(tree.end(), there.begin(), there.end());
    }
    for (auto mount = tree.rbegin(); mount != tree.rend(); ++mount) {
      if ((*mount)->space_ != nullptr) gone.push_back(table_->Remove(**mount));
    }
  }
  return Ok();
}

Status MountNamespace::Pivot(const Path& new_root, const Path& put_old, const Path& root) {
  absl::MutexLock lock(&table_->mutex());
  const MountRef& fresh = new_root.mount;
  const MountRef& old = root.mount;
  auto above = [](const Mount& mount) { return mount.mount_point_; };
  auto shared_parent = [](const Mount& mount) {
    return mount.mount_point_.valid() && mount.mount_point_.mount->peers_ != nullptr;
  };
  if (put_old.mount->peers_ != nullptr || shared_parent(*fresh) || shared_parent(*old)) {
    return Error(EINVAL);
  }
  if (old->space_ != this || fresh->space_ != this || fresh->locked_) return Error(EINVAL);
  if (new_root.dentry->deleted()) return Error(ENOENT);
  if (fresh == old || put_old.mount == old) return Error(EBUSY);
  if (root.dentry != old->root() || new_root.dentry != fresh->root()) return Error(EINVAL);
  if (!fresh->mount_point_.valid()) return Error(EINVAL);
  if (!IsReachable(put_old, new_root, above) || !IsReachable(new_root, root, above)) {
    return Error(EINVAL);
  }
  const Path parent = old->mount_point_;
  const Path place = table_->Top(put_old);
  table_->Unhook(*fresh);
  if (old->locked_) {
    fresh->locked_ = true;
    old->locked_ = false;
  }
  if (parent.valid()) {
    table_->Unhook(*old);
    table_->Hook(fresh, parent);
  } else {
    // What the namespace's root lies on is not to be seen; it stays the first.
    const MountRef first = fresh;
    std::erase(mounts_, first);
    mounts_.insert(mounts_.begin(), first);
  }
  table_->Hook(old, place);
  return Ok();
}

}  // namespace runsc::boot
