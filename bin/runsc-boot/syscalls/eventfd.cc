// eventfd(2), eventfd2(2), signalfd(2), signalfd4(2), memfd_create(2)

#include "bin/runsc-boot/fs/eventfd/eventfd.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>

#include "bin/runsc-boot/fs/signalfd/signalfd.h"
#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

Result<Word> EventFd(Task& task, unsigned initial, int flags) {
  if ((flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)) != 0) return Error(EINVAL);
  TRY_ASSIGN(FileRef file, MakeEventFd(task.vfs(), task, initial, flags & ~EFD_CLOEXEC));
  return InstallFile(task, std::move(file), (flags & EFD_CLOEXEC) != 0);
}

Result<Word> SignalFd(Task& task, const SyscallArgs& args, int flags) {
  TRY_ASSIGN(SignalSet mask, CopyInSignalSet(task, args.Address(1), args.Size(2)));
  if ((flags & ~(SFD_CLOEXEC | SFD_NONBLOCK)) != 0) return Error(EINVAL);
  if (args.Fd(0) == -1) {
    FileRef file = SignalFile::Make(task, mask, flags & SFD_NONBLOCK);
    return InstallFile(task, std::move(file), (flags & SFD_CLOEXEC) != 0);
  }
  TRY_ASSIGN(FileRef file, task.fds().Get(args.Fd(0)));
  auto* signals = dynamic_cast<SignalFile*>(file.get());
  if (signals == nullptr) return Error(EINVAL);
  signals->set_mask(mask);
  return static_cast<Word>(args.Fd(0));
}

}  // namespace

Result<Word> SysEventfd(Task& task, const SyscallArgs& args) {
  return EventFd(task, args.Uint(0), 0);
}

Result<Word> SysEventfd2(Task& task, const SyscallArgs& args) {
  return EventFd(task, args.Uint(0), args.Int(1));
}

Result<Word> SysSignalfd(Task& task, const SyscallArgs& args) { return SignalFd(task, args, 0); }

Result<Word> SysSignalfd4(Task& task, const SyscallArgs& args) {
  return SignalFd(task, args, args.Int(3));
}

Result<Word> SysMemfdCreate(Task& task, const SyscallArgs& args) {
  constexpr size_t kMaxName = 249;
  Result<std::string> name = task.memory().CopyInString(args.Address(0), kMaxName);
  if (name.code() == ENAMETOOLONG) return Error(EINVAL);
  if (!name.ok()) return std::move(name).error();
  auto* memory = dynamic_cast<TmpfsFilesystem*>(task.kernel().filesystems().shared_memory().get());
  if (memory == nullptr) return Error(ENOSYS);
  TRY_ASSIGN(FileRef file, memory->CreateMemfd(task, *name, args.Uint(1)));
  return InstallFile(task, std::move(file), (args.Uint(1) & MFD_CLOEXEC) != 0);
}

}  // namespace runsc::boot
