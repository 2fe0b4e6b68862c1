// write(2), pwrite64(2), writev(2), pwritev(2), pwritev2(2)

#include <sys/uio.h>

#include "bin/runsc-boot/mm/user_io.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/transfer.h"

namespace runsc::boot {

namespace {

Status CheckPositioned(const File& file, int64_t offset) {
  if (offset < 0) return Error(EINVAL);
  if (!file.seekable()) return Error(ESPIPE);
  return Ok();
}

Result<Word> WriteVector(Task& task, const SyscallArgs& args, std::optional<int64_t> offset,
                         bool nonblock, bool sync) {
  TRY_ASSIGN(FileRef file, FileForWrite(task, args.Fd(0)));
  if (offset) TRY(CheckPositioned(*file, *offset));
  TRY_ASSIGN(UserIo buffer, UserIo::FromIovecs(task.memory(), args.Address(1), args.Raw(2)));
  TRY_ASSIGN(size_t size, WriteTo(task, *file, buffer, offset, nonblock));
  if (sync) TRY(file->Sync(true));
  return size;
}

}  // namespace

Result<Word> SysWrite(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef file, FileForWrite(task, args.Fd(0)));
  TRY_ASSIGN(UserIo buffer, UserIo::FromRange(task.memory(), args.Address(1), args.Raw(2)));
  TRY_ASSIGN(size_t size, WriteTo(task, *file, buffer, std::nullopt));
  return size;
}

Result<Word> SysPwrite64(Task& task, const SyscallArgs& args) {
  if (args.Long(3) < 0) return Error(EINVAL);
  TRY_ASSIGN(FileRef file, FileForWrite(task, args.Fd(0)));
  TRY(CheckPositioned(*file, args.Long(3)));
  TRY_ASSIGN(UserIo buffer, UserIo::FromRange(task.memory(), args.Address(1), args.Raw(2)));
  TRY_ASSIGN(size_t size, WriteTo(task, *file, buffer, args.Long(3)));
  return size;
}

Result<Word> SysWritev(Task& task, const SyscallArgs& args) {
  return WriteVector(task, args, std::nullopt, false, false);
}

Result<Word> SysPwritev(Task& task, const SyscallArgs& args) {
  return WriteVector(task, args, args.Long(3), false, false);
}

// The high half of the offset (argument 4) is ignored on 64-bit, as in Linux.
Result<Word> SysPwritev2(Task& task, const SyscallArgs& args) {
  const int flags = args.Int(5);
  if ((flags & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT)) != 0) return Error(EOPNOTSUPP);
  const bool nonblock = (flags & RWF_NOWAIT) != 0;
  const bool sync = (flags & (RWF_DSYNC | RWF_SYNC)) != 0;
  if (args.Long(3) == -1) return WriteVector(task, args, std::nullopt, nonblock, sync);
  return WriteVector(task, args, args.Long(3), nonblock, sync);
}

}  // namespace runsc::boot
