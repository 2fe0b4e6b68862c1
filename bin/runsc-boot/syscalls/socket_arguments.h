// Arguments of the socket calls: descriptors, addresses, time-outs.
#ifndef RUNSC_BOOT_SYSCALLS_SOCKET_ARGUMENTS_H_
#define RUNSC_BOOT_SYSCALLS_SOCKET_ARGUMENTS_H_

#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/socket/socket.h"

namespace runsc::boot {

// EBADF, ENOTSOCK.
Result<SocketRef> SocketOf(Task& task, int fd);
// EINVAL: length negative or above sockaddr_storage; EFAULT.
Result<SocketAddress> CopyInAddress(Task& task, uint64_t address, int size);
// Writes what fits and the full length to `size_address`. EINVAL, EFAULT.
Status CopyOutAddress(Task& task, uint64_t address, uint64_t size_address,
                      const SocketAddress& name);
// SO_RCVTIMEO and SO_SNDTIMEO from now.
Deadline ReceiveDeadline(const Socket& socket);
Deadline SendDeadline(const Socket& socket);
// How a wait that began with such a deadline ends: its time-out shows as EAGAIN,
// and with one a signal as EINTR (signal(7)).
Error EndOfWait(Error error, const Deadline& deadline);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SYSCALLS_SOCKET_ARGUMENTS_H_
