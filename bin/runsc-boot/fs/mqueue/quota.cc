#include "bin/runsc-boot/fs/mqueue/quota.h"

#include <algorithm>

namespace runsc::boot::mqueue {

Result<uint64_t> Quota::BytesOf(const QueueSize& size) {
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

Result<QuotaCharge> Quota::Take(uid_t uid, uint64_t bytes, uint64_t limit) {
  absl::MutexLock lock(&mutex_);
  auto found = bytes_.find(uid);
  uint64_t sum = 0;
  if (__builtin_add_overflow(found == bytes_.end() ? 0 : found->second, bytes, &sum) ||
      sum > limit) {
    return Error(EMFILE);
  }
  bytes_[uid] = sum;
  return QuotaCharge(shared_from_this(), uid, bytes);
}

void Quota::Release(uid_t uid, uint64_t bytes) {
  absl::MutexLock lock(&mutex_);
  auto found = bytes_.find(uid);
  found->second -= bytes;
  if (found->second == 0) bytes_.erase(found);
}

}  // namespace runsc::boot::mqueue
