// Attributes as the gofer and the host report them, as the VFS wants them.
#ifndef RUNSC_BOOT_FS_GOFER_ATTRIBUTES_H_
#define RUNSC_BOOT_FS_GOFER_ATTRIBUTES_H_

#include "bin/runsc-boot/vfs/attributes.h"
#include "common/result.h"
#include "ipc/fs.pb.h"

namespace runsc::boot {

Attributes FromMessage(const fs::Attributes& message);
// Of the open host descriptor `fd`. Errors: those of statx(2).
Result<Attributes> FromDescriptor(int fd);
fs::SetAttributesRequest ToMessage(uint64_t handle, const AttributeChange& change);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_GOFER_ATTRIBUTES_H_
