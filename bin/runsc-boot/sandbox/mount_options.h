// The options of a mount in the OCI specification, as mount(8) writes them.
#ifndef RUNSC_BOOT_SANDBOX_MOUNT_OPTIONS_H_
#define RUNSC_BOOT_SANDBOX_MOUNT_OPTIONS_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bin/runsc-boot/vfs/mount.h"
#include "common/result.h"

namespace runsc::boot {

struct MountOptions {
  MountFlags flags = 0;  // MS_RDONLY, MS_NOSUID, ...
  // What the file system itself understands: "size" -> "64m", "newinstance" -> "".
  std::map<std::string, std::string> data;

  // EINVAL, with a message that names the option.
  Result<std::optional<mode_t>> Mode() const;                         // octal "mode"
  Result<std::optional<uint32_t>> Id(const std::string& name) const;  // "uid", "gid"
  // "size": bytes with a suffix k, m, g, or a percentage of `total`.
  Result<std::optional<uint64_t>> Size(uint64_t total) const;
};

// Later options win over earlier ones.
MountOptions ParseMountOptions(const std::vector<std::string>& options);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SANDBOX_MOUNT_OPTIONS_H_
