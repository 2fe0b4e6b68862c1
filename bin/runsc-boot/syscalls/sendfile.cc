// sendfile(2), copy_file_range(2), splice(2), tee(2): from one open file to another
// through a buffer of the kernel.

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "bin/runsc-boot/fs/pipe/pipe.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/transfer.h"

namespace runsc::boot {

namespace {

constexpr size_t kChunk = 64 << 10;
// What a pipe or socket that is ready for writing takes at once (PIPE_BUF).
constexpr size_t kAtomicChunk = 4096;

// One side of a copy.
struct End {
  FileRef file;
  std::optional<uint64_t> offset;  // not set: the file's own position, or a stream
  uint64_t offset_address = 0;     // where the application wants the new one
};

Result<std::optional<uint64_t>> CopyInOffset(Task& task, uint64_t address) {
  if (address == 0) return std::optional<uint64_t>();
  TRY_ASSIGN(int64_t offset, task.CopyInObject<int64_t>(address));
  if (offset < 0) return Error(EINVAL);
  return std::optional<uint64_t>(static_cast<uint64_t>(offset));
}

Status StoreOffset(Task& task, const End& end) {
  if (end.offset_address == 0) return Ok();
  return task.CopyOutObject(end.offset_address, *end.offset);
}

// A seekable source is read at an explicit place and its position set behind
// what has been written, so that a short write loses nothing.
Result<size_t> CopyChunk(Task& task, End& from, End& to, std::vector<char>& buffer, size_t size,
                         bool nonblock) {
  const bool by_position = !from.offset && from.file->seekable();
  const std::optional<uint64_t> at = by_position ? from.file->position() : from.offset;
  KernelBuffer in(buffer.data(), size);
  TRY_ASSIGN(size_t got, ReadFrom(task, *from.file, in, at, nonblock));
  if (got == 0) return size_t{0};
  KernelBuffer out(buffer.data(), got);
  TRY_ASSIGN(size_t written, WriteTo(task, *to.file, out, to.offset, false));
  if (from.offset) *from.offset += written;
  if (to.offset) *to.offset += written;
  if (by_position) {
    TRY(from.file->Seek(task, static_cast<int64_t>(*at + written), SEEK_SET));
  }
  return written;
}

// Copies up to `count` bytes; an error behind the first byte is not reported.
Result<Word> Copy(Task& task, End& from, End& to, uint64_t count, bool nonblock) {
  count = std::min(count, kMaxTransfer);
  const bool stream = !from.file->seekable();
  std::vector<char> buffer(std::min<uint64_t>(count, stream ? kAtomicChunk : kChunk));
  uint64_t total = 0;
  while (total < count) {
    const size_t size = std::min<uint64_t>(buffer.size(), count - total);
    // Data taken out of a stream cannot be put back: the sink must be ready.
    if (stream && ((to.file->flags() & O_NONBLOCK) != 0 || nonblock) &&
        (to.file->Poll() & EPOLLOUT) == 0) {
      if (total == 0) return Error(EAGAIN);
      break;
    }
    // A stream that has given something is not waited for again.
    Result<size_t> copied = CopyChunk(task, from, to, buffer, size, nonblock || total > 0);
    if (!copied.ok() && total == 0) return std::move(copied).error();
    if (!copied.ok() || *copied == 0) break;
    total += *copied;
    if (*copied < size && !stream) break;
    if (task.HasDeliverableSignal()) break;
  }
  TRY(StoreOffset(task, from));
  TRY(StoreOffset(task, to));
  return total;
}

Result<bool> IsPipe(File& file) {
  TRY_ASSIGN(Attributes attributes, file.GetAttributes());
  return S_ISFIFO(attributes.mode);
}

// What is in `in` when `out` has room goes there, too. EAGAIN.
Result<size_t> TeeOnce(Task& task, PipeFile& in, PipeFile& out, std::vector<char>& buffer) {
  KernelBuffer peeked(buffer.data(), buffer.size());
  TRY_ASSIGN(size_t count, in.pipe().Peek(peeked));
  if (count == 0) return size_t{0};
  KernelBuffer source(buffer.data(), count);
  return out.Write(task, source);
}

Result<size_t> TeeBlocking(Task& task, PipeFile& in, PipeFile& out, std::vector<char>& buffer) {
  // One entry per queue: either end may be what is waited for.
  WaitEntry in_entry(EPOLLIN, static_cast<Waker&>(task));
  WaitEntry out_entry(EPOLLOUT, static_cast<Waker&>(task));
  in.wait_queue()->Register(in_entry);
  out.wait_queue()->Register(out_entry);
  while (true) {
    Result<size_t> count = TeeOnce(task, in, out, buffer);
    if (count.code() != EAGAIN) return count;
    TRY(task.Sleep(std::nullopt));
  }
}

}  // namespace

Result<Word> SysSendfile(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(std::optional<uint64_t> offset, CopyInOffset(task, args.Address(2)));
  TRY_ASSIGN(FileRef in, FileForRead(task, args.Fd(1)));
  if (offset && !in->seekable()) return Error(ESPIPE);
  TRY_ASSIGN(FileRef out, FileForWrite(task, args.Fd(0)));
  if ((out->flags() & O_APPEND) != 0) return Error(EINVAL);
  if (args.Long(3) < 0) return Error(EINVAL);
  End from{std::move(in), offset, args.Address(2)};
  End to{std::move(out), std::nullopt, 0};
  return Copy(task, from, to, args.Raw(3), false);
}

Result<Word> SysCopyFileRange(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef in, FileForIo(task, args.Fd(0)));
  TRY_ASSIGN(FileRef out, FileForIo(task, args.Fd(2)));
  TRY_ASSIGN(std::optional<uint64_t> in_offset, CopyInOffset(task, args.Address(1)));
  TRY_ASSIGN(std::optional<uint64_t> out_offset, CopyInOffset(task, args.Address(3)));
  if (args.Uint(5) != 0) return Error(EINVAL);
  TRY_ASSIGN(Attributes in_attributes, in->GetAttributes());
  TRY_ASSIGN(Attributes out_attributes, out->GetAttributes());
  if (in_attributes.IsDirectory() || out_attributes.IsDirectory()) return Error(EISDIR);
  if (!in_attributes.IsRegular() || !out_attributes.IsRegular()) return Error(EINVAL);
  if (!in->readable() || !out->writable() || (out->flags() & O_APPEND) != 0) return Error(EBADF);
  const uint64_t count = std::min(args.Raw(4), kMaxTransfer);
  const uint64_t in_at = in_offset.value_or(in->position());
  const uint64_t out_at = out_offset.value_or(out->position());
  if (in_attributes.ino == out_attributes.ino && in_attributes.dev == out_attributes.dev &&
      in_at < out_at + count && out_at < in_at + count) {
    return Error(EINVAL);
  }
  End from{std::move(in), in_offset, args.Address(1)};
  End to{std::move(out), out_offset, args.Address(3)};
  return Copy(task, from, to, count, false);
}

