// An open directory of a gofer file system. Reads a list that is made when the
// reading starts (and again after rewinding); offsets are places in it.
#ifndef RUNSC_BOOT_FS_GOFER_GOFER_DIRECTORY_FILE_H_
#define RUNSC_BOOT_FS_GOFER_GOFER_DIRECTORY_FILE_H_

#include "bin/runsc-boot/fs/gofer/gofer_inode.h"
#include "bin/runsc-boot/vfs/file.h"

namespace runsc::boot {

class GoferDirectoryFile final : public File {
 public:
  GoferDirectoryFile(Path path, int flags, GoferInodeRef inode)
      : File(std::move(path), flags), inode_(std::move(inode)) {}

  Result<size_t> Read(Context&, IoBuffer&) override { return Error(EISDIR); }
  Result<size_t> PRead(Context&, IoBuffer&, uint64_t) override { return Error(EISDIR); }
  bool seekable() const override { return true; }
  Status ReadDirectory(Context& context,
                       const std::function<bool(const DirectoryEntry&)>& emit) override;
  Status Sync(bool data_only) override { return inode_->Sync(data_only); }
  bool pollable() const override { return false; }

 private:
  uint64_t ParentNumber();

  const GoferInodeRef inode_;
  std::shared_ptr<const GoferInode::Listing> listing_ ABSL_GUARDED_BY(position_mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_GOFER_GOFER_DIRECTORY_FILE_H_
