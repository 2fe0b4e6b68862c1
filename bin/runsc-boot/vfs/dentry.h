// The dentry cache: names of inodes, as a tree per file system.
#ifndef RUNSC_BOOT_VFS_DENTRY_H_
#define RUNSC_BOOT_VFS_DENTRY_H_

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/vfs/inode.h"
#include "bin/runsc-boot/vfs/path.h"
#include "bin/runsc-boot/vfs/string_map.h"

namespace runsc::boot {

// A name in a directory. Parents are kept alive by their children; a parent
// keeps its children as long as the cache allows (strong references, bounded)
// or they are in use. A negative dentry has no inode; when the name comes into
// being, a new dentry replaces it.
//
// Directories whose lookups must not be cached (Inode::CacheLookups) only
// remember the children that somebody uses.
//
// Lock order: VFS rename lock, then a parent's mutex before its child's.
class Dentry : public std::enable_shared_from_this<Dentry> {
 public:
  Dentry(DentryRef parent, std::string name, InodeRef inode)
      : inode_(std::move(inode)), parent_(std::move(parent)), name_(std::move(name)) {}

  ~Dentry();

  // The inode; null when negative.
  const InodeRef& inode() const { return inode_; }
  // Null for the root of a file system.
  DentryRef parent() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::string name() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Both at once, so that they belong together during a rename.
  std::pair<DentryRef, std::string> parent_and_name() const ABSL_LOCKS_EXCLUDED(mutex_);
  // True once the name was removed; shown as " (deleted)".
  bool deleted() const { return deleted_.load(std::memory_order_acquire); }
  // Mounts on top of it make the walk look into the mount table.
  bool is_mount_point() const { return mounts_here_.load(std::memory_order_acquire) > 0; }
  bool is_directory() const { return inode_ != nullptr && S_ISDIR(inode_->Type()); }

  // Drops everything cached below that nobody uses, when a mount goes.
  void Prune() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  friend class Vfs;
  friend class DentryCache;
  friend class MountNamespace;
  friend class MountTable;

  const InodeRef inode_;
  mutable absl::Mutex mutex_;
  DentryRef parent_ ABSL_GUARDED_BY(mutex_);
  std::string name_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> deleted_{false};
  std::atomic<bool> referenced_{false};  // used since the cache looked last
  std::atomic<int> mounts_here_{0};
  StringMap<DentryRef> children_ ABSL_GUARDED_BY(mutex_);
  // Children of a directory that is not cached.
  StringMap<std::weak_ptr<Dentry>> transient_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_DENTRY_H_
