// open(2), openat2(2): checks in Linux's order, then the inode's own open.
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include <string_view>
#include <utility>

#include "bin/runsc-boot/vfs/create.h"
#include "bin/runsc-boot/vfs/device_numbers.h"
#include "bin/runsc-boot/vfs/vfs.h"
#include "bin/runsc-boot/vfs/walker.h"

namespace runsc::boot {
namespace {

// What O_PATH gives: a place, nothing that could be read or written.
class PathFile final : public File {
 public:
  using File::File;
  bool pollable() const override { return false; }
  Result<size_t> Read(Context&, IoBuffer&) override { return Error(EBADF); }
  Result<size_t> Write(Context&, IoBuffer&) override { return Error(EBADF); }
  Result<size_t> PRead(Context&, IoBuffer&, uint64_t) override { return Error(EBADF); }
  Result<size_t> PWrite(Context&, IoBuffer&, uint64_t) override { return Error(EBADF); }
  Result<uint64_t> Seek(Context&, int64_t, int) override { return Error(EBADF); }
  Status ReadDirectory(Context&, const std::function<bool(const DirectoryEntry&)>&) override {
    return Error(EBADF);
  }
  Status Truncate(Context&, uint64_t) override { return Error(EBADF); }
  Status Allocate(Context&, int, uint64_t, uint64_t) override { return Error(EBADF); }
  Status Sync(bool) override { return Error(EBADF); }
  Result<int64_t> Ioctl(Context&, uint64_t, uint64_t) override { return Error(EBADF); }
};

unsigned WantedAccess(int flags) {
  unsigned access = 0;
  if ((flags & O_ACCMODE) != O_WRONLY) access |= kRead;
  if ((flags & O_ACCMODE) != O_RDONLY) access |= kWrite;
  if ((flags & O_TRUNC) != 0) access |= kWrite;
  return access;
}

// Flags that a file description keeps.
int StatusFlags(int flags) { return flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC); }

// Regular files and directories, and inodes without a mount (pipes, sockets),
// which know how to open themselves. ETXTBSY: a program that runs.
Result<FileRef> OpenPlain(Context& context, const Path& path, const Attributes& attributes,
                          int flags) {
  Inode& inode = *path.dentry->inode();
  const int access = flags & O_ACCMODE;
  const bool writes =
      attributes.IsRegular() && (access == O_WRONLY || access == O_RDWR || (flags & O_TRUNC) != 0);
  if (writes) TRY(inode.write_access().Get());
  Result<FileRef> opened = inode.Open(context, path, StatusFlags(flags));
  if (!writes) return opened;
  // Linux counts O_TRUNC without write access only while it truncates; here it
  // counts until the file is closed.
  if (opened.ok()) {
    (*opened)->HoldWriteAccess();
  } else {
    inode.write_access().Put();
  }
  return opened;
}

// Device nodes of file systems that user namespaces mount are dead, as whoever
// mounts a tmpfs could make any; a devpts has none but its own terminals.
bool GivesDevices(const Mount& mount) {
  return mount.filesystem_owner() == nullptr ||
         std::string_view(mount.filesystem()->type()) == "devpts";
}

}  // namespace

Status Vfs::CheckOpen(Caller caller, const Path& path, const Attributes& attributes, int flags) {
  unsigned access = WantedAccess(flags);
  MountFlags mount = path.mount != nullptr ? path.mount->flags() : 0;
  switch (attributes.mode & S_IFMT) {
    case S_IFLNK:
      return Error(ELOOP);
    case S_IFDIR:
      if ((access & kWrite) != 0) return Error(EISDIR);
      break;
    case S_IFBLK:
    case S_IFCHR:
      if ((mount & MS_NODEV) != 0 || (path.mount != nullptr && !GivesDevices(*path.mount))) {
        return Error(EACCES);
      }
      break;
    case S_IFREG:
      if ((access & kWrite) != 0 && (mount & MS_RDONLY) != 0) return Error(EROFS);
      break;
  }
  CredentialsRef credentials = caller.context.credentials();
  TRY(CheckPermission(*credentials, attributes, access));
  if ((flags & O_NOATIME) != 0 && !OwnerOrCapable(*credentials, attributes)) return Error(EPERM);
  return Ok();
}

