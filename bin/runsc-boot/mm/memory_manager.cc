#include "bin/runsc-boot/mm/memory_manager.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace runsc::boot {

namespace {

constexpr uint64_t kPageSize = 4096;

}  // namespace

MemoryManager::MemoryManager(std::shared_ptr<platform::AddressSpace> address_space)
    : address_space_(std::move(address_space)) {}

Status MemoryManager::CopyIn(uint64_t address, void* buffer, size_t size) const {
  if (size == 0) return Ok();
  TRY_ASSIGN(size_t copied, address_space_->Read(address, buffer, size));
  return copied == size ? Ok() : Status(Error(EFAULT));
}

Status MemoryManager::CopyOut(uint64_t address, const void* buffer, size_t size) const {
  if (size == 0) return Ok();
  TRY_ASSIGN(size_t copied, address_space_->Write(address, buffer, size));
  return copied == size ? Ok() : Status(Error(EFAULT));
}

Result<std::string> MemoryManager::CopyInString(uint64_t address, size_t limit) const {
  std::string text;
  std::array<char, kPageSize> page;
  // One read never crosses a page, so that an unmapped page behind the string
  // does not matter.
  while (true) {
    const size_t wanted =
        std::min<uint64_t>(kPageSize - address % kPageSize, limit + 1 - text.size());
    TRY_ASSIGN(const size_t copied, address_space_->Read(address, page.data(), wanted));
    const void* end = memchr(page.data(), 0, copied);
    if (end != nullptr) {
      text.append(page.data(), static_cast<const char*>(end) - page.data());
      return text;
    }
    if (copied < wanted) return Error(EFAULT);
    text.append(page.data(), copied);
    if (text.size() > limit) return Error(ENAMETOOLONG);
    if (__builtin_add_overflow(address, copied, &address)) return Error(EFAULT);
  }
}

MemoryManager::Image MemoryManager::image() const {
  absl::MutexLock lock(&mutex_);
  return image_;
}

void MemoryManager::set_image(Image image) {
  absl::MutexLock lock(&mutex_);
  image_ = std::move(image);
}

UserNamespaceRef MemoryManager::user_namespace() const {
  absl::MutexLock lock(&mutex_);
  return user_namespace_;
}

void MemoryManager::set_user_namespace(UserNamespaceRef user_namespace) {
  absl::MutexLock lock(&mutex_);
  user_namespace_ = std::move(user_namespace);
}

void MemoryManager::NoteFileMapping(dev_t host_dev, ino_t host_ino, Path path) {
  absl::MutexLock lock(&mutex_);
  file_mappings_.insert_or_assign({host_dev, host_ino}, std::move(path));
}

Path MemoryManager::FindFileMapping(dev_t host_dev, ino_t host_ino) const {
  absl::MutexLock lock(&mutex_);
  auto found = file_mappings_.find({host_dev, host_ino});
  return found == file_mappings_.end() ? Path() : found->second;
}

std::shared_ptr<MemoryManager> MemoryManager::CloneFor(
    std::shared_ptr<platform::AddressSpace> address_space) const {
  auto copy = std::make_shared<MemoryManager>(std::move(address_space));
  absl::MutexLock lock(&mutex_);
  absl::MutexLock copy_lock(&copy->mutex_);
  copy->image_ = image_;
  copy->file_mappings_ = file_mappings_;
  copy->user_namespace_ = user_namespace_;
  copy->set_dumpable(dumpable());
  return copy;
}

}  // namespace runsc::boot
