#include "bin/runsc-boot/fs/devpts/options.h"

#include <charconv>
#include <climits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace runsc::boot::devpts {

namespace {

constexpr int kMostTerminals = 1 << 20;

Result<unsigned> ParseNumber(std::string_view text, int base) {
  unsigned value = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (code != std::errc() || end != text.data() + text.size() || value > INT_MAX) {
    return Error(EINVAL);
  }
  return value;
}

Status ParseOption(std::string_view option, Options& options) {
  const size_t equals = option.find('=');
  const std::string_view name = option.substr(0, equals);
  if (equals == std::string_view::npos) {
    return name == "newinstance" ? Ok() : Status(Error(EINVAL));
  }
  const bool octal = name == "mode" || name == "ptmxmode";
  TRY_ASSIGN(const unsigned value, ParseNumber(option.substr(equals + 1), octal ? 8 : 10));
  if (name == "uid") {
    options.uid = value;
  } else if (name == "gid") {
    options.gid = value;
  } else if (name == "mode") {
    options.mode = value & 0777;
  } else if (name == "ptmxmode") {
    options.ptmx_mode = value & 0777;
  } else if (name == "max" && value <= kMostTerminals) {
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
  for (absl::string_view option :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ',', absl::SkipEmpty())) {
    if (Status parsed = ParseOption({option.data(), option.size()}, options); !parsed.ok()) {
      return Error(parsed.code(), absl::StrCat("devpts: bad option \"", option, "\""));
    }
  }
  return options;
}

}  // namespace runsc::boot::devpts
