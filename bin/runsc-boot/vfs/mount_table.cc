#include "bin/runsc-boot/vfs/mount_table.h"

#include <sys/mount.h>

#include <algorithm>

#include "bin/runsc-boot/auth/user_namespace.h"

namespace runsc::boot {

namespace {

bool IsBelow(const DentryRef& root, DentryRef dentry) {
  for (; dentry != nullptr; dentry = dentry->parent()) {
    if (dentry == root) return true;
  }
  return false;
}

}  // namespace

MountRef MountTable::Cover(const Path& place) const {
  auto found = covers_.find(Key(place.mount.get(), place.dentry.get()));
  return found == covers_.end() ? nullptr : found->second;
}

Path MountTable::Top(Path place) const {
  for (MountRef cover = Cover(place); cover != nullptr; cover = Cover(place)) {
    place = Path{cover, cover->root()};
  }
  return place;
}

std::vector<Mount*> MountTable::ChildrenOf(const Mount& mount) const {
  std::vector<Mount*> children;
  if (mount.space_ == nullptr) return children;
  for (const MountRef& other : mount.space_->mounts_) {
    if (other->mount_point_.mount.get() == &mount) children.push_back(other.get());
  }
  return children;
}

std::vector<MountRef> MountTable::TreeOf(const MountRef& mount) const {
  std::vector<MountRef> tree = {mount};
  for (size_t i = 0; i < tree.size(); ++i) {
    for (Mount* child : ChildrenOf(*tree[i])) tree.push_back(child->shared_from_this());
  }
  return tree;
}

void MountTable::Hook(const MountRef& mount, const Path& place) {
  mount->mount_point_ = place;
  covers_[Key(place.mount.get(), place.dentry.get())] = mount;
  place.dentry->mounts_here_.fetch_add(1);
}

void MountTable::Unhook(Mount& mount) {
  Path& place = mount.mount_point_;
  if (!place.valid()) return;
  place.dentry->mounts_here_.fetch_sub(1);
  auto found = covers_.find(Key(place.mount.get(), place.dentry.get()));
  if (found != covers_.end() && found->second.get() == &mount) covers_.erase(found);
  place = Path{};
}

void MountTable::Graft(std::span<const MountRef> tree, const Path& place, MountNamespace& space,
                       bool beneath) {
  const MountRef above = beneath ? Cover(place) : nullptr;
  const MountRef& top = tree.front();
  if (above != nullptr) {
    Unhook(*above);
    Hook(above, Path{top, top->root()});
  }
  Hook(top, place);
  for (const MountRef& mount : tree) {
    mount->space_ = &space;
    space.mounts_.push_back(mount);
  }
}

MountRef MountTable::Remove(Mount& mount) {
  Unhook(mount);
  MountRef self = mount.shared_from_this();
  LeavePeers(mount);
  Follow(mount, nullptr);
  if (mount.space_ != nullptr) {
    std::vector<MountRef>& mounts = mount.space_->mounts_;
    auto position = std::find(mounts.begin(), mounts.end(), self);
    if (position != mounts.end()) mounts.erase(position);
    mount.space_ = nullptr;
  }
  return self;
}

void MountTable::Lock(Mount& mount, bool whole) {
  constexpr MountFlags kLockable = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  mount.locked_flags_ |= (mount.flags() & kLockable) | AccessTimeFlags();
  if (whole) mount.locked_ = true;
}

MountRef MountTable::CopyOne(const Mount& original, const DentryRef& root, unsigned relation) {
  auto copy = std::make_shared<Mount>(NewId(), original.filesystem(), root, original.flags(),
                                      original.source(), original.filesystem_owner());
  copy->locked_flags_ = original.locked_flags_;
  copy->unbindable_ = original.unbindable_ && (relation & kKeepUnbindable) != 0;
  if ((relation & kSlaveOfOriginal) != 0 && original.peers_ != nullptr) {
    Follow(*copy, original.peers_);
  } else {
    if (original.peers_ != nullptr) Join(*copy, original.peers_);
    if (original.master_ != nullptr) Follow(*copy, original.master_);
  }
  if ((relation & kShared) != 0 && copy->peers_ == nullptr) MakeShared(*copy);
  return copy;
}

std::vector<MountRef> MountTable::CopyTree(std::span<const MountRef> tree, const DentryRef& root,
                                           unsigned relation) {
  std::vector<MountRef> copies = {CopyOne(*tree.front(), root, relation)};
  absl::flat_hash_map<const Mount*, MountRef> copy_of = {{tree.front().get(), copies.front()}};
  for (const MountRef& original : tree.subspan(1)) {
    const Path& place = original->mount_point_;
    auto parent = copy_of.find(place.mount.get());
    if (parent == copy_of.end()) continue;
    if (place.mount == tree.front() && !IsBelow(root, place.dentry)) continue;
    if (original->unbindable_ && (relation & kKeepUnbindable) == 0) continue;
    MountRef copy = CopyOne(*original, original->root(), relation);
    copy->locked_ = original->locked_;
    Hook(copy, Path{parent->second, place.dentry});
    copy_of[original.get()] = copy;
    copies.push_back(std::move(copy));
  }
  if ((relation & kOfLessPrivileged) != 0) {
    for (size_t i = 0; i < copies.size(); ++i) Lock(*copies[i], /*whole=*/i > 0);
  }
  return copies;
}

void MountTable::Discard(std::span<const MountRef> tree) {
  for (auto mount = tree.rbegin(); mount != tree.rend(); ++mount) (void)Remove(**mount);
}

// --- Propagation

void MountTable::MakeShared(Mount& mount) {
  if (mount.peers_ != nullptr) return;
  mount.unbindable_ = false;
  Join(mount, std::make_shared<PeerGroup>(next_group_++));
}

void MountTable::Join(Mount& mount, const std::shared_ptr<PeerGroup>& peers) {
  peers->members.push_back(&mount);
  mount.peers_ = peers;
}

void MountTable::Follow(Mount& mount, std::shared_ptr<PeerGroup> master) {
  if (mount.master_ != nullptr) std::erase(mount.master_->slaves, &mount);
  if (master != nullptr) master->slaves.push_back(&mount);
  mount.master_ = std::move(master);
}

// The slaves of a group that ends follow its master.
void MountTable::LeavePeers(Mount& mount) {
  const std::shared_ptr<PeerGroup> group = std::move(mount.peers_);
  mount.peers_.reset();
  if (group == nullptr) return;
  std::erase(group->members, &mount);
  if (!group->members.empty()) return;
  const std::vector<Mount*> slaves = group->slaves;
  for (Mount* slave : slaves) Follow(*slave, mount.master_);
}

void MountTable::Change(Mount& mount, MountPropagation propagation) {
  if (propagation == MountPropagation::kShared) return MakeShared(mount);
  const std::shared_ptr<PeerGroup> group = mount.peers_;
  LeavePeers(mount);
  if (propagation == MountPropagation::kSlave) {
    if (group != nullptr && !group->members.empty()) Follow(mount, group);
    mount.unbindable_ = false;
    return;
  }
  Follow(mount, nullptr);
  mount.unbindable_ = propagation == MountPropagation::kUnbindable;
}

std::vector<Mount*> MountTable::Receivers(const Mount& mount) const {
  std::vector<Mount*> result;
  std::vector<const PeerGroup*> groups;
  if (mount.peers_ != nullptr) groups.push_back(mount.peers_.get());
  for (size_t i = 0; i < groups.size(); ++i) {
    for (Mount* member : groups[i]->members) {
      if (member != &mount) result.push_back(member);
    }
    for (Mount* slave : groups[i]->slaves) {
      const PeerGroup* group = slave->peers_.get();
      if (group == nullptr) {
        result.push_back(slave);
      } else if (std::find(groups.begin(), groups.end(), group) == groups.end()) {
        groups.push_back(group);
      }
    }
  }
  return result;
}

void MountTable::PropagateTo(const PeerGroup& group, const Mount* origin,
                             std::span<const MountRef> tree, const DentryRef& dentry,
                             const UserNamespace* home, std::vector<Copy>& copies) {
  auto copy_for = [&](Mount& receiver, unsigned relation) -> bool {
    mutex_.AssertHeld();  // the analysis does not look into lambdas
    if (receiver.space_ == nullptr || !IsBelow(receiver.root(), dentry)) return false;
    if (receiver.space_->owner().get() != home) relation |= kOfLessPrivileged;
    copies.push_back({CopyTree(tree, tree.front()->root(), relation),
                      Path{receiver.shared_from_this(), dentry}});
    return true;
  };
  for (Mount* member : group.members) {
    if (member != origin) copy_for(*member, kShared);
  }
  std::vector<const PeerGroup*> done;
  for (Mount* slave : group.slaves) {
    const PeerGroup* peers = slave->peers_.get();
    if (peers == nullptr) {
      copy_for(*slave, kSlaveOfOriginal);
      continue;
    }
    if (std::find(done.begin(), done.end(), peers) != done.end()) continue;
    done.push_back(peers);
    if (!copy_for(*slave, kSlaveOfOriginal | kShared)) continue;
    // Its peers get copies of its copy, and so do their slaves.
    const std::vector<MountRef> copy = copies.back().tree;
    PropagateTo(*peers, slave, copy, dentry, home, copies);
  }
}

Status MountTable::GraftEverywhere(std::span<const MountRef> tree, const Path& place,
                                   MountNamespace& space) {
  std::vector<Copy> copies;
  if (const std::shared_ptr<PeerGroup> group = place.mount->peers_; group != nullptr) {
    const size_t total = (Receivers(*place.mount).size() + 1) * tree.size();
    if (space.mounts_.size() + total > kMaxMounts) return Error(ENOSPC);
    for (const MountRef& mount : tree) MakeShared(*mount);
    Graft(tree, place, space, /*beneath=*/false);
    PropagateTo(*group, place.mount.get(), tree, place.dentry, space.owner().get(), copies);
  } else {
    if (space.mounts_.size() + tree.size() > kMaxMounts) return Error(ENOSPC);
    Graft(tree, place, space, /*beneath=*/false);
  }
  for (Copy& copy : copies) {
    MountNamespace& receiver = *copy.place.mount->space_;
    Graft(copy.tree, copy.place, receiver, /*beneath=*/true);
  }
  return Ok();
}

}  // namespace runsc::boot
