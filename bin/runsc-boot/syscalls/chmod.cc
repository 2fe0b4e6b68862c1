// chmod(2), fchmod(2), fchmodat(2), fchmodat2(2), umask(2)

#include <fcntl.h>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

Result<Word> ChangeMode(Task& task, int dirfd, uint64_t address, mode_t mode, unsigned at_flags) {
  TRY_ASSIGN(Path path, ResolveAt(task, dirfd, address, at_flags));
  TRY(task.vfs().Chmod(task.caller(), path, mode & 07777));
  return 0;
}

}  // namespace

Result<Word> SysChmod(Task& task, const SyscallArgs& args) {
  return ChangeMode(task, AT_FDCWD, args.Address(0), args.Mode(1), 0);
}

Result<Word> SysFchmod(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef file, FileForIo(task, args.Fd(0)));
  TRY(task.vfs().Chmod(task.caller(), file->path(), args.Mode(1) & 07777));
  return 0;
}

Result<Word> SysFchmodat(Task& task, const SyscallArgs& args) {
  return ChangeMode(task, args.Fd(0), args.Address(1), args.Mode(2), 0);
}

Result<Word> SysFchmodat2(Task& task, const SyscallArgs& args) {
  if ((args.Int(3) & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return Error(EINVAL);
  return ChangeMode(task, args.Fd(0), args.Address(1), args.Mode(2), args.Uint(3));
}

Result<Word> SysUmask(Task& task, const SyscallArgs& args) {
  return task.fs().set_umask(args.Mode(0) & 0777);
}

}  // namespace runsc::boot
