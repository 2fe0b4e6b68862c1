#include "bin/runsc-boot/vfs/dentry_cache.h"

#include <utility>

namespace runsc::boot {

DentryRef DentryCache::FindLocked(Dentry& parent, std::string_view name) {
  auto found = parent.children_.find(name);
  if (found == parent.children_.end()) return nullptr;
  found->second->referenced_.store(true, std::memory_order_relaxed);
  return found->second;
}

DentryRef DentryCache::Find(Dentry& parent, std::string_view name) {
  absl::MutexLock lock(&parent.mutex_);
  return FindLocked(parent, name);
}

void DentryCache::Count(const DentryRef& dentry) {
  absl::MutexLock lock(&mutex_);
  clock_.push_back(dentry);
}

DentryRef DentryCache::InsertLocked(const DentryRef& parent, std::string_view name,
                                    InodeRef inode) {
  auto dentry = std::make_shared<Dentry>(parent, std::string(name), std::move(inode));
  // A directory that was removed and its names would keep each other.
  if (parent->inode_->CacheLookups() && !parent->deleted()) {
    parent->children_.insert_or_assign(name, dentry);
    Count(dentry);
  } else if (dentry->inode_ != nullptr) {
    auto& transient = parent->transient_;
    if ((transient.size() & 63) == 63) {
      absl::erase_if(transient, [](const auto& entry) { return entry.second.expired(); });
    }
    transient.insert_or_assign(name, dentry);
  }
  return dentry;
}

Result<DentryRef> DentryCache::Record(const DentryRef& parent, std::string_view name,
                                      Result<InodeRef> found) {
  bool cached = parent->inode_->CacheLookups();
  if (!found.ok()) {
    if (found.code() == ENOENT && cached) InsertLocked(parent, name, nullptr);
    if (!cached) parent->transient_.erase(name);
    return std::move(found).error();
  }
  if (!cached) {
    auto known = parent->transient_.find(name);
    if (known != parent->transient_.end()) {
      DentryRef dentry = known->second.lock();
      if (dentry != nullptr && dentry->inode_ == *found) return dentry;
    }
  }
  return InsertLocked(parent, name, std::move(found).value());
}

Result<DentryRef> DentryCache::LookupLocked(Context& context, const DentryRef& parent,
                                            std::string_view name) {
  if (DentryRef child = FindLocked(*parent, name); child != nullptr) {
    if (child->inode_ == nullptr) return Error(ENOENT);
    return child;
  }
  return Record(parent, name, parent->inode_->Lookup(context, name, {}));
}

Result<DentryRef> DentryCache::Lookup(Context& context, const DentryRef& parent,
                                      std::string_view name,
                                      std::span<const std::string_view> ahead) {
  if (!parent->inode_->CacheLookups()) {
    // Without the lock: such directories synchronise themselves, and what they
    // find may be old by the time it is used in any case. Mount points stay.
    if (DentryRef child = Find(*parent, name); child != nullptr) return child;
    Result<InodeRef> found = parent->inode_->Lookup(context, name, ahead);
    absl::MutexLock lock(&parent->mutex_);
    return Record(parent, name, std::move(found));
  }
  Result<DentryRef> result = Error(ENOENT);
  {
    absl::MutexLock lock(&parent->mutex_);
    if (DentryRef child = FindLocked(*parent, name); child != nullptr) {
      if (child->inode_ == nullptr) return Error(ENOENT);
      return child;
    }
    // With the lock, so that no change comes between the answer and its record.
    result = Record(parent, name, parent->inode_->Lookup(context, name, ahead));
  }
  Trim();
  return result;
}

void DentryCache::ForgetLocked(const DentryRef& parent, const std::string& name) {
  parent->transient_.erase(name);
  if (parent->inode_->CacheLookups()) {
    InsertLocked(parent, name, nullptr);
  } else {
    parent->children_.erase(name);
  }
}

void DentryCache::RemoveLocked(const DentryRef& parent, const DentryRef& child) {
  absl::MutexLock lock(&child->mutex_);
  RemoveDirectoryLocked(parent, child);
}

void DentryCache::RemoveDirectoryLocked(const DentryRef& parent, const DentryRef& child) {
  child->deleted_.store(true, std::memory_order_release);
  // Negative ones; they would keep the directory in memory.
  child->children_.clear();
  ForgetLocked(parent, child->name_);
}

void DentryCache::MoveLocked(const DentryRef& old_parent, const DentryRef& child,
                             const DentryRef& new_parent, std::string_view new_name) {
  {
    absl::MutexLock lock(&child->mutex_);
    ForgetLocked(old_parent, child->name_);
    child->parent_ = new_parent;
    child->name_ = std::string(new_name);
  }
  AdoptLocked(new_parent, child);
}

void DentryCache::AdoptLocked(const DentryRef& parent, const DentryRef& child) {
  std::string name = child->name();
  if (parent->inode_->CacheLookups() || child->is_mount_point()) {
    parent->children_.insert_or_assign(name, child);
  } else {
    parent->transient_.insert_or_assign(name, child);
  }
}

void DentryCache::Trim() {
  for (int work = 0; work < 64; ++work) {
    DentryRef candidate;
    {
      absl::MutexLock lock(&mutex_);
      if (clock_.size() <= limit_) return;
      candidate = clock_.front().lock();
      clock_.pop_front();
      if (candidate == nullptr) continue;
      if (candidate->referenced_.exchange(false, std::memory_order_relaxed)) {
        clock_.push_back(candidate);
        continue;
      }
    }
    auto [parent, name] = candidate->parent_and_name();
    if (parent == nullptr) continue;
    bool evicted = false;
    {
      absl::MutexLock lock(&parent->mutex_);
      auto found = parent->children_.find(name);
      if (found == parent->children_.end() || found->second != candidate) continue;
      // Two references: the map's and ours. Its own children hold it, too.
      if (candidate.use_count() == 2 && !candidate->is_mount_point()) {
        parent->children_.erase(found);
        evicted = true;
      }
    }
    if (!evicted) Count(candidate);
  }
}

}  // namespace runsc::boot
