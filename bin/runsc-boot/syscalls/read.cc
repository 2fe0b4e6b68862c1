// read(2), pread64(2), readv(2), preadv(2), preadv2(2)

#include <sys/uio.h>

#include "bin/runsc-boot/mm/user_io.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/transfer.h"

namespace runsc::boot {

namespace {

Result<Word> Read(Task& task, File& file, UserIo& buffer, std::optional<uint64_t> offset,
                  bool nonblock = false) {
  TRY_ASSIGN(size_t size, ReadFrom(task, file, buffer, offset, nonblock));
  return size;
}

Status CheckPositioned(const File& file, int64_t offset) {
  if (offset < 0) return Error(EINVAL);
  // Directories answer by themselves (EISDIR).
  const InodeRef& inode = file.inode();
  const bool directory = inode != nullptr && S_ISDIR(inode->Type());
  if (!file.seekable() && !directory) return Error(ESPIPE);
  return Ok();
}

Result<Word> ReadVector(Task& task, const SyscallArgs& args, std::optional<int64_t> offset,
                        bool nonblock) {
  TRY_ASSIGN(FileRef file, FileForRead(task, args.Fd(0)));
  if (offset) TRY(CheckPositioned(*file, *offset));
  TRY_ASSIGN(UserIo buffer, UserIo::FromIovecs(task.memory(), args.Address(1), args.Raw(2)));
  return Read(task, *file, buffer, offset, nonblock);
}

}  // namespace

Result<Word> SysRead(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef file, FileForRead(task, args.Fd(0)));
  TRY_ASSIGN(UserIo buffer, UserIo::FromRange(task.memory(), args.Address(1), args.Raw(2)));
  return Read(task, *file, buffer, std::nullopt);
}

Result<Word> SysPread64(Task& task, const SyscallArgs& args) {
  if (args.Long(3) < 0) return Error(EINVAL);
  TRY_ASSIGN(FileRef file, FileForRead(task, args.Fd(0)));
  TRY(CheckPositioned(*file, args.Long(3)));
  TRY_ASSIGN(UserIo buffer, UserIo::FromRange(task.memory(), args.Address(1), args.Raw(2)));
  return Read(task, *file, buffer, args.Long(3));
}

Result<Word> SysReadv(Task& task, const SyscallArgs& args) {
  return ReadVector(task, args, std::nullopt, false);
}

Result<Word> SysPreadv(Task& task, const SyscallArgs& args) {
  return ReadVector(task, args, args.Long(3), false);
}

// The high half of the offset (argument 4) is ignored on 64-bit, as in Linux.
Result<Word> SysPreadv2(Task& task, const SyscallArgs& args) {
  const int flags = args.Int(5);
  if ((flags & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT)) != 0) return Error(EOPNOTSUPP);
  const bool nonblock = (flags & RWF_NOWAIT) != 0;
  if (args.Long(3) == -1) return ReadVector(task, args, std::nullopt, nonblock);
  return ReadVector(task, args, args.Long(3), nonblock);
}

}  // namespace runsc::boot
