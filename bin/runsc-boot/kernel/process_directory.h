// Inodes that stand for a process (/proc/PID), which pidfd_send_signal(2) takes
// like a pidfd. Beside Inode, and not in it, since only one file system has them.
#ifndef RUNSC_BOOT_KERNEL_PROCESS_DIRECTORY_H_
#define RUNSC_BOOT_KERNEL_PROCESS_DIRECTORY_H_

#include "bin/runsc-boot/kernel/thread_group.h"
#include "common/result.h"

namespace runsc::boot {

class ProcessDirectoryInode {
 public:
  virtual ~ProcessDirectoryInode() = default;
  // ESRCH once the process has been reaped; EBADF for the directory of a thread.
  virtual Result<ThreadGroupRef> Process() const = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_PROCESS_DIRECTORY_H_
