// The container's processes as `ps` shows them.
#ifndef RUNSC_BOOT_SANDBOX_PROCESS_LIST_H_
#define RUNSC_BOOT_SANDBOX_PROCESS_LIST_H_

#include <vector>

#include "bin/runsc-boot/control/sandbox.h"
#include "bin/runsc-boot/kernel/kernel.h"

namespace runsc::boot {

// Those that have not ended, in the order of their pids.
std::vector<control::ProcessInfo> ListProcesses(Kernel& kernel);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SANDBOX_PROCESS_LIST_H_
