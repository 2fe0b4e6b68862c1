#include "bin/runsc-boot/vfs/mount_data.h"

#include <algorithm>
#include <charconv>
#include <climits>
#include <string>

#include "absl/strings/str_cat.h"

namespace runsc::boot {
namespace {

// Takes the prefix of C off and says which base it stands for.
int TakeBase(std::string_view& text) {
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    return 16;
  }
  return text.starts_with("0") ? 8 : 10;
}

// All of `text` must be the number.
Result<uint64_t> ParseNumber(std::string_view text, int base) {
  if (base == 0) base = TakeBase(text);
  uint64_t value = 0;
  const char* const behind = text.data() + text.size();
  const auto [end, code] = std::from_chars(text.data(), behind, value, base);
  if (code != std::errc() || end != behind) return Error(EINVAL);
  return value;
}

}  // namespace

Status NamedOption::Flag() const { return value ? Status(Error(EINVAL)) : Ok(); }

Result<uint32_t> NamedOption::Number(int base) const {
  TRY_ASSIGN(const uint64_t number, ParseNumber(value.value_or(""), base));
  if (number > INT_MAX) return Error(EINVAL);
  return static_cast<uint32_t>(number);
}

Result<uint64_t> NamedOption::Size() const {
  constexpr std::string_view kFactors = "kmgtpe";
  std::string_view text = value.value_or("");
  size_t shift = 0;
  if (!text.empty()) {
    const size_t factor = kFactors.find(static_cast<char>(text.back() | 0x20));
    if (factor != std::string_view::npos && !text.starts_with("0x")) {
      shift = 10 * (factor + 1);
      text.remove_suffix(1);
    }
  }
  if (shift != 0 && text.empty()) return 0;  // as Linux reads a factor alone
  TRY_ASSIGN(const uint64_t number, ParseNumber(text, 0));
  if (number > UINT64_MAX >> shift) return Error(EINVAL);
  return number << shift;
}

Status ForEachOption(std::string_view filesystem, std::string_view data,
                     absl::FunctionRef<Status(const NamedOption&)> take) {
  while (!data.empty()) {
    const std::string_view text = data.substr(0, data.find(','));
    data.remove_prefix(std::min(text.size() + 1, data.size()));
    if (text.empty()) continue;
    const size_t equals = text.find('=');
    NamedOption option{text.substr(0, equals), std::nullopt};
    if (equals != std::string_view::npos) option.value = text.substr(equals + 1);
    if (Status taken = take(option); !taken.ok()) {
      return Error(taken.code(), absl::StrCat(std::string(filesystem), ": bad option \"",
                                              std::string(text), "\""));
    }
  }
  return Ok();
}

}  // namespace runsc::boot
