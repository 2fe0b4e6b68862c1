#include "bin/runsc-boot/sandbox/mount_options.h"

#include <sys/mount.h>

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

}  // namespace

MountOptions ParseMountOptions(const std::vector<std::string>& options) {
  MountOptions result;
  for (const std::string& option : options) {
    bool known = option == "tmpcopyup";
    result.copy_up = result.copy_up || known;
    for (const FlagOption& flag : kFlagOptions) {
      if (option != flag.name) continue;
      result.flags = (result.flags & ~flag.clear) | flag.set;
      known = true;
    }
    if (known) continue;
    absl::StrAppend(&result.data, result.data.empty() ? "" : ",", option);
  }
  return result;
}

}  // namespace runsc::boot
