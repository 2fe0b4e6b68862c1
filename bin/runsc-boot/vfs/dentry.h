// The dentry cache: names of inodes, as a tree per file system.
#ifndef RUNSC_BOOT_VFS_DENTRY_H_
#define RUNSC_BOOT_VFS_DENTRY_H_

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/vfs/inode.h"
#include "bin/runsc-boot/vfs/path.h"

namespace runsc::boot {

// A name in a directory. Parents are kept alive by their children; a parent
// keeps its children as long as the cache allows (strong references, bounded)
// or they are in use. A negative dentry has no inode.
//
// Lock order: VFS rename lock, then a parent's mutex before its child's.
class Dentry : public std::enable_shared_from_this<Dentry> {
 public:
  Dentry(DentryRef parent, std::string name, InodeRef inode);

  // The inode; null when negative.
  InodeRef inode() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Null for the root of a file system.
  DentryRef parent() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::string name() const ABSL_LOCKS_EXCLUDED(mutex_);
  // True once the name was removed; shown as " (deleted)".
  bool deleted() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Mounts on top of it make the walk look into the mount table.
  bool is_mount_point() const;

 private:
  friend class Vfs;
  friend class DentryCache;
  mutable absl::Mutex mutex_;
  DentryRef parent_ ABSL_GUARDED_BY(mutex_);
  std::string name_ ABSL_GUARDED_BY(mutex_);
  InodeRef inode_ ABSL_GUARDED_BY(mutex_);
  bool deleted_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<int> mounts_here_{0};
  absl::flat_hash_map<std::string, DentryRef> children_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_DENTRY_H_
