#include "bin/runsc-boot/fs/devpts/options.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bin/runsc-boot/vfs/mount_data.h"

namespace runsc::boot::devpts {

namespace {

constexpr int kMostTerminals = 1 << 20;

Status Take(const NamedOption& option, Options& options) {
  if (option.name == "newinstance") return option.Flag();
  const bool octal = option.name == "mode" || option.name == "ptmxmode";
  TRY_ASSIGN(const uint32_t value, option.Number(octal ? 8 : 0));
  if (option.name == "uid") {
    options.uid = value;
  } else if (option.name == "gid") {
    options.gid = value;
  } else if (option.name == "mode") {
    options.mode = value & 0777;
  } else if (option.name == "ptmxmode") {
    options.ptmx_mode = value & 0777;
  } else if (option.name == "max" && value <= kMostTerminals) {
    options.max = static_cast<int>(value);
  } else {
    return Error(EINVAL);
  }
  return Ok();
}

}  // namespace

std::string Options::ToString() const {
  std::string text;
  if (uid.has_value()) absl::StrAppend(&text, "uid=", *uid, ",");
  if (gid.has_value()) absl::StrAppend(&text, "gid=", *gid, ",");
  absl::StrAppendFormat(&text, "mode=%03o,ptmxmode=%03o", mode, ptmx_mode);
  if (max.has_value() && *max < kMostTerminals) absl::StrAppend(&text, ",max=", *max);
  return text;
}

Result<Options> ParseOptions(std::string_view text) {
  Options options;
  TRY(ForEachOption("devpts", text,
                    [&](const NamedOption& option) { return Take(option, options); }));
  return options;
}

}  // namespace runsc::boot::devpts
