// The options of a tmpfs mount (tmpfs(5)).
#ifndef RUNSC_BOOT_FS_TMPFS_OPTIONS_H_
#define RUNSC_BOOT_FS_TMPFS_OPTIONS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

namespace runsc::boot {

inline constexpr uint64_t kMostTmpfsPages = INT64_MAX / 4096;

struct TmpfsOptions {
  std::optional<uint64_t> pages;   // of 4 KiB; none: half of the host's memory; 0: no limit
  std::optional<uint64_t> inodes;  // none: as many as pages by default; 0: no limit
  mode_t mode = 01777;             // of the root directory
  uid_t uid = 0;
  gid_t gid = 0;
  bool uid_given = false, gid_given = false;

  // As /proc/mounts shows them.
  std::string ToString() const;
};

// Half of the host's memory.
uint64_t DefaultTmpfsPages();

// The data argument of mount(2): size=, nr_blocks=, nr_inodes=, mode=, uid=,
// gid=; sizes with k, m, g or %. What it does not say stays as in `options`.
// EINVAL names the option.
Result<TmpfsOptions> ParseTmpfsOptions(std::string_view text, TmpfsOptions options = {});

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_TMPFS_OPTIONS_H_
