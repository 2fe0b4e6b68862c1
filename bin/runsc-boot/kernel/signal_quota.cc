#include "bin/runsc-boot/kernel/signal_quota.h"

#include <algorithm>

namespace runsc::boot {

namespace {

// Whatever the limit says: about 50 MB of boot's memory.
constexpr uint64_t kMost = 1 << 18;

}  // namespace

std::optional<SignalQuota::Charge> SignalQuota::Take(uid_t uid, uint64_t limit) {
  absl::MutexLock lock(&mutex_);
  auto found = counts_.find(uid);
  const uint64_t count = found == counts_.end() ? 0 : found->second;
  if (count >= std::min(limit, kMost)) return std::nullopt;
  counts_[uid] = count + 1;
  return Charge(*this, uid);
}

uint64_t SignalQuota::count(uid_t uid) const {
  absl::MutexLock lock(&mutex_);
  auto found = counts_.find(uid);
  return found == counts_.end() ? 0 : found->second;
}

void SignalQuota::Release(uid_t uid) {
  absl::MutexLock lock(&mutex_);
  auto found = counts_.find(uid);
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

}  // namespace runsc::boot
