// Path walks and everything that is done by name. The functions check
// permissions and flags in Linux's order, so that errno agrees.
#ifndef RUNSC_BOOT_VFS_VFS_H_
#define RUNSC_BOOT_VFS_VFS_H_

#include <linux/openat2.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/vfs/anonymous.h"
#include "bin/runsc-boot/vfs/dentry_cache.h"
#include "bin/runsc-boot/vfs/file.h"
#include "bin/runsc-boot/vfs/mount.h"
#include "bin/runsc-boot/vfs/permission.h"

namespace runsc::boot {

// Root directory, working directory and umask of a task; shared with CLONE_FS.
class FsContext {
 public:
  FsContext(std::shared_ptr<MountNamespace> mounts, Path root, Path cwd, mode_t umask)
      : mounts_(std::move(mounts)), root_(std::move(root)), cwd_(std::move(cwd)), umask_(umask) {}
  std::shared_ptr<FsContext> Clone() const;

  std::shared_ptr<MountNamespace> mounts() const;
  Path root() const;
  Path cwd() const;
  mode_t umask() const;
  void set_root(Path root);
  void set_cwd(Path cwd);
  mode_t set_umask(mode_t mask);  // returns the old one
  // CLONE_NEWNS: from now on a copy of the mounts, which `owner` owns; root and
  // cwd move to it.
  void UnshareMounts(const UserNamespaceRef& owner);
  // pivot_root(2): who is in `from` is in `to` from now on.
  void MoveRoot(const Path& from, const Path& to);
  // setns(2): root and cwd are the top of `mounts`.
  void EnterMounts(std::shared_ptr<MountNamespace> mounts);

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<MountNamespace> mounts_ ABSL_GUARDED_BY(mutex_);
  Path root_ ABSL_GUARDED_BY(mutex_);
  Path cwd_ ABSL_GUARDED_BY(mutex_);
  mode_t umask_ ABSL_GUARDED_BY(mutex_);
};

// How a walk starts and what it may cross.
struct WalkOptions {
  Path start;                  // for relative paths: cwd or a directory descriptor's path
  bool follow_last = true;     // follow a symbolic link in the last component
  bool allow_empty = false;    // AT_EMPTY_PATH: "" means `start` itself
  bool directory = false;      // the result must be a directory (ENOTDIR)
  uint64_t resolve_flags = 0;  // RESOLVE_* of openat2(2)
};

// The caller of by-name operations: who, and in which tree.
struct Caller {
  Context& context;
  FsContext& fs;
};

// open(2) and openat2(2).
struct OpenOptions {
  int flags = 0;
  mode_t mode = 0;  // for O_CREAT and O_TMPFILE, before the umask
};

class Vfs {
 public:
  Vfs();
  ~Vfs();

  // ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG, EXDEV (RESOLVE_*).
  Result<Path> Walk(Caller caller, const WalkOptions& options, std::string_view path);

  // FIFOs: the result is the FIFO's file even when a peer is missing; the
  // system-call layer waits for it (see fs/pipe).
  Result<FileRef> Open(Caller caller, const WalkOptions& walk, std::string_view path,
                       const OpenOptions& options);
  // Opens what a Path leads to (/proc/PID/fd/N, exec).
  Result<FileRef> OpenPath(Caller caller, const Path& path, int flags);

  Status Mknod(Caller caller, const WalkOptions& walk, std::string_view path, mode_t mode,
               dev_t rdev);
  Status Mkdir(Caller caller, const WalkOptions& walk, std::string_view path, mode_t mode);
  Status Symlink(Caller caller, std::string_view target, const WalkOptions& walk,
                 std::string_view path);
  Status Link(Caller caller, const Path& target, const WalkOptions& walk, std::string_view path);
  Status Unlink(Caller caller, const WalkOptions& walk, std::string_view path);
  Status Rmdir(Caller caller, const WalkOptions& walk, std::string_view path);
  Status Rename(Caller caller, const WalkOptions& old_walk, std::string_view old_path,
                const WalkOptions& new_walk, std::string_view new_path, unsigned flags);

