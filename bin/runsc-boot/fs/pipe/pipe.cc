#include "bin/runsc-boot/fs/pipe/pipe.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace runsc::boot {

Result<size_t> Pipe::CopyOut(IoBuffer& destination, size_t count) {
  size_t total = 0;
  while (total < count) {
    size_t chunk = std::min(count - total, ring_size_ - head_);
    Result<size_t> put = destination.Put(&ring_[head_], chunk);
    if (!put.ok()) {
      if (total == 0) return put;
      break;
    }
    head_ = (head_ + *put) % ring_size_;
    used_ -= *put;
    total += *put;
    if (*put < chunk) break;
  }
  if (used_ == 0) head_ = 0;
  return total;
}

Result<size_t> Pipe::CopyIn(IoBuffer& source, size_t count) {
  Grow(used_ + count);
  size_t total = 0;
  while (total < count) {
    size_t tail = (head_ + used_) % ring_size_;
    size_t chunk = std::min(count - total, ring_size_ - tail);
    Result<size_t> taken = source.Take(&ring_[tail], chunk);
    if (!taken.ok()) {
      if (total == 0) return taken;
      break;
    }
    used_ += *taken;
    total += *taken;
    if (*taken < chunk) break;
  }
  return total;
}

void Pipe::Grow(size_t needed) {
  if (needed <= ring_size_) return;
  size_t size = std::clamp(std::bit_ceil(needed), kAtomicSize, kMaxCapacity);
  std::unique_ptr<char[]> ring(new char[size]);
  size_t first = std::min(used_, ring_size_ - head_);
  if (used_ > 0) {
    std::copy_n(&ring_[head_], first, ring.get());
    std::copy_n(ring_.get(), used_ - first, ring.get() + first);
  }
  ring_ = std::move(ring);
  ring_size_ = size;
  head_ = 0;
}

Result<size_t> Pipe::ReadLocked(IoBuffer& destination) {
  if (used_ == 0) return writers_ > 0 ? Result<size_t>(Error(EAGAIN)) : 0;
  if (packets_.empty()) return CopyOut(destination, std::min(used_, destination.remaining()));
  // One packet; what does not fit is lost.
  size_t packet = packets_.front();
  TRY_ASSIGN(size_t count, CopyOut(destination, std::min(packet, destination.remaining())));
  size_t lost = packet - count;
  head_ = (head_ + lost) % ring_size_;
  used_ -= lost;
  packets_.pop_front();
  return count;
}

Result<size_t> Pipe::Read(IoBuffer& destination) {
  if (destination.remaining() == 0) return 0;
  bool was_full = false;
  Result<size_t> result = [&]() -> Result<size_t> {
    absl::MutexLock lock(&mutex_);
    was_full = capacity_ - std::min(used_, capacity_) < kAtomicSize;
    return ReadLocked(destination);
  }();
  if (was_full && result.ok()) wait_queue_.Notify(EPOLLOUT | EPOLLWRNORM);
  return result;
}

Result<size_t> Pipe::Peek(IoBuffer& destination) {
  absl::MutexLock lock(&mutex_);
  if (used_ == 0) return writers_ > 0 ? Result<size_t>(Error(EAGAIN)) : 0;
  const size_t head = head_, used = used_;
  const size_t size = packets_.empty() ? used_ : packets_.front();
  Result<size_t> count = CopyOut(destination, std::min(size, destination.remaining()));
  head_ = head;
  used_ = used;
  return count;
}

Result<size_t> Pipe::WriteLocked(IoBuffer& source, bool packet) {
  if (readers_ == 0) return Error(EPIPE);
  size_t room = capacity_ - std::min(used_, capacity_);
  size_t wanted = source.remaining();
  if (packet || !packets_.empty()) wanted = std::min(wanted, kAtomicSize);
  // Small writes go whole or not at all.
  if (room == 0 || (wanted <= kAtomicSize && wanted > room)) return Error(EAGAIN);
  TRY_ASSIGN(size_t count, CopyIn(source, std::min(wanted, room)));
  // Once there are packets, stream writes are packets as well: their borders
  // may not move.
  if (packet || !packets_.empty()) {
    if (packets_.empty() && used_ > count) packets_.push_back(used_ - count);
    packets_.push_back(count);
  }
  return count;
}

Result<size_t> Pipe::Write(IoBuffer& source, bool packet) {
  if (source.remaining() == 0) return 0;
  Result<size_t> result = [&] {
    absl::MutexLock lock(&mutex_);
    return WriteLocked(source, packet);
  }();
  if (result.ok()) wait_queue_.Notify(EPOLLIN | EPOLLRDNORM);
  return result;
}

PollEvents Pipe::Poll(bool reader, bool writer, uint64_t writers_seen_at_open) {
  absl::MutexLock lock(&mutex_);
  PollEvents events = 0;
  if (reader) {
    if (used_ > 0) events |= EPOLLIN | EPOLLRDNORM;
    if (writers_ == 0 && writers_opened_ != writers_seen_at_open) events |= EPOLLHUP;
  }
  if (writer) {
    if (capacity_ - std::min(used_, capacity_) >= kAtomicSize) events |= EPOLLOUT | EPOLLWRNORM;
    if (readers_ == 0) events |= EPOLLERR;
  }
  return events;
}

void Pipe::AddEnd(bool reader, bool writer) {
  {
    absl::MutexLock lock(&mutex_);
    readers_ += reader;
    readers_opened_ += reader;
    writers_ += writer;
    writers_opened_ += writer;
  }
  // Wakes those whose open waits for a peer.
  wait_queue_.Notify((reader ? PollEvents{EPOLLOUT} : 0) | (writer ? PollEvents{EPOLLIN} : 0));
}

void Pipe::RemoveEnd(bool reader, bool writer) {
  PollEvents events = 0;
  {
    absl::MutexLock lock(&mutex_);
    readers_ -= reader;
    writers_ -= writer;
    if (reader && readers_ == 0) events |= EPOLLOUT | EPOLLERR;
    if (writer && writers_ == 0) events |= EPOLLIN | EPOLLHUP;
    if (readers_ == 0 && writers_ == 0) {
      used_ = head_ = 0;
      packets_.clear();
    }
  }
  if (events != 0) wait_queue_.Notify(events);
}

bool Pipe::HasReaders() {
  absl::MutexLock lock(&mutex_);
  return readers_ > 0;
}

bool Pipe::HasWriters() {
  absl::MutexLock lock(&mutex_);
  return writers_ > 0;
}

uint64_t Pipe::readers_opened() {
  absl::MutexLock lock(&mutex_);
  return readers_opened_;
}

uint64_t Pipe::writers_opened() {
  absl::MutexLock lock(&mutex_);
  return writers_opened_;
}

size_t Pipe::size() {
  absl::MutexLock lock(&mutex_);
  return used_;
}

size_t Pipe::capacity() {
  absl::MutexLock lock(&mutex_);
  return capacity_;
}

Result<size_t> Pipe::SetCapacity(Context& context, size_t capacity) {
  if (capacity > (size_t{1} << 31)) return Error(EINVAL);
  capacity = std::bit_ceil(std::max(capacity, kAtomicSize));
  if (capacity > kMaxCapacity) {
    return Error(context.credentials()->HasInitially(CAP_SYS_RESOURCE) ? ENOMEM : EPERM);
  }
  {
    absl::MutexLock lock(&mutex_);
    if (used_ > capacity) return Error(EBUSY);
    capacity_ = capacity;
  }
  wait_queue_.Notify(EPOLLOUT | EPOLLWRNORM);
  return capacity;
}

}  // namespace runsc::boot
