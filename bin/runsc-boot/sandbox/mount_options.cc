#include "bin/runsc-boot/sandbox/mount_options.h"

#include <sys/mount.h>

#include <charconv>
#include <limits>

#include "absl/strings/str_cat.h"

namespace runsc::boot {
namespace {

struct FlagOption {
  const char* name;
  MountFlags set;
  MountFlags clear;
};

constexpr MountFlags kAccessTimes = MS_NOATIME | MS_RELATIME | MS_STRICTATIME;

constexpr FlagOption kFlagOptions[] = {
    {"ro", MS_RDONLY, 0},
    {"rw", 0, MS_RDONLY},
    {"nosuid", MS_NOSUID, 0},
    {"suid", 0, MS_NOSUID},
    {"nodev", MS_NODEV, 0},
    {"dev", 0, MS_NODEV},
    {"noexec", MS_NOEXEC, 0},
    {"exec", 0, MS_NOEXEC},
    {"sync", MS_SYNCHRONOUS, 0},
    {"async", 0, MS_SYNCHRONOUS},
    {"dirsync", MS_DIRSYNC, 0},
    {"noatime", MS_NOATIME, kAccessTimes},
    {"atime", 0, MS_NOATIME},
    {"relatime", MS_RELATIME, kAccessTimes},
    {"norelatime", 0, MS_RELATIME},
    {"strictatime", MS_STRICTATIME, kAccessTimes},
    {"nostrictatime", 0, MS_STRICTATIME},
    {"nodiratime", MS_NODIRATIME, 0},
    {"diratime", 0, MS_NODIRATIME},
    // Of no consequence inside the sandbox, or done by the gofer.
    {"defaults", 0, 0},
    {"bind", 0, 0},
    {"rbind", 0, 0},
    {"private", 0, 0},
    {"rprivate", 0, 0},
    {"shared", 0, 0},
    {"rshared", 0, 0},
    {"slave", 0, 0},
    {"rslave", 0, 0},
    {"unbindable", 0, 0},
    {"runbindable", 0, 0},
    {"remount", 0, 0},
    {"silent", 0, 0},
    {"loud", 0, 0},
    {"mand", 0, 0},
    {"nomand", 0, 0},
    {"iversion", 0, 0},
    {"noiversion", 0, 0},
    {"lazytime", 0, 0},
    {"nolazytime", 0, 0},
};

template <typename T>
bool ParseWhole(std::string_view text, T* value, int base) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

Error BadOption(const std::string& name, const std::string& value) {
  return Error(EINVAL, absl::StrCat("bad value of mount option ", name, ": \"", value, "\""));
}

}  // namespace

MountOptions ParseMountOptions(const std::vector<std::string>& options) {
  MountOptions result;
  for (const std::string& option : options) {
    bool known = false;
    for (const FlagOption& flag : kFlagOptions) {
      if (option != flag.name) continue;
      result.flags = (result.flags & ~flag.clear) | flag.set;
      known = true;
    }
    if (known) continue;
    size_t equals = option.find('=');
    std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
    result.data.insert_or_assign(option.substr(0, equals), std::move(value));
  }
  return result;
}

Result<std::optional<mode_t>> MountOptions::Mode() const {
  auto found = data.find("mode");
  if (found == data.end()) return std::optional<mode_t>();
  mode_t mode = 0;
  if (!ParseWhole(found->second, &mode, 8) || mode > 07777) return BadOption("mode", found->second);
  return std::optional<mode_t>(mode);
}

Result<std::optional<uint32_t>> MountOptions::Id(const std::string& name) const {
  auto found = data.find(name);
  if (found == data.end()) return std::optional<uint32_t>();
  uint32_t id = 0;
  if (!ParseWhole(found->second, &id, 10)) return BadOption(name, found->second);
  return std::optional<uint32_t>(id);
}

Result<std::optional<uint64_t>> MountOptions::Size(uint64_t total) const {
  auto found = data.find("size");
  if (found == data.end()) return std::optional<uint64_t>();
  std::string_view text = found->second;
  uint64_t unit = 1;
  bool percent = false;
  switch (text.empty() ? '\0' : text.back()) {
    case 'k':
    case 'K':
      unit = uint64_t{1} << 10;
      break;
    case 'm':
    case 'M':
      unit = uint64_t{1} << 20;
      break;
    case 'g':
    case 'G':
      unit = uint64_t{1} << 30;
      break;
    case '%':
      percent = true;
      break;
    default:
      break;
  }
  if (unit > 1 || percent) text.remove_suffix(1);
  uint64_t value = 0;
  if (!ParseWhole(text, &value, 10)) return BadOption("size", found->second);
  if (percent) return std::optional<uint64_t>(total / 100 * value);
  if (value > std::numeric_limits<uint64_t>::max() / unit) return BadOption("size", found->second);
  return std::optional<uint64_t>(value * unit);
}

}  // namespace runsc::boot
