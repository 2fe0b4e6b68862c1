// link(2), linkat(2), unlink(2), unlinkat(2), rename(2), renameat(2),
// renameat2(2), symlink(2), symlinkat(2), readlink(2), readlinkat(2), mknod(2),
// mknodat(2)

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include <algorithm>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

Result<Word> Link(Task& task, int old_dirfd, uint64_t old_address, int new_dirfd,
                  uint64_t new_address, int flags) {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0) return Error(EINVAL);
  unsigned at_flags = (flags & AT_SYMLINK_FOLLOW) != 0 ? 0 : AT_SYMLINK_NOFOLLOW;
  if ((flags & AT_EMPTY_PATH) != 0) {
    // The capability stands for what proc would allow: to link an open file.
    if (!task.credentials()->HasInitially(CAP_DAC_READ_SEARCH)) return Error(ENOENT);
    at_flags |= AT_EMPTY_PATH;
  }
  TRY_ASSIGN(Path target, ResolveAt(task, old_dirfd, old_address, at_flags));
  TRY_ASSIGN(PathArgument argument, PathAt(task, new_dirfd, new_address));
  TRY(task.vfs().Link(task.caller(), target, argument.walk, argument.path));
  return 0;
}

Result<Word> Unlink(Task& task, int dirfd, uint64_t address) {
  TRY_ASSIGN(PathArgument argument, PathAt(task, dirfd, address));
  TRY(task.vfs().Unlink(task.caller(), argument.walk, argument.path));
  return 0;
}

Result<Word> Rename(Task& task, int old_dirfd, uint64_t old_address, int new_dirfd,
                    uint64_t new_address, unsigned flags) {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) != 0) return Error(EINVAL);
  if ((flags & RENAME_EXCHANGE) != 0 && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) != 0) {
    return Error(EINVAL);
  }
  if ((flags & RENAME_WHITEOUT) != 0) return Error(EINVAL);  // no file system here has it
  TRY_ASSIGN(PathArgument from, PathAt(task, old_dirfd, old_address));
  TRY_ASSIGN(PathArgument to, PathAt(task, new_dirfd, new_address));
  TRY(task.vfs().Rename(task.caller(), from.walk, from.path, to.walk, to.path, flags));
  return 0;
}

Result<Word> Symlink(Task& task, uint64_t target_address, int dirfd, uint64_t address) {
  TRY_ASSIGN(std::string target, task.CopyInPath(target_address));
  if (target.empty()) return Error(ENOENT);
  TRY_ASSIGN(PathArgument argument, PathAt(task, dirfd, address));
  TRY(task.vfs().Symlink(task.caller(), target, argument.walk, argument.path));
  return 0;
}

Result<Word> ReadLink(Task& task, int dirfd, uint64_t address, uint64_t out, int size,
                      unsigned at_flags) {
  if (size <= 0) return Error(EINVAL);
  TRY_ASSIGN(Path path, ResolveAt(task, dirfd, address, at_flags | AT_SYMLINK_NOFOLLOW));
  TRY_ASSIGN(std::string target, task.vfs().ReadLink(task.caller(), path));
  const size_t length = std::min(target.size(), static_cast<size_t>(size));
  TRY(task.CopyOut(out, target.data(), length));
  return length;
}

// dev_t of the call is 32 bits: 12 of the major, 20 of the minor number.
dev_t DecodeDevice(unsigned encoded) {
  const unsigned major = (encoded & 0xfff00) >> 8;
  const unsigned minor = (encoded & 0xff) | ((encoded >> 12) & 0xfff00);
  return (static_cast<dev_t>(major) << 8) | (minor & 0xff) |
         (static_cast<dev_t>(minor & 0xfff00) << 12);
}

Result<Word> MakeNode(Task& task, int dirfd, uint64_t address, mode_t mode, unsigned device) {
  TRY_ASSIGN(PathArgument argument, PathAt(task, dirfd, address));
  switch (mode & S_IFMT) {
    case 0:
      mode |= S_IFREG;
      break;
    case S_IFREG:
    case S_IFIFO:
    case S_IFSOCK:
    case S_IFCHR:
    case S_IFBLK:
      break;
    case S_IFDIR:
      return Error(EPERM);
    default:
      return Error(EINVAL);
  }
  TRY(task.vfs().Mknod(task.caller(), argument.walk, argument.path, mode, DecodeDevice(device)));
  return 0;
}

}  // namespace

Result<Word> SysLink(Task& task, const SyscallArgs& args) {
  return Link(task, AT_FDCWD, args.Address(0), AT_FDCWD, args.Address(1), 0);
}

Result<Word> SysLinkat(Task& task, const SyscallArgs& args) {
  return Link(task, args.Fd(0), args.Address(1), args.Fd(2), args.Address(3), args.Int(4));
}

Result<Word> SysUnlink(Task& task, const SyscallArgs& args) {
  return Unlink(task, AT_FDCWD, args.Address(0));
}

Result<Word> SysUnlinkat(Task& task, const SyscallArgs& args) {
  if ((args.Int(2) & ~AT_REMOVEDIR) != 0) return Error(EINVAL);
  if ((args.Int(2) & AT_REMOVEDIR) == 0) return Unlink(task, args.Fd(0), args.Address(1));
  TRY_ASSIGN(PathArgument argument, PathAt(task, args.Fd(0), args.Address(1)));
  TRY(task.vfs().Rmdir(task.caller(), argument.walk, argument.path));
  return 0;
}

Result<Word> SysRename(Task& task, const SyscallArgs& args) {
  return Rename(task, AT_FDCWD, args.Address(0), AT_FDCWD, args.Address(1), 0);
}

Result<Word> SysRenameat(Task& task, const SyscallArgs& args) {
  return Rename(task, args.Fd(0), args.Address(1), args.Fd(2), args.Address(3), 0);
}

Result<Word> SysRenameat2(Task& task, const SyscallArgs& args) {
  return Rename(task, args.Fd(0), args.Address(1), args.Fd(2), args.Address(3), args.Uint(4));
}

Result<Word> SysSymlink(Task& task, const SyscallArgs& args) {
  return Symlink(task, args.Address(0), AT_FDCWD, args.Address(1));
}

Result<Word> SysSymlinkat(Task& task, const SyscallArgs& args) {
  return Symlink(task, args.Address(0), args.Fd(1), args.Address(2));
}

Result<Word> SysReadlink(Task& task, const SyscallArgs& args) {
  return ReadLink(task, AT_FDCWD, args.Address(0), args.Address(1), args.Int(2), 0);
}

// An empty path is allowed here without a flag (for O_PATH descriptors).
Result<Word> SysReadlinkat(Task& task, const SyscallArgs& args) {
  return ReadLink(task, args.Fd(0), args.Address(1), args.Address(2), args.Int(3), AT_EMPTY_PATH);
}

Result<Word> SysMknod(Task& task, const SyscallArgs& args) {
  return MakeNode(task, AT_FDCWD, args.Address(0), args.Mode(1), args.Uint(2));
}

Result<Word> SysMknodat(Task& task, const SyscallArgs& args) {
  return MakeNode(task, args.Fd(0), args.Address(1), args.Mode(2), args.Uint(3));
}

}  // namespace runsc::boot
