// chown(2), fchown(2), lchown(2), fchownat(2)

#include <fcntl.h>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

Result<Word> ChangeOwner(Task& task, int dirfd, uint64_t address, uid_t uid, gid_t gid,
                         unsigned at_flags) {
  TRY_ASSIGN(Path path, ResolveAt(task, dirfd, address, at_flags));
  TRY(task.vfs().Chown(task.caller(), path, uid, gid));
  return 0;
}

}  // namespace

Result<Word> SysChown(Task& task, const SyscallArgs& args) {
  return ChangeOwner(task, AT_FDCWD, args.Address(0), args.Uid(1), args.Gid(2), 0);
}

Result<Word> SysLchown(Task& task, const SyscallArgs& args) {
  return ChangeOwner(task, AT_FDCWD, args.Address(0), args.Uid(1), args.Gid(2),
                     AT_SYMLINK_NOFOLLOW);
}

Result<Word> SysFchown(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef file, FileForIo(task, args.Fd(0)));
  TRY(task.vfs().Chown(task.caller(), file->path(), args.Uid(1), args.Gid(2)));
  return 0;
}

Result<Word> SysFchownat(Task& task, const SyscallArgs& args) {
  if ((args.Int(4) & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return Error(EINVAL);
  return ChangeOwner(task, args.Fd(0), args.Address(1), args.Uid(2), args.Gid(3), args.Uint(4));
}

}  // namespace runsc::boot
