// /dev/pts, in which there are no terminals yet: opening ptmx answers ENXIO.
#ifndef RUNSC_BOOT_FS_DEVPTS_DEVPTS_FILESYSTEM_H_
#define RUNSC_BOOT_FS_DEVPTS_DEVPTS_FILESYSTEM_H_

#include "bin/runsc-boot/vfs/inode.h"

namespace runsc::boot::devpts {

FilesystemRef MakeDevptsFilesystem(dev_t dev);

}  // namespace runsc::boot::devpts

#endif  // RUNSC_BOOT_FS_DEVPTS_DEVPTS_FILESYSTEM_H_
