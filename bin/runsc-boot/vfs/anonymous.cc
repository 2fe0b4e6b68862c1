#include "bin/runsc-boot/vfs/anonymous.h"

#include <sys/sysmacros.h>

#include <utility>

#include "bin/runsc-boot/vfs/file.h"

namespace runsc::boot {

dev_t AnonymousFilesystem::dev() const { return makedev(0, 1); }

Result<struct statfs> AnonymousFilesystem::StatFs() {
  struct statfs result{};
  result.f_type = 0x09041934;  // ANON_INODE_FS_MAGIC
  result.f_bsize = 4096;
  result.f_frsize = 4096;
  result.f_namelen = 255;
  return result;
}

Path AnonymousFilesystem::MakePath(std::string name, InodeRef inode) {
  return Path{nullptr, std::make_shared<Dentry>(nullptr, std::move(name), std::move(inode))};
}

Path AnonymousFilesystem::MakePath(Context& context, std::string name, mode_t mode) {
  return MakePath(std::move(name),
                  std::make_shared<AnonymousInode>(*this, *context.credentials(), mode));
}

AnonymousInode::AnonymousInode(AnonymousFilesystem& filesystem, const Credentials& credentials,
                               mode_t mode)
    : Inode(filesystem), ino_(filesystem.NewInodeNumber()) {
  attributes_.ino = ino_;
  attributes_.mode = mode;
  attributes_.uid = credentials.fsuid;
  attributes_.gid = credentials.fsgid;
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  attributes_.atime = attributes_.mtime = attributes_.ctime = now;
}

Result<Attributes> AnonymousInode::GetAttributes() {
  absl::MutexLock lock(&mutex_);
  return attributes_;
}

Status AnonymousInode::SetAttributes(const AttributeChange& change) {
  if (change.size) return Error(EINVAL);
  absl::MutexLock lock(&mutex_);
  if (change.mode) attributes_.mode = (attributes_.mode & S_IFMT) | *change.mode;
  if (change.uid) attributes_.uid = *change.uid;
  if (change.gid) attributes_.gid = *change.gid;
  if (change.atime) attributes_.atime = *change.atime;
  if (change.mtime) attributes_.mtime = *change.mtime;
  return Ok();
}

Result<FileRef> AnonymousInode::Open(Context& context, const Path& path, int flags) {
  return Error(ENXIO);
}

}  // namespace runsc::boot