  // On a path that has been walked. `dev` of the attributes is filled in.
  Result<Attributes> GetAttributes(const Path& path);
  Result<std::string> ReadLink(Caller caller, const Path& path);
  Status Chmod(Caller caller, const Path& path, mode_t mode);
  // -1 leaves an id as it is.
  Status Chown(Caller caller, const Path& path, uid_t uid, gid_t gid);
  // tv_nsec may be UTIME_NOW or UTIME_OMIT.
  Status SetTimes(Caller caller, const Path& path, const timespec& atime, const timespec& mtime);
  Status Truncate(Caller caller, const Path& path, uint64_t size);
  // access(2): `mode` of AccessMode bits; uses the context's fsuid/fsgid.
  Status CheckAccess(Caller caller, const Path& path, unsigned mode);
  Result<struct statfs> StatFs(const Path& path);
  Result<std::string> GetXattr(Caller caller, const Path& path, std::string_view name);
  Status SetXattr(Caller caller, const Path& path, std::string_view name, std::string_view value,
                  int flags);
  Result<std::vector<std::string>> ListXattr(Caller caller, const Path& path);
  Status RemoveXattr(Caller caller, const Path& path, std::string_view name);

  // The name of `path` as seen from `root`, for getcwd, /proc/PID/fd and maps:
  // "(unreachable)..." and " (deleted)" as Linux shows them.
  std::string PathName(const MountNamespace& mounts, const Path& path, const Path& root);

  // Opens device nodes: (type, device number) to an opener; fs/dev registers.
  using DeviceOpener =
      std::function<Result<FileRef>(Context& context, const Path& path, int flags)>;
  void RegisterDevice(mode_t type, dev_t device, DeviceOpener opener);

  WatchAccounts& watch_accounts() { return watch_accounts_; }

  // Where pipes, sockets and other files without a name live.
  AnonymousFilesystem& anonymous() { return *anonymous_; }

  // Writes by those without CAP_FSETID take away set-id bits (and file
  // capabilities); file systems call it before they write. `mode` is known.
  static Status DropSetIdBits(Context& context, Inode& inode, mode_t mode);

 private:
  friend class PathWalker;

  // open.cc
  Result<FileRef> OpenCreating(Caller caller, const WalkOptions& walk, std::string_view path,
                               const OpenOptions& options);
  Result<FileRef> OpenTemporary(Caller caller, const WalkOptions& walk, std::string_view path,
                                const OpenOptions& options);
  Result<FileRef> OpenExisting(Caller caller, const Path& path, int flags, bool created);
  Status CheckOpen(Caller caller, const Path& path, const Attributes& attributes, int flags);
  Result<FileRef> OpenSpecial(Context& context, const Path& path, const Attributes& attributes,
                              int flags);
  Result<Path> CreateForOpen(Caller caller, const Path& parent, std::string_view name,
                             const OpenOptions& options, bool& created);
  // names.cc
  Status CreateNode(Caller caller, const WalkOptions& walk, std::string_view path,
                    const NewInode& node);
  Status Remove(Caller caller, const WalkOptions& walk, std::string_view path, bool directory);
  // rename.cc
  struct RenameEnd;
  Status RenameLocked(Caller caller, RenameEnd& from, RenameEnd& to, unsigned flags);
  void ReportRename(const RenameEnd& from, const RenameEnd& to, bool exchange);

  WatchAccounts watch_accounts_;
  std::atomic<uint32_t> move_cookie_{0};  // of the last rename that somebody watched
  // Serialises renames between directories, so that a walk of parents is stable.
  absl::Mutex rename_mutex_;
  DentryCache cache_;
  std::shared_ptr<AnonymousFilesystem> anonymous_;
  absl::Mutex devices_mutex_;
  absl::flat_hash_map<std::pair<mode_t, dev_t>, DeviceOpener> devices_
      ABSL_GUARDED_BY(devices_mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_VFS_H_
