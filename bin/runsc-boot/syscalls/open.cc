// open(2), openat(2), openat2(2), creat(2), close(2), close_range(2)

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/openat2.h>

#include <algorithm>

#include "bin/runsc-boot/kernel/growing_struct.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/pipe_arguments.h"
#include "bin/runsc-boot/syscalls/transfer.h"

namespace runsc::boot {

namespace {

// O_LARGEFILE is 0 in the headers of a 64-bit build, but not in the kernel.
constexpr int kLargeFile = 0100000;
constexpr int kTmpFileBit = 020000000;  // __O_TMPFILE
constexpr int kValidOpenFlags = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND |
                                O_NONBLOCK | O_SYNC | O_DSYNC | O_ASYNC | O_DIRECT | kLargeFile |
                                O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH |
                                kTmpFileBit;
constexpr int kPathFlags = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;

Result<Word> Open(Task& task, int dirfd, uint64_t path, int flags, mode_t mode,
                  uint64_t resolve_flags) {
  TRY_ASSIGN(PathArgument argument, PathAt(task, dirfd, path));
  argument.walk.resolve_flags = resolve_flags;
  argument.walk.follow_last =
      (flags & O_NOFOLLOW) == 0 && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
  argument.walk.directory = (flags & O_DIRECTORY) != 0 && (flags & kTmpFileBit) == 0;
  OpenOptions options{flags & ~O_CLOEXEC, mode};
  TRY_ASSIGN(FileRef file, task.vfs().Open(task.caller(), argument.walk, argument.path, options));
  TRY(WaitForFifoPeer(task, *file));
  return InstallFile(task, std::move(file), (flags & O_CLOEXEC) != 0);
}

// open and openat ignore what they do not know; openat2 refuses it.
Result<Word> OpenLenient(Task& task, int dirfd, uint64_t path, int flags, mode_t mode) {
  flags &= kValidOpenFlags;
  if ((flags & O_PATH) != 0) flags &= kPathFlags;
  if ((flags & kTmpFileBit) != 0 &&
      ((flags & O_DIRECTORY) == 0 || (flags & O_ACCMODE) == O_RDONLY)) {
    return Error(EINVAL);
  }
  if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY)) return Error(EINVAL);
  mode = (flags & (O_CREAT | kTmpFileBit)) != 0 ? mode & 07777 : 0;
  return Open(task, dirfd, path, flags, mode, 0);
}

Result<open_how> CopyInOpenHow(Task& task, uint64_t address, size_t size) {
  constexpr size_t kPageSize = 4096;
  if (size < sizeof(open_how)) return Error(EINVAL);
  if (size > kPageSize) return Error(E2BIG);
  return CopyInGrowing<open_how>(task, address, size);
}

Status CheckOpenHow(const open_how& how) {
  constexpr uint64_t kResolveFlags = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS |
                                     RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED;
  if ((how.flags & ~static_cast<uint64_t>(kValidOpenFlags)) != 0) return Error(EINVAL);
  if ((how.resolve & ~kResolveFlags) != 0) return Error(EINVAL);
  if ((how.resolve & RESOLVE_BENEATH) != 0 && (how.resolve & RESOLVE_IN_ROOT) != 0) {
    return Error(EINVAL);
  }
  const bool creates = (how.flags & (O_CREAT | kTmpFileBit)) != 0;
  if (creates ? (how.mode & ~uint64_t{07777}) != 0 : how.mode != 0) return Error(EINVAL);
  constexpr uint64_t kCreatesDirectory = O_CREAT | O_DIRECTORY;
  if ((how.flags & kCreatesDirectory) == kCreatesDirectory) return Error(EINVAL);
  if ((how.flags & O_PATH) != 0 && (how.flags & ~static_cast<uint64_t>(kPathFlags)) != 0) {
    return Error(EINVAL);
  }
  if ((how.flags & kTmpFileBit) != 0 &&
      ((how.flags & O_DIRECTORY) == 0 || (how.flags & O_ACCMODE) == O_RDONLY)) {
    return Error(EINVAL);
  }
  return Ok();
}

}  // namespace

Result<Word> SysOpen(Task& task, const SyscallArgs& args) {
  return OpenLenient(task, AT_FDCWD, args.Address(0), args.Int(1), args.Mode(2));
}

Result<Word> SysOpenat(Task& task, const SyscallArgs& args) {
  return OpenLenient(task, args.Fd(0), args.Address(1), args.Int(2), args.Mode(3));
}

Result<Word> SysCreat(Task& task, const SyscallArgs& args) {
  return OpenLenient(task, AT_FDCWD, args.Address(0), O_CREAT | O_WRONLY | O_TRUNC, args.Mode(1));
}

Result<Word> SysOpenat2(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(open_how how, CopyInOpenHow(task, args.Address(2), args.Size(3)));
  TRY(CheckOpenHow(how));
  // The sandbox cannot promise that a walk needs no I/O.
  if ((how.resolve & RESOLVE_CACHED) != 0) return Error(EAGAIN);
  return Open(task, args.Fd(0), args.Address(1), static_cast<int>(how.flags),
              static_cast<mode_t>(how.mode), how.resolve);
}

Result<Word> SysClose(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef file, task.fds().Remove(args.Fd(0)));
  TRY(file->Flush(task));
  return 0;
}

Result<Word> SysCloseRange(Task& task, const SyscallArgs& args) {
  const unsigned first = args.Uint(0), last = args.Uint(1), flags = args.Uint(2);
  if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) != 0) return Error(EINVAL);
  if (first > last) return Error(EINVAL);
  if ((flags & CLOSE_RANGE_UNSHARE) != 0) task.set_fds(task.fds().Clone());
  if ((flags & CLOSE_RANGE_CLOEXEC) != 0) {
    task.fds().MarkRange(first, last);
    return 0;
  }
  for (const FileRef& file : task.fds().RemoveRange(first, last)) {
    // The errors of a delayed write are lost, as in Linux.
    (void)file->Flush(task);
  }
  return 0;
}

}  // namespace runsc::boot
