#include "bin/runsc-boot/fs/overlay/file.h"

#include <dirent.h>
#include <unistd.h>

namespace runsc::boot {

Result<uint64_t> OverlayDirectoryFile::Seek(Context& context, int64_t offset, int whence) {
  if (whence != SEEK_SET && whence != SEEK_CUR) return Error(EINVAL);
  absl::MutexLock lock(&position_mutex_);
  TRY_ASSIGN(position_, SeekTarget(position_, 0, offset, whence));
  if (position_ == 0) listed_ = false;
  return position_;
}

Status OverlayDirectoryFile::ReadDirectory(Context& context,
                                           const std::function<bool(const DirectoryEntry&)>& emit) {
  absl::MutexLock lock(&position_mutex_);
  if (!listed_) {
    TRY_ASSIGN(entries_, directory_->List(context));
    listed_ = true;
  }
  if (position_ == 0) {
    TRY_ASSIGN(Attributes attributes, directory_->GetAttributes());
    if (!emit({".", attributes.ino, DT_DIR, 1})) return Ok();
    position_ = 1;
  }
  if (position_ == 1) {
    if (!emit({"..", directory_->parent_ino(), DT_DIR, 2})) return Ok();
    position_ = 2;
  }
  while (position_ - 2 < entries_.size()) {
    const OverlayDirectory::Entry& entry = entries_[position_ - 2];
    int64_t next = static_cast<int64_t>(position_ + 1);
    if (!emit({entry.name, entry.ino, entry.type, next})) break;
    ++position_;
  }
  return Ok();
}

}  // namespace runsc::boot
