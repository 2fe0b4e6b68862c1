#include "bin/runsc-boot/fs/tmpfs/inode.h"

#include <sys/xattr.h>

#include <algorithm>
#include <utility>

#include "bin/runsc-boot/fs/tmpfs/regular.h"

namespace runsc::boot {

TmpfsInode::TmpfsInode(TmpfsFilesystem& filesystem, const NewInode& node)
    : Inode(filesystem), tmpfs_(filesystem), ino_(filesystem.NewInodeNumber()) {
  attributes_.ino = ino_;
  attributes_.mode = node.mode;
  attributes_.uid = node.uid;
  attributes_.gid = node.gid;
  attributes_.rdev = node.rdev;
  attributes_.nlink = 0;
  attributes_.atime = attributes_.mtime = attributes_.ctime = Now();
  attributes_.btime = attributes_.ctime;
}

TmpfsInode::~TmpfsInode() { tmpfs_.ReleaseInode(); }

timespec TmpfsInode::Now() {
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now;
}

Result<Attributes> TmpfsInode::GetAttributes() {
  absl::MutexLock lock(&mutex_);
  return attributes_;
}

Status TmpfsInode::SetAttributes(const AttributeChange& change) {
  if (change.size) TRY(SetSize(*change.size));
  absl::MutexLock lock(&mutex_);
  if (change.mode) TRY(CheckModeLocked(*change.mode));
  if (change.mode) attributes_.mode = (attributes_.mode & S_IFMT) | (*change.mode & 07777);
  if (change.uid) attributes_.uid = *change.uid;
  if (change.gid) attributes_.gid = *change.gid;
  // Who gets a file, or another content, does not get its capabilities.
  if (xattrs_ != nullptr && (change.uid || change.gid || change.size)) {
    xattrs_->erase("security.capability");
  }
  if (change.atime) attributes_.atime = *change.atime;
  if (change.mtime) attributes_.mtime = *change.mtime;
  attributes_.ctime = Now();
  return Ok();
}

Result<FileRef> TmpfsInode::Open(Context& context, const Path& path, int flags) {
  return Error(ENXIO);
}

void TmpfsInode::AddLinks(int change) {
  absl::MutexLock lock(&mutex_);
  attributes_.nlink += change;
  attributes_.ctime = Now();
}

Status TmpfsInode::CheckLinkable() {
  absl::MutexLock lock(&mutex_);
  return attributes_.nlink == 0 && !linkable_ ? Status(Error(ENOENT)) : Ok();
}

void TmpfsInode::Touch(bool modified) {
  absl::MutexLock lock(&mutex_);
  attributes_.ctime = Now();
  if (modified) attributes_.mtime = attributes_.ctime;
}

Result<std::string> TmpfsInode::GetXattr(std::string_view name) {
  absl::MutexLock lock(&mutex_);
  if (xattrs_ == nullptr) return Error(ENODATA);
  auto found = xattrs_->find(name);
  if (found == xattrs_->end()) return Error(ENODATA);
  return found->second;
}

Status TmpfsInode::SetXattr(std::string_view name, std::string_view value, int flags) {
  // What an application can make the kernel store per file.
  constexpr size_t kMaxXattrs = 256;
  absl::MutexLock lock(&mutex_);
  bool exists = xattrs_ != nullptr && xattrs_->contains(name);
  if (exists && (flags & XATTR_CREATE) != 0) return Error(EEXIST);
  if (!exists && (flags & XATTR_REPLACE) != 0) return Error(ENODATA);
  if (xattrs_ == nullptr) xattrs_ = std::make_unique<StringMap<std::string>>();
  if (!exists && xattrs_->size() >= kMaxXattrs) return Error(ENOSPC);
  xattrs_->insert_or_assign(name, std::string(value));
  attributes_.ctime = Now();
  return Ok();
}

Result<std::vector<std::string>> TmpfsInode::ListXattr() {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> names;
  if (xattrs_ != nullptr) {
    for (const auto& [name, value] : *xattrs_) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status TmpfsInode::RemoveXattr(std::string_view name) {
  absl::MutexLock lock(&mutex_);
  if (xattrs_ == nullptr || xattrs_->erase(name) == 0) return Error(ENODATA);
  attributes_.ctime = Now();
  return Ok();
}

TmpfsSymlink::TmpfsSymlink(TmpfsFilesystem& filesystem, const NewInode& node)
    : TmpfsInode(filesystem, node), target_(node.target) {
  absl::MutexLock lock(&mutex_);
  attributes_.size = target_.size();
}

Result<std::shared_ptr<TmpfsInode>> MakeTmpfsInode(TmpfsFilesystem& filesystem,
                                                   const NewInode& node) {
  TRY(filesystem.ChargeInode());
  if (S_ISREG(node.mode)) return {std::make_shared<TmpfsRegular>(filesystem, node)};
  if (S_ISLNK(node.mode)) return {std::make_shared<TmpfsSymlink>(filesystem, node)};
  return std::make_shared<TmpfsInode>(filesystem, node);
}

}  // namespace runsc::boot
