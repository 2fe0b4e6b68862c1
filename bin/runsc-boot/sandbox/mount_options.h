// The options of a mount in the OCI specification, as mount(8) writes them.
#ifndef RUNSC_BOOT_SANDBOX_MOUNT_OPTIONS_H_
#define RUNSC_BOOT_SANDBOX_MOUNT_OPTIONS_H_

#include <string>
#include <vector>

#include "bin/runsc-boot/vfs/mount.h"

namespace runsc::boot {

struct MountOptions {
  MountFlags flags = 0;  // MS_RDONLY, MS_NOSUID, ...
  // What the file system itself understands, as the data of mount(2):
  // "mode=755,size=64m".
  std::string data;
  bool copy_up = false;  // "tmpcopyup"
};

// Later options win over earlier ones.
MountOptions ParseMountOptions(const std::vector<std::string>& options);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SANDBOX_MOUNT_OPTIONS_H_
