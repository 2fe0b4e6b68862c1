#include "bin/runsc-boot/fs/overlay/overlay.h"

#include <utility>

#include "bin/runsc-boot/fs/overlay/inode.h"
#include "bin/runsc-boot/vfs/device_numbers.h"

namespace runsc::boot {

OverlayFilesystem::OverlayFilesystem(FilesystemRef upper, FilesystemRef lower)
    : upper_(std::move(upper)), lower_(std::move(lower)), dev_(NewAnonymousDevice()) {}

OverlayFilesystem::~OverlayFilesystem() { root_.reset(); }

Result<std::shared_ptr<OverlayFilesystem>> OverlayFilesystem::Make(FilesystemRef upper,
                                                                   FilesystemRef lower) {
  TRY_ASSIGN(Attributes attributes, lower->root()->GetAttributes());
  if (!attributes.IsDirectory()) return MakeError(ENOTDIR, "lower root of the overlay");
  AttributeChange change;
  change.mode = attributes.mode & 07777;
  change.uid = attributes.uid;
  change.gid = attributes.gid;
  change.mtime = attributes.mtime;
  TRY(upper->root()->SetAttributes(change));
  std::shared_ptr<OverlayFilesystem> filesystem(
      new OverlayFilesystem(std::move(upper), std::move(lower)));
  filesystem->root_ = std::make_shared<OverlayDirectory>(
      *filesystem, nullptr, "", filesystem->upper_->root(), filesystem->lower_->root());
  return filesystem;
}

Result<struct statfs> OverlayFilesystem::StatFs() {
  TRY_ASSIGN(struct statfs result, upper_->StatFs());
  result.f_type = 0x794c7630;  // OVERLAYFS_SUPER_MAGIC
  return result;
}

}  // namespace runsc::boot
