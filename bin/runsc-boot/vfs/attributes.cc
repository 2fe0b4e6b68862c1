// stat(2), chmod(2), chown(2), utimensat(2), truncate(2), access(2), readlink(2).
#include <sys/mount.h>
#include <sys/stat.h>

#include <ctime>

#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {
namespace {

Status CheckWritableMount(const Path& path) {
  return path.mount != nullptr && path.mount->read_only() ? Status(Error(EROFS)) : Ok();
}

timespec Now() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

bool ValidNanoseconds(const timespec& time) {
  return time.tv_nsec == UTIME_NOW || time.tv_nsec == UTIME_OMIT ||
         (time.tv_nsec >= 0 && time.tv_nsec < 1'000'000'000);
}

std::optional<timespec> Resolve(const timespec& time) {
  if (time.tv_nsec == UTIME_OMIT) return std::nullopt;
  return time.tv_nsec == UTIME_NOW ? Now() : time;
}

}  // namespace

Result<Attributes> Vfs::GetAttributes(const Path& path) {
  const InodeRef& inode = path.dentry->inode();
  TRY_ASSIGN(Attributes attributes, inode->GetAttributes());
  attributes.dev = inode->filesystem().dev();
  return attributes;
}

Result<std::string> Vfs::ReadLink(Caller caller, const Path& path) {
  return path.dentry->inode()->ReadLink(caller.context);
}

Status Vfs::Chmod(Caller caller, const Path& path, mode_t mode) {
  TRY(CheckWritableMount(path));
  const InodeRef& inode = path.dentry->inode();
  TRY_ASSIGN(Attributes attributes, inode->GetAttributes());
  CredentialsRef credentials = caller.context.credentials();
  if (!OwnerOrCapable(*credentials, attributes)) return Error(EPERM);
  if (attributes.IsSymlink()) return Error(EOPNOTSUPP);
  AttributeChange change;
  change.mode = mode & 07777;
  if (!credentials->InGroup(attributes.gid) &&
      !credentials->HasOver(attributes.uid, attributes.gid, CAP_FSETID)) {
    *change.mode &= ~mode_t{S_ISGID};
  }
  TRY(inode->SetAttributes(change));
  ReportChange(path, change);
  return Ok();
}

Status Vfs::Chown(Caller caller, const Path& path, uid_t uid, gid_t gid) {
  constexpr uid_t kUnchanged = static_cast<uid_t>(-1);
  TRY(CheckWritableMount(path));
  const InodeRef& inode = path.dentry->inode();
  TRY_ASSIGN(Attributes attributes, inode->GetAttributes());
  CredentialsRef credentials = caller.context.credentials();
  const bool owner = credentials->fsuid == attributes.uid;
  if (uid != kUnchanged && (uid = credentials->KernelUid(uid)) == kUnchanged) return Error(EINVAL);
  if (gid != kUnchanged && (gid = credentials->KernelGid(gid)) == kUnchanged) return Error(EINVAL);
  if (!credentials->HasOver(attributes.uid, attributes.gid, CAP_CHOWN)) {
    if (uid != kUnchanged && !(owner && uid == attributes.uid)) return Error(EPERM);
    if (gid != kUnchanged && !(owner && (gid == attributes.gid || credentials->InGroup(gid)))) {
      return Error(EPERM);
    }
  }
  AttributeChange change;
  if (uid != kUnchanged) change.uid = uid;
  if (gid != kUnchanged) change.gid = gid;
  if (!attributes.IsDirectory()) {
    mode_t mode = WithoutSetIdBits(attributes.mode);
    if ((mode & S_ISGID) != 0 && !credentials->InGroup(attributes.gid) &&
        !credentials->HasOver(attributes.uid, attributes.gid, CAP_FSETID)) {
      mode &= ~mode_t{S_ISGID};
    }
    if (mode != attributes.mode) change.mode = mode & 07777;
  }
  TRY(inode->SetAttributes(change));
  ReportChange(path, change);
  return Ok();
}

Status Vfs::SetTimes(Caller caller, const Path& path, const timespec& atime,
                     const timespec& mtime) {
  if (!ValidNanoseconds(atime) || !ValidNanoseconds(mtime)) return Error(EINVAL);
  if (atime.tv_nsec == UTIME_OMIT && mtime.tv_nsec == UTIME_OMIT) return Ok();
  TRY(CheckWritableMount(path));
  const InodeRef& inode = path.dentry->inode();
  TRY_ASSIGN(Attributes attributes, inode->GetAttributes());
  CredentialsRef credentials = caller.context.credentials();
  if (!OwnerOrCapable(*credentials, attributes)) {
    if (atime.tv_nsec != UTIME_NOW || mtime.tv_nsec != UTIME_NOW) return Error(EPERM);
    TRY(CheckPermission(*credentials, attributes, kWrite));
  }
  AttributeChange change;
  change.atime = Resolve(atime);
  change.mtime = Resolve(mtime);
  TRY(inode->SetAttributes(change));
  ReportChange(path, change);
  return Ok();
}

Status Vfs::DropSetIdBits(Context& context, Inode& inode, mode_t mode) {
  mode_t without = WithoutSetIdBits(mode);
  if (without == mode || !S_ISREG(mode) || context.credentials()->HasInitially(CAP_FSETID))
    return Ok();
  AttributeChange change;
  change.mode = without & 07777;
  return inode.SetAttributes(change);
}

Status Vfs::Truncate(Caller caller, const Path& path, uint64_t size) {
  const InodeRef& inode = path.dentry->inode();
  TRY_ASSIGN(Attributes attributes, inode->GetAttributes());
  if (attributes.IsDirectory()) return Error(EISDIR);
  if (!attributes.IsRegular()) return Error(EINVAL);
  TRY(CheckWritableMount(path));
  TRY(CheckPermission(*caller.context.credentials(), attributes, kWrite));
  if (size > attributes.size && size > caller.context.file_size_limit()) return Error(EFBIG);
  // For as long as it takes, this is a writer.
  TRY(inode->write_access().Get());
  AttributeChange change;
  change.size = size;
  Status status = DropSetIdBits(caller.context, *inode, attributes.mode);
  if (status.ok()) status = inode->SetAttributes(change);
  inode->write_access().Put();
  if (status.ok()) ReportChange(path, change);
  return status;
}

Status Vfs::CheckAccess(Caller caller, const Path& path, unsigned mode) {
  TRY_ASSIGN(Attributes attributes, path.dentry->inode()->GetAttributes());
  MountFlags flags = path.mount != nullptr ? path.mount->flags() : 0;
  if ((mode & kExecute) != 0 && attributes.IsRegular() && (flags & MS_NOEXEC) != 0) {
    return Error(EACCES);
  }
  TRY(CheckPermission(*caller.context.credentials(), attributes, mode));
  bool special = !attributes.IsRegular() && !attributes.IsDirectory() && !attributes.IsSymlink();
  if ((mode & kWrite) != 0 && !special && (flags & MS_RDONLY) != 0) return Error(EROFS);
  return Ok();
}

}  // namespace runsc::boot
