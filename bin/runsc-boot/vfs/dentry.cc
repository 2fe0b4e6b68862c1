#include "bin/runsc-boot/vfs/dentry.h"

#include <utility>
#include <vector>

namespace runsc::boot {

mode_t Inode::Type() {
  mode_t type = type_.load(std::memory_order_relaxed);
  if (type != 0) return type;
  Result<Attributes> attributes = GetAttributes();
  if (!attributes.ok()) return 0;
  type = attributes->mode & S_IFMT;
  type_.store(type, std::memory_order_relaxed);
  return type;
}

Dentry::~Dentry() {
  // Open files keep their names: what has been removed goes with the last one.
  if (deleted()) ReportNameGone(*this);
}

DentryRef Dentry::parent() const {
  absl::MutexLock lock(&mutex_);
  return parent_;
}

std::string Dentry::name() const {
  absl::MutexLock lock(&mutex_);
  return name_;
}

std::pair<DentryRef, std::string> Dentry::parent_and_name() const {
  absl::MutexLock lock(&mutex_);
  return {parent_, name_};
}

void Dentry::Prune() {
  std::vector<DentryRef> children;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [name, child] : children_) children.push_back(child);
  }
  for (const DentryRef& child : children) child->Prune();
  absl::MutexLock lock(&mutex_);
  for (DentryRef& child : children) {
    auto found = children_.find(child->name());
    // Two references: the map's and ours.
    if (found != children_.end() && found->second == child && child.use_count() == 2 &&
        !child->is_mount_point()) {
      children_.erase(found);
    }
  }
}

}  // namespace runsc::boot
