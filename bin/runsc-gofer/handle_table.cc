#include "bin/runsc-gofer/handle_table.h"

#include <utility>

namespace runsc::gofer {

Result<uint64_t> HandleTable::Add(HeldFile file) {
  auto held = std::make_shared<const HeldFile>(std::move(file));
  absl::MutexLock lock(&mutex_);
  if (files_.size() >= kMaxHandles) return Error(ENFILE);
  uint64_t handle = next_++;
  files_.emplace(handle, std::move(held));
  return handle;
}

Result<HeldFileRef> HandleTable::Get(uint64_t handle) const {
  absl::MutexLock lock(&mutex_);
  auto found = files_.find(handle);
  if (found == files_.end()) return Error(EBADF);
  return found->second;
}

void HandleTable::Close(uint64_t handle) {
  HeldFileRef closed;  // closed after the lock is released
  absl::MutexLock lock(&mutex_);
  auto found = files_.find(handle);
  if (found == files_.end()) return;
  closed = std::move(found->second);
  files_.erase(found);
}

size_t HandleTable::size() const {
  absl::MutexLock lock(&mutex_);
  return files_.size();
}

}  // namespace runsc::gofer
