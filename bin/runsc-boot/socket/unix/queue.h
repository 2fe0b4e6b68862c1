// What travels to one unix socket: messages, or bytes with borders where
// descriptors or credentials came along.
#ifndef RUNSC_BOOT_SOCKET_UNIX_QUEUE_H_
#define RUNSC_BOOT_SOCKET_UNIX_QUEUE_H_

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/socket/socket.h"
#include "bin/runsc-boot/wait/wait_queue.h"

namespace runsc::boot {

// The receiving socket owns it; senders hold it too, and find it closed once
// the receiver is gone. Thread-safe; notifies without its lock held.
class UnixQueue {
 public:
  static constexpr size_t kDefaultCapacity = 212992;  // net.core.wmem_default
  static constexpr size_t kMaxMessages = 512;         // net.unix.max_dgram_qlen

  UnixQueue(bool stream, std::shared_ptr<WaitQueue> reader)
      : stream_(stream), reader_(std::move(reader)) {}

  // Who is told when there is room again.
  void SetWriter(std::shared_ptr<WaitQueue> writer);

  // EPIPE: closed (streams, sequential packets; ECONNREFUSED for datagrams is
  // the caller's). EAGAIN: no room; `blocked` is told once when there is.
  // EMSGSIZE: a message that will never fit.
  Result<size_t> Push(IoBuffer& source, OutgoingMessage& message, const SocketAddress& from,
                      int flags, const std::shared_ptr<WaitQueue>& blocked);
  // EAGAIN: nothing there. `want_credentials`: SO_PASSCRED.
  Result<size_t> Pop(IoBuffer& destination, IncomingMessage& message, int flags,
                     bool want_credentials);

  // No more will come (the writer is gone or has shut down).
  void CloseWriting();
  // No more is wanted: what is queued is dropped when `drop`.
  void CloseReading(bool drop);

  bool writing_closed() const;
  bool reading_closed() const;
  bool readable() const;  // data or end
  bool writable() const;
  size_t bytes() const;
  size_t first_size() const;  // of the first message, or of all bytes
  size_t capacity() const;
  void set_capacity(size_t capacity);

 private:
  struct Message {
    std::string data;
    size_t offset = 0;  // what has been read
    ControlData control;
    ucred sender{};
    SocketAddress source;
    bool end_of_record = false;
  };

  size_t Room() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Result<size_t> PushLocked(IoBuffer& source, OutgoingMessage& message, const SocketAddress& from,
                            int flags) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Result<size_t> PopStream(IoBuffer& destination, IncomingMessage& incoming, bool peek,
                           bool want_credentials) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Result<size_t> PopMessage(IoBuffer& destination, IncomingMessage& incoming, bool peek,
                            bool want_credentials) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void DeliverControl(Message& from, IncomingMessage& to, bool peek, bool want_credentials);
  void TakeWaiters(std::vector<std::shared_ptr<WaitQueue>>& waiters)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const bool stream_;
  const std::shared_ptr<WaitQueue> reader_;
  mutable absl::Mutex mutex_;
  std::deque<Message> messages_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t capacity_ ABSL_GUARDED_BY(mutex_) = kDefaultCapacity;
  bool writing_closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool reading_closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<WaitQueue> writer_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<WaitQueue>> blocked_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SOCKET_UNIX_QUEUE_H_
