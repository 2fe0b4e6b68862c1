#include "bin/runsc-boot/fs/proc/options.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/vfs/mount_data.h"

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

Status Take(const NamedOption& option, const Credentials* mounter, Options& options) {
  if (option.name == "hidepid") {
    TRY_ASSIGN(options.hide, ParseHidePid(option.value.value_or("")));
  } else if (option.name == "gid") {
    TRY_ASSIGN(options.gid, option.Number());
    options.kernel_gid = mounter != nullptr ? mounter->KernelGid(*options.gid) : *options.gid;
    if (options.kernel_gid == kNoId) return Error(EINVAL);
  } else if (option.name == "subset" && option.value == "pid") {
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

Result<Options> ParseOptions(std::string_view text, const Credentials* mounter, Options options) {
  TRY(ForEachOption("proc", text,
                    [&](const NamedOption& option) { return Take(option, mounter, options); }));
  return options;
}

}  // namespace runsc::boot::proc
