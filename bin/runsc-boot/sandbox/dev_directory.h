// The contents of the container's /dev, as the OCI specification wants them for
// every container.
#ifndef RUNSC_BOOT_SANDBOX_DEV_DIRECTORY_H_
#define RUNSC_BOOT_SANDBOX_DEV_DIRECTORY_H_

#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

// Makes the device nodes in /dev of the caller's root, an empty file system
// that can be written.
Status MakeDeviceNodes(Vfs& vfs, Caller caller);
// The links and directories.
Status MakeDeviceLinks(Vfs& vfs, Caller caller);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SANDBOX_DEV_DIRECTORY_H_
