// An overlay of a file system that takes all changes (upper) over one that is
// only read (lower), with Linux's overlayfs as the model: files are copied up
// when they are first changed, removed names of the lower one are covered by
// whiteouts (character device 0:0), directories that hide the lower one are
// marked as opaque, and directories that exist below cannot be renamed (EXDEV).
//
// Nothing but the overlay uses the upper file system. Lock order: the
// overlay's change lock, then an inode's lock, then locks of upper and lower.
#ifndef RUNSC_BOOT_FS_OVERLAY_OVERLAY_H_
#define RUNSC_BOOT_FS_OVERLAY_OVERLAY_H_

#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/vfs/inode.h"

namespace runsc::boot {

class OverlayFilesystem : public Filesystem {
 public:
  // The upper root gets owner and mode of the lower one.
  static Result<std::shared_ptr<OverlayFilesystem>> Make(FilesystemRef upper, FilesystemRef lower);
  ~OverlayFilesystem() override;

  const char* type() const override { return "overlay"; }
  InodeRef root() override { return root_; }
  dev_t dev() const override { return dev_; }
  Result<struct statfs> StatFs() override;
  Status Sync() override { return Ok(); }

  // Held while anything is copied up, or a name changes.
  absl::Mutex& change_mutex() ABSL_LOCK_RETURNED(change_mutex_) { return change_mutex_; }

 private:
  OverlayFilesystem(FilesystemRef upper, FilesystemRef lower);

  const FilesystemRef upper_, lower_;
  const dev_t dev_;
  absl::Mutex change_mutex_;
  InodeRef root_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_OVERLAY_OVERLAY_H_
