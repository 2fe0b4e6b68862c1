// Mounts and mount namespaces (mount_namespaces(7)).
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
#include "bin/runsc-boot/vfs/dentry.h"
#include "bin/runsc-boot/vfs/inode.h"
#include "bin/runsc-boot/vfs/path.h"

namespace runsc::boot {

// MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME, MS_RELATIME, ...
using MountFlags = unsigned long;

class Mount : public std::enable_shared_from_this<Mount> {
 public:
  Mount(int id, FilesystemRef filesystem, DentryRef root, MountFlags flags, std::string source);

  ~Mount();
  int id() const { return id_; }
  const FilesystemRef& filesystem() const { return filesystem_; }
  const DentryRef& root() const { return root_; }
  MountFlags flags() const { return flags_.load(std::memory_order_relaxed); }
  void set_flags(MountFlags flags) { flags_.store(flags, std::memory_order_relaxed); }
  bool read_only() const;
  // As given to mount(2), for /proc/mounts.
  const std::string& source() const { return source_; }

 private:
  friend class MountNamespace;
  const int id_;
  const FilesystemRef filesystem_;
  const DentryRef root_;
  std::atomic<MountFlags> flags_;
  const std::string source_;
  // Where it is mounted; guarded by the namespace's lock. Invalid for the root.
  Path mount_point_;
};

class MountNamespace {
 public:
  // `root` becomes "/".
  explicit MountNamespace(MountRef root);
  ~MountNamespace();
  MountNamespace(const MountNamespace&) = delete;
  MountNamespace& operator=(const MountNamespace&) = delete;

  MountRef root() const;
  // Mounts `filesystem` (or a part of it for bind mounts: `root`) on `target`.
  Result<MountRef> Attach(FilesystemRef filesystem, DentryRef root, const Path& target,
                          MountFlags flags, std::string source);
  // EBUSY when it has mounts below it and not `lazy`; EINVAL when `target` is
  // not a mount's root. Who still uses the mount keeps it.
  Status Detach(const Path& target, bool lazy);
  // The top-most mount on `path`, or `path` itself; loops over stacked mounts.
  Path Descend(Path path) const;
  // When `path` is the root of a mount: where that is mounted. False at the root.
  bool Ascend(Path& path) const;
  // In mount order, with their paths, for /proc/PID/mounts and mountinfo.
  struct Listed {
    MountRef mount;
    int parent_id;
    Path mount_point;
  };
  std::vector<Listed> List() const;
  // A copy with mounts of its own, for CLONE_NEWNS and unshare(2). `remap`
  // paths (root and working directory of the caller) are moved to it.
  std::shared_ptr<MountNamespace> Clone(std::span<Path* const> remap) const;

 private:
  using Key = std::pair<const Mount*, const Dentry*>;
  void AttachLocked(MountRef mount, const Path& target) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DetachLocked(const MountRef& mount) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::vector<MountRef> mounts_ ABSL_GUARDED_BY(mutex_);
  // The mount that covers a place; a mount stacked on another covers its root.
  absl::flat_hash_map<Key, MountRef> covers_ ABSL_GUARDED_BY(mutex_);
  int next_id_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_MOUNT_H_
