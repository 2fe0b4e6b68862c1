// The options of a devpts mount.
#ifndef RUNSC_BOOT_FS_DEVPTS_OPTIONS_H_
#define RUNSC_BOOT_FS_DEVPTS_OPTIONS_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

namespace runsc::boot::devpts {

struct Options {
  std::optional<uid_t> uid;  // of new terminals; by default who opens ptmx
  std::optional<gid_t> gid;
  mode_t mode = 0600;
  mode_t ptmx_mode = 0;
  // Of the directory and ptmx: root in the mounter's user namespace.
  uid_t root_uid = 0;
  gid_t root_gid = 0;
  std::optional<int> max;  // terminals at once

  // As /proc/mounts shows them.
  std::string ToString() const;
};

// The data of mount(2): uid=, gid=, mode=, ptmxmode=, max=, and newinstance,
// which every instance is. EINVAL.
Result<Options> ParseOptions(std::string_view text);

}  // namespace runsc::boot::devpts

#endif  // RUNSC_BOOT_FS_DEVPTS_OPTIONS_H_
