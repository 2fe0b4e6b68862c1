#include "bin/runsc-boot/fs/tmpfs/regular.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/vfs/host_io.h"

namespace runsc::boot {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kMaxFileSize = (uint64_t{1} << 63) - 1;

constexpr uint64_t RoundUp(uint64_t size) { return (size + kPage - 1) & ~(kPage - 1); }

bool Before(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec <= b.tv_nsec;
}

}  // namespace

TmpfsRegular::TmpfsRegular(TmpfsFilesystem& filesystem, const NewInode& node, int seals)
    : TmpfsInode(filesystem, node), seals_(seals) {}

TmpfsRegular::~TmpfsRegular() {
  absl::MutexLock lock(&mutex_);
  (void)tmpfs().Charge(-static_cast<int64_t>(charged_));
}

uint64_t TmpfsRegular::Occupied() const {
  if (!memfd_.valid()) return RoundUp(small_.size());
  struct stat status;
  return fstat(memfd_.get(), &status) == 0 ? static_cast<uint64_t>(status.st_blocks) * 512 : 0;
}

void TmpfsRegular::Recharge() { ChargeTo(Occupied()); }

void TmpfsRegular::ChargeTo(uint64_t occupied) {
  if (occupied == charged_) return;
  // What has been written is there: the limit was checked before.
  (void)tmpfs().Charge(static_cast<int64_t>(occupied) - static_cast<int64_t>(charged_));
  charged_ = occupied;
}

Result<Attributes> TmpfsRegular::GetAttributes() {
  absl::MutexLock lock(&mutex_);
  Attributes attributes = attributes_;
  // Pages come and go by mappings as well.
  attributes.blocks = (memfd_.valid() ? Occupied() : charged_) / 512;
  return attributes;
}

uint64_t TmpfsRegular::size() {
  absl::MutexLock lock(&mutex_);
  return attributes_.size;
}

Status TmpfsRegular::MakeHostFile() {
  if (memfd_.valid()) return Ok();
  FileDescriptor memfd(memfd_create("tmpfs", MFD_CLOEXEC));
  if (!memfd.valid()) return Error(errno == EMFILE ? ENFILE : errno);
  if (ftruncate(memfd.get(), static_cast<off_t>(attributes_.size)) != 0) return Error(errno);
  KernelBuffer content(small_.data(), small_.size());
  TRY(WriteToHost(memfd.get(), content, 0, small_.size()));
  memfd_ = std::move(memfd);
  small_ = std::string();
  return Ok();
}

Result<int> TmpfsRegular::MappingFd(bool writable) {
  absl::MutexLock lock(&mutex_);
  TRY(MakeHostFile());
  if (writable) return memfd_.get();
  if (!read_only_.valid()) {
    // The only way to another access mode; the name is a number of ours, and
    // boot's /proc shows nothing but boot itself and its stubs.
    std::string path = absl::StrCat("/proc/self/fd/", memfd_.get());
    TRY_ASSIGN(read_only_, OpenAt(AT_FDCWD, path.c_str(), O_RDONLY));
  }
  return read_only_.get();
}

Result<size_t> TmpfsRegular::Read(IoBuffer& destination, uint64_t offset, bool update_atime) {
  absl::ReleasableMutexLock lock(&mutex_);
  if (update_atime && destination.remaining() > 0) {
    // relatime
    constexpr time_t kDay = 24 * 3600;
    timespec now = Now();
    Attributes& a = attributes_;
    if (Before(a.atime, a.mtime) || Before(a.atime, a.ctime) ||
        now.tv_sec - a.atime.tv_sec > kDay) {
      a.atime = now;
    }
  }
  if (memfd_.valid()) {
    int fd = memfd_.get();  // stays open as long as the inode
    lock.Release();
    return ReadFromHost(fd, destination, offset);
  }
  if (offset >= small_.size()) return 0;
  size_t count = std::min<uint64_t>(small_.size() - offset, destination.remaining());
  if (count == 0) return 0;
  return destination.Put(small_.data() + offset, count);
}

Result<uint64_t> TmpfsRegular::FitIntoSpace(uint64_t offset, uint64_t size) {
  uint64_t end = RoundUp(offset + size);
  uint64_t first = offset & ~(kPage - 1);
  if (end - first <= tmpfs().available()) return size;
  // Near the limit: count what is really missing, page by page.
  uint64_t available = tmpfs().available();
  uint64_t missing = 0;
  for (uint64_t page = first; page < end; page += kPage) {
    bool present = false;
    if (memfd_.valid()) {
      present =
          lseek(memfd_.get(), static_cast<off_t>(page), SEEK_DATA) == static_cast<off_t>(page);
    } else {
      present = page < RoundUp(small_.size());
    }
    if (!present) missing += kPage;
    if (missing > available) return page > offset ? Result<uint64_t>(page - offset) : Error(ENOSPC);
  }
  return size;
}

