// Reading and writing of open files by a task: blocking, partial transfers,
// and the signals of write(2). Shared by read, write, sendfile and friends.
#ifndef RUNSC_BOOT_SYSCALLS_TRANSFER_H_
#define RUNSC_BOOT_SYSCALLS_TRANSFER_H_

#include <cstdint>
#include <optional>

#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/vfs/file.h"

namespace runsc::boot {

// What one read or write may transfer at most (Linux's MAX_RW_COUNT).
constexpr uint64_t kMaxTransfer = 0x7ffff000;

// At `offset`, or at the file's position. Blocks until something can be read
// unless the file is O_NONBLOCK or `nonblock` (RWF_NOWAIT) is set.
Result<size_t> ReadFrom(Task& task, File& file, IoBuffer& destination,
                        std::optional<uint64_t> offset, bool nonblock = false);
// Writes everything unless the file is O_NONBLOCK; a part that has been written
// hides the error behind it. Sends SIGPIPE with EPIPE, SIGXFSZ with EFBIG.
Result<size_t> WriteTo(Task& task, File& file, IoBuffer& source, std::optional<uint64_t> offset,
                       bool nonblock = false);

// To the calling task itself, as the kernel's own signal.
void RaiseSignal(Task& task, int signo);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SYSCALLS_TRANSFER_H_
