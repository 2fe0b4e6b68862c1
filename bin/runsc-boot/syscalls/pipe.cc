// pipe(2), pipe2(2), vmsplice(2), and the wait of a FIFO's open(2)

#include "bin/runsc-boot/fs/pipe/pipe.h"

#include <fcntl.h>

#include "bin/runsc-boot/mm/user_io.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/pipe_arguments.h"
#include "bin/runsc-boot/syscalls/transfer.h"

namespace runsc::boot {

namespace {

Result<Word> MakePipeFds(Task& task, uint64_t address, int flags) {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) != 0) return Error(EINVAL);
  PipeEnds ends = MakePipe(task.vfs(), task, flags & (O_NONBLOCK | O_DIRECT));
  TRY_ASSIGN(auto fds, task.fds().InstallPair(ends.reader, ends.writer, (flags & O_CLOEXEC) != 0,
                                              MaxFiles(task)));
  const int out[2] = {fds.first, fds.second};
  if (Status copied = task.CopyOut(address, out, sizeof(out)); !copied.ok()) {
    (void)task.fds().Remove(fds.first);
    (void)task.fds().Remove(fds.second);
    return std::move(copied).error();
  }
  return 0;
}

}  // namespace

Status WaitForFifoPeer(Task& task, File& file) {
  auto* fifo = dynamic_cast<PipeFile*>(&file);
  if (fifo == nullptr || (file.flags() & O_NONBLOCK) != 0 || !fifo->WaitingForPeer()) return Ok();
  WaitEntry entry(EPOLLIN | EPOLLOUT, static_cast<Waker&>(task));
  file.wait_queue()->Register(entry);
  while (fifo->WaitingForPeer()) TRY(task.Sleep(std::nullopt));
  return Ok();
}

Result<Word> PipeCommand(Task& task, File& file, int command, uint64_t argument) {
  auto* end = dynamic_cast<PipeFile*>(&file);
  if (end == nullptr) return Error(EBADF);
  if (command == F_GETPIPE_SZ) return end->pipe().capacity();
  if (argument > 0x7fffffff) return Error(EINVAL);
  TRY_ASSIGN(size_t capacity, end->pipe().SetCapacity(task, argument));
  return capacity;
}

Result<Word> SysPipe(Task& task, const SyscallArgs& args) {
  return MakePipeFds(task, args.Address(0), 0);
}

Result<Word> SysPipe2(Task& task, const SyscallArgs& args) {
  return MakePipeFds(task, args.Address(0), args.Int(1));
}

// Pages are not given away: the bytes are copied.
Result<Word> SysVmsplice(Task& task, const SyscallArgs& args) {
  constexpr unsigned kFlags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;
  if ((args.Uint(3) & ~kFlags) != 0) return Error(EINVAL);
  TRY_ASSIGN(FileRef file, FileForIo(task, args.Fd(0)));
  if (dynamic_cast<PipeFile*>(file.get()) == nullptr) return Error(EBADF);
  const bool nonblock = (args.Uint(3) & SPLICE_F_NONBLOCK) != 0;
  TRY_ASSIGN(UserIo buffer, UserIo::FromIovecs(task.memory(), args.Address(1), args.Raw(2)));
  Result<size_t> size = file->writable() ? WriteTo(task, *file, buffer, std::nullopt, nonblock)
                                         : ReadFrom(task, *file, buffer, std::nullopt, nonblock);
  if (!size.ok()) return std::move(size).error();
  return *size;
}

}  // namespace runsc::boot
