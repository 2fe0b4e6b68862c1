#include "bin/runsc-boot/vfs/dentry.h"

#include <utility>
#include <vector>

#include "bin/runsc-boot/vfs/release_in_turn.h"

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
  DentryRef parent;
  {
    absl::MutexLock lock(&mutex_);
    parent = std::move(parent_);
  }
  DropLink(parent);
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
  struct Node {
    DentryRef dentry;
    size_t parent;  // in `nodes`
  };
  // Parents first. A tree may be deeper than any stack.
  std::vector<Node> nodes = {{shared_from_this(), 0}};
  for (size_t i = 0; i < nodes.size(); ++i) {
    const DentryRef dentry = nodes[i].dentry;
    absl::MutexLock lock(&dentry->mutex_);
    for (const auto& [name, child] : dentry->children_) nodes.push_back({child, i});
  }
  for (size_t i = nodes.size() - 1; i > 0; --i) {
    DentryRef child = std::move(nodes[i].dentry);
    Dentry& parent = *nodes[nodes[i].parent].dentry;
    absl::MutexLock lock(&parent.mutex_);
    auto found = parent.children_.find(child->name());
    // Two references: the map's and ours.
    if (found != parent.children_.end() && found->second == child && child.use_count() == 2 &&
        !child->is_mount_point()) {
      parent.children_.erase(found);
    }
  }
}

}  // namespace runsc::boot
