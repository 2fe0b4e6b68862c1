// The mounts of a sandbox: who covers what, and how changes propagate
// (mount_namespaces(7), "Shared subtrees").
#ifndef RUNSC_BOOT_VFS_MOUNT_TABLE_H_
#define RUNSC_BOOT_VFS_MOUNT_TABLE_H_

#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/vfs/mount.h"

namespace runsc::boot {

// What a mount keeps of the flags of mount(2). Of those about access times it is
// one of MS_NOATIME, MS_RELATIME (the default) and MS_STRICTATIME, and
// MS_NODIRATIME.
MountFlags KeptFlags(MountFlags flags);
// The mask of those about access times.
MountFlags AccessTimeFlags();

// Mounts that share what happens below them, and those that receive it. A
// mount leaves before it ends, so plain pointers do.
struct PeerGroup {
  explicit PeerGroup(int id) : id(id) {}
  const int id;
  std::vector<Mount*> members;
  std::vector<Mount*> slaves;
};

// Everything here needs the lock.
class MountTable {
 public:
  // As /proc/sys/fs/mount-max, but smaller: memory is boot's.
  static constexpr size_t kMaxMounts = 20'000;

  absl::Mutex& mutex() ABSL_LOCK_RETURNED(mutex_) { return mutex_; }

  MountRef Cover(const Path& place) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // The top of what is stacked on `place`.
  Path Top(Path place) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  std::vector<Mount*> ChildrenOf(const Mount& mount) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // `mount` and all below it, parents first.
  std::vector<MountRef> TreeOf(const MountRef& mount) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  int NewId() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return next_id_++; }
  void ReserveIds(int first) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    next_id_ = std::max(next_id_, first);
  }

  // Puts a tree that is mounted nowhere on `place`; its members join `space`.
  // `beneath`: what covers the place already goes on top of it.
  void Graft(std::span<const MountRef> tree, const Path& place, MountNamespace& space, bool beneath)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes one mount off its place; it stays with its namespace.
  void Unhook(Mount& mount) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Hook(const MountRef& mount, const Path& place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The same for good: it leaves its namespace and its peers. The caller drops
  // the reference without the lock.
  MountRef Remove(Mount& mount) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- Copies
  enum Relation : unsigned {
    kLikeOriginal = 0,     // a peer of a shared mount, a fellow slave of a slave
    kSlaveOfOriginal = 1,  // a slave if the original is shared
    kShared = 2,           // with a group of its own if the original has none
    kKeepUnbindable = 4,   // copy those, too
    kOfLessPrivileged = 8  // locked
  };
  MountRef CopyOne(const Mount& original, const DentryRef& root, unsigned relation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `tree` (parents first) from `root` of its first mount on, not yet mounted.
  std::vector<MountRef> CopyTree(std::span<const MountRef> tree, const DentryRef& root,
                                 unsigned relation) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of a tree that did not find its place. The references outlive the lock.
  void Discard(std::span<const MountRef> tree) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void Lock(Mount& mount, bool whole);

  // --- Propagation
  void MakeShared(Mount& mount) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Join(Mount& mount, const std::shared_ptr<PeerGroup>& peers)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Follow(Mount& mount, std::shared_ptr<PeerGroup> master)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Change(Mount& mount, MountPropagation propagation) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Grafts `tree` on `place` and on all places that this propagates to. ENOSPC.
  Status GraftEverywhere(std::span<const MountRef> tree, const Path& place, MountNamespace& space)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // All mounts that receive what happens on `mount`, itself not included.
  std::vector<Mount*> Receivers(const Mount& mount) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

 private:
  using Key = std::pair<const Mount*, const Dentry*>;
  // Copies `tree` for each receiver below `source`'s group, and remembers where.
  struct Copy {
    std::vector<MountRef> tree;
    Path place;
  };
  void PropagateTo(const PeerGroup& group, const Mount* origin, std::span<const MountRef> tree,
                   const DentryRef& dentry, const UserNamespace* home, std::vector<Copy>& copies)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LeavePeers(Mount& mount) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  absl::flat_hash_map<Key, MountRef> covers_ ABSL_GUARDED_BY(mutex_);
  int next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  int next_group_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_MOUNT_TABLE_H_
