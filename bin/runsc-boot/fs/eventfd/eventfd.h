// eventfd(2): a counter that can be waited for.
#ifndef RUNSC_BOOT_FS_EVENTFD_EVENTFD_H_
#define RUNSC_BOOT_FS_EVENTFD_EVENTFD_H_

#include "bin/runsc-boot/vfs/file.h"
#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

// `flags` of EFD_NONBLOCK and EFD_SEMAPHORE. EINVAL.
Result<FileRef> MakeEventFd(Vfs& vfs, Context& context, unsigned initial, int flags);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_EVENTFD_EVENTFD_H_
