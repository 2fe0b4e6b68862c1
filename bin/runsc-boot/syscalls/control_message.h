// Ancillary data of sendmsg(2) and recvmsg(2): between the application's bytes
// (cmsg(3)) and the kernel's ControlData.
#ifndef RUNSC_BOOT_SYSCALLS_CONTROL_MESSAGE_H_
#define RUNSC_BOOT_SYSCALLS_CONTROL_MESSAGE_H_

#include <cstddef>
#include <span>
#include <vector>

#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/socket/socket.h"

namespace runsc::boot {

// The caller's own ids, for SO_PASSCRED receivers and SO_PEERCRED.
ucred OwnCredentials(Task& task);
// Credentials are kept with the kernel's ids; here as the caller's namespaces
// have them.
ucred AsShownTo(Task& task, ucred credentials);

// EINVAL: malformed, or more than 253 descriptors; EBADF; EPERM: credentials
// that are not the caller's own.
Result<ControlData> ParseControl(Task& task, std::span<const std::byte> raw);

// The bytes for the application, at most `capacity`; descriptors are installed
// in the task's table. What does not fit sets MSG_CTRUNC in `flags`.
std::vector<std::byte> BuildControl(Task& task, ControlData control, size_t capacity,
                                    bool close_on_exec, int& flags);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SYSCALLS_CONTROL_MESSAGE_H_
