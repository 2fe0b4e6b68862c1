#include "bin/runsc-boot/mm/user_io.h"

#include <algorithm>
#include <climits>

namespace runsc::boot {

namespace {

constexpr size_t kMaxTransfer = 0x7ffff000;    // MAX_RW_COUNT
constexpr uint64_t kUserEnd = 0x7ffffffff000;  // TASK_SIZE_MAX

// Cuts `ranges` so that together they have at most kMaxTransfer bytes; returns
// the sum.
size_t Clamp(std::vector<iovec>& ranges) {
  size_t sum = 0;
  for (iovec& range : ranges) {
    range.iov_len = std::min(range.iov_len, kMaxTransfer - sum);
    sum += range.iov_len;
  }
  return sum;
}

}  // namespace

UserIo::UserIo(MemoryManager& memory, uint64_t address, size_t size)
    : UserIo(memory, {{reinterpret_cast<void*>(address), size}}) {}

UserIo::UserIo(MemoryManager& memory, std::vector<iovec> ranges)
    : memory_(&memory), ranges_(std::move(ranges)), remaining_(Clamp(ranges_)) {}

Result<UserIo> UserIo::FromRange(MemoryManager& memory, uint64_t address, uint64_t size) {
  if (address > kUserEnd || size > kUserEnd - address) return Error(EFAULT);
  return UserIo(memory, address, size);
}

Result<UserIo> UserIo::FromIovecs(MemoryManager& memory, uint64_t address, uint64_t count) {
  if (count > IOV_MAX) return Error(EINVAL);
  std::vector<iovec> ranges(count);
  TRY(memory.CopyIn(address, ranges.data(), count * sizeof(iovec)));
  for (const iovec& range : ranges) {
    if (static_cast<ssize_t>(range.iov_len) < 0) return Error(EINVAL);
  }
  return UserIo(memory, std::move(ranges));
}

Result<size_t> UserIo::Put(const void* data, size_t size) {
  const std::vector<iovec> remote = Next(size);
  if (remote.empty()) return size_t{0};
  platform::AddressSpace& space = memory_->address_space();
  const iovec local = {const_cast<void*>(data), size};
  TRY_ASSIGN(const size_t copied, remote.size() == 1
                                      ? space.Write(reinterpret_cast<uint64_t>(remote[0].iov_base),
                                                    data, remote[0].iov_len)
                                      : space.WriteV({&local, 1}, remote));
  Advance(copied);
  return copied;
}

Result<size_t> UserIo::Take(void* data, size_t size) {
  const std::vector<iovec> remote = Next(size);
  if (remote.empty()) return size_t{0};
  platform::AddressSpace& space = memory_->address_space();
  const iovec local = {data, size};
  TRY_ASSIGN(const size_t copied, remote.size() == 1
                                      ? space.Read(reinterpret_cast<uint64_t>(remote[0].iov_base),
                                                   data, remote[0].iov_len)
                                      : space.ReadV(remote, {&local, 1}));
  Advance(copied);
  return copied;
}

std::vector<iovec> UserIo::Next(size_t size) const {
  std::vector<iovec> next;
  size_t offset = offset_;
  for (size_t i = index_; i < ranges_.size() && size > 0; ++i, offset = 0) {
    const size_t length = std::min(ranges_[i].iov_len - offset, size);
    if (length == 0) continue;
    next.push_back({static_cast<char*>(ranges_[i].iov_base) + offset, length});
    size -= length;
  }
  return next;
}

void UserIo::Advance(size_t size) {
  remaining_ -= size;
  transferred_ += size;
  while (size > 0) {
    const size_t left = ranges_[index_].iov_len - offset_;
    if (size < left) {
      offset_ += size;
      return;
    }
    size -= left;
    offset_ = 0;
    ++index_;
  }
}

void UserIo::StepBack(size_t size) {
  remaining_ += size;
  transferred_ -= size;
  while (size > offset_) {
    size -= offset_;
    offset_ = ranges_[--index_].iov_len;
  }
  offset_ -= size;
}

}  // namespace runsc::boot
