// Files on descriptors of the host: the container's stdin, stdout and stderr.
//
// The open file descriptions belong to the caller too, so O_NONBLOCK is never
// set on them: reads and writes use RWF_NOWAIT, MSG_DONTWAIT, or ask poll(2)
// first. The process must ignore SIGPIPE.
#ifndef RUNSC_BOOT_FS_HOST_HOST_FILE_H_
#define RUNSC_BOOT_FS_HOST_HOST_FILE_H_

#include <memory>

#include "bin/runsc-boot/fs/host/host_poller.h"
#include "bin/runsc-boot/vfs/file.h"
#include "bin/runsc-boot/vfs/vfs.h"
#include "common/file_descriptor.h"

namespace runsc::boot {

// The access mode is the descriptor's own. The container sees `context`'s
// owner as the file's. `poller` must outlive the file.
Result<FileRef> MakeHostFile(Vfs& vfs, Context& context, HostPoller& poller, FileDescriptor fd);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_HOST_HOST_FILE_H_
