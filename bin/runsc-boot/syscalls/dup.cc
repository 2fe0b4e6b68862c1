// dup(2), dup2(2), dup3(2)

#include <fcntl.h>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

Result<Word> Replace(Task& task, int old_fd, int new_fd, bool close_on_exec) {
  TRY_ASSIGN(FileRef file, task.fds().Get(old_fd));
  TRY_ASSIGN(FileRef replaced,
             task.fds().Replace(new_fd, std::move(file), close_on_exec, MaxFiles(task)));
  // The errors of closing what was there are lost, as in Linux.
  if (replaced != nullptr) (void)replaced->Flush(task);
  return static_cast<Word>(new_fd);
}

}  // namespace

Result<Word> SysDup(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef file, task.fds().Get(args.Fd(0)));
  return InstallFile(task, std::move(file), false);
}

Result<Word> SysDup2(Task& task, const SyscallArgs& args) {
  if (args.Fd(0) == args.Fd(1)) {
    TRY(task.fds().Get(args.Fd(0)));
    return static_cast<Word>(args.Fd(1));
  }
  return Replace(task, args.Fd(0), args.Fd(1), false);
}

Result<Word> SysDup3(Task& task, const SyscallArgs& args) {
  if ((args.Int(2) & ~O_CLOEXEC) != 0) return Error(EINVAL);
  if (args.Fd(0) == args.Fd(1)) return Error(EINVAL);
  return Replace(task, args.Fd(0), args.Fd(1), (args.Int(2) & O_CLOEXEC) != 0);
}

}  // namespace runsc::boot
