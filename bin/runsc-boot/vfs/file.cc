#include "bin/runsc-boot/vfs/file.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <limits>

#include "bin/runsc-boot/vfs/dentry.h"

namespace runsc::boot {

File::~File() {
  const InodeRef& node = inode();
  if (node == nullptr) return;
  node->ReleaseLocks(this);
  if (holds_write_access_) node->write_access().Put();
  if ((flags() & O_PATH) == 0) ReportPath(path_, writable() ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
}

const InodeRef& File::inode() const {
  static const InodeRef none;
  return path_.valid() ? path_.dentry->inode() : none;
}

Status File::SetFlags(int flags) {
  constexpr int kChangeable = O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME;
  int old = flags_.load(std::memory_order_relaxed);
  while (!flags_.compare_exchange_weak(old, (old & ~kChangeable) | (flags & kChangeable))) {
  }
  return Ok();
}

FileAsyncRef File::async() const {
  absl::MutexLock lock(&position_mutex_);
  return async_;
}

FileAsyncRef File::MakeAsync(const std::function<FileAsyncRef()>& make) {
  absl::MutexLock lock(&position_mutex_);
  if (async_ == nullptr) {
    async_ = make();
    async_if_any_.store(async_.get(), std::memory_order_release);
  }
  return async_;
}

Result<size_t> File::Read(Context& context, IoBuffer& destination) {
  if (!seekable()) return Error(EINVAL);
  absl::MutexLock lock(&position_mutex_);
  TRY_ASSIGN(size_t count, PRead(context, destination, position_));
  position_ += count;
  return count;
}

Result<size_t> File::Write(Context& context, IoBuffer& source) {
  if (!seekable()) return Error(EINVAL);
  absl::MutexLock lock(&position_mutex_);
  if ((flags() & O_APPEND) == 0) {
    TRY_ASSIGN(size_t count, PWrite(context, source, position_));
    position_ += count;
    return count;
  }
  return Append(context, source, position_);
}

Result<size_t> File::Append(Context& context, IoBuffer& source, uint64_t& end) {
  TRY_ASSIGN(Attributes attributes, GetAttributes());
  TRY_ASSIGN(size_t count, PWrite(context, source, attributes.size));
  end = attributes.size + count;
  return count;
}

Result<size_t> File::PRead(Context& context, IoBuffer& destination, uint64_t offset) {
  return Error(ESPIPE);
}

Result<size_t> File::PWrite(Context& context, IoBuffer& source, uint64_t offset) {
  return Error(ESPIPE);
}

Result<uint64_t> File::SeekTarget(uint64_t position, uint64_t size, int64_t offset, int whence) {
  int64_t base = 0;
  switch (whence) {
    case SEEK_SET:
      break;
    case SEEK_CUR:
      base = static_cast<int64_t>(position);
      break;
    case SEEK_END:
      base = static_cast<int64_t>(size);
      break;
    case SEEK_DATA:
    case SEEK_HOLE:
      if (offset < 0 || static_cast<uint64_t>(offset) >= size) return Error(ENXIO);
      return whence == SEEK_DATA ? static_cast<uint64_t>(offset) : size;
    default:
      return Error(EINVAL);
  }
  int64_t target;
  if (__builtin_add_overflow(base, offset, &target)) return Error(EOVERFLOW);
  if (target < 0) return Error(EINVAL);
  return static_cast<uint64_t>(target);
}

Result<uint64_t> File::Seek(Context& context, int64_t offset, int whence) {
  if (!seekable()) return Error(ESPIPE);
  absl::MutexLock lock(&position_mutex_);
  uint64_t size = 0;
  if (whence != SEEK_SET && whence != SEEK_CUR) {
    TRY_ASSIGN(Attributes attributes, GetAttributes());
    size = attributes.size;
  }
  TRY_ASSIGN(position_, SeekTarget(position_, size, offset, whence));
  return position_;
}

Result<Attributes> File::GetAttributes() {
  const InodeRef& node = inode();
  if (node == nullptr) return Error(EBADF);
  TRY_ASSIGN(Attributes attributes, node->GetAttributes());
  attributes.dev = node->filesystem().dev();
  return attributes;
}

uint64_t File::position() const {
  absl::MutexLock lock(&position_mutex_);
  return position_;
}

}  // namespace runsc::boot
