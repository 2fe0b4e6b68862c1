// The unified cgroup hierarchy as the container sees it, also where a version 1
// hierarchy is asked for: its own group, without children, read-only. Limits
// are the host's business.
#ifndef RUNSC_BOOT_FS_CGROUP_CGROUP_FILESYSTEM_H_
#define RUNSC_BOOT_FS_CGROUP_CGROUP_FILESYSTEM_H_

#include <functional>
#include <vector>

#include "bin/runsc-boot/vfs/inode.h"

namespace runsc::boot::cgroup {

struct Options {
  dev_t dev = 0;
  // The processes in the group.
  std::function<std::vector<pid_t>()> processes;
};

FilesystemRef MakeCgroupFilesystem(Options options);

}  // namespace runsc::boot::cgroup

#endif  // RUNSC_BOOT_FS_CGROUP_CGROUP_FILESYSTEM_H_
