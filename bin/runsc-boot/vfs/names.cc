// mknod(2), mkdir(2), symlink(2), link(2), unlink(2), rmdir(2).
#include <sys/inotify.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "bin/runsc-boot/vfs/create.h"
#include "bin/runsc-boot/vfs/vfs.h"
#include "bin/runsc-boot/vfs/walker.h"

namespace runsc::boot {
namespace {

// What the parent must allow for a name to come or go.
Result<Attributes> CheckParent(const Credentials& credentials, const Dentry& parent) {
  if (parent.deleted()) return Error(ENOENT);
  TRY_ASSIGN(Attributes attributes, parent.inode()->GetAttributes());
  TRY(CheckPermission(credentials, attributes, kWrite | kExecute));
  return attributes;
}

Status CheckNodeType(const Credentials& credentials, mode_t mode, dev_t rdev) {
  switch (mode & S_IFMT) {
    case S_IFREG:
    case S_IFIFO:
    case S_IFSOCK:
      return Ok();
    case S_IFCHR:
    case S_IFBLK:
      // Device 0:0 is a whiteout, which anybody may make.
      if (S_ISCHR(mode) && rdev == 0) return Ok();
      return credentials.HasInitially(CAP_MKNOD) ? Ok() : Status(Error(EPERM));
    case S_IFDIR:
      return Error(EPERM);
    default:
      return Error(EINVAL);
  }
}

// The inode's own end comes first, unless an open file delays it.
void ReportRemoval(Inode& parent, std::string_view name, const DentryRef& victim) {
  if (!parent.filesystem().watches().active()) return;
  if (victim.use_count() == 1) ReportNameGone(*victim);
  ReportEntry(parent, name, IN_DELETE, victim->is_directory());
}

// Only what is mounted in the caller's own namespace keeps a name in place.
bool IsMountPoint(Caller caller, const DentryRef& dentry) {
  if (!dentry->is_mount_point()) return false;
  const std::vector<MountNamespace::Listed> mounts = caller.fs.mounts()->List();
  return std::any_of(mounts.begin(), mounts.end(), [&](const MountNamespace::Listed& listed) {
    return listed.mount_point.dentry == dentry;
  });
}

// fs.protected_hardlinks: those who could not change a file may not keep it
// alive by a link either.
Status CheckMayLink(const Credentials& credentials, const Attributes& target) {
  if (OwnerOrCapable(credentials, target)) return Ok();
  bool set_gid = (target.mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
  if (!target.IsRegular() || (target.mode & S_ISUID) != 0 || set_gid ||
      !CheckPermission(credentials, target, kRead | kWrite).ok()) {
    return Error(EPERM);
  }
  return Ok();
}

}  // namespace

Status Vfs::CreateNode(Caller caller, const WalkOptions& walk, std::string_view path,
                       const NewInode& node) {
  PathWalker walker(*this, caller, walk, path);
  TRY(walker.ToParent());
  if (walker.last_kind() != PathWalker::Last::kNormal) return Error(EEXIST);
  const Path& parent = walker.current();
  absl::MutexLock lock(&parent.dentry->mutex_);
  Result<DentryRef> existing = cache_.LookupLocked(caller.context, parent.dentry, walker.last());
  if (existing.ok()) return Error(EEXIST);
  if (existing.code() != ENOENT) return std::move(existing).error();
  if (walker.trailing_slash() && !S_ISDIR(node.mode)) return Error(ENOENT);
  if (parent.mount->read_only()) return Error(EROFS);
  TRY(CheckIdsFit(*parent.mount, walker.credentials()));
  TRY_ASSIGN(Attributes attributes, CheckParent(walker.credentials(), *parent.dentry));
  NewInode created = node;
  if (!S_ISLNK(node.mode)) created.mode &= ~caller.fs.umask();
  ApplyOwner(walker.credentials(), attributes, created);
  TRY_ASSIGN(InodeRef inode,
             parent.dentry->inode()->Create(caller.context, walker.last(), created));
  cache_.InsertLocked(parent.dentry, walker.last(), std::move(inode));
  ReportEntry(*parent.dentry->inode(), walker.last(), IN_CREATE, S_ISDIR(node.mode));
  return Ok();
}

Status Vfs::Mknod(Caller caller, const WalkOptions& walk, std::string_view path, mode_t mode,
                  dev_t rdev) {
  if ((mode & S_IFMT) == 0) mode |= S_IFREG;
  NewInode node;
  node.mode = mode & (S_IFMT | 07777);
  node.rdev = S_ISCHR(mode) || S_ISBLK(mode) ? rdev : 0;
  TRY(CheckNodeType(*caller.context.credentials(), mode, node.rdev));
  return CreateNode(caller, walk, path, node);
}

Status Vfs::Mkdir(Caller caller, const WalkOptions& walk, std::string_view path, mode_t mode) {
  NewInode node;
  node.mode = S_IFDIR | (mode & (0777 | S_ISVTX));
  return CreateNode(caller, walk, path, node);
}

Status Vfs::Symlink(Caller caller, std::string_view target, const WalkOptions& walk,
                    std::string_view path) {
  if (target.empty()) return Error(ENOENT);
  if (target.size() >= PATH_MAX) return Error(ENAMETOOLONG);
  NewInode node;
  node.mode = S_IFLNK | 0777;
  node.target = std::string(target);
  return CreateNode(caller, walk, path, node);
}

Status Vfs::Link(Caller caller, const Path& target, const WalkOptions& walk,
                 std::string_view path) {
  PathWalker walker(*this, caller, walk, path);
  TRY(walker.ToParent());
  if (walker.last_kind() != PathWalker::Last::kNormal) return Error(EEXIST);
  const Path& parent = walker.current();
  const InodeRef& inode = target.dentry->inode();
  absl::MutexLock lock(&parent.dentry->mutex_);
  Result<DentryRef> existing = cache_.LookupLocked(caller.context, parent.dentry, walker.last());
  if (existing.ok()) return Error(EEXIST);
  if (existing.code() != ENOENT) return std::move(existing).error();
  if (walker.trailing_slash()) return Error(ENOENT);
  if (target.mount != parent.mount) return Error(EXDEV);
  if (parent.mount->read_only()) return Error(EROFS);
  TRY_ASSIGN(Attributes attributes, inode->GetAttributes());
  TRY(CheckMayLink(walker.credentials(), attributes));
  TRY(CheckParent(walker.credentials(), *parent.dentry));
  if (attributes.IsDirectory()) return Error(EPERM);
  TRY(parent.dentry->inode()->Link(walker.last(), *inode));
  cache_.InsertLocked(parent.dentry, walker.last(), inode);
  ReportInode(*inode, IN_ATTRIB);  // the count of its links
  ReportEntry(*parent.dentry->inode(), walker.last(), IN_CREATE, false);
  return Ok();
}

Status Vfs::Remove(Caller caller, const WalkOptions& walk, std::string_view path, bool directory) {
  using Last = PathWalker::Last;
  PathWalker walker(*this, caller, walk, path);
  TRY(walker.ToParent());
  if (walker.last_kind() != Last::kNormal) {
    if (!directory) return Error(EISDIR);
    if (walker.last_kind() == Last::kRoot) return Error(EBUSY);
    return Error(walker.last_kind() == Last::kDot ? EINVAL : ENOTEMPTY);
  }
  const Path& parent = walker.current();
  if (parent.mount->read_only()) return Error(EROFS);
  DentryRef victim;  // outlives the lock: its end may be the end of a large file
  absl::MutexLock lock(&parent.dentry->mutex_);
  TRY_ASSIGN(victim, cache_.LookupLocked(caller.context, parent.dentry, walker.last()));
  TRY_ASSIGN(Attributes attributes, victim->inode()->GetAttributes());
  if (!directory && walker.trailing_slash()) {
    return Error(attributes.IsDirectory() ? EISDIR : ENOTDIR);
  }
  TRY_ASSIGN(Attributes parent_attributes, CheckParent(walker.credentials(), *parent.dentry));
  TRY(CheckSticky(walker.credentials(), parent_attributes, attributes));
  if (directory && !attributes.IsDirectory()) return Error(ENOTDIR);
  if (!directory && attributes.IsDirectory()) return Error(EISDIR);
  if (IsMountPoint(caller, victim)) return Error(EBUSY);
  Inode& node = *parent.dentry->inode();
  if (!directory) {
    TRY(node.Unlink(walker.last(), *victim->inode()));
    cache_.RemoveLocked(parent.dentry, victim);
    ReportInode(*victim->inode(), IN_ATTRIB);
    ReportRemoval(node, walker.last(), victim);
    return Ok();
  }
  // So that nothing comes into being in it meanwhile.
  absl::MutexLock victim_lock(&victim->mutex_);
  TRY(node.Rmdir(walker.last(), *victim->inode()));
  cache_.RemoveDirectoryLocked(parent.dentry, victim);
  ReportRemoval(node, walker.last(), victim);
  return Ok();
}

Status Vfs::Unlink(Caller caller, const WalkOptions& walk, std::string_view path) {
  return Remove(caller, walk, path, /*directory=*/false);
}

Status Vfs::Rmdir(Caller caller, const WalkOptions& walk, std::string_view path) {
  return Remove(caller, walk, path, /*directory=*/true);
}

}  // namespace runsc::boot
