// Open files of an overlay.
#ifndef RUNSC_BOOT_FS_OVERLAY_FILE_H_
#define RUNSC_BOOT_FS_OVERLAY_FILE_H_

#include <memory>
#include <utility>
#include <vector>

#include "bin/runsc-boot/fs/overlay/inode.h"

namespace runsc::boot {

// A file above or below, under the overlay's name and attributes. A file that
// was opened for reading before it was copied up keeps showing the old content,
// as on Linux.
class OverlayFile final : public File {
 public:
  OverlayFile(const Path& path, int flags, FileRef real)
      : File(path, flags), real_(std::move(real)) {}

  Status SetFlags(int flags) override {
    TRY(real_->SetFlags(flags));
    return File::SetFlags(flags);
  }
  Result<size_t> Read(Context& context, IoBuffer& destination) override {
    return real_->Read(context, destination);
  }
  Result<size_t> Write(Context& context, IoBuffer& source) override {
    return real_->Write(context, source);
  }
  Result<size_t> PRead(Context& context, IoBuffer& destination, uint64_t offset) override {
    return real_->PRead(context, destination, offset);
  }
  Result<size_t> PWrite(Context& context, IoBuffer& source, uint64_t offset) override {
    return real_->PWrite(context, source, offset);
  }
  Result<uint64_t> Seek(Context& context, int64_t offset, int whence) override {
    return real_->Seek(context, offset, whence);
  }
  bool seekable() const override { return real_->seekable(); }
  Status Truncate(Context& context, uint64_t size) override {
    return real_->Truncate(context, size);
  }
  Status Allocate(Context& context, int mode, uint64_t offset, uint64_t size) override {
    return real_->Allocate(context, mode, offset, size);
  }
  Status Sync(bool data_only) override { return real_->Sync(data_only); }
  Result<int64_t> Ioctl(Context& context, uint64_t command, uint64_t argument) override {
    return real_->Ioctl(context, command, argument);
  }
  PollEvents Poll() override { return real_->Poll(); }
  bool pollable() const override { return real_->pollable(); }
  WaitQueue* wait_queue() override { return real_->wait_queue(); }
  Result<HostMapping> GetHostMapping(int protection, int map_flags) override {
    return real_->GetHostMapping(protection, map_flags);
  }
  Status Flush(Context& context) override { return real_->Flush(context); }
  uint64_t position() const override { return real_->position(); }

 private:
  const FileRef real_;
};

// Lists a directory as it was when its position was 0.
class OverlayDirectoryFile final : public File {
 public:
  OverlayDirectoryFile(const Path& path, int flags, std::shared_ptr<OverlayDirectory> directory)
      : File(path, flags), directory_(std::move(directory)) {}

  bool pollable() const override { return false; }
  Result<size_t> Read(Context&, IoBuffer&) override { return Error(EISDIR); }
  Result<size_t> PRead(Context&, IoBuffer&, uint64_t) override { return Error(EISDIR); }
  Result<uint64_t> Seek(Context& context, int64_t offset, int whence) override;
  Status ReadDirectory(Context& context,
                       const std::function<bool(const DirectoryEntry&)>& emit) override;
  Status Sync(bool) override { return Ok(); }

 private:
  const std::shared_ptr<OverlayDirectory> directory_;
  std::vector<OverlayDirectory::Entry> entries_ ABSL_GUARDED_BY(position_mutex_);
  bool listed_ ABSL_GUARDED_BY(position_mutex_) = false;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_OVERLAY_FILE_H_
