// The System V message queues of an ipc namespace: msgget(2), msgsnd(2),
// msgrcv(2), msgctl(2).
//
// A receiver that has to wait is queued, and whoever sends hands its message to
// it. Senders that find no room are woken when there may be some, and try again.
// Nothing here blocks.
//
// One lock for all queues of a namespace; a leaf but for wake-ups.
#ifndef RUNSC_BOOT_IPC_SYSV_MESSAGE_QUEUES_H_
#define RUNSC_BOOT_IPC_SYSV_MESSAGE_QUEUES_H_

#include <sys/msg.h>

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/ipc_sysv/id_table.h"
#include "bin/runsc-boot/ipc_sysv/memory_budget.h"
#include "bin/runsc-boot/wait/wait_queue.h"

namespace runsc::boot::sysv {

struct Message {
  int64_t type = 0;
  std::string text;
  MemoryCharge charge;

  // With a text of zeros, to be filled in. ENOMEM.
  static Result<Message> Make(MemoryBudget& budget, int64_t type, size_t size);
};

class MessageReceiver;
class MessageSender;

class MessageQueues : public std::enable_shared_from_this<MessageQueues> {
 public:
  explicit MessageQueues(MemoryBudgetRef budget) : budget_(std::move(budget)) {}

  // /proc/sys/kernel/{msgmax,msgmnb,msgmni}.
  struct Limits {
    int message = 8192;  // bytes
    int queue = 16384;   // bytes, of queues to be made
    int queues = 32000;
  };
  Limits limits() const ABSL_LOCKS_EXCLUDED(mutex_);
  void set_limits(const Limits& limits) ABSL_LOCKS_EXCLUDED(mutex_);

  // ENOSPC, ENOENT, EEXIST, EACCES.
  Result<int> Get(const Caller& caller, key_t key, int flags) ABSL_LOCKS_EXCLUDED(mutex_);
  // Takes the sender's message: true; or remembers that it waits for room: false.
  // EINVAL, EACCES; EIDRM: the queue went while it waited.
  Result<bool> Send(const Caller& caller, int id, MessageSender& sender)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Gives the receiver a message: true; or queues it, if it may `wait`: false.
  // EINVAL, EACCES, E2BIG, ENOMSG.
  Result<bool> Receive(const Caller& caller, int id, MessageReceiver& receiver, bool wait)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // MSG_COPY: the message number `index`, which stays. Nothing: there is none.
  Result<std::optional<std::pair<int64_t, std::string>>> Copy(const Caller& caller, int id,
                                                              int64_t index) const
      ABSL_LOCKS_EXCLUDED(mutex_);

  // --- msgctl(2). Objects by id, or by index for MSG_STAT and MSG_STAT_ANY.
  Result<std::pair<int, msqid_ds>> Stat(const Caller& caller, int id, Naming naming) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  // EPERM: also for more bytes than the limit, unless `may_exceed`.
  Status Set(const Caller& caller, int id, const msqid_ds& wanted, bool may_exceed)
      ABSL_LOCKS_EXCLUDED(mutex_);
  Status Remove(const Caller& caller, int id) ABSL_LOCKS_EXCLUDED(mutex_);
  // IPC_INFO, or MSG_INFO (`usage`); the highest index in use.
  std::pair<int, msginfo> Info(bool usage) const ABSL_LOCKS_EXCLUDED(mutex_);

  // What /proc/sysvipc/msg says of one queue; process ids are the kernel's.
  struct Row {
    Permissions permissions;
    uint64_t bytes = 0, count = 0;
    pid_t sender = 0, receiver = 0;
    time_t sent = 0, received = 0, changed = 0;
  };
  std::vector<Row> Rows() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  friend class MessageReceiver;
  friend class MessageSender;

  struct Queue : Row {
    uint64_t most_bytes = 0;
    std::list<Message> messages;
    std::list<MessageReceiver*> receivers;
    std::list<MessageSender*> senders;
    MemoryCharge charge;
    bool removed = false;
  };
  using QueueRef = std::shared_ptr<Queue>;

  static bool HasRoom(const Queue& queue, size_t size);
  static bool HandOver(Queue& queue, Message& message);
  static void WakeSenders(Queue& queue);

  const MemoryBudgetRef budget_;
  mutable absl::Mutex mutex_;
  Limits limits_ ABSL_GUARDED_BY(mutex_);
  IdTable<Queue> queues_ ABSL_GUARDED_BY(mutex_);
};

// Which messages msgrcv(2) takes.
struct MessageChoice {
  enum class Kind { kAny, kEqual, kNotEqual, kLowestUpTo };
  Kind kind = Kind::kAny;
  int64_t type = 0;

  static MessageChoice From(int64_t type, int flags);
  bool Takes(int64_t message_type) const;
};

// One call of msgrcv(2). Leaves the queue in its destructor.
class MessageReceiver {
 public:
  // E2BIG instead of messages above `most` bytes, unless they may be `truncated`.
  MessageReceiver(MessageChoice choice, uint64_t most, bool truncated, Waker& waker)
      : choice_(choice), most_(most), truncated_(truncated), waker_(waker) {}
  MessageReceiver(const MessageReceiver&) = delete;
  MessageReceiver& operator=(const MessageReceiver&) = delete;
  ~MessageReceiver() { (void)Abandon(0); }

  // The end of a queued call: 0, E2BIG, EIDRM, or EAGAIN: the queue's attributes
  // have changed, try again. Nothing while it waits.
  std::optional<int> result();
  int Abandon(int code);
  // After success.
  const Message& message() const { return message_; }

 private:
  friend class MessageQueues;

  const MessageChoice choice_;
  const uint64_t most_;
  const bool truncated_;
  Waker& waker_;
  // Set when it is queued; the rest is guarded by the lock of where_.
  std::shared_ptr<MessageQueues> where_;
  std::shared_ptr<MessageQueues::Queue> queue_;
  bool queued_ = false;
  pid_t pid_ = 0;
  int code_ = 0;
  Message message_;
};

// One call of msgsnd(2). Is forgotten by the queue in its destructor.
class MessageSender {
 public:
  MessageSender(Message message, Waker& waker) : message_(std::move(message)), waker_(waker) {}
  MessageSender(const MessageSender&) = delete;
  MessageSender& operator=(const MessageSender&) = delete;
  ~MessageSender();

 private:
  friend class MessageQueues;

  Message message_;
  Waker& waker_;
  std::shared_ptr<MessageQueues> where_;
  std::shared_ptr<MessageQueues::Queue> queue_;
};

}  // namespace runsc::boot::sysv

#endif  // RUNSC_BOOT_IPC_SYSV_MESSAGE_QUEUES_H_