Result<FileRef> Vfs::OpenSpecial(Context& context, const Path& path, const Attributes& attributes,
                                 int flags) {
  mode_t type = attributes.mode & S_IFMT;
  if (type == S_IFSOCK) return Error(ENXIO);
  DeviceOpener opener;
  {
    absl::MutexLock lock(&devices_mutex_);
    auto found = devices_.find({type, type == S_IFIFO ? 0 : attributes.rdev});
    if (found == devices_.end()) {
      found = devices_.find({type, makedev(major(attributes.rdev), kAnyMinor)});
    }
    if (found == devices_.end()) return Error(ENXIO);
    opener = found->second;
  }
  return opener(context, path, flags);
}

Result<FileRef> Vfs::OpenExisting(Caller caller, const Path& path, int flags, bool created) {
  if ((flags & O_PATH) != 0) return FileRef(std::make_shared<PathFile>(path, flags));
  const InodeRef& inode = path.dentry->inode();
  TRY_ASSIGN(Attributes attributes, inode->GetAttributes());
  if (!created) TRY(CheckOpen(caller, path, attributes, flags));
  // O_TMPFILE has the bit of O_DIRECTORY, too.
  const bool wants_directory = (flags & O_TMPFILE) == O_DIRECTORY;
  if (wants_directory && !attributes.IsDirectory()) return Error(ENOTDIR);
  bool plain = attributes.IsRegular() || attributes.IsDirectory();
  if (!plain && path.mount != nullptr) {
    TRY_ASSIGN(FileRef special, OpenSpecial(caller.context, path, attributes,
                                            StatusFlags(flags) | (flags & O_NOCTTY)));
    ReportPath(path, IN_OPEN);
    return special;
  }
  TRY_ASSIGN(FileRef file, OpenPlain(caller.context, path, attributes, flags));
  // Linux says so of files with a name only.
  if (created && (flags & O_TMPFILE) != O_TMPFILE) file->MarkCreated();
  ReportPath(path, IN_OPEN);
  if ((flags & O_TRUNC) != 0 && attributes.IsRegular() && !created) {
    TRY(DropSetIdBits(caller.context, *inode, attributes.mode));
    if (file->writable()) {
      TRY(file->Truncate(caller.context, 0));
    } else {
      AttributeChange change;
      change.size = 0;
      TRY(inode->SetAttributes(change));
    }
    ReportPath(path, IN_MODIFY);
  }
  return file;
}

Result<FileRef> Vfs::OpenPath(Caller caller, const Path& path, int flags) {
  return OpenExisting(caller, path, flags, /*created=*/false);
}

Result<Path> Vfs::CreateForOpen(Caller caller, const Path& parent, std::string_view name,
                                const OpenOptions& options, bool& created) {
  CredentialsRef credentials = caller.context.credentials();
  absl::MutexLock lock(&parent.dentry->mutex_);
  Result<DentryRef> existing = cache_.LookupLocked(caller.context, parent.dentry, name);
  if (existing.ok()) return Path{parent.mount, std::move(existing).value()};
  if (existing.code() != ENOENT) return std::move(existing).error();
  if (parent.mount->read_only()) return Error(EROFS);
  if (parent.dentry->deleted()) return Error(ENOENT);
  TRY(CheckIdsFit(*parent.mount, *credentials));
  const InodeRef& directory = parent.dentry->inode();
  TRY_ASSIGN(Attributes attributes, directory->GetAttributes());
  TRY(CheckPermission(*credentials, attributes, kWrite | kExecute));
  NewInode node;
  node.mode = S_IFREG | (options.mode & 07777 & ~caller.fs.umask());
  ApplyOwner(*credentials, attributes, node);
  TRY_ASSIGN(InodeRef inode, directory->Create(caller.context, name, node));
  created = true;
  Path child{parent.mount, cache_.InsertLocked(parent.dentry, name, std::move(inode))};
  ReportEntry(*directory, name, IN_CREATE, false);
  return child;
}

