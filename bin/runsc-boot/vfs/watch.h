// Who is told what happens to an inode: the file systems' side of inotify(7).
//
// Each file system has a table of its watched inodes. As long as it is empty an
// event costs one load, and inodes carry nothing for it.
//
// Events are delivered without the table's lock, possibly under locks of
// dentries; a watch may only take leaf locks.
#ifndef RUNSC_BOOT_VFS_WATCH_H_
#define RUNSC_BOOT_VFS_WATCH_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "common/result.h"

namespace runsc::boot {

class Dentry;
class Inode;
struct Path;
struct AttributeChange;

struct WatchEvent {
  uint32_t mask = 0;      // one of IN_*, and IN_ISDIR
  uint32_t cookie = 0;    // joins IN_MOVED_FROM and IN_MOVED_TO
  std::string_view name;  // of the entry, for events of a directory; or empty
  bool unlinked = false;  // the entry has lost its name (IN_EXCL_UNLINK)
};

class Watch {
 public:
  explicit Watch(std::shared_ptr<Inode> inode) : inode_(std::move(inode)) {}
  virtual ~Watch() = default;
  const std::shared_ptr<Inode>& inode() const { return inode_; }
  virtual void Deliver(const WatchEvent& event) = 0;
  // After IN_DELETE_SELF or IN_UNMOUNT; the table has forgotten it already.
  virtual void End(uint32_t last_event) = 0;

 private:
  const std::shared_ptr<Inode> inode_;
};
using WatchRef = std::shared_ptr<Watch>;

// The watches of one file system. Thread-safe.
class WatchTable {
 public:
  bool active() const { return count_.load(std::memory_order_relaxed) != 0; }
  void Add(WatchRef watch);
  void Remove(const Watch& watch);
  void Deliver(const Inode& inode, const WatchEvent& event);
  // The inode has gone for good, or (null) the whole file system.
  void End(const Inode* inode, uint32_t last_event);

 private:
  using Watches = std::vector<WatchRef>;
  Watches Find(const Inode& inode);

  std::atomic<size_t> count_{0};
  absl::Mutex mutex_;
  absl::flat_hash_map<const Inode*, Watches> watches_ ABSL_GUARDED_BY(mutex_);
};

// --- What the VFS and the system calls report. `mask` is one of IN_*; IN_ISDIR
// is added. All of them are cheap when nothing of the file system is watched.

// Of the file itself: told to its watches and, by its name, to those of the
// directory in which it was found.
void ReportPath(const Path& path, uint32_t mask);
// Of the inode alone, whatever its name.
void ReportInode(Inode& inode, uint32_t mask);
// Of the entry `name` of a directory.
void ReportEntry(Inode& directory, std::string_view name, uint32_t mask, bool is_directory,
                 uint32_t cookie = 0);
// What chmod(2), chown(2), truncate(2), utimensat(2) report.
void ReportChange(const Path& path, const AttributeChange& change);
// `dentry` was the last user of a name that has been removed: ends the inode's
// watches if that was its last name.
void ReportNameGone(const Dentry& dentry);

// What the instances and watches of each user count against.
class WatchAccounts {
 public:
  static constexpr size_t kMaxInstances = 128;       // fs.inotify.max_user_instances
  static constexpr size_t kMaxWatches = 65536;       // fs.inotify.max_user_watches
  static constexpr size_t kMaxQueuedEvents = 16384;  // fs.inotify.max_queued_events

  Status AddInstance(uid_t user);  // EMFILE
  void RemoveInstance(uid_t user);
  Status AddWatch(uid_t user);  // ENOSPC
  void RemoveWatches(uid_t user, size_t count);

 private:
  struct Used {
    size_t instances = 0, watches = 0;
  };
  void Release(uid_t user) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;  // a leaf
  absl::flat_hash_map<uid_t, Used> users_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_WATCH_H_
