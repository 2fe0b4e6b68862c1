#include "bin/runsc-boot/kernel/host_limits.h"

#include "bin/runsc-boot/loader/load.h"
#include "common/log.h"

namespace runsc::boot {

namespace {

// docs/platform.md: image, region and the stacks of fork children, and what the
// host maps itself.
constexpr rlim_t kStubAddressSpace = (rlim_t{1} << 30) + (rlim_t{1} << 20);
constexpr rlim_t kStubData = rlim_t{1} << 20;

}  // namespace

void ApplyHostLimit(const platform::HostProcess& process, int resource, rlim_t limit,
                    uint64_t stack_bytes) {
  if (resource != RLIMIT_AS && resource != RLIMIT_DATA) return;
  // A stack is no data for Linux.
  const rlim_t own = resource == RLIMIT_AS ? kStubAddressSpace + UnusedStack(stack_bytes)
                                           : kStubData + stack_bytes;
  rlimit host{};
  const auto which = static_cast<__rlimit_resource>(resource);
  if (prlimit(process.host_pid(), which, nullptr, &host) != 0) return;
  // Only the soft limit, so that it can be raised again.
  host.rlim_cur =
      limit == RLIM_INFINITY || limit > host.rlim_max - own ? host.rlim_max : limit + own;
  if (prlimit(process.host_pid(), which, &host, nullptr) != 0) {
    LOG_DEBUG("limit ", resource, " of host process ", process.host_pid(), " was not set");
  }
}

}  // namespace runsc::boot
