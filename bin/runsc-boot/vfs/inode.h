// Inodes and file systems: what each file system implements.
//
// The VFS (vfs.h) walks paths, checks permissions, honours mounts and their
// flags, and keeps the dentry cache. An Inode therefore gets names that are
// single components (not empty, ".", "..", without '/', at most NAME_MAX
// bytes) and calls that are permitted; it checks only what it alone knows
// (existence, emptiness, EXDEV, space). All methods are thread-safe; the VFS
// holds the parent dentry's lock during changes of a directory.
#ifndef RUNSC_BOOT_VFS_INODE_H_
#define RUNSC_BOOT_VFS_INODE_H_

#include <sys/statfs.h>

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/call_once.h"
#include "bin/runsc-boot/vfs/attributes.h"
#include "bin/runsc-boot/vfs/context.h"
#include "bin/runsc-boot/vfs/watch.h"
#include "bin/runsc-boot/vfs/write_access.h"
#include "common/result.h"

namespace runsc::boot {

class File;
class FileLocks;
class Filesystem;
class Inode;
struct Path;
using FileRef = std::shared_ptr<File>;
using InodeRef = std::shared_ptr<Inode>;
using FilesystemRef = std::shared_ptr<Filesystem>;

// What a newly created inode gets.
struct NewInode {
  mode_t mode = 0;  // type and permissions, umask and set-gid rule applied
  uid_t uid = 0;
  gid_t gid = 0;
  dev_t rdev = 0;      // for device nodes
  std::string target;  // for symbolic links
};

class Inode : public std::enable_shared_from_this<Inode> {
 public:
  explicit Inode(Filesystem& filesystem) : filesystem_(filesystem) {}
  virtual ~Inode() = default;
  Filesystem& filesystem() const { return filesystem_; }

  virtual Result<Attributes> GetAttributes() = 0;
  // S_IFMT bits, which never change during an inode's life; 0 when the file
  // system cannot tell. Asks GetAttributes once.
  mode_t Type();
  // EPERM where the file system does not allow changes, EROFS...
  virtual Status SetAttributes(const AttributeChange& change) { return Error(EPERM); }

  // --- Directories; ENOTDIR for others.
  // ENOENT: no such entry. `ahead` has the components that will be looked up
  // below it next; a remote file system may fetch them in the same round trip.
  virtual Result<InodeRef> Lookup(Context& context, std::string_view name,
                                  std::span<const std::string_view> ahead) {
    return Error(ENOTDIR);
  }
  // True when the VFS may keep positive and negative results of Lookup until
  // a change through this kernel. False for directories that change by
  // themselves (/proc) or by others (shared mounts).
  virtual bool CacheLookups() const { return true; }
  // A directory that nothing can ever be in: a mere place for mounts.
  virtual bool IsPermanentlyEmpty() const { return false; }
  // Any type of inode by NewInode::mode. EEXIST, ENOSPC, EPERM...
  virtual Result<InodeRef> Create(Context& context, std::string_view name, const NewInode& inode) {
    return Error(EPERM);
  }
  // A regular file without a name that may be linked later (O_TMPFILE).
  virtual Result<InodeRef> CreateUnnamed(Context& context, const NewInode& inode) {
    return Error(EOPNOTSUPP);
  }
  virtual Status Link(std::string_view name, Inode& target) { return Error(EPERM); }
  virtual Status Unlink(std::string_view name, Inode& victim) { return Error(EPERM); }
  virtual Status Rmdir(std::string_view name, Inode& victim) { return Error(EPERM); }
  // `flags` as renameat2(2); the VFS has refused loops. EXDEV, ENOTEMPTY...
  virtual Status Rename(std::string_view old_name, Inode& new_parent, std::string_view new_name,
                        unsigned flags) {
    return Error(EPERM);
  }

  // --- Symbolic links; EINVAL for others.
  virtual Result<std::string> ReadLink(Context& context) { return Error(EINVAL); }
  // Links that lead to an object instead of a name (/proc/PID/fd/N, exe, cwd,
  // root, ns/*). Null: follow the text of ReadLink.
  virtual Result<std::shared_ptr<Path>> FollowMagicLink(Context& context) {
    return std::shared_ptr<Path>();
  }

  // --- Open. Permission, type against O_DIRECTORY, and O_TRUNC are the VFS's
  // business. `path` is where it was found; `flags` as open(2). FIFOs and
  // device nodes are opened by the VFS through fs/pipe and the device table.
  virtual Result<FileRef> Open(Context& context, const Path& path, int flags) = 0;
  // Create and open at once where a round trip can be saved; by default the
  // VFS calls Create, then Open.

  // --- Extended attributes (xattr(7)); names with their namespace prefix.
  virtual Result<std::string> GetXattr(std::string_view name) { return Error(EOPNOTSUPP); }
  virtual Status SetXattr(std::string_view name, std::string_view value, int flags) {
    return Error(EOPNOTSUPP);
  }
  virtual Result<std::vector<std::string>> ListXattr() { return std::vector<std::string>(); }
  virtual Status RemoveXattr(std::string_view name) { return Error(EOPNOTSUPP); }

  // --- Advisory locks (file_locks.h).
  FileLocks& locks();
  // Of an owner that goes away; costs nothing where nobody has locked.
  void ReleaseLocks(const void* owner);
  // Writers against execution.
  WriteAccess& write_access() { return write_access_; }

 protected:
  // For file systems that know it from the start.
  void SetType(mode_t type) { type_.store(type & S_IFMT, std::memory_order_relaxed); }

 private:
  Filesystem& filesystem_;
  std::atomic<mode_t> type_{0};
  WriteAccess write_access_;
  absl::once_flag locks_once_;
  std::atomic<bool> has_locks_{false};
  std::shared_ptr<FileLocks> locks_;  // set once
};

// One mounted instance's contents (the super block). Keeps itself alive as
// long as one of its inodes or mounts is.
class Filesystem : public std::enable_shared_from_this<Filesystem> {
 public:
  virtual ~Filesystem() = default;
  virtual const char* type() const = 0;  // as in /proc/filesystems
  virtual InodeRef root() = 0;
  virtual dev_t dev() const = 0;
  virtual Result<struct statfs> StatFs() = 0;
  virtual Status Sync() { return Ok(); }
  // Options to show in /proc/mounts behind the mount's own flags.
  virtual std::string mount_options() const { return ""; }
  // mount(2) with MS_REMOUNT: `data` as for a new mount. EINVAL.
  virtual Status Reconfigure(Context& context, std::string_view data) {
    (void)context, (void)data;
    return Ok();
  }
  // Who watches its inodes.
  WatchTable& watches() { return watches_; }

 private:
  friend class Mount;
  std::atomic<int> mounts_{0};
  WatchTable watches_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_INODE_H_
