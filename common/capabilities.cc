#include "common/capabilities.h"

#include <cap-ng.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace runsc {

Status KeepOnlyCapabilities(CapabilityMask kept) {
  capng_clear(CAPNG_SELECT_ALL);
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if ((kept >> capability & 1) == 0) continue;
    auto sets = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET);
    if (capng_update(CAPNG_ADD, sets, static_cast<unsigned>(capability)) < 0) {
      return MakeError(EINVAL, "keep capability", DescribeCapabilities(kept));
    }
  }
  if (capng_apply(CAPNG_SELECT_ALL) < 0) return MakeError(EPERM, "drop capabilities");
  return Ok();
}

std::string DescribeCapabilities(CapabilityMask mask) {
  std::string text;
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if ((mask >> capability & 1) == 0) continue;
    const char* name = capng_capability_to_name(static_cast<unsigned>(capability));
    absl::StrAppend(&text, text.empty() ? "" : " ",
                    name ? absl::StrCat("CAP_", absl::AsciiStrToUpper(name))
                         : absl::StrCat("capability ", capability));
  }
  return text.empty() ? "none" : text;
}

}  // namespace runsc
