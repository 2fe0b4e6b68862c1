// An exec between its checks and its end, while the host replaces the address
// space. Private to the kernel.
#ifndef RUNSC_BOOT_KERNEL_PENDING_EXEC_H_
#define RUNSC_BOOT_KERNEL_PENDING_EXEC_H_

#include <string>

#include "bin/runsc-boot/auth/exec_credentials.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/loader/program.h"

namespace runsc::boot {

struct Task::PendingExec {
  Program program;
  ExecCredentials credentials;
  std::string name;  // comm
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_PENDING_EXEC_H_
