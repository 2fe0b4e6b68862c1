// Makes the places on which the specification mounts something.
#ifndef RUNSC_BOOT_SANDBOX_MOUNT_POINT_H_
#define RUNSC_BOOT_SANDBOX_MOUNT_POINT_H_

#include <string>

#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

// The path `destination` (absolute) in the caller's root, made with its parents
// if it is missing. Where the file system cannot be written the last component
// exists only as a mount point, in no listing.
Result<Path> MakeMountPoint(Vfs& vfs, Caller caller, const std::string& destination,
                            bool directory);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SANDBOX_MOUNT_POINT_H_
