// The table behind /proc/PID/uid_map and gid_map (user_namespaces(7)).
#ifndef RUNSC_BOOT_AUTH_ID_MAP_H_
#define RUNSC_BOOT_AUTH_ID_MAP_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace runsc::boot {

// An id that is none: what unmapped ids become on the way in.
constexpr uint32_t kNoId = ~uint32_t{0};
// What unmapped ids become on the way out (/proc/sys/kernel/overflowuid).
constexpr uint32_t kOverflowId = 65534;

// `count` ids from `inside` on are those from `outside` on in the parent (in a
// text) or in the sandbox's first user namespace (in a map).
struct IdExtent {
  uint32_t inside = 0, outside = 0, count = 0;
};

class IdMap {
 public:
  static constexpr size_t kMaxExtents = 340;

  IdMap() = default;
  explicit IdMap(std::vector<IdExtent> extents) : extents_(std::move(extents)) {}

  // kNoId when there is none.
  uint32_t ToOutside(uint32_t inside) const;
  uint32_t ToInside(uint32_t outside) const;
  // The outside of a whole range; kNoId unless one extent holds all of it.
  uint32_t RangeToOutside(uint32_t inside, uint32_t count) const;
  const std::vector<IdExtent>& extents() const { return extents_; }
  bool empty() const { return extents_.empty(); }

  // The lines that a program writes, with ids of the parent outside. EINVAL:
  // malformed, empty, overlapping, overflowing, or more than kMaxExtents.
  static Result<std::vector<IdExtent>> Parse(std::string_view text);

 private:
  std::vector<IdExtent> extents_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_AUTH_ID_MAP_H_
