#include "bin/runsc-boot/wait/wait_queue.h"

#include <sys/epoll.h>

#include <cassert>

namespace runsc::boot {

void WaitEntry::Unregister() {
  if (state_ == nullptr) return;
  {
    absl::MutexLock lock(&state_->mutex);
    (previous_ != nullptr ? previous_->next_ : state_->first) = next_;
    (next_ != nullptr ? next_->previous_ : state_->last) = previous_;
    state_->count.fetch_sub(1);
  }
  previous_ = next_ = nullptr;
  state_.reset();
}

void WaitQueue::Register(WaitEntry& entry) {
  assert(!entry.registered());
  entry.state_ = state_;
  absl::MutexLock lock(&state_->mutex);
  entry.previous_ = state_->last;
  (state_->last != nullptr ? state_->last->next_ : state_->first) = &entry;
  state_->last = &entry;
  state_->count.fetch_add(1);
}

void WaitQueue::Unregister(WaitEntry& entry) {
  if (entry.state_ == state_) entry.Unregister();
}

void WaitQueue::Notify(PollEvents events) {
  // Whoever registers afterwards looks at the object's state again.
  if (empty()) return;
  absl::MutexLock lock(&state_->mutex);
  for (WaitEntry* entry = state_->first; entry != nullptr; entry = entry->next_) {
    if ((events & (entry->mask_ | EPOLLERR | EPOLLHUP)) != 0) entry->callback_(events);
  }
}

}  // namespace runsc::boot
