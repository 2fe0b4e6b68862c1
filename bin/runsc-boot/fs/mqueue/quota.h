// How many bytes the queues of each user may take: RLIMIT_MSGQUEUE of
// getrlimit(2) counts what the queues of a real user id could hold.
#ifndef RUNSC_BOOT_FS_MQUEUE_QUOTA_H_
#define RUNSC_BOOT_FS_MQUEUE_QUOTA_H_

#include <sys/types.h>

#include <cstdint>
#include <utility>

#include "bin/runsc-boot/fs/mqueue/settings.h"
#include "common/result.h"

namespace runsc::boot::mqueue {

// Given back by the destructor. Thread-safe.
class QuotaCharge {
 public:
  QuotaCharge() = default;
  QuotaCharge(QuotaCharge&& other) noexcept
      : uid_(other.uid_), bytes_(std::exchange(other.bytes_, 0)) {}
  QuotaCharge& operator=(QuotaCharge&& other) noexcept {
    std::swap(uid_, other.uid_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~QuotaCharge();

  // What getrlimit(2) says a queue takes. EOVERFLOW.
  static Result<uint64_t> BytesOf(const QueueSize& size);
  // EMFILE: more than `limit` bytes.
  static Result<QuotaCharge> Take(uid_t uid, uint64_t bytes, uint64_t limit);

 private:
  uid_t uid_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace runsc::boot::mqueue

#endif  // RUNSC_BOOT_FS_MQUEUE_QUOTA_H_
