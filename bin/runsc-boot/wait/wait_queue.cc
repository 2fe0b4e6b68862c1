#include "bin/runsc-boot/wait/wait_queue.h"

#include <sys/epoll.h>

#include <cassert>

namespace runsc::boot {

WaitEntry::~WaitEntry() {
  if (queue_ != nullptr) queue_->Unregister(*this);
}

WaitQueue::~WaitQueue() { assert(entries_.empty()); }

void WaitQueue::Register(WaitEntry& entry) {
  absl::MutexLock lock(&mutex_);
  assert(entry.queue_ == nullptr);
  entry.queue_ = this;
  entry.position_ = entries_.insert(entries_.end(), &entry);
}

void WaitQueue::Unregister(WaitEntry& entry) {
  absl::MutexLock lock(&mutex_);
  if (entry.queue_ != this) return;
  entries_.erase(entry.position_);
  entry.queue_ = nullptr;
}

void WaitQueue::Notify(PollEvents events) {
  absl::MutexLock lock(&mutex_);
  for (WaitEntry* entry : entries_) {
    if ((events & (entry->mask_ | EPOLLERR | EPOLLHUP)) != 0) entry->callback_(events);
  }
}

bool WaitQueue::empty() const {
  absl::MutexLock lock(&mutex_);
  return entries_.empty();
}

}  // namespace runsc::boot
