#include "bin/runsc-boot/vfs/fd_table.h"

#include <fcntl.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace runsc::boot {

FdTable::~FdTable() { RemoveAll(); }

void FdTable::ReleaseRequests(File& file) const {
  // A path's descriptor is not an open file.
  if ((file.flags() & O_PATH) != 0) return;
  if (FileAsync* async = file.async_if_any()) async->DescriptorClosed(*this);
  if (const InodeRef& inode = file.inode(); inode != nullptr) inode->ReleaseLocks(this);
}

std::shared_ptr<FdTable> FdTable::Clone() const {
  auto copy = std::make_shared<FdTable>();
  absl::MutexLock lock(&mutex_);
  absl::MutexLock copy_lock(&copy->mutex_);
  size_t size = entries_.size();
  while (size > 0 && entries_[size - 1].file == nullptr) --size;
  copy->entries_.assign(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(size));
  copy->first_free_hint_ = first_free_hint_;
  return copy;
}

const FdTable::Entry* FdTable::FindLocked(int fd) const {
  if (fd < 0 || static_cast<size_t>(fd) >= entries_.size()) return nullptr;
  const Entry& entry = entries_[fd];
  return entry.file != nullptr ? &entry : nullptr;
}

Result<FileRef> FdTable::Get(int fd) const {
  absl::MutexLock lock(&mutex_);
  const Entry* entry = FindLocked(fd);
  if (entry == nullptr) return Error(EBADF);
  return entry->file;
}

Result<FdTable::Entry> FdTable::GetEntry(int fd) const {
  absl::MutexLock lock(&mutex_);
  const Entry* entry = FindLocked(fd);
  if (entry == nullptr) return Error(EBADF);
  return *entry;
}

int FdTable::LowestFreeLocked(int from) const {
  int fd = std::max(from, first_free_hint_);
  while (FindLocked(fd) != nullptr) ++fd;
  return fd;
}

void FdTable::SetLocked(int fd, FileRef file, bool close_on_exec) {
  if (static_cast<size_t>(fd) >= entries_.size()) entries_.resize(fd + 1);
  entries_[fd] = Entry{std::move(file), close_on_exec};
}

FileRef FdTable::TakeLocked(int fd) {
  FileRef file = std::move(entries_[fd].file);
  entries_[fd] = Entry();
  ReleaseRequests(*file);
  first_free_hint_ = std::min(first_free_hint_, fd);
  return file;
}

Result<int> FdTable::Install(FileRef file, bool close_on_exec, uint64_t limit, int lowest) {
  absl::MutexLock lock(&mutex_);
  int fd = LowestFreeLocked(lowest);
  if (static_cast<uint64_t>(fd) >= limit) return Error(EMFILE);
  SetLocked(fd, std::move(file), close_on_exec);
  if (lowest <= first_free_hint_) first_free_hint_ = fd + 1;
  return fd;
}

Result<std::pair<int, int>> FdTable::InstallPair(FileRef first, FileRef second, bool close_on_exec,
                                                 uint64_t limit) {
  absl::MutexLock lock(&mutex_);
  int low = LowestFreeLocked(0);
  int high = LowestFreeLocked(low + 1);
  if (static_cast<uint64_t>(high) >= limit) return Error(EMFILE);
  SetLocked(low, std::move(first), close_on_exec);
  SetLocked(high, std::move(second), close_on_exec);
  first_free_hint_ = high + 1;
  return std::pair<int, int>(low, high);
}

Result<FileRef> FdTable::Replace(int fd, FileRef file, bool close_on_exec, uint64_t limit) {
  if (fd < 0 || static_cast<uint64_t>(fd) >= limit) return Error(EBADF);
  absl::MutexLock lock(&mutex_);
  FileRef old;
  if (FindLocked(fd) != nullptr) old = TakeLocked(fd);
  SetLocked(fd, std::move(file), close_on_exec);
  return old;
}

Status FdTable::SetCloseOnExec(int fd, bool value) {
  absl::MutexLock lock(&mutex_);
  if (FindLocked(fd) == nullptr) return Error(EBADF);
  entries_[fd].close_on_exec = value;
  return Ok();
}

Result<FileRef> FdTable::Remove(int fd) {
  absl::MutexLock lock(&mutex_);
  if (FindLocked(fd) == nullptr) return Error(EBADF);
  return TakeLocked(fd);
}

std::vector<FileRef> FdTable::RemoveRange(unsigned first, unsigned last) {
  std::vector<FileRef> removed;
  absl::MutexLock lock(&mutex_);
  for (size_t fd = first; fd <= last && fd < entries_.size(); ++fd) {
    if (entries_[fd].file != nullptr) removed.push_back(TakeLocked(static_cast<int>(fd)));
  }
  return removed;
}

void FdTable::MarkRange(unsigned first, unsigned last) {
  absl::MutexLock lock(&mutex_);
  for (size_t fd = first; fd <= last && fd < entries_.size(); ++fd) {
    entries_[fd].close_on_exec = entries_[fd].file != nullptr;
  }
}

std::vector<FileRef> FdTable::RemoveCloseOnExec() {
  std::vector<FileRef> removed;
  absl::MutexLock lock(&mutex_);
  for (size_t fd = 0; fd < entries_.size(); ++fd) {
    if (entries_[fd].close_on_exec) removed.push_back(TakeLocked(static_cast<int>(fd)));
  }
  return removed;
}

std::vector<FileRef> FdTable::RemoveAll() { return RemoveRange(0, ~0u); }

size_t FdTable::Capacity() const {
  constexpr size_t kInitial = 64;
  absl::MutexLock lock(&mutex_);
  return std::max(kInitial, std::bit_ceil(entries_.size()));
}

std::vector<int> FdTable::Numbers() const {
  std::vector<int> numbers;
  absl::MutexLock lock(&mutex_);
  for (size_t fd = 0; fd < entries_.size(); ++fd) {
    if (entries_[fd].file != nullptr) numbers.push_back(static_cast<int>(fd));
  }
  return numbers;
}

}  // namespace runsc::boot
