#include "bin/runsc-boot/fs/mqueue/queue.h"

#include <sys/epoll.h>

#include "absl/strings/str_format.h"

namespace runsc::boot::mqueue {

Result<Message> Queue::MakeMessage(unsigned priority, size_t size) const {
  Message message;
  TRY_ASSIGN(message.charge, budget_->Take(sizeof(Message) + size));
  message.priority = priority;
  message.text.resize(size);
  return message;
}

int64_t Queue::message_count() const {
  absl::MutexLock lock(&mutex_);
  return count_;
}

PollEvents Queue::Poll() const {
  absl::MutexLock lock(&mutex_);
  PollEvents events = 0;
  if (count_ > 0) events |= EPOLLIN | EPOLLRDNORM;
  if (count_ < size_.messages) events |= EPOLLOUT | EPOLLWRNORM;
  return events;
}

Status Queue::Send(Message& message, const Sender& sender) {
  std::optional<Notification> told;
  {
    absl::MutexLock lock(&mutex_);
    if (count_ >= size_.messages) return Error(EAGAIN);
    if (!receivers_.empty()) {
      Receiver& receiver = *receivers_.front();
      receivers_.pop_front();
      receiver.queued_ = false;
      receiver.message_ = std::move(message);
      receiver.waker_.Wake();
      return Ok();
    }
    bytes_ += message.text.size();
    const unsigned priority = message.priority;
    messages_[priority].push_back(std::move(message));
    // Only the first message is told of, and once.
    if (++count_ == 1) told.swap(notification_);
  }
  wait_queue_.Notify(EPOLLIN | EPOLLRDNORM);
  if (told.has_value() && told->send) told->send(sender);
  return Ok();
}

Result<bool> Queue::Receive(Receiver& receiver, bool wait) {
  {
    absl::MutexLock lock(&mutex_);
    if (messages_.empty()) {
      if (!wait) return Error(EAGAIN);
      receiver.queue_ = shared_from_this();
      receiver.queued_ = true;
      receivers_.push_back(&receiver);
      return false;
    }
    auto first = messages_.begin();
    receiver.message_ = std::move(first->second.front());
    first->second.pop_front();
    if (first->second.empty()) messages_.erase(first);
    --count_;
    bytes_ -= receiver.message_.text.size();
  }
  wait_queue_.Notify(EPOLLOUT | EPOLLWRNORM);
  return true;
}

Status Queue::Register(Notification notification) {
  absl::MutexLock lock(&mutex_);
  if (notification_.has_value()) return Error(EBUSY);
  notification_ = std::move(notification);
  return Ok();
}

void Queue::Unregister(pid_t process) {
  std::optional<Notification> gone;
  {
    absl::MutexLock lock(&mutex_);
    if (notification_.has_value() && notification_->process == process) gone.swap(notification_);
  }
  if (gone.has_value() && gone->removed) gone->removed();
}

std::string Queue::Text() const {
  absl::MutexLock lock(&mutex_);
  const Notification none;
  const Notification& who = notification_.has_value() ? *notification_ : none;
  return absl::StrFormat("QSIZE:%-10u NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", bytes_,
                         who.process != 0 ? who.kind : 0, who.signal, who.process);
}

bool Receiver::done() {
  absl::MutexLock lock(&queue_->mutex_);
  return !queued_;
}

bool Receiver::Abandon() {
  if (queue_ == nullptr) return false;
  absl::MutexLock lock(&queue_->mutex_);
  if (!queued_) return true;
  queue_->receivers_.remove(this);
  queued_ = false;
  return false;
}

}  // namespace runsc::boot::mqueue
