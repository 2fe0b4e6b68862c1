// ioctl(2): what holds for every descriptor; the rest is the file's.

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>

#include "bin/runsc-boot/kernel/pidfd.h"
#include "bin/runsc-boot/namespaces/ns_file.h"
#include "bin/runsc-boot/socket/socket.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/async_arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/netdevice.h"

namespace runsc::boot {

namespace {

Result<Word> SetNonblock(Task& task, File& file, uint64_t argument) {
  TRY_ASSIGN(int on, task.CopyInObject<int>(argument));
  const int flags = file.flags() & ~O_NONBLOCK;
  TRY(file.SetFlags(on != 0 ? flags | O_NONBLOCK : flags));
  return 0;
}

// FIONREAD of a regular file: what is left behind the position.
Result<Word> BytesLeft(Task& task, File& file, uint64_t argument) {
  TRY_ASSIGN(Attributes attributes, file.GetAttributes());
  const uint64_t position = file.position();
  const uint64_t left = attributes.size > position ? attributes.size - position : 0;
  const int value = static_cast<int>(std::min<uint64_t>(left, 0x7fffffff));
  TRY(task.CopyOutObject(argument, value));
  return 0;
}

bool IsSocketCommand(unsigned command) {
  constexpr unsigned kType = 0x89;  // SOCK_IOC_TYPE
  return command >> 8 == kType;
}

}  // namespace

Result<Word> SysIoctl(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef file, FileForIo(task, args.Fd(0)));
  const unsigned command = args.Uint(1);
  switch (command) {
    case FIOCLEX:
      TRY(task.fds().SetCloseOnExec(args.Fd(0), true));
      return 0;
    case FIONCLEX:
      TRY(task.fds().SetCloseOnExec(args.Fd(0), false));
      return 0;
    case FIONBIO:
      return SetNonblock(task, *file, args.Address(2));
    case FIONREAD: {
      InodeRef inode = file->inode();
      if (inode == nullptr) break;
      TRY_ASSIGN(Attributes attributes, file->GetAttributes());
      if (attributes.IsRegular()) return BytesLeft(task, *file, args.Address(2));
      break;
    }
    case NS_GET_USERNS:
    case NS_GET_PARENT:
      if (auto* space = dynamic_cast<NamespaceFile*>(file.get()); space != nullptr) {
        return NamespaceIoctl(task, *space, command);
      }
      break;
    default:
      if (auto* pidfd = dynamic_cast<PidFd*>(file.get());
          pidfd != nullptr && IsPidFdCommand(command)) {
        return PidFdIoctl(task, *pidfd, command, args.Raw(2));
      }
      if (auto done = AsyncIoctl(task, file, args.Fd(0), command, args.Raw(2))) {
        return *std::move(done);
      }
      if (IsSocketCommand(command) && dynamic_cast<Socket*>(file.get()) != nullptr) {
        if (auto done = NetDeviceIoctl(task, command, args.Raw(2))) return *std::move(done);
      }
      break;
  }
  TRY_ASSIGN(int64_t value, file->Ioctl(task, command, args.Raw(2)));
  return static_cast<Word>(value);
}

}  // namespace runsc::boot
