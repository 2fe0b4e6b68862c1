// Files without a name in the tree: pipes, sockets, eventfds and the like.
// They have inodes and paths all the same, for fstat and /proc/PID/fd.
#ifndef RUNSC_BOOT_VFS_ANONYMOUS_H_
#define RUNSC_BOOT_VFS_ANONYMOUS_H_

#include <atomic>
#include <string>

#include "bin/runsc-boot/vfs/dentry.h"
#include "bin/runsc-boot/vfs/inode.h"
#include "bin/runsc-boot/vfs/path.h"

namespace runsc::boot {

class AnonymousFilesystem : public Filesystem {
 public:
  const char* type() const override { return "anon_inodefs"; }
  InodeRef root() override { return nullptr; }
  dev_t dev() const override;
  Result<struct statfs> StatFs() override;

  uint64_t NewInodeNumber() { return next_ino_.fetch_add(1, std::memory_order_relaxed); }
  // A path without mount and parent; `name` is what /proc/PID/fd shows.
  static Path MakePath(std::string name, InodeRef inode);
  // The path of a new AnonymousInode of that mode, owned by the caller.
  // `name` as in "anon_inode:[eventfd]".
  Path MakePath(Context& context, std::string name, mode_t mode);

 private:
  std::atomic<uint64_t> next_ino_{1};
};

// An inode with nothing but attributes; cannot be opened again (ENXIO).
class AnonymousInode : public Inode {
 public:
  AnonymousInode(AnonymousFilesystem& filesystem, const Credentials& credentials, mode_t mode);
  Result<Attributes> GetAttributes() override;
  // fchmod and fchown of a socket or pipe.
  Status SetAttributes(const AttributeChange& change) override;
  Result<FileRef> Open(Context& context, const Path& path, int flags) override;
  uint64_t ino() const { return ino_; }

 private:
  const uint64_t ino_;
  absl::Mutex mutex_;
  Attributes attributes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_ANONYMOUS_H_
