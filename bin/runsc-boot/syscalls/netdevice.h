// ioctl(2) of sockets about network devices (netdevice(7)).
#ifndef RUNSC_BOOT_SYSCALLS_NETDEVICE_H_
#define RUNSC_BOOT_SYSCALLS_NETDEVICE_H_

#include <optional>

#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/syscalls/table.h"

namespace runsc::boot {

// For any socket; in the caller's network namespace. Nothing: it is another
// command. ENODEV, EPERM, EFAULT.
std::optional<Result<Word>> NetDeviceIoctl(Task& task, unsigned command, uint64_t argument);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SYSCALLS_NETDEVICE_H_