Result<Word> SysSplice(Task& task, const SyscallArgs& args) {
  constexpr unsigned kFlags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;
  if (args.Raw(4) == 0) return 0;
  if ((args.Uint(5) & ~kFlags) != 0) return Error(EINVAL);
  TRY_ASSIGN(FileRef in, FileForIo(task, args.Fd(0)));
  TRY_ASSIGN(FileRef out, FileForIo(task, args.Fd(2)));
  if (!in->readable() || !out->writable()) return Error(EBADF);
  TRY_ASSIGN(bool in_pipe, IsPipe(*in));
  TRY_ASSIGN(bool out_pipe, IsPipe(*out));
  if (!in_pipe && !out_pipe) return Error(EINVAL);
  if ((in_pipe && args.Address(1) != 0) || (out_pipe && args.Address(3) != 0)) {
    return Error(ESPIPE);
  }
  if (in_pipe && out_pipe && in->inode() == out->inode()) return Error(EINVAL);
  if (!out_pipe && (out->flags() & O_APPEND) != 0) return Error(EINVAL);
  TRY_ASSIGN(std::optional<uint64_t> in_offset, CopyInOffset(task, args.Address(1)));
  TRY_ASSIGN(std::optional<uint64_t> out_offset, CopyInOffset(task, args.Address(3)));
  if ((in_offset && !in->seekable()) || (out_offset && !out->seekable())) return Error(EINVAL);
  const bool nonblock = (args.Uint(5) & SPLICE_F_NONBLOCK) != 0;
  End from{std::move(in), in_offset, args.Address(1)};
  End to{std::move(out), out_offset, args.Address(3)};
  return Copy(task, from, to, args.Raw(4), nonblock);
}

Result<Word> SysTee(Task& task, const SyscallArgs& args) {
  constexpr unsigned kFlags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;
  if ((args.Uint(3) & ~kFlags) != 0) return Error(EINVAL);
  if (args.Raw(2) == 0) return 0;
  TRY_ASSIGN(FileRef in_file, FileForIo(task, args.Fd(0)));
  TRY_ASSIGN(FileRef out_file, FileForIo(task, args.Fd(1)));
  if (!in_file->readable() || !out_file->writable()) return Error(EBADF);
  auto* in = dynamic_cast<PipeFile*>(in_file.get());
  auto* out = dynamic_cast<PipeFile*>(out_file.get());
  if (in == nullptr || out == nullptr || &in->pipe() == &out->pipe()) return Error(EINVAL);
  const bool nonblock =
      (args.Uint(3) & SPLICE_F_NONBLOCK) != 0 || ((in->flags() | out->flags()) & O_NONBLOCK) != 0;
  std::vector<char> buffer(std::min<uint64_t>(args.Raw(2), Pipe::kDefaultCapacity));
  Result<size_t> count =
      nonblock ? TeeOnce(task, *in, *out, buffer) : TeeBlocking(task, *in, *out, buffer);
  if (!count.ok() && count.code() == EPIPE) RaiseSignal(task, SIGPIPE);
  if (!count.ok()) return std::move(count).error();
  return *count;
}

}  // namespace runsc::boot
