#include "bin/runsc-boot/socket/unix/queue.h"

#include <algorithm>
#include <utility>

namespace runsc::boot {
namespace {

constexpr size_t kMaxChunk = 128 * 1024;
// Small writes are joined up to this size, so that many of them cost little.
constexpr size_t kJoinedSize = 4096;

bool SameSender(const ucred& a, const ucred& b) {
  return a.pid == b.pid && a.uid == b.uid && a.gid == b.gid;
}

}  // namespace

void UnixQueue::SetWriter(std::shared_ptr<WaitQueue> writer) {
  absl::MutexLock lock(&mutex_);
  writer_ = std::move(writer);
}

size_t UnixQueue::Room() const {
  if (!stream_ && messages_.size() >= kMaxMessages) return 0;
  return capacity_ - std::min(capacity_, bytes_);
}

void UnixQueue::TakeWaiters(std::vector<std::shared_ptr<WaitQueue>>& waiters) {
  if (writer_ != nullptr) waiters.push_back(writer_);
  for (const std::weak_ptr<WaitQueue>& blocked : blocked_) {
    if (auto queue = blocked.lock()) waiters.push_back(std::move(queue));
  }
  blocked_.clear();
}

Result<size_t> UnixQueue::PushLocked(IoBuffer& source, OutgoingMessage& message,
                                     const SocketAddress& from, int flags) {
  if (reading_closed_ || writing_closed_) return Error(EPIPE);
  size_t size = source.remaining();
  bool has_control = message.control != nullptr && !message.control->empty();
  size_t room = Room();
  if (stream_) {
    if (size == 0) return 0;
    if (room == 0) return Error(EAGAIN);
    size = std::min({size, room, kMaxChunk});
  } else {
    if (size > capacity_) return Error(EMSGSIZE);
    // A message larger than what is left waits, unless nothing is before it.
    if (room == 0 || (size > room && !messages_.empty())) return Error(EAGAIN);
  }
  if (stream_ && !has_control && !messages_.empty()) {
    Message& last = messages_.back();
    if (last.data.size() + size <= kJoinedSize && last.control.empty() &&
        SameSender(last.sender, message.sender)) {
      size_t old = last.data.size();
      last.data.resize(old + size);
      Result<size_t> taken = source.Take(last.data.data() + old, size);
      last.data.resize(old + (taken.ok() ? *taken : 0));
      if (taken.ok()) bytes_ += *taken;
      return taken;
    }
  }
  Message next;
  next.data.resize(size);
  if (size > 0) {
    TRY_ASSIGN(size_t taken, source.Take(next.data.data(), size));
    if (taken < size && !stream_) return Error(EFAULT);
    next.data.resize(taken);
  }
  if (has_control) next.control = std::move(*message.control);
  next.sender = message.sender;
  next.source = from;
  next.end_of_record = (flags & MSG_EOR) != 0;
  size_t count = next.data.size();
  bytes_ += count;
  messages_.push_back(std::move(next));
  return count;
}

Result<size_t> UnixQueue::Push(IoBuffer& source, OutgoingMessage& message,
                               const SocketAddress& from, int flags,
                               const std::shared_ptr<WaitQueue>& blocked) {
  Result<size_t> result = [&] {
    absl::MutexLock lock(&mutex_);
    Result<size_t> pushed = PushLocked(source, message, from, flags);
    if (pushed.code() == EAGAIN && blocked != writer_) blocked_.push_back(blocked);
    return pushed;
  }();
  if (result.ok()) reader_->Notify(EPOLLIN | EPOLLRDNORM);
  return result;
}

void UnixQueue::DeliverControl(Message& from, IncomingMessage& to, bool peek,
                               bool want_credentials) {
  if (want_credentials) {
    to.control.credentials = from.control.credentials.value_or(from.sender);
  }
  if (from.control.files.empty()) return;
  if (peek) {
    to.control.files = from.control.files;
  } else {
    to.control.files = std::exchange(from.control.files, {});
  }
}

Result<size_t> UnixQueue::PopStream(IoBuffer& destination, IncomingMessage& incoming, bool peek,
                                    bool want_credentials) {
  size_t total = 0;
  for (size_t index = 0; index < messages_.size() && destination.remaining() > 0;) {
    Message& message = messages_[index];
    // Bytes of different senders are not mixed when the reader asks who sent.
    if (want_credentials && total > 0 &&
        !SameSender(*incoming.control.credentials,
                    message.control.credentials.value_or(message.sender))) {
      break;
    }
    size_t wanted = std::min(message.data.size() - message.offset, destination.remaining());
    Result<size_t> put = destination.Put(message.data.data() + message.offset, wanted);
    if (!put.ok()) {
      if (total == 0) return put;
      break;
    }
    bool had_files = !message.control.files.empty();
    DeliverControl(message, incoming, peek, want_credentials);
    incoming.source = message.source;
    total += *put;
    if (peek) {
      ++index;
    } else {
      message.offset += *put;
      bytes_ -= *put;
      if (message.offset == message.data.size()) messages_.pop_front();
    }
    if (had_files || *put < wanted) break;
  }
  incoming.full_size = total;
  return total;
}

Result<size_t> UnixQueue::PopMessage(IoBuffer& destination, IncomingMessage& incoming, bool peek,
                                     bool want_credentials) {
  Message& message = messages_.front();
  size_t size = message.data.size();
  size_t wanted = std::min(size, destination.remaining());
  size_t put = 0;
  if (wanted > 0) {
    TRY_ASSIGN(put, destination.Put(message.data.data(), wanted));
    if (put < wanted) return Error(EFAULT);
  }
  if (put < size) incoming.flags |= MSG_TRUNC;
  if (message.end_of_record) incoming.flags |= MSG_EOR;
  incoming.full_size = size;
  incoming.source = message.source;
  DeliverControl(message, incoming, peek, want_credentials);
  if (!peek) {
    bytes_ -= size;
    messages_.pop_front();
  }
  return put;
}

Result<size_t> UnixQueue::Pop(IoBuffer& destination, IncomingMessage& message, int flags,
                              bool want_credentials) {
  std::vector<std::shared_ptr<WaitQueue>> waiters;
  const bool peek = (flags & MSG_PEEK) != 0;
  Result<size_t> result = [&]() -> Result<size_t> {
    absl::MutexLock lock(&mutex_);
    if (messages_.empty()) {
      return writing_closed_ || reading_closed_ ? Result<size_t>(0) : Error(EAGAIN);
    }
    bool was_full = Room() == 0 || !blocked_.empty();
    Result<size_t> popped = stream_ ? PopStream(destination, message, peek, want_credentials)
                                    : PopMessage(destination, message, peek, want_credentials);
    if (popped.ok() && !peek && was_full) TakeWaiters(waiters);
    return popped;
  }();
  for (const auto& waiter : waiters) waiter->Notify(EPOLLOUT | EPOLLWRNORM);
  return result;
}

void UnixQueue::CloseWriting() {
  {
    absl::MutexLock lock(&mutex_);
    writing_closed_ = true;
  }
  reader_->Notify(EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | EPOLLHUP);
}

void UnixQueue::CloseReading(bool drop) {
  std::deque<Message> dropped;  // files in it end without the lock
  std::vector<std::shared_ptr<WaitQueue>> waiters;
  {
    absl::MutexLock lock(&mutex_);
    reading_closed_ = true;
    if (drop) {
      dropped.swap(messages_);
      bytes_ = 0;
    }
    TakeWaiters(waiters);
  }
  for (const auto& waiter : waiters) waiter->Notify(EPOLLOUT | EPOLLWRNORM | EPOLLHUP);
}

bool UnixQueue::writing_closed() const {
  absl::MutexLock lock(&mutex_);
  return writing_closed_;
}

bool UnixQueue::reading_closed() const {
  absl::MutexLock lock(&mutex_);
  return reading_closed_;
}

bool UnixQueue::readable() const {
  absl::MutexLock lock(&mutex_);
  return !messages_.empty() || writing_closed_ || reading_closed_;
}

bool UnixQueue::writable() const {
  absl::MutexLock lock(&mutex_);
  return reading_closed_ || writing_closed_ || Room() > 0;
}

size_t UnixQueue::bytes() const {
  absl::MutexLock lock(&mutex_);
  return bytes_;
}

size_t UnixQueue::first_size() const {
  absl::MutexLock lock(&mutex_);
  if (stream_ || messages_.empty()) return bytes_;
  return messages_.front().data.size();
}

size_t UnixQueue::capacity() const {
  absl::MutexLock lock(&mutex_);
  return capacity_;
}

void UnixQueue::set_capacity(size_t capacity) {
  absl::MutexLock lock(&mutex_);
  capacity_ = capacity;
}

}  // namespace runsc::boot
