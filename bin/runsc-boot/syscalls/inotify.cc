// inotify_init(2), inotify_init1(2), inotify_add_watch(2), inotify_rm_watch(2)

#include "bin/runsc-boot/fs/inotify/inotify.h"

#include <sys/inotify.h>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

constexpr uint32_t kKnownBits = IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED |
                                IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_ADD |
                                IN_MASK_CREATE | IN_ISDIR | IN_ONESHOT;

Result<Word> Init(Task& task, int flags) {
  TRY_ASSIGN(std::shared_ptr<InotifyFile> file, InotifyFile::Make(task.vfs(), task, flags));
  return InstallFile(task, std::move(file), (flags & IN_CLOEXEC) != 0);
}

// Keeps the file, so that the reference may be used. EBADF, EINVAL.
Result<std::shared_ptr<InotifyFile>> InotifyOf(Task& task, int fd) {
  TRY_ASSIGN(FileRef file, FileForIo(task, fd));
  auto inotify = std::dynamic_pointer_cast<InotifyFile>(std::move(file));
  if (inotify == nullptr) return Error(EINVAL);
  return inotify;
}

}  // namespace

Result<Word> SysInotifyInit(Task& task, const SyscallArgs& args) { return Init(task, 0); }

Result<Word> SysInotifyInit1(Task& task, const SyscallArgs& args) {
  return Init(task, args.Int(0));
}

Result<Word> SysInotifyAddWatch(Task& task, const SyscallArgs& args) {
  const uint32_t mask = args.Uint(2);
  if ((mask & kKnownBits) == 0 || (mask & ~kKnownBits) != 0) return Error(EINVAL);
  TRY_ASSIGN(FileRef file, FileForIo(task, args.Fd(0)));
  if ((mask & IN_MASK_ADD) != 0 && (mask & IN_MASK_CREATE) != 0) return Error(EINVAL);
  TRY_ASSIGN(std::shared_ptr<InotifyFile> inotify, InotifyOf(task, args.Fd(0)));
  TRY_ASSIGN(PathArgument argument, PathAt(task, AT_FDCWD, args.Address(1)));
  argument.walk.follow_last = (mask & IN_DONT_FOLLOW) == 0;
  argument.walk.directory = (mask & IN_ONLYDIR) != 0;
  TRY_ASSIGN(Path path, task.vfs().Walk(task.caller(), argument.walk, argument.path));
  TRY(task.vfs().CheckAccess(task.caller(), path, kRead));
  TRY_ASSIGN(int number, inotify->AddWatch(path, mask));
  return static_cast<Word>(number);
}

Result<Word> SysInotifyRmWatch(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(std::shared_ptr<InotifyFile> inotify, InotifyOf(task, args.Fd(0)));
  TRY(inotify->RemoveWatch(args.Int(1)));
  return 0;
}

}  // namespace runsc::boot
