#include "bin/runsc-boot/vfs/file_locks.h"

#include <sys/epoll.h>

#include <algorithm>

#include "bin/runsc-boot/vfs/inode.h"

namespace runsc::boot {

namespace {

// Locks of one file, so that nobody can make the kernel hold any number.
constexpr size_t kMaxRecords = 65536;

}  // namespace

std::optional<RecordLock> FileLocks::FindConflict(const RecordLock& wanted) const {
  absl::MutexLock lock(&mutex_);
  return FindConflictLocked(wanted);
}

std::optional<RecordLock> FileLocks::FindConflictLocked(const RecordLock& wanted) const {
  const RecordLock* first = nullptr;
  for (const RecordLock& held : records_) {
    if (held.owner == wanted.owner || !held.range.Meets(wanted.range)) continue;
    if (!held.exclusive && !wanted.exclusive) continue;
    if (first == nullptr || held.range.begin < first->range.begin) first = &held;
  }
  if (first == nullptr) return std::nullopt;
  return *first;
}

std::optional<RecordLock> FileLocks::FindOwn(const void* owner, const LockRange& range) const {
  absl::MutexLock lock(&mutex_);
  const RecordLock* first = nullptr;
  for (const RecordLock& held : records_) {
    if (held.owner != owner || !held.range.Meets(range)) continue;
    if (first == nullptr || held.range.begin < first->range.begin) first = &held;
  }
  if (first == nullptr) return std::nullopt;
  return *first;
}

bool FileLocks::CutLocked(const void* owner, const LockRange& range) {
  bool changed = false;
  std::vector<RecordLock> rest;
  std::erase_if(records_, [&](const RecordLock& held) {
    if (held.owner != owner || !held.range.Meets(range)) return false;
    changed = true;
    RecordLock part = held;
    if (held.range.begin < range.begin) {
      part.range = {held.range.begin, range.begin};
      rest.push_back(part);
    }
    if (held.range.end > range.end) {
      part.range = {range.end, held.range.end};
      rest.push_back(part);
    }
    return true;
  });
  records_.insert(records_.end(), rest.begin(), rest.end());
  return changed;
}

void FileLocks::MergeLocked(RecordLock lock) {
  std::erase_if(records_, [&](const RecordLock& held) {
    const bool touches = held.range.begin <= lock.range.end && lock.range.begin <= held.range.end;
    if (held.owner != lock.owner || held.exclusive != lock.exclusive || !touches) return false;
    lock.range.begin = std::min(lock.range.begin, held.range.begin);
    lock.range.end = std::max(lock.range.end, held.range.end);
    return true;
  });
  records_.push_back(lock);
}

Status FileLocks::Lock(const RecordLock& wanted) {
  bool weakened;
  {
    absl::MutexLock lock(&mutex_);
    if (FindConflictLocked(wanted)) return Error(EAGAIN);
    if (records_.size() >= kMaxRecords) return Error(ENOLCK);
    weakened = CutLocked(wanted.owner, wanted.range) && !wanted.exclusive;
    MergeLocked(wanted);
  }
  if (weakened) wait_queue_.Notify(EPOLLOUT);
  return Ok();
}

void FileLocks::Unlock(const void* owner, const LockRange& range) {
  {
    absl::MutexLock lock(&mutex_);
    if (!CutLocked(owner, range)) return;
  }
  wait_queue_.Notify(EPOLLOUT);
}

Status FileLocks::LockWhole(const void* owner, bool exclusive, pid_t pid) {
  bool gave_up = false;
  Status result;
  {
    absl::MutexLock lock(&mutex_);
    auto own = std::find_if(whole_.begin(), whole_.end(),
                            [&](const WholeLock& held) { return held.owner == owner; });
    if (own != whole_.end()) {
      if (own->exclusive == exclusive) return Ok();
      whole_.erase(own);
      gave_up = true;
    }
    const bool conflict = std::any_of(whole_.begin(), whole_.end(), [&](const WholeLock& held) {
      return held.exclusive || exclusive;
    });
    if (conflict) {
      result = Error(EAGAIN);
    } else {
      whole_.push_back({owner, exclusive, pid});
    }
  }
  if (gave_up) wait_queue_.Notify(EPOLLOUT);
  return result;
}

void FileLocks::UnlockWhole(const void* owner) {
  {
    absl::MutexLock lock(&mutex_);
    if (std::erase_if(whole_, [&](const WholeLock& held) { return held.owner == owner; }) == 0) {
      return;
    }
  }
  wait_queue_.Notify(EPOLLOUT);
}

void FileLocks::Release(const void* owner) {
  Unlock(owner, LockRange());
  UnlockWhole(owner);
}

std::vector<ShownLock> FileLocks::List() const {
  using enum ShownLock::Kind;
  std::vector<ShownLock> list;
  absl::MutexLock lock(&mutex_);
  for (const RecordLock& held : records_) {
    list.push_back({held.pid < 0 ? kDescription : kRecord, held.range, held.exclusive, held.pid});
  }
  for (const WholeLock& held : whole_) {
    list.push_back({kWhole, LockRange(), held.exclusive, held.pid});
  }
  return list;
}

FileLocks& Inode::locks() {
  absl::call_once(locks_once_, [this] {
    locks_ = std::make_shared<FileLocks>();
    has_locks_.store(true, std::memory_order_release);
  });
  return *locks_;
}

void Inode::ReleaseLocks(const void* owner) {
  if (has_locks_.load(std::memory_order_acquire)) locks_->Release(owner);
}

}  // namespace runsc::boot
