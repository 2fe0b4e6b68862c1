// /dev/mqueue, in which there are no queues: POSIX message queues are not
// implemented, and mq_open(2) says so.
#ifndef RUNSC_BOOT_FS_MQUEUE_MQUEUE_FILESYSTEM_H_
#define RUNSC_BOOT_FS_MQUEUE_MQUEUE_FILESYSTEM_H_

#include "bin/runsc-boot/vfs/inode.h"

namespace runsc::boot::mqueue {

FilesystemRef MakeMqueueFilesystem(dev_t dev);

}  // namespace runsc::boot::mqueue

#endif  // RUNSC_BOOT_FS_MQUEUE_MQUEUE_FILESYSTEM_H_
