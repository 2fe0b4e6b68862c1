// /sys: the few facts about the machine that programs look up there, all
// read-only.
#ifndef RUNSC_BOOT_FS_SYS_SYS_FILESYSTEM_H_
#define RUNSC_BOOT_FS_SYS_SYS_FILESYSTEM_H_

#include "bin/runsc-boot/vfs/inode.h"

namespace runsc::boot::sys {

struct Options {
  dev_t dev = 0;
  int cpu_count = 1;
};

// A file system for mount(2) of type "sysfs".
FilesystemRef MakeSysFilesystem(const Options& options);

}  // namespace runsc::boot::sys

#endif  // RUNSC_BOOT_FS_SYS_SYS_FILESYSTEM_H_
