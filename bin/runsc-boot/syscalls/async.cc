#include <fcntl.h>
#include <sys/ioctl.h>

#include <climits>

#include "bin/runsc-boot/kernel/async_io.h"
#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/socket/socket.h"
#include "bin/runsc-boot/syscalls/async_arguments.h"

namespace runsc::boot {

namespace {

// Numbers are the kernel's in the file, and the caller's on the way in and out.
f_owner_ex OwnerOf(const Task& task, const File& file) {
  const std::shared_ptr<AsyncIo> async = AsyncIo::Existing(file);
  if (async == nullptr) return {F_OWNER_TID, 0};
  f_owner_ex owner = async->owner();
  owner.pid = task.FromKernelPid(owner.pid);
  return owner;
}

Result<Word> SetOwner(Task& task, File& file, f_owner_ex owner) {
  if (owner.pid > 0) {
    owner.pid = task.ToKernelPid(owner.pid);
    if (owner.pid == 0) return Error(ESRCH);
  }
  TRY(AsyncIo::Of(task.kernel(), file)->SetOwner(task, owner));
  return 0;
}

// A negative number is a process group.
Result<Word> SetOwner(Task& task, File& file, int who) {
  if (who == INT_MIN) return Error(EINVAL);
  return SetOwner(task, file,
                  f_owner_ex{who < 0 ? F_OWNER_PGRP : F_OWNER_PID, who < 0 ? -who : who});
}

int OwnerNumber(const Task& task, const File& file) {
  const f_owner_ex owner = OwnerOf(task, file);
  return owner.type == F_OWNER_PGRP ? -owner.pid : owner.pid;
}

Result<Word> SetOwnerEx(Task& task, File& file, uint64_t address) {
  TRY_ASSIGN(f_owner_ex owner, task.CopyInObject<f_owner_ex>(address));
  if (owner.type != F_OWNER_TID && owner.type != F_OWNER_PID && owner.type != F_OWNER_PGRP) {
    return Error(EINVAL);
  }
  return SetOwner(task, file, owner);
}

Result<Word> SetSignal(Task& task, File& file, uint64_t signo) {
  if (signo > kSignalCount) return Error(EINVAL);
  AsyncIo::Of(task.kernel(), file)->set_signal(static_cast<int>(signo));
  return 0;
}

}  // namespace

Result<Word> OwnerCommand(Task& task, File& file, int command, uint64_t argument) {
  switch (command) {
    case F_GETOWN:
      return static_cast<Word>(OwnerNumber(task, file));
    case F_SETOWN:
      return SetOwner(task, file, static_cast<int>(argument));
    case F_GETOWN_EX:
      TRY(task.CopyOutObject(argument, OwnerOf(task, file)));
      return 0;
    case F_SETOWN_EX:
      return SetOwnerEx(task, file, argument);
    case F_SETSIG:
      return SetSignal(task, file, argument);
    default: {  // F_GETSIG
      const std::shared_ptr<AsyncIo> async = AsyncIo::Existing(file);
      return async == nullptr ? 0 : static_cast<Word>(async->signal());
    }
  }
}

Result<Word> NotifyCommand(Task& task, const FileRef& file, int fd, uint32_t events) {
  if ((events & ~uint32_t{DN_MULTISHOT}) == 0) {
    if (FileAsync* async = file->async_if_any()) async->DescriptorClosed(task.fds());
    return 0;
  }
  const InodeRef& inode = file->inode();
  if (inode == nullptr || !S_ISDIR(inode->Type())) return Error(ENOTDIR);
  AsyncIo::NotifyOf(task, *file, task.fds(), fd, events);
  return 0;
}

void UpdateAsync(Task& task, const FileRef& file, int fd) {
  if (!file->async_capable()) return;
  if ((file->flags() & O_ASYNC) != 0) {
    AsyncIo::Of(task.kernel(), *file)->Enable(*file, fd);
  } else if (const std::shared_ptr<AsyncIo> async = AsyncIo::Existing(*file)) {
    async->Disable();
  }
}

std::optional<Result<Word>> AsyncIoctl(Task& task, const FileRef& file, int fd, unsigned command,
                                       uint64_t argument) {
  const bool socket = dynamic_cast<Socket*>(file.get()) != nullptr;
  if (command == FIOASYNC) {
    return [&]() -> Result<Word> {
      TRY_ASSIGN(int on, task.CopyInObject<int>(argument));
      const int flags = on != 0 ? file->flags() | O_ASYNC : file->flags() & ~O_ASYNC;
      if (flags == file->flags()) return 0;
      if (!file->async_capable()) return Error(ENOTTY);
      TRY(file->SetFlags(flags));
      UpdateAsync(task, file, fd);
      return 0;
    }();
  }
  if (socket && (command == FIOSETOWN || command == SIOCSPGRP)) {
    return [&]() -> Result<Word> {
      TRY_ASSIGN(int who, task.CopyInObject<int>(argument));
      return SetOwner(task, *file, who);
    }();
  }
  if (socket && (command == FIOGETOWN || command == SIOCGPGRP)) {
    return [&]() -> Result<Word> {
      TRY(task.CopyOutObject(argument, OwnerNumber(task, *file)));
      return 0;
    }();
  }
  return std::nullopt;
}

}  // namespace runsc::boot
