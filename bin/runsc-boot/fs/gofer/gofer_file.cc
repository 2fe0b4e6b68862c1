#include "bin/runsc-boot/fs/gofer/gofer_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {
namespace {

// Data passes through the kernel's memory in pieces of this size.
constexpr size_t kPieceSize = 128 << 10;
constexpr uint64_t kMaxOffset = std::numeric_limits<int64_t>::max();

// One piece per worker thread, which it keeps.
char* Piece() {
  thread_local std::unique_ptr<char[]> piece(new char[kPieceSize]);
  return piece.get();
}

}  // namespace

Result<size_t> GoferFile::PRead(Context& context, IoBuffer& destination, uint64_t offset) {
  if (offset > kMaxOffset) return Error(EINVAL);
  size_t done = 0;
  while (destination.remaining() > 0) {
    size_t want = std::min(destination.remaining(), kPieceSize);
    ssize_t got = pread(host_->get(), Piece(), want, static_cast<off_t>(offset + done));
    if (got < 0) {
      if (errno == EINTR) continue;
      if (done > 0) break;
      return Error(errno);
    }
    if (got == 0) break;
    Result<size_t> put = destination.Put(Piece(), static_cast<size_t>(got));
    if (!put.ok()) {
      if (done > 0) break;
      return std::move(put).error();
    }
    done += *put;
    if (*put < want) break;
  }
  inode_->MarkStale();  // the time of access
  return done;
}

Status GoferFile::PrepareWrite(Context& context) {
  TRY(Vfs::DropSetIdBits(context, *inode_, inode_->mode()));
  return Ok();
}

// The host has seen a writer without CAP_FSETID.
Status GoferFile::RestoreSetIdBits(Context& context) {
  const mode_t mode = inode_->mode();
  if (WithoutSetIdBits(mode) == mode || !context.credentials()->HasInitially(CAP_FSETID)) {
    return Ok();
  }
  AttributeChange change;
  change.mode = mode & 07777;
  return inode_->SetAttributes(change);
}

Result<size_t> GoferFile::PWrite(Context& context, IoBuffer& source, uint64_t offset) {
  if ((flags() & O_APPEND) == 0) return WriteAt(context, source, offset);
  // As on Linux, whatever the offset.
  uint64_t end;
  return Append(context, source, end);
}

Result<size_t> GoferFile::WriteAt(Context& context, IoBuffer& source, uint64_t offset) {
  if (offset > kMaxOffset) return Error(EINVAL);
  if (source.remaining() == 0) return size_t{0};
  if (offset >= context.file_size_limit()) return Error(EFBIG);
  TRY(PrepareWrite(context));
  uint64_t room = context.file_size_limit() - offset;
  size_t done = 0;
  while (source.remaining() > 0 && done < room) {
    size_t want = std::min<uint64_t>({source.remaining(), kPieceSize, room - done});
    Result<size_t> taken = source.Take(Piece(), want);
    if (!taken.ok()) {
      if (done > 0) break;
      return std::move(taken).error();
    }
    ssize_t put = pwrite(host_->get(), Piece(), *taken, static_cast<off_t>(offset + done));
    int error = errno;
    source.StepBack(*taken - static_cast<size_t>(std::max<ssize_t>(put, 0)));
    if (put < 0) {
      if (done > 0) break;
      return Error(error);
    }
    done += static_cast<size_t>(put);
    if (static_cast<size_t>(put) < want) break;
  }
  if (done > 0) TRY(RestoreSetIdBits(context));
  inode_->MarkStale();
  if ((flags() & O_DSYNC) != 0) TRY(Sync((flags() & O_SYNC) != O_SYNC));
  return done;
}

Result<size_t> GoferFile::Append(Context& context, IoBuffer& source, uint64_t& end) {
  absl::MutexLock lock(&inode_->append_mutex());
  off_t size = lseek(host_->get(), 0, SEEK_END);
  if (size < 0) return Error(errno);
  TRY_ASSIGN(size_t count, WriteAt(context, source, static_cast<uint64_t>(size)));
  end = static_cast<uint64_t>(size) + count;
  return count;
}

Result<uint64_t> GoferFile::Seek(Context& context, int64_t offset, int whence) {
  if (whence != SEEK_DATA && whence != SEEK_HOLE) return File::Seek(context, offset, whence);
  off_t target = lseek(host_->get(), offset, whence);
  if (target < 0) return Error(errno);
  absl::MutexLock lock(&position_mutex());
  position_ = static_cast<uint64_t>(target);
  return position_;
}

Status GoferFile::Truncate(Context& context, uint64_t size) {
  TRY(PrepareWrite(context));
  if (ftruncate(host_->get(), static_cast<off_t>(size)) < 0) return Error(errno);
  inode_->MarkStale();
  return Ok();
}

Status GoferFile::Allocate(Context& context, int mode, uint64_t offset, uint64_t size) {
  bool may_grow = (mode & (FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) == 0;
  if (may_grow && offset + size > context.file_size_limit()) return Error(EFBIG);
  TRY(PrepareWrite(context));
  if (fallocate(host_->get(), mode, static_cast<off_t>(offset), static_cast<off_t>(size)) < 0) {
    return Error(errno);
  }
  inode_->MarkStale();
  return Ok();
}

Status GoferFile::Sync(bool data_only) {
  int result = data_only ? fdatasync(host_->get()) : fsync(host_->get());
  if (result < 0) return Error(errno);
  return Ok();
}

Result<HostMapping> GoferFile::GetHostMapping(int protection, int map_flags) {
  bool shared = (map_flags & MAP_TYPE) != MAP_PRIVATE;
  if (shared && writable()) inode_->MarkMapped();
  return HostMapping{host_->get(), 0};
}

}  // namespace runsc::boot
