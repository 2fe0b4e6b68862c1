#include "bin/runsc-boot/vfs/mount.h"

#include <sys/inotify.h>
#include <sys/mount.h>

#include <algorithm>
#include <utility>

namespace runsc::boot {

Mount::Mount(int id, FilesystemRef filesystem, DentryRef root, MountFlags flags, std::string source)
    : id_(id),
      filesystem_(std::move(filesystem)),
      root_(std::move(root)),
      flags_(flags),
      source_(std::move(source)) {
  filesystem_->mounts_.fetch_add(1);
}

Mount::~Mount() {
  if (filesystem_->mounts_.fetch_sub(1) > 1 || !filesystem_->watches().active()) return;
  filesystem_->watches().End(nullptr, IN_UNMOUNT);
}

bool Mount::read_only() const { return (flags() & MS_RDONLY) != 0; }

MountNamespace::MountNamespace(MountRef root) {
  absl::MutexLock lock(&mutex_);
  next_id_ = root->id() + 1;
  mounts_.push_back(std::move(root));
}

MountNamespace::~MountNamespace() {
  absl::MutexLock lock(&mutex_);
  for (const MountRef& mount : mounts_) {
    if (mount->mount_point_.valid()) mount->mount_point_.dentry->mounts_here_.fetch_sub(1);
  }
}

MountRef MountNamespace::root() const {
  absl::MutexLock lock(&mutex_);
  return mounts_.front();
}

void MountNamespace::AttachLocked(MountRef mount, const Path& target) {
  mount->mount_point_ = target;
  covers_[Key(target.mount.get(), target.dentry.get())] = mount;
  target.dentry->mounts_here_.fetch_add(1);
  mounts_.push_back(std::move(mount));
}

Result<MountRef> MountNamespace::Attach(FilesystemRef filesystem, DentryRef root,
                                        const Path& target, MountFlags flags, std::string source) {
  if (root->is_directory() != target.dentry->is_directory()) return Error(ENOTDIR);
  if (target.dentry->deleted()) return Error(ENOENT);
  // The walk must find this very dentry again, also where lookups are not cached.
  if (DentryRef parent = target.dentry->parent(); parent != nullptr) {
    absl::MutexLock lock(&parent->mutex_);
    parent->children_.insert_or_assign(target.dentry->name(), target.dentry);
  }
  absl::MutexLock lock(&mutex_);
  Path place = target;
  for (auto found = covers_.find(Key(place.mount.get(), place.dentry.get()));
       found != covers_.end(); found = covers_.find(Key(place.mount.get(), place.dentry.get()))) {
    place = Path{found->second, found->second->root()};
  }
  auto mount = std::make_shared<Mount>(next_id_++, std::move(filesystem), std::move(root), flags,
                                       std::move(source));
  AttachLocked(mount, place);
  return mount;
}

void MountNamespace::DetachLocked(const MountRef& mount) {
  Path& place = mount->mount_point_;
  place.dentry->mounts_here_.fetch_sub(1);
  covers_.erase(Key(place.mount.get(), place.dentry.get()));
  mounts_.erase(std::find(mounts_.begin(), mounts_.end(), mount));
}

Status MountNamespace::Detach(const Path& target, bool lazy) {
  MountRef victim = target.mount;
  {
    absl::MutexLock lock(&mutex_);
    if (target.dentry != victim->root()) return Error(EINVAL);
    if (std::find(mounts_.begin(), mounts_.end(), victim) == mounts_.end()) return Error(EINVAL);
    if (victim == mounts_.front()) return Error(lazy ? EINVAL : EBUSY);
    // Mounts below, and below those, go first.
    std::vector<MountRef> tree = {victim};
    for (size_t i = 0; i < tree.size(); ++i) {
      for (const MountRef& mount : mounts_) {
        if (mount->mount_point_.mount == tree[i]) tree.push_back(mount);
      }
    }
    if (tree.size() > 1 && !lazy) return Error(EBUSY);
    for (auto mount = tree.rbegin(); mount != tree.rend(); ++mount) DetachLocked(*mount);
  }
  victim->root()->Prune();
  return Ok();
}

Path MountNamespace::Descend(Path path) const {
  if (!path.dentry->is_mount_point()) return path;
  absl::MutexLock lock(&mutex_);
  while (path.dentry->is_mount_point()) {
    auto found = covers_.find(Key(path.mount.get(), path.dentry.get()));
    if (found == covers_.end()) break;
    path = Path{found->second, found->second->root()};
  }
  return path;
}

bool MountNamespace::Ascend(Path& path) const {
  absl::MutexLock lock(&mutex_);
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
  absl::MutexLock lock(&mutex_);
  std::vector<Listed> result;
  result.reserve(mounts_.size());
  for (const MountRef& mount : mounts_) {
    const Path& place = mount->mount_point_;
    result.push_back({mount, place.valid() ? place.mount->id() : 0, place});
  }
  return result;
}

std::shared_ptr<MountNamespace> MountNamespace::Clone(std::span<Path* const> remap) const {
  absl::MutexLock lock(&mutex_);
  absl::flat_hash_map<const Mount*, MountRef> copies;
  auto copy_of = [&](const MountRef& mount, int id) {
    auto copy = std::make_shared<Mount>(id, mount->filesystem(), mount->root(), mount->flags(),
                                        mount->source());
    copies[mount.get()] = copy;
    return copy;
  };
  auto result = std::make_shared<MountNamespace>(copy_of(mounts_.front(), mounts_.front()->id()));
  {
    absl::MutexLock result_lock(&result->mutex_);
    // In mount order, so that what a mount lies on has been copied before it.
    for (size_t i = 1; i < mounts_.size(); ++i) {
      const Path& place = mounts_[i]->mount_point_;
      auto below = copies.find(place.mount.get());
      if (below == copies.end()) continue;
      Path target{below->second, place.dentry};
      result->AttachLocked(copy_of(mounts_[i], mounts_[i]->id()), target);
    }
    result->next_id_ = next_id_;
  }
  for (Path* path : remap) {
    auto found = copies.find(path->mount.get());
    if (found != copies.end()) path->mount = found->second;
  }
  return result;
}

}  // namespace runsc::boot