Result<FileRef> Vfs::OpenCreating(Caller caller, const WalkOptions& walk, std::string_view path,
                                  const OpenOptions& options) {
  const bool exclusive = (options.flags & O_EXCL) != 0;
  PathWalker walker(*this, caller, walk, path);
  while (true) {
    TRY(walker.ToParent());
    if (walker.last_kind() != PathWalker::Last::kNormal) {
      return Error(exclusive ? EEXIST : EISDIR);
    }
    if (walker.trailing_slash()) return Error(EISDIR);
    Result<DentryRef> found = walker.LookupLast();
    if (!found.ok() && found.code() != ENOENT) return std::move(found).error();
    if (!found.ok()) {
      bool created = false;
      TRY_ASSIGN(Path child,
                 CreateForOpen(caller, walker.current(), walker.last(), options, created));
      if (created) return OpenExisting(caller, child, options.flags, true);
      found = std::move(child.dentry);
    }
    DentryRef child = std::move(found).value();
    if (exclusive) return Error(EEXIST);
    if (S_ISLNK(child->inode()->Type())) {
      if ((options.flags & O_NOFOLLOW) != 0) return Error(ELOOP);
      TRY_ASSIGN(bool arrived, walker.FollowLast(child));
      if (!arrived) continue;
    } else {
      TRY(walker.Enter(std::move(child)));
    }
    if (walker.current().dentry->is_directory()) return Error(EISDIR);
    return OpenExisting(caller, walker.current(), options.flags, false);
  }
}

Result<FileRef> Vfs::OpenTemporary(Caller caller, const WalkOptions& walk, std::string_view path,
                                   const OpenOptions& options) {
  if ((options.flags & O_ACCMODE) == O_RDONLY) return Error(EINVAL);
  TRY_ASSIGN(Path parent, Walk(caller, walk, path));
  if (!parent.dentry->is_directory()) return Error(ENOTDIR);
  if (parent.mount->read_only()) return Error(EROFS);
  const InodeRef& directory = parent.dentry->inode();
  CredentialsRef credentials = caller.context.credentials();
  TRY_ASSIGN(Attributes attributes, directory->GetAttributes());
  TRY(CheckPermission(*credentials, attributes, kWrite | kExecute));
  NewInode node;
  node.mode = S_IFREG | (options.mode & 07777 & ~caller.fs.umask());
  ApplyOwner(*credentials, attributes, node);
  TRY_ASSIGN(InodeRef inode, directory->CreateUnnamed(caller.context, node));
  TRY_ASSIGN(Attributes created, inode->GetAttributes());
  auto dentry =
      std::make_shared<Dentry>(parent.dentry, "#" + std::to_string(created.ino), std::move(inode));
  dentry->deleted_ = true;
  return OpenExisting(caller, Path{parent.mount, dentry}, options.flags, true);
}

Result<FileRef> Vfs::Open(Caller caller, const WalkOptions& walk, std::string_view path,
                          const OpenOptions& options) {
  OpenOptions wanted = options;
  if ((wanted.flags & O_PATH) != 0) {
    wanted.flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  }
  WalkOptions walk_options = walk;
  walk_options.follow_last = (wanted.flags & O_NOFOLLOW) == 0;
  walk_options.directory = (wanted.flags & O_DIRECTORY) != 0;
  if ((wanted.flags & O_TMPFILE) == O_TMPFILE) {
    return OpenTemporary(caller, walk_options, path, wanted);
  }
  if ((wanted.flags & O_CREAT) != 0) {
    if ((wanted.flags & O_DIRECTORY) != 0) return Error(EINVAL);
    return OpenCreating(caller, walk_options, path, wanted);
  }
  TRY_ASSIGN(Path found, Walk(caller, walk_options, path));
  return OpenExisting(caller, found, wanted.flags, false);
}

}  // namespace runsc::boot
