#include "bin/runsc-boot/fs/proc/options.h"

#include <charconv>
#include <climits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace runsc::boot::proc {
namespace {

struct HidePidName {
  std::string_view number, word;
  HidePid value;
};
constexpr HidePidName kHidePidNames[] = {
    {"0", "off", HidePid::kOff},
    {"1", "noaccess", HidePid::kNoAccess},
    {"2", "invisible", HidePid::kInvisible},
    {"4", "ptraceable", HidePid::kPtraceable},
};

Result<HidePid> ParseHidePid(std::string_view text) {
  for (const HidePidName& name : kHidePidNames) {
    if (text == name.number || text == name.word) return name.value;
  }
  return Error(EINVAL);
}

Result<gid_t> ParseGid(std::string_view text) {
  gid_t value = 0;
  const char* const behind = text.data() + text.size();
  auto [end, code] = std::from_chars(text.data(), behind, value);
  if (code != std::errc() || end != behind || value > INT_MAX) return Error(EINVAL);
  return value;
}

Status ParseOption(std::string_view option, Options& options) {
  const size_t equals = option.find('=');
  if (equals == std::string_view::npos) return Error(EINVAL);
  const std::string_view name = option.substr(0, equals), value = option.substr(equals + 1);
  if (name == "hidepid") {
    TRY_ASSIGN(options.hide, ParseHidePid(value));
  } else if (name == "gid") {
    TRY_ASSIGN(options.kernel_gid, ParseGid(value));
    options.gid = options.kernel_gid;
  } else if (name == "subset" && value == "pid") {
    options.only_pids = true;
  } else {
    return Error(EINVAL);
  }
  return Ok();
}

}  // namespace

std::string Options::ToString() const {
  std::vector<std::string> shown;
  if (gid.value_or(0) != 0) shown.push_back(absl::StrCat("gid=", *gid));
  for (const HidePidName& name : kHidePidNames) {
    if (hide == HidePid::kOff || hide != name.value) continue;
    shown.push_back("hidepid=" + std::string(name.word));
  }
  if (only_pids) shown.push_back("subset=pid");
  return absl::StrJoin(shown, ",");
}

Result<Options> ParseOptions(std::string_view text) {
  Options options;
  for (absl::string_view option :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ',', absl::SkipEmpty())) {
    if (Status parsed = ParseOption({option.data(), option.size()}, options); !parsed.ok()) {
      return Error(parsed.code(), absl::StrCat("proc: bad option \"", option, "\""));
    }
  }
  return options;
}

}  // namespace runsc::boot::proc
