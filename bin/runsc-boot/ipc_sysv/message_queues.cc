#include "bin/runsc-boot/ipc_sysv/message_queues.h"

#include <algorithm>
#include <ctime>
#include <limits>

namespace runsc::boot::sysv {

Result<Message> Message::Make(MemoryBudget& budget, int64_t type, size_t size) {
  Message message;
  TRY_ASSIGN(message.charge, budget.Take(sizeof(Message) + size));
  message.type = type;
  message.text.resize(size);
  return message;
}

MessageQueues::Limits MessageQueues::limits() const {
  absl::MutexLock lock(&mutex_);
  return limits_;
}

void MessageQueues::set_limits(const Limits& limits) {
  absl::MutexLock lock(&mutex_);
  limits_ = limits;
}

Result<int> MessageQueues::Get(const Caller& caller, key_t key, int flags) {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(const std::optional<int> known,
             FindObject(queues_, caller, key, flags, [](const Queue&) { return Ok(); }));
  if (known.has_value()) return *known;
  auto queue = std::make_shared<Queue>();
  TRY_ASSIGN(queue->charge, budget_->Take(sizeof(Queue)));
  queue->permissions = Permissions::Of(caller, key, flags);
  queue->most_bytes = static_cast<uint64_t>(limits_.queue);
  queue->changed = time(nullptr);
  TRY(queues_.Add(queue, limits_.queues));
  return queue->permissions.id;
}

bool MessageQueues::HasRoom(const Queue& queue, size_t size) {
  return queue.bytes + size <= queue.most_bytes && queue.count + 1 <= queue.most_bytes;
}

bool MessageQueues::HandOver(Queue& queue, Message& message) {
  for (auto next = queue.receivers.begin(); next != queue.receivers.end();) {
    MessageReceiver& receiver = **next;
    if (!receiver.choice_.Takes(message.type)) {
      ++next;
      continue;
    }
    next = queue.receivers.erase(next);
    receiver.queued_ = false;
    const bool fits = message.text.size() <= receiver.most_ || receiver.truncated_;
    receiver.code_ = fits ? 0 : E2BIG;
    if (fits) {
      receiver.message_ = std::move(message);
      queue.receiver = receiver.pid_;
      queue.received = time(nullptr);
    }
    receiver.waker_.Wake();
    if (fits) return true;
  }
  return false;
}

void MessageQueues::WakeSenders(Queue& queue) {
  for (MessageSender* sender : queue.senders) sender->waker_.Wake();
}

Result<bool> MessageQueues::Send(const Caller& caller, int id, MessageSender& sender) {
  absl::MutexLock lock(&mutex_);
  if (sender.queue_ != nullptr && sender.queue_->removed) return Error(EIDRM);
  TRY_ASSIGN(const QueueRef queue, queues_.Find(id));
  TRY(CheckAccess(caller, queue->permissions, kAlterable));
  Message& message = sender.message_;
  if (!HasRoom(*queue, message.text.size())) {
    if (sender.queue_ == nullptr) {
      sender.where_ = shared_from_this();
      sender.queue_ = queue;
      queue->senders.push_back(&sender);
    }
    return false;
  }
  queue->sender = caller.pid;
  queue->sent = time(nullptr);
  if (HandOver(*queue, message)) return true;
  queue->bytes += message.text.size();
  ++queue->count;
  queue->messages.push_back(std::move(message));
  return true;
}

Result<bool> MessageQueues::Receive(const Caller& caller, int id, MessageReceiver& receiver,
                                    bool wait) {
  absl::MutexLock lock(&mutex_);
  if (receiver.queue_ != nullptr && receiver.queue_->removed) return Error(EIDRM);
  TRY_ASSIGN(const QueueRef queue, queues_.Find(id));
  TRY(CheckAccess(caller, queue->permissions, kReadable));
  const MessageChoice& choice = receiver.choice_;
  auto found = queue->messages.end();
  for (auto next = queue->messages.begin(); next != queue->messages.end(); ++next) {
    if (!choice.Takes(next->type)) continue;
    const bool better = found == queue->messages.end() || next->type < found->type;
    if (better) found = next;
    if (choice.kind != MessageChoice::Kind::kLowestUpTo) break;
  }
  if (found != queue->messages.end()) {
    if (found->text.size() > receiver.most_ && !receiver.truncated_) return Error(E2BIG);
    queue->bytes -= found->text.size();
    --queue->count;
    queue->receiver = caller.pid;
    queue->received = time(nullptr);
    receiver.message_ = std::move(*found);
    queue->messages.erase(found);
    WakeSenders(*queue);
    return true;
  }
  if (!wait) return Error(ENOMSG);
  receiver.where_ = shared_from_this();
  receiver.queue_ = queue;
  receiver.queued_ = true;
  receiver.pid_ = caller.pid;
  queue->receivers.push_back(&receiver);
  return false;
}

Result<std::optional<std::pair<int64_t, std::string>>> MessageQueues::Copy(const Caller& caller,
                                                                           int id,
                                                                           int64_t index) const {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(const QueueRef queue, queues_.Find(id));
  TRY(CheckAccess(caller, queue->permissions, kReadable));
  for (const Message& message : queue->messages) {
    if (index-- == 0) return {std::make_pair(message.type, message.text)};
  }
  return {std::nullopt};
}

Result<std::pair<int, msqid_ds>> MessageQueues::Stat(const Caller& caller, int id,
                                                     Naming naming) const {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(const QueueRef queue, FindShown(queues_, caller, id, naming));
  msqid_ds shown{};
  shown.msg_perm = Show(caller.credentials, queue->permissions);
  shown.msg_stime = queue->sent;
  shown.msg_rtime = queue->received;
  shown.msg_ctime = queue->changed;
  shown.__msg_cbytes = queue->bytes;
  shown.msg_qnum = queue->count;
  shown.msg_qbytes = queue->most_bytes;
  shown.msg_lspid = queue->sender;
  shown.msg_lrpid = queue->receiver;
  return std::make_pair(queue->permissions.id, shown);
}

Status MessageQueues::Set(const Caller& caller, int id, const msqid_ds& wanted, bool may_exceed) {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(const QueueRef queue, FindOwned(queues_, caller, id));
  if (wanted.msg_qbytes > static_cast<uint64_t>(limits_.queue) && !may_exceed) return Error(EPERM);
  TRY(Change(caller.credentials, wanted.msg_perm, queue->permissions));
  queue->most_bytes = wanted.msg_qbytes;
  queue->changed = time(nullptr);
  // They may have lost the right to receive, or have room now.
  for (MessageReceiver* receiver : queue->receivers) {
    receiver->queued_ = false;
    receiver->code_ = EAGAIN;
    receiver->waker_.Wake();
  }
  queue->receivers.clear();
  WakeSenders(*queue);
  return Ok();
}

Status MessageQueues::Remove(const Caller& caller, int id) {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(const QueueRef queue, FindOwned(queues_, caller, id));
  queues_.Remove(*queue);
  queue->removed = true;
  for (MessageReceiver* receiver : queue->receivers) {
    receiver->queued_ = false;
    receiver->code_ = EIDRM;
    receiver->waker_.Wake();
  }
  queue->receivers.clear();
  WakeSenders(*queue);
  queue->messages.clear();
  return Ok();
}

std::pair<int, msginfo> MessageQueues::Info(bool usage) const {
  // Limits of old that only this call knows.
  constexpr int kPoolKib = 32000 * 16384 / 1024, kMap = 16384, kSegmentSize = 16;
  absl::MutexLock lock(&mutex_);
  msginfo info{};
  info.msgmax = limits_.message;
  info.msgmnb = limits_.queue;
  info.msgmni = limits_.queues;
  info.msgssz = kSegmentSize;
  info.msgseg = 0xffff;
  info.msgpool = kPoolKib;
  info.msgmap = info.msgtql = kMap;
  if (usage) {
    uint64_t bytes = 0, count = 0;
    for (const QueueRef& queue : queues_.All()) {
      bytes += queue->bytes;
      count += queue->count;
    }
    constexpr uint64_t kMost = std::numeric_limits<int>::max();
    info.msgpool = queues_.size();
    info.msgmap = static_cast<int>(std::min(count, kMost));
    info.msgtql = static_cast<int>(std::min(bytes, kMost));
  }
  return {queues_.highest_index(), info};
}

std::vector<MessageQueues::Row> MessageQueues::Rows() const {
  std::vector<Row> rows;
  absl::MutexLock lock(&mutex_);
  for (const QueueRef& queue : queues_.All()) rows.push_back(*queue);
  return rows;
}

MessageChoice MessageChoice::From(int64_t type, int flags) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  if (type == 0) return {};
  if (type < 0) {
    return {Kind::kLowestUpTo, type == kLeast ? std::numeric_limits<int64_t>::max() : -type};
  }
  return {(flags & MSG_EXCEPT) != 0 ? Kind::kNotEqual : Kind::kEqual, type};
}

bool MessageChoice::Takes(int64_t message_type) const {
  switch (kind) {
    case Kind::kAny:
      return true;
    case Kind::kEqual:
      return message_type == type;
    case Kind::kNotEqual:
      return message_type != type;
    case Kind::kLowestUpTo:
      return message_type <= type;
  }
  return false;
}

std::optional<int> MessageReceiver::result() {
  absl::MutexLock lock(&where_->mutex_);
  return queued_ ? std::nullopt : std::optional<int>(code_);
}

int MessageReceiver::Abandon(int code) {
  if (where_ == nullptr) return 0;
  absl::MutexLock lock(&where_->mutex_);
  if (!queued_) return code_;
  queue_->receivers.remove(this);
  queued_ = false;
  return code_ = code;
}

MessageSender::~MessageSender() {
  if (where_ == nullptr) return;
  absl::MutexLock lock(&where_->mutex_);
  queue_->senders.remove(this);
}

}  // namespace runsc::boot::sysv
