// time_namespaces(7): what the monotonic and the boot-time clock are ahead.
//
// The host's clocks have no offsets. Where a namespace has some, the calls that
// its processes would make to the host directly, and those to the vDSO, are
// brought to the kernel (Task::FollowClocks), which translates times as they come
// in and go out. All times in the kernel are the host's.
#ifndef RUNSC_BOOT_NAMESPACES_TIME_NAMESPACE_H_
#define RUNSC_BOOT_NAMESPACES_TIME_NAMESPACE_H_

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/auth/namespace.h"
#include "common/result.h"

namespace runsc::boot {

class TimeNamespace final : public Namespace {
 public:
  TimeNamespace() : Namespace(NamespaceKind::kTime) {}
  // With the offsets of `from`.
  TimeNamespace(UserNamespaceRef owner, const TimeNamespace& from);

  // In nanoseconds, for CLOCK_MONOTONIC (and _RAW, _COARSE) and CLOCK_BOOTTIME
  // (and _ALARM); 0 for others.
  int64_t OffsetOf(clockid_t clock) const;
  // Whether there is any offset.
  bool HasOffsets() const;
  // An absolute time of `clock` in it, in nanoseconds, on the host's clock; 0 when
  // that is before the host's clock began.
  int64_t ToHost(clockid_t clock, int64_t ns) const;
  // /proc/PID/timens_offsets.
  std::string OffsetsText() const;
  // Lines "clock seconds nanoseconds". EACCES once a process has entered it,
  // EINVAL, ERANGE.
  Status SetOffsets(std::string_view text);
  // A process lives in it: the offsets stay from now on.
  void Freeze();

 private:
  mutable absl::Mutex mutex_;  // a leaf
  bool frozen_ ABSL_GUARDED_BY(mutex_) = false;
  timespec monotonic_ ABSL_GUARDED_BY(mutex_){};
  timespec boottime_ ABSL_GUARDED_BY(mutex_){};
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_NAMESPACES_TIME_NAMESPACE_H_