Result<size_t> TmpfsRegular::Write(Context& context, IoBuffer& source, uint64_t& offset,
                                   bool append) {
  absl::MutexLock lock(&mutex_);
  if ((seals_ & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) != 0) return Error(EPERM);
  if (append) offset = attributes_.size;
  uint64_t count = source.remaining();
  if (count == 0) return 0;
  uint64_t limit = std::min(context.file_size_limit(), kMaxFileSize);
  if (offset >= limit) return Error(EFBIG);
  count = std::min(count, limit - offset);
  if ((seals_ & F_SEAL_GROW) != 0 && offset + count > attributes_.size) {
    if (offset >= attributes_.size) return Error(EPERM);
    count = attributes_.size - offset;
  }
  TRY_ASSIGN(count, FitIntoSpace(offset, count));

  // Without holes, what is charged is known without asking the host.
  const bool dense = offset <= attributes_.size && charged_ == RoundUp(attributes_.size);
  size_t written = 0;
  uint64_t end = offset + count;
  if (!memfd_.valid() && end <= kMaxSmall) {
    if (end > small_.size()) {
      // Grows by the doubling of the string, not by each small append.
      small_.resize(end);
    }
    Result<size_t> taken = source.Take(small_.data() + offset, count);
    written = taken.ok() ? *taken : 0;
    if (offset + written > attributes_.size) attributes_.size = offset + written;
    small_.resize(attributes_.size);
    if (!taken.ok()) return std::move(taken).error();
  } else {
    TRY(MakeHostFile());
    TRY_ASSIGN(written, WriteToHost(memfd_.get(), source, offset, count));
    attributes_.size = std::max(attributes_.size, offset + written);
  }
  attributes_.mtime = attributes_.ctime = Now();
  if (dense) {
    ChargeTo(RoundUp(attributes_.size));
  } else {
    Recharge();
  }
  return written;
}

Status TmpfsRegular::ResizeLocked(uint64_t size) {
  if (size > kMaxFileSize) return Error(EFBIG);
  if (size < attributes_.size && (seals_ & F_SEAL_SHRINK) != 0) return Error(EPERM);
  if (size > attributes_.size && (seals_ & F_SEAL_GROW) != 0) return Error(EPERM);
  if (!memfd_.valid() && size > kMaxSmall) TRY(MakeHostFile());
  if (memfd_.valid()) {
    if (ftruncate(memfd_.get(), static_cast<off_t>(size)) != 0) return Error(errno);
  } else {
    small_.resize(size);
    small_.shrink_to_fit();
  }
  attributes_.size = size;
  attributes_.mtime = attributes_.ctime = Now();
  Recharge();
  return Ok();
}

Status TmpfsRegular::SetSize(uint64_t size) {
  absl::MutexLock lock(&mutex_);
  return ResizeLocked(size);
}

Status TmpfsRegular::Allocate(Context& context, int mode, uint64_t offset, uint64_t size) {
  constexpr int kPunch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  if (mode != 0 && mode != FALLOC_FL_KEEP_SIZE && mode != kPunch) return Error(EOPNOTSUPP);
  if (size == 0) return Error(EINVAL);
  if (offset > kMaxFileSize || size > kMaxFileSize - offset) return Error(EFBIG);
  absl::MutexLock lock(&mutex_);
  const uint64_t end = offset + size;
  if (mode == kPunch && (seals_ & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) != 0) return Error(EPERM);
  if (mode == 0 && end > attributes_.size) {
    if ((seals_ & F_SEAL_GROW) != 0) return Error(EPERM);
    if (end > context.file_size_limit()) return Error(EFBIG);
  }
  if (mode != kPunch) {
    TRY_ASSIGN(uint64_t fitting, FitIntoSpace(offset, size));
    if (fitting < size) return Error(ENOSPC);
  }
  TRY(MakeHostFile());
  if (fallocate(memfd_.get(), mode, static_cast<off_t>(offset), static_cast<off_t>(size)) != 0) {
    return Error(errno);
  }
  if (mode == 0) attributes_.size = std::max(attributes_.size, end);
  attributes_.ctime = Now();
  if (mode == kPunch) attributes_.mtime = attributes_.ctime;
  Recharge();
  return Ok();
}

Result<uint64_t> TmpfsRegular::SeekSparse(uint64_t offset, int whence) {
  absl::MutexLock lock(&mutex_);
  if (offset >= attributes_.size) return Error(ENXIO);
  if (!memfd_.valid()) return whence == SEEK_DATA ? offset : attributes_.size;
  off_t found = lseek(memfd_.get(), static_cast<off_t>(offset), whence);
  if (found < 0) return Error(errno);
  return static_cast<uint64_t>(found);
}

Status TmpfsRegular::SetSparseSize(uint64_t size) {
  if (size > kMaxFileSize) return Error(EFBIG);
  absl::MutexLock lock(&mutex_);
  attributes_.size = size;
  return Ok();
}

Status TmpfsRegular::CheckModeLocked(mode_t mode) {
  const bool executable_changes = ((attributes_.mode ^ mode) & 0111) != 0;
  return (seals_ & kSealExec) != 0 && executable_changes ? Status(Error(EPERM)) : Ok();
}

Status TmpfsRegular::AddSeals(int seals) {
  constexpr int kContent = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
  if ((seals & ~(F_SEAL_SEAL | kContent | kSealExec)) != 0) return Error(EINVAL);
  absl::MutexLock lock(&mutex_);
  if ((seals_ & F_SEAL_SEAL) != 0) return Error(EPERM);
  // What stays executable shall stay what it is.
  if ((seals & kSealExec) != 0 && (attributes_.mode & 0111) != 0) seals |= kContent;
  seals_ |= seals;
  return Ok();
}

int TmpfsRegular::GetSeals() {
  absl::MutexLock lock(&mutex_);
  return seals_;
}

}  // namespace runsc::boot
