#include <charconv>
#include <optional>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"

namespace runsc::boot {
namespace {

std::optional<uint64_t> ParseNumber(std::string_view text, int base) {
  uint64_t value = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (code != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// With a factor k, m or g.
std::optional<uint64_t> ParseSize(std::string_view text) {
  if (text.empty()) return std::nullopt;
  int shift = 0;
  switch (text.back() | 0x20) {
    case 'k':
      shift = 10;
      break;
    case 'm':
      shift = 20;
      break;
    case 'g':
      shift = 30;
      break;
  }
  if (shift != 0) text.remove_suffix(1);
  std::optional<uint64_t> number = ParseNumber(text, 10);
  if (!number || *number > (~uint64_t{0} >> 1) >> shift) return std::nullopt;
  return *number << shift;
}

// A share of the default size, which is half of the memory.
std::optional<uint64_t> ParseBytes(std::string_view text) {
  if (text.empty() || text.back() != '%') return ParseSize(text);
  text.remove_suffix(1);
  std::optional<uint64_t> percent = ParseNumber(text, 10);
  if (!percent || *percent > 100) return std::nullopt;
  TmpfsFilesystem standard{TmpfsOptions{}};
  return standard.available() / 50 * *percent;
}

Status ParseOption(std::string_view option, TmpfsOptions& options) {
  size_t equals = option.find('=');
  std::string_view name = option.substr(0, equals);
  std::string_view value = equals == option.npos ? "" : option.substr(equals + 1);
  std::optional<uint64_t> number;
  if (name == "size") {
    if ((number = ParseBytes(value))) options.size = *number;
  } else if (name == "nr_blocks") {
    if ((number = ParseSize(value))) options.size = *number * 4096;
  } else if (name == "nr_inodes") {
    if ((number = ParseSize(value))) options.max_inodes = *number;
  } else if (name == "mode") {
    if ((number = ParseNumber(value, 8)) && *number <= 07777) options.mode = *number;
    if (number && *number > 07777) number.reset();
  } else if (name == "uid") {
    if ((number = ParseNumber(value, 10))) options.uid = static_cast<uid_t>(*number);
    options.uid_given = true;
  } else if (name == "gid") {
    if ((number = ParseNumber(value, 10))) options.gid = static_cast<gid_t>(*number);
    options.gid_given = true;
  } else if (name == "huge" || name == "noswap" || name == "inode64" || name == "inode32" ||
             name == "mpol") {
    return Ok();  // about memory of the host, which is not the container's
  }
  if (number) return Ok();
  return Error(EINVAL, absl::StrCat("tmpfs: bad option \"", std::string(option), "\""));
}

}  // namespace

Result<TmpfsOptions> ParseTmpfsOptions(std::string_view text) {
  TmpfsOptions options;
  options.text = std::string(text);
  while (!text.empty()) {
    std::string_view option = text.substr(0, text.find(','));
    text.remove_prefix(std::min(option.size() + 1, text.size()));
    if (!option.empty()) TRY(ParseOption(option, options));
  }
  return options;
}

}  // namespace runsc::boot
