// Descriptors of the caller that become those of a process of the container.
#ifndef RUNSC_BOOT_SANDBOX_DESCRIPTORS_H_
#define RUNSC_BOOT_SANDBOX_DESCRIPTORS_H_

#include <memory>
#include <vector>

#include "bin/runsc-boot/auth/credentials.h"
#include "bin/runsc-boot/fs/host/host_poller.h"
#include "bin/runsc-boot/vfs/fd_table.h"
#include "bin/runsc-boot/vfs/vfs.h"
#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::boot {

// `fds` become the numbers 0, 1, 2, ...; where one is invalid, the number is
// not open. `owner` owns them in the container: it may open /dev/stdout again.
// EINVAL: a descriptor that is no file, pipe, socket or terminal.
Result<std::shared_ptr<FdTable>> ImportDescriptors(Vfs& vfs, HostPoller& poller,
                                                   const Credentials& owner,
                                                   std::vector<FileDescriptor> fds);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SANDBOX_DESCRIPTORS_H_
