#include "bin/runsc-boot/fs/gofer/gofer_directory_file.h"

#include <dirent.h>

#include "bin/runsc-boot/vfs/dentry.h"

namespace runsc::boot {
namespace {

constexpr uint64_t kDots = 2;  // "." and ".." come first

}  // namespace

uint64_t GoferDirectoryFile::ParentNumber() {
  DentryRef parent = path().valid() ? path().dentry->parent() : nullptr;
  InodeRef inode = parent != nullptr ? parent->inode() : inode_;
  Result<Attributes> attributes = inode->GetAttributes();
  return attributes.ok() ? attributes->ino : inode_->key().second;
}

Status GoferDirectoryFile::ReadDirectory(Context& context,
                                         const std::function<bool(const DirectoryEntry&)>& emit) {
  absl::MutexLock lock(&position_mutex());
  if (listing_ == nullptr || position_ == 0) {
    TRY_ASSIGN(listing_, inode_->List());
  }
  while (position_ < listing_->size() + kDots) {
    DirectoryEntry entry;
    entry.next_offset = static_cast<int64_t>(position_ + 1);
    if (position_ < kDots) {
      entry.name = position_ == 0 ? "." : "..";
      entry.ino = position_ == 0 ? inode_->key().second : ParentNumber();
      entry.type = DT_DIR;
    } else {
      const GoferInode::Listed& listed = (*listing_)[position_ - kDots];
      entry.name = listed.name;
      entry.ino = listed.inode;
      entry.type = listed.type;
    }
    if (!emit(entry)) break;
    ++position_;
  }
  return Ok();
}

}  // namespace runsc::boot
