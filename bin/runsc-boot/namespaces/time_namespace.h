// time_namespaces(7): what the monotonic and the boot-time clock are ahead.
//
// The offsets can be set and read, but no clock goes by them yet: clock calls
// that the vDSO serves, and sleeps and futexes with an absolute time, do not
// pass through the kernel.
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
