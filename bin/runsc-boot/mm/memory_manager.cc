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

void MemoryManager::NoteAttachment(const HostFileId& file,
                                   const std::shared_ptr<Attachable>& attached) {
  absl::MutexLock lock(&mutex_);
  // Segments come and go, and their files are forgotten by nobody else. Those few
  // that went while they were still mapped lose their names in the end.
  constexpr size_t kManyAttachments = 1024;
  if (attachments_.size() >= kManyAttachments) {
    std::erase_if(attachments_, [this](const auto& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      if (!entry.second.expired()) return false;
      file_mappings_.erase(entry.first);
      return true;
    });
  }
  attachments_[file] = attached;
  has_attachments_.store(true, std::memory_order_relaxed);
}

bool MemoryManager::HasAttached(const HostFileId& file) const {
  if (!has_attachments()) return false;
  absl::MutexLock lock(&mutex_);
  return attachments_.contains(file);
}

std::shared_ptr<Attachable> MemoryManager::FindAttachment(const HostFileId& file) const {
  absl::MutexLock lock(&mutex_);
  auto found = attachments_.find(file);
  return found == attachments_.end() ? nullptr : found->second.lock();
}

std::vector<std::shared_ptr<Attachable>> MemoryManager::attachments() const {
  std::vector<std::shared_ptr<Attachable>> alive;
  if (!has_attachments()) return alive;
  absl::MutexLock lock(&mutex_);
  for (const auto& [file, attached] : attachments_) {
    if (std::shared_ptr<Attachable> segment = attached.lock()) alive.push_back(std::move(segment));
  }
  return alive;
}

std::shared_ptr<MemoryManager> MemoryManager::CloneFor(
    std::shared_ptr<platform::AddressSpace> address_space) const {
  auto copy = std::make_shared<MemoryManager>(std::move(address_space));
  absl::MutexLock lock(&mutex_);
  absl::MutexLock copy_lock(&copy->mutex_);
  copy->image_ = image_;
  copy->file_mappings_ = file_mappings_;
  copy->user_namespace_ = user_namespace_;
  copy->attachments_ = attachments_;
  copy->has_attachments_.store(has_attachments());
  copy->set_dumpable(dumpable());
  return copy;
}

}  // namespace runsc::boot
