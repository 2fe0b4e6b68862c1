// The device nodes of terminals: /dev/ptmx, /dev/tty, /dev/pts/N.
#ifndef RUNSC_BOOT_FS_DEVPTS_TERMINAL_DEVICES_H_
#define RUNSC_BOOT_FS_DEVPTS_TERMINAL_DEVICES_H_

#include "bin/runsc-boot/kernel/kernel.h"

namespace runsc::boot::devpts {

// Makes the VFS open them wherever their nodes are: ptmx opens a terminal of the
// devpts that it lies in, or that is mounted on "pts" beside it.
void RegisterTerminalDevices(Kernel& kernel);

}  // namespace runsc::boot::devpts

#endif  // RUNSC_BOOT_FS_DEVPTS_TERMINAL_DEVICES_H_
