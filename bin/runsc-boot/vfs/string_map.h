// A hash map from names, which can be searched by std::string_view (Abseil's
// own default takes only its own string_view).
#ifndef RUNSC_BOOT_VFS_STRING_MAP_H_
#define RUNSC_BOOT_VFS_STRING_MAP_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"

namespace runsc::boot {

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

template <typename Value>
using StringMap = absl::flat_hash_map<std::string, Value, StringHash, std::equal_to<>>;

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_STRING_MAP_H_
