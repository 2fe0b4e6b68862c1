// Mounts and mount namespaces (mount_namespaces(7)).
//
// All mounts of a sandbox share one lock and one table, since what happens in a
// namespace propagates to others.
#ifndef RUNSC_BOOT_VFS_MOUNT_H_
#define RUNSC_BOOT_VFS_MOUNT_H_

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/auth/namespace.h"
#include "bin/runsc-boot/vfs/dentry.h"
#include "bin/runsc-boot/vfs/inode.h"
#include "bin/runsc-boot/vfs/path.h"

namespace runsc::boot {

class MountNamespace;
class MountTable;
struct PeerGroup;

// MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME, MS_RELATIME, ...
using MountFlags = unsigned long;

class Mount : public std::enable_shared_from_this<Mount> {
 public:
  // `owner`: the user namespace that has made the file system; null: the first.
  Mount(int id, FilesystemRef filesystem, DentryRef root, MountFlags flags, std::string source,
        UserNamespaceRef owner = nullptr);
  ~Mount();

  int id() const { return id_; }
  const FilesystemRef& filesystem() const { return filesystem_; }
  const DentryRef& root() const { return root_; }
  MountFlags flags() const { return flags_.load(std::memory_order_relaxed); }
  void set_flags(MountFlags flags) { flags_.store(flags, std::memory_order_relaxed); }
  bool read_only() const;
  // As given to mount(2), for /proc/mounts.
  const std::string& source() const { return source_; }
  // Null: the first user namespace. Others' file systems give no devices.
  const UserNamespaceRef& filesystem_owner() const { return filesystem_owner_; }

 private:
  friend class MountNamespace;
  friend class MountTable;

  const int id_;
  const FilesystemRef filesystem_;
  DentryRef root_;
  std::atomic<MountFlags> flags_;
  const std::string source_;
  const UserNamespaceRef filesystem_owner_;

  // --- Guarded by the table's lock.
  // Where it is mounted. Invalid for the root of a namespace, and for those
  // that are mounted nowhere any more.
  Path mount_point_;
  MountNamespace* space_ = nullptr;    // null: nowhere
  std::shared_ptr<PeerGroup> peers_;   // null: not shared
  std::shared_ptr<PeerGroup> master_;  // null: not a slave
  bool unbindable_ = false;
  // Came with the copy of a more privileged namespace: what it covers stays
  // covered, these flags stay set, and those about access times as they are.
  bool locked_ = false;
  MountFlags locked_flags_ = 0;
};

enum class MountPropagation { kShared, kSlave, kPrivate, kUnbindable };

class MountNamespace final : public Namespace {
 public:
  // `root` becomes "/". The first one.
  explicit MountNamespace(MountRef root);
  ~MountNamespace() override;

  MountRef root() const;
  // Mounts `filesystem` (or a part of it for bind mounts: `root`) on `target`,
  // and wherever that propagates to. ENOTDIR, ENOENT, EINVAL (not a place of
  // this namespace), ENOSPC.
  Result<MountRef> Attach(FilesystemRef filesystem, DentryRef root, const Path& target,
                          MountFlags flags, std::string source, UserNamespaceRef owner = nullptr);
  // MS_BIND, MS_BIND | MS_REC. EINVAL: unbindable, or it would uncover what is
  // locked.
  Status Bind(const Path& source, const Path& target, bool recursive);
  // MS_MOVE. EINVAL, ELOOP.
  Status Move(const Path& source, const Path& target);
  // MS_SHARED and the like. EINVAL: not the root of a mount.
  Status SetPropagation(const Path& target, MountPropagation propagation, bool recursive);
  // MS_REMOUNT | MS_BIND. EINVAL; EPERM: locked flags.
  Status SetFlags(const Path& target, MountFlags flags);
  // pivot_root(2) by a caller with the root directory `root`. EINVAL, EBUSY,
  // ENOENT.
  Status Pivot(const Path& new_root, const Path& put_old, const Path& root);
  // EBUSY when it has mounts below it or is in use, and not `lazy`; EINVAL when
  // `target` is not a mount's root, or locked. Who still uses the mount keeps it.
  Status Detach(const Path& target, bool lazy);
  // The top-most mount on `path`, or `path` itself; loops over stacked mounts.
  Path Descend(Path path) const;
  // When `path` is the root of a mount: where that is mounted. False at the root.
  bool Ascend(Path& path) const;
  // True for mounts of this namespace.
  bool Contains(const Mount& mount) const;
  // A whole file system of the type of `example` is in sight here, so that one
  // more reveals nothing (the rule of Linux for proc and sysfs).
  bool IsFullyVisible(const char* type) const;

  // In mount order, with their paths, for /proc/PID/mounts and mountinfo.
  struct Listed {
    MountRef mount;
    int parent_id;
    Path mount_point;
    // As mountinfo has them: "shared:1 master:2", each behind a blank.
    std::string propagation;
  };
  std::vector<Listed> List() const;
  // A copy with mounts of its own, for CLONE_NEWNS and unshare(2). `remap`
  // paths (root and working directory of the caller) are moved to it.
  std::shared_ptr<MountNamespace> Clone(const UserNamespaceRef& owner,
                                        std::span<Path* const> remap) const;

 private:
  friend class MountTable;
  MountNamespace(UserNamespaceRef owner, std::shared_ptr<MountTable> table);
  static Status CheckTarget(const Dentry& root, const Path& target);

  const std::shared_ptr<MountTable> table_;
  // Guarded by the table's lock. The root is the first.
  std::vector<MountRef> mounts_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_MOUNT_H_
