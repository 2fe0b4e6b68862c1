// Processes that the controller starts in the running container.
#ifndef RUNSC_BOOT_SANDBOX_EXECUTED_PROCESS_H_
#define RUNSC_BOOT_SANDBOX_EXECUTED_PROCESS_H_

#include <memory>

#include "bin/runsc-boot/control/sandbox.h"
#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/tty/host_relay.h"
#include "common/result.h"

namespace runsc::boot {

// Starts `options.program`. `relay`, which may be null, has its terminal. The
// errors of Kernel::StartProcess.
Result<std::unique_ptr<control::ExecutedProcess>> Execute(Kernel& kernel, ProcessOptions options,
                                                          std::shared_ptr<tty::HostRelay> relay);

// Blocks until process `pid` of the container has ended; its wait status.
// ESRCH: there is none.
Result<int> AwaitProcess(Kernel& kernel, pid_t pid);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SANDBOX_EXECUTED_PROCESS_H_
