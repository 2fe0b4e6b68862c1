// The capabilities of the calling thread. Bit n of a set is capability n.
#ifndef RUNSC_COMMON_CAPABILITIES_H_
#define RUNSC_COMMON_CAPABILITIES_H_

#include <linux/capability.h>

#include <cstdint>
#include <initializer_list>
#include <string>

#include "common/result.h"

namespace runsc {

using CapabilityMask = uint64_t;

constexpr CapabilityMask CapabilityMaskOf(std::initializer_list<int> capabilities) {
  CapabilityMask mask = 0;
  for (int capability : capabilities) mask |= CapabilityMask{1} << capability;
  return mask;
}

// Leaves only `kept` in the permitted, effective and bounding sets, and nothing
// in the inheritable and ambient ones. To be called while the process has one
// thread. EPERM when one of `kept` is missing or CAP_SETPCAP is.
Status KeepOnlyCapabilities(CapabilityMask kept);

// "CAP_CHOWN CAP_FOWNER", or "none".
std::string DescribeCapabilities(CapabilityMask mask);

}  // namespace runsc

#endif  // RUNSC_COMMON_CAPABILITIES_H_
