// The container's file systems: what the gofer serves and what the sandbox
// provides itself.
#ifndef RUNSC_BOOT_SANDBOX_FILESYSTEMS_H_
#define RUNSC_BOOT_SANDBOX_FILESYSTEMS_H_

#include <memory>
#include <vector>

#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/vfs/mount.h"
#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/boot.pb.h"

namespace runsc::boot {

// Attaches to the gofer's trees (`connections`: the root's first, then one for
// each of request.served_mounts) and mounts what the specification asks for.
// Registers the devices of /dev with the kernel's VFS. Errors are for the user.
Result<std::shared_ptr<MountNamespace>> MountEverything(Kernel& kernel,
                                                        const runsc::control::BootRequest& request,
                                                        std::vector<FileDescriptor> connections);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SANDBOX_FILESYSTEMS_H_
