// How many bytes the queues of each user may take: RLIMIT_MSGQUEUE of
// getrlimit(2) counts what the queues of a real user id could hold, over all
// ipc namespaces.
#ifndef RUNSC_BOOT_FS_MQUEUE_QUOTA_H_
#define RUNSC_BOOT_FS_MQUEUE_QUOTA_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/fs/mqueue/settings.h"
#include "common/result.h"

namespace runsc::boot::mqueue {

class QuotaCharge;

// Thread-safe; its lock is a leaf.
class Quota : public std::enable_shared_from_this<Quota> {
 public:
  // What getrlimit(2) says a queue takes. EOVERFLOW.
  static Result<uint64_t> BytesOf(const QueueSize& size);
  // EMFILE: more than `limit` bytes.
  Result<QuotaCharge> Take(uid_t uid, uint64_t bytes, uint64_t limit) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  friend class QuotaCharge;
  void Release(uid_t uid, uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Mutex mutex_;
  std::map<uid_t, uint64_t> bytes_ ABSL_GUARDED_BY(mutex_);
};
using QuotaRef = std::shared_ptr<Quota>;

// A part of the quota, given back by the destructor.
class QuotaCharge {
 public:
  QuotaCharge(QuotaRef quota, uid_t uid, uint64_t bytes)
      : quota_(std::move(quota)), uid_(uid), bytes_(bytes) {}
  QuotaCharge(QuotaCharge&&) noexcept = default;
  QuotaCharge& operator=(QuotaCharge&&) = delete;
  ~QuotaCharge() {
    if (quota_ != nullptr) quota_->Release(uid_, bytes_);
  }

 private:
  QuotaRef quota_;  // null: moved from
  uid_t uid_;
  uint64_t bytes_;
};

}  // namespace runsc::boot::mqueue

#endif  // RUNSC_BOOT_FS_MQUEUE_QUOTA_H_
