// tmpfs(5): a file system in memory. Regular files of some size are host
// memfds, so that the application can map them natively.
//
//   auto fs = std::make_shared<TmpfsFilesystem>(options);
//   auto root = std::make_shared<Dentry>(nullptr, "", fs->root());
//   mounts.Attach(fs, root, target, MS_NOSUID, "tmpfs");
//
// Lock order: the tree's lock, then one inode's lock.
#ifndef RUNSC_BOOT_FS_TMPFS_TMPFS_H_
#define RUNSC_BOOT_FS_TMPFS_TMPFS_H_

#include <atomic>
#include <string>
#include <string_view>

#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/fs/tmpfs/options.h"
#include "bin/runsc-boot/vfs/file.h"
#include "bin/runsc-boot/vfs/inode.h"

namespace runsc::boot {

class TmpfsFilesystem : public Filesystem {
 public:
  // `type` is what /proc/mounts shows ("tmpfs", "devtmpfs", "mqueue").
  explicit TmpfsFilesystem(const TmpfsOptions& options, const char* type = "tmpfs");
  ~TmpfsFilesystem() override;

  const char* type() const override { return type_; }
  InodeRef root() override { return root_; }
  dev_t dev() const override { return dev_; }
  Result<struct statfs> StatFs() override;
  std::string mount_options() const override;
  // New limits; what is in use must fit them. EINVAL.
  Status Reconfigure(Context& context, std::string_view data) override;

  // memfd_create(2): a file without a name here; `flags` are MFD_*.
  Result<FileRef> CreateMemfd(Context& context, std::string_view name, unsigned flags);

  // Shared memory of `size` bytes, opened for reading and writing: shown as
  // `name`, with the inode number `ino`. ENOSPC.
  Result<FileRef> CreateSegment(Context& context, std::string name, uint64_t size, uint64_t ino);

  // --- For the inodes.
  uint64_t NewInodeNumber() { return next_ino_.fetch_add(1, std::memory_order_relaxed); }
  // ENOSPC beyond the limit. Released by the opposite amount.
  Status Charge(int64_t bytes);
  uint64_t available() const;
  Status ChargeInode();
  void ReleaseInode() { inodes_.fetch_sub(1, std::memory_order_relaxed); }
  // Guards the contents of all directories.
  absl::Mutex& tree_mutex() ABSL_LOCK_RETURNED(tree_mutex_) { return tree_mutex_; }

 private:
  const char* const type_;
  const dev_t dev_;
  mutable absl::Mutex options_mutex_;
  TmpfsOptions options_ ABSL_GUARDED_BY(options_mutex_);
  // What the options come to, for those who only count.
  std::atomic<uint64_t> limit_{0};  // bytes
  std::atomic<uint64_t> inode_limit_{0};
  std::atomic<uint64_t> used_{0};
  std::atomic<uint64_t> inodes_{0};
  std::atomic<uint64_t> next_ino_{1};
  absl::Mutex tree_mutex_;
  InodeRef root_;
};

// fcntl(F_ADD_SEALS, F_GET_SEALS); EINVAL for files that are not of a tmpfs,
// EPERM as fcntl(2).
Status AddSeals(File& file, int seals);
Result<int> GetSeals(File& file);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_TMPFS_TMPFS_H_
