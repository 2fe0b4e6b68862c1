#include "bin/runsc-boot/fs/mqueue/quota.h"

#include <algorithm>
#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace runsc::boot::mqueue {
namespace {

struct Users {
  absl::Mutex mutex;  // a leaf
  std::map<uid_t, uint64_t> bytes ABSL_GUARDED_BY(mutex);
};

Users& AllUsers() {
  static Users* const users = new Users;  // never goes: queues may outlive everything
  return *users;
}

}  // namespace

QuotaCharge::~QuotaCharge() {
  if (bytes_ == 0) return;
  Users& users = AllUsers();
  absl::MutexLock lock(&users.mutex);
  auto found = users.bytes.find(uid_);
  found->second -= bytes_;
  if (found->second == 0) users.bytes.erase(found);
}

Result<uint64_t> QuotaCharge::BytesOf(const QueueSize& size) {
  // As Linux counts: a header for each message, a node for each priority.
  constexpr uint64_t kHeader = 48, kNode = 48, kPriorities = 32768;
  const auto messages = static_cast<uint64_t>(size.messages);
  uint64_t content = 0, bytes = 0;
  const uint64_t overhead = messages * kHeader + std::min(messages, kPriorities) * kNode;
  if (__builtin_mul_overflow(messages, static_cast<uint64_t>(size.message_size), &content) ||
      __builtin_add_overflow(content, overhead, &bytes)) {
    return Error(EOVERFLOW);
  }
  return bytes;
}

Result<QuotaCharge> QuotaCharge::Take(uid_t uid, uint64_t bytes, uint64_t limit) {
  Users& users = AllUsers();
  QuotaCharge charge;
  absl::MutexLock lock(&users.mutex);
  auto found = users.bytes.find(uid);
  uint64_t sum = 0;
  if (__builtin_add_overflow(found == users.bytes.end() ? 0 : found->second, bytes, &sum) ||
      sum > limit) {
    return Error(EMFILE);
  }
  users.bytes[uid] = sum;
  charge.uid_ = uid;
  charge.bytes_ = bytes;
  return charge;
}

}  // namespace runsc::boot::mqueue
