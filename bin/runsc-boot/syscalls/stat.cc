// stat(2), lstat(2), fstat(2), newfstatat(2), statx(2), statfs(2), fstatfs(2)

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

Status CopyOutStat(Task& task, uint64_t address, const Attributes& attributes) {
  struct stat out{};
  out.st_dev = attributes.dev;
  out.st_ino = attributes.ino;
  out.st_mode = attributes.mode;
  out.st_nlink = attributes.nlink;
  const CredentialsRef caller = task.credentials();
  out.st_uid = caller->ShownUid(attributes.uid);
  out.st_gid = caller->ShownGid(attributes.gid);
  out.st_rdev = attributes.rdev;
  out.st_size = static_cast<off_t>(attributes.size);
  out.st_blksize = attributes.blksize;
  out.st_blocks = static_cast<blkcnt_t>(attributes.blocks);
  out.st_atim = attributes.atime;
  out.st_mtim = attributes.mtime;
  out.st_ctim = attributes.ctime;
  return task.CopyOutObject(address, out);
}

statx_timestamp ToStatxTime(const timespec& time) {
  statx_timestamp out{};
  out.tv_sec = time.tv_sec;
  out.tv_nsec = static_cast<uint32_t>(time.tv_nsec);
  return out;
}

Status CopyOutStatx(Task& task, uint64_t address, const Attributes& attributes) {
  struct statx out{};
  out.stx_mask = STATX_BASIC_STATS;
  out.stx_blksize = attributes.blksize;
  out.stx_nlink = attributes.nlink;
  const CredentialsRef caller = task.credentials();
  out.stx_uid = caller->ShownUid(attributes.uid);
  out.stx_gid = caller->ShownGid(attributes.gid);
  out.stx_mode = static_cast<uint16_t>(attributes.mode);
  out.stx_ino = attributes.ino;
  out.stx_size = attributes.size;
  out.stx_blocks = attributes.blocks;
  out.stx_atime = ToStatxTime(attributes.atime);
  out.stx_mtime = ToStatxTime(attributes.mtime);
  out.stx_ctime = ToStatxTime(attributes.ctime);
  if (attributes.btime) {
    out.stx_mask |= STATX_BTIME;
    out.stx_btime = ToStatxTime(*attributes.btime);
  }
  out.stx_rdev_major = major(attributes.rdev);
  out.stx_rdev_minor = minor(attributes.rdev);
  out.stx_dev_major = major(attributes.dev);
  out.stx_dev_minor = minor(attributes.dev);
  return task.CopyOutObject(address, out);
}

// With an empty path: of the descriptor itself, which may have no place.
Result<Attributes> AttributesAt(Task& task, int dirfd, uint64_t address, unsigned at_flags) {
  TRY_ASSIGN(PathArgument argument, PathAt(task, dirfd, address, at_flags));
  if (argument.path.empty() && dirfd != AT_FDCWD) {
    TRY_ASSIGN(FileRef file, task.fds().Get(dirfd));
    return file->GetAttributes();
  }
  if (argument.path.empty()) return task.vfs().GetAttributes(argument.walk.start);
  TRY_ASSIGN(Path path, task.vfs().Walk(task.caller(), argument.walk, argument.path));
  return task.vfs().GetAttributes(path);
}

Result<Word> Stat(Task& task, int dirfd, uint64_t path, uint64_t out, unsigned at_flags) {
  TRY_ASSIGN(Attributes attributes, AttributesAt(task, dirfd, path, at_flags));
  TRY(CopyOutStat(task, out, attributes));
  return 0;
}

}  // namespace

Result<Word> SysStat(Task& task, const SyscallArgs& args) {
  return Stat(task, AT_FDCWD, args.Address(0), args.Address(1), 0);
}

Result<Word> SysLstat(Task& task, const SyscallArgs& args) {
  return Stat(task, AT_FDCWD, args.Address(0), args.Address(1), AT_SYMLINK_NOFOLLOW);
}

Result<Word> SysFstat(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef file, task.fds().Get(args.Fd(0)));
  TRY_ASSIGN(Attributes attributes, file->GetAttributes());
  TRY(CopyOutStat(task, args.Address(1), attributes));
  return 0;
}

Result<Word> SysNewfstatat(Task& task, const SyscallArgs& args) {
  constexpr int kFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH;
  if ((args.Int(3) & ~kFlags) != 0) return Error(EINVAL);
  return Stat(task, args.Fd(0), args.Address(1), args.Address(2), args.Uint(3));
}

Result<Word> SysStatx(Task& task, const SyscallArgs& args) {
  constexpr int kFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;
  const int flags = args.Int(2);
  if ((flags & ~kFlags) != 0) return Error(EINVAL);
  if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE) return Error(EINVAL);
  if ((args.Uint(3) & STATX__RESERVED) != 0) return Error(EINVAL);
  TRY_ASSIGN(Attributes attributes, AttributesAt(task, args.Fd(0), args.Address(1), args.Uint(2)));
  TRY(CopyOutStatx(task, args.Address(4), attributes));
  return 0;
}

Result<Word> SysStatfs(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(Path path, ResolveAt(task, AT_FDCWD, args.Address(0)));
  TRY_ASSIGN(struct statfs out, task.vfs().StatFs(path));
  TRY(task.CopyOutObject(args.Address(1), out));
  return 0;
}

Result<Word> SysFstatfs(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef file, task.fds().Get(args.Fd(0)));
  TRY_ASSIGN(struct statfs out, task.vfs().StatFs(file->path()));
  TRY(task.CopyOutObject(args.Address(1), out));
  return 0;
}

}  // namespace runsc::boot
