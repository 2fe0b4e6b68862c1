// The devices that every container has: null, zero, full, random, urandom, tty.
#ifndef RUNSC_BOOT_FS_DEV_DEVICES_H_
#define RUNSC_BOOT_FS_DEV_DEVICES_H_

#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

// Makes the VFS open them, and FIFOs, wherever their nodes are.
void RegisterStandardDevices(Vfs& vfs);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_DEV_DEVICES_H_
