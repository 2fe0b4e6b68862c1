// Open regular files of a tmpfs.
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include <utility>

#include "bin/runsc-boot/fs/tmpfs/regular.h"
#include "bin/runsc-boot/vfs/dentry.h"
#include "bin/runsc-boot/vfs/mount.h"
#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {
namespace {

class TmpfsFile final : public File {
 public:
  TmpfsFile(const Path& path, int flags, std::shared_ptr<TmpfsRegular> inode)
      : File(path, flags), inode_(std::move(inode)) {}

  bool seekable() const override { return true; }
  bool pollable() const override { return false; }
  TmpfsRegular& regular() { return *inode_; }

  Result<size_t> PRead(Context& context, IoBuffer& destination, uint64_t offset) override {
    constexpr MountFlags kNoUpdate = MS_RDONLY | MS_NOATIME;
    bool update = (flags() & O_NOATIME) == 0 &&
                  (path().mount == nullptr || (path().mount->flags() & kNoUpdate) == 0);
    return inode_->Read(destination, offset, update);
  }
  Result<size_t> PWrite(Context& context, IoBuffer& source, uint64_t offset) override {
    TRY(DropSetIdBits(context));
    // pwrite(2) on Linux appends regardless of the offset, too.
    return inode_->Write(context, source, offset, (flags() & O_APPEND) != 0);
  }
  Result<size_t> Append(Context& context, IoBuffer& source, uint64_t& end) override {
    TRY(DropSetIdBits(context));
    uint64_t offset = 0;
    TRY_ASSIGN(size_t count, inode_->Write(context, source, offset, /*append=*/true));
    end = offset + count;
    return count;
  }
  Result<uint64_t> Seek(Context& context, int64_t offset, int whence) override {
    absl::MutexLock lock(&position_mutex_);
    if (whence == SEEK_DATA || whence == SEEK_HOLE) {
      if (offset < 0) return Error(ENXIO);
      TRY_ASSIGN(position_, inode_->SeekSparse(static_cast<uint64_t>(offset), whence));
    } else {
      uint64_t size = whence == SEEK_END ? inode_->size() : 0;
      TRY_ASSIGN(position_, SeekTarget(position_, size, offset, whence));
    }
    return position_;
  }
  Status Truncate(Context& context, uint64_t size) override {
    if (size > context.file_size_limit() && size > inode_->size()) return Error(EFBIG);
    TRY(DropSetIdBits(context));
    AttributeChange change;
    change.size = size;
    return inode_->SetAttributes(change);
  }
  Status Allocate(Context& context, int mode, uint64_t offset, uint64_t size) override {
    TRY(DropSetIdBits(context));
    return inode_->Allocate(context, mode, offset, size);
  }
  Status Sync(bool) override { return Ok(); }
  Result<HostMapping> GetHostMapping(int protection, int map_flags) override {
    bool shared = (map_flags & MAP_TYPE) != MAP_PRIVATE;
    int seals = inode_->GetSeals();
    bool writable = shared && writable_mapping(seals);
    if (shared && (protection & PROT_WRITE) != 0 && !writable) return Error(EPERM);
    TRY_ASSIGN(int fd, inode_->MappingFd(writable));
    return HostMapping{fd, 0};
  }

 private:
  bool writable_mapping(int seals) const {
    return writable() && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) == 0;
  }
  Status DropSetIdBits(Context& context) {
    TRY_ASSIGN(Attributes attributes, inode_->TmpfsInode::GetAttributes());
    if ((attributes.mode & 0111) != 0) (void)inode_->RemoveXattr("security.capability").ok();
    if ((attributes.mode & (S_ISUID | S_ISGID)) == 0) return Ok();
    return Vfs::DropSetIdBits(context, *inode_, attributes.mode);
  }

  const std::shared_ptr<TmpfsRegular> inode_;
};

}  // namespace

Result<FileRef> TmpfsRegular::Open(Context& context, const Path& path, int flags) {
  return FileRef(std::make_shared<TmpfsFile>(
      path, flags, std::static_pointer_cast<TmpfsRegular>(shared_from_this())));
}

Status AddSeals(File& file, int seals) {
  auto* tmpfs_file = dynamic_cast<TmpfsFile*>(&file);
  if (tmpfs_file == nullptr) return Error(EINVAL);
  if (!file.writable()) return Error(EPERM);
  return tmpfs_file->regular().AddSeals(seals);
}

Result<int> GetSeals(File& file) {
  auto* tmpfs_file = dynamic_cast<TmpfsFile*>(&file);
  if (tmpfs_file == nullptr) return Error(EINVAL);
  return tmpfs_file->regular().GetSeals();
}

}  // namespace runsc::boot
