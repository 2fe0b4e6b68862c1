// How many signals are queued for each user: RLIMIT_SIGPENDING of
// getrlimit(2) counts over all processes of a real user id, POSIX timers
// included.
#ifndef RUNSC_BOOT_KERNEL_SIGNAL_QUOTA_H_
#define RUNSC_BOOT_KERNEL_SIGNAL_QUOTA_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace runsc::boot {

// Thread-safe; its lock is a leaf.
class SignalQuota {
 public:
  // One queued signal, given back by the destructor. The quota outlives it.
  class Charge {
   public:
    Charge(SignalQuota& quota, uid_t uid) : quota_(&quota), uid_(uid) {}
    Charge(Charge&& other) noexcept
        : quota_(std::exchange(other.quota_, nullptr)), uid_(other.uid_) {}
    Charge& operator=(Charge&& other) noexcept {
      std::swap(quota_, other.quota_);
      std::swap(uid_, other.uid_);
      return *this;
    }
    ~Charge() {
      if (quota_ != nullptr) quota_->Release(uid_);
    }

   private:
    SignalQuota* quota_;
    uid_t uid_;
  };

  // Nothing: the user has `limit` signals queued already, or more than boot
  // keeps for anybody.
  std::optional<Charge> Take(uid_t uid, uint64_t limit);
  uint64_t count(uid_t uid) const;

 private:
  void Release(uid_t uid);

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<uid_t, uint64_t> counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_SIGNAL_QUOTA_H_
