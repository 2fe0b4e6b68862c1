// Bounds the memory that cached names take: a clock over all cached dentries.
#ifndef RUNSC_BOOT_VFS_DENTRY_CACHE_H_
#define RUNSC_BOOT_VFS_DENTRY_CACHE_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/vfs/dentry.h"

namespace runsc::boot {

// Lock order: never held together with a dentry's lock.
class DentryCache {
 public:
  explicit DentryCache(size_t limit) : limit_(limit) {}

  // The child `name` of the directory `parent`, from the cache or by Lookup.
  // ENOENT when there is none. `ahead`: see Inode::Lookup.
  Result<DentryRef> Lookup(Context& context, const DentryRef& parent, std::string_view name,
                           std::span<const std::string_view> ahead);
  // Only what is cached: a dentry (perhaps negative), or null.
  static DentryRef Find(Dentry& parent, std::string_view name);

  // For callers that hold `parent`'s lock because they change the directory.
  static DentryRef FindLocked(Dentry& parent, std::string_view name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(parent.mutex_);
  Result<DentryRef> LookupLocked(Context& context, const DentryRef& parent, std::string_view name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(parent->mutex_);
  // Makes `inode` (or nothing, when null) what the name leads to.
  DentryRef InsertLocked(const DentryRef& parent, std::string_view name, InodeRef inode)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(parent->mutex_);
  // The name is gone: `child` is marked as deleted.
  void RemoveLocked(const DentryRef& parent, const DentryRef& child)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(parent->mutex_);
  // The same for a directory whose own lock the caller holds, too.
  void RemoveDirectoryLocked(const DentryRef& parent, const DentryRef& child)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(parent->mutex_, child->mutex_);
  // Gives `child` another name; its old one becomes negative.
  void MoveLocked(const DentryRef& old_parent, const DentryRef& child, const DentryRef& new_parent,
                  std::string_view new_name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(old_parent->mutex_, new_parent->mutex_);
  // Files a dentry that was moved here under its (new) name.
  static void AdoptLocked(const DentryRef& parent, const DentryRef& child)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(parent->mutex_);

  // Evicts until the bound is kept. Callable without dentry locks only.
  void Trim();

 private:
  // What Lookup found, made a dentry; an uncached directory's stays the same
  // as long as somebody uses it.
  Result<DentryRef> Record(const DentryRef& parent, std::string_view name, Result<InodeRef> found)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(parent->mutex_);
  void Count(const DentryRef& dentry);
  void ForgetLocked(const DentryRef& parent, const std::string& name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(parent->mutex_);

  const size_t limit_;
  absl::Mutex mutex_;
  std::deque<std::weak_ptr<Dentry>> clock_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_DENTRY_CACHE_H_
