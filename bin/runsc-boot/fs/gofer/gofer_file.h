// An open regular file of a gofer file system: I/O on the host's descriptor.
#ifndef RUNSC_BOOT_FS_GOFER_GOFER_FILE_H_
#define RUNSC_BOOT_FS_GOFER_GOFER_FILE_H_

#include "bin/runsc-boot/fs/gofer/gofer_inode.h"
#include "bin/runsc-boot/vfs/file.h"

namespace runsc::boot {

class GoferFile final : public File {
 public:
  GoferFile(Path path, int flags, GoferInodeRef inode, HostFileRef host)
      : File(std::move(path), flags), inode_(std::move(inode)), host_(std::move(host)) {}

  Result<size_t> PRead(Context& context, IoBuffer& destination, uint64_t offset) override;
  Result<size_t> PWrite(Context& context, IoBuffer& source, uint64_t offset) override;
  Result<size_t> Append(Context& context, IoBuffer& source, uint64_t& end) override;
  Result<uint64_t> Seek(Context& context, int64_t offset, int whence) override;
  bool seekable() const override { return true; }
  Status Truncate(Context& context, uint64_t size) override;
  Status Allocate(Context& context, int mode, uint64_t offset, uint64_t size) override;
  Status Sync(bool data_only) override;
  bool pollable() const override { return false; }
  Result<HostMapping> GetHostMapping(int protection, int map_flags) override;

 private:
  Status PrepareWrite(Context& context);
  Result<size_t> WriteAt(Context& context, IoBuffer& source, uint64_t offset);
  Status RestoreSetIdBits(Context& context);

  const GoferInodeRef inode_;
  const HostFileRef host_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_GOFER_GOFER_FILE_H_
