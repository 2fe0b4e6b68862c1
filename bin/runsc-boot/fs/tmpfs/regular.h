// Regular files of a tmpfs: a string while small and unmapped, then a memfd.
#ifndef RUNSC_BOOT_FS_TMPFS_REGULAR_H_
#define RUNSC_BOOT_FS_TMPFS_REGULAR_H_

#include <string>

#include "bin/runsc-boot/fs/tmpfs/inode.h"
#include "common/file_descriptor.h"

namespace runsc::boot {

// F_SEAL_EXEC of Linux 6.3: who may execute the file stays as it is.
inline constexpr int kSealExec = 0x20;

class TmpfsRegular final : public TmpfsInode {
 public:
  TmpfsRegular(TmpfsFilesystem& filesystem, const NewInode& node, int seals = F_SEAL_SEAL);
  ~TmpfsRegular() override;

  Result<Attributes> GetAttributes() override;
  Result<FileRef> Open(Context& context, const Path& path, int flags) override;

  Result<size_t> Read(IoBuffer& destination, uint64_t offset, bool update_atime);
  // At the end when `append`; `offset` becomes where it went.
  Result<size_t> Write(Context& context, IoBuffer& source, uint64_t& offset, bool append);
  Status Allocate(Context& context, int mode, uint64_t offset, uint64_t size);
  // SEEK_DATA and SEEK_HOLE.
  Result<uint64_t> SeekSparse(uint64_t offset, int whence);
  uint64_t size();
  // A host descriptor that can be read, and written only when `writable`.
  Result<int> MappingFd(bool writable);
  // For a file that has nothing yet: its host file is made only when somebody
  // maps it. EFBIG.
  Status SetSparseSize(uint64_t size);
  Status AddSeals(int seals);
  int GetSeals();

 protected:
  Status SetSize(uint64_t size) override;
  Status CheckModeLocked(mode_t mode) override ABSL_SHARED_LOCKS_REQUIRED(mutex_);

 private:
  static constexpr size_t kMaxSmall = 8192;

  Status MakeHostFile() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Status ResizeLocked(uint64_t size) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Adjusts what the file is charged to what it occupies now.
  void Recharge() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ChargeTo(uint64_t occupied) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // ENOSPC when a write of `size` at `offset` might not fit; shortens it first.
  Result<uint64_t> FitIntoSpace(uint64_t offset, uint64_t size)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t Occupied() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  std::string small_ ABSL_GUARDED_BY(mutex_);
  FileDescriptor memfd_ ABSL_GUARDED_BY(mutex_);      // read and write
  FileDescriptor read_only_ ABSL_GUARDED_BY(mutex_);  // the same file, O_RDONLY
  uint64_t charged_ ABSL_GUARDED_BY(mutex_) = 0;
  int seals_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_TMPFS_REGULAR_H_
