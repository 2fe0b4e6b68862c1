// What open(2) and fcntl(2) do only with pipes.
#ifndef RUNSC_BOOT_SYSCALLS_PIPE_ARGUMENTS_H_
#define RUNSC_BOOT_SYSCALLS_PIPE_ARGUMENTS_H_

#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/syscalls/table.h"

namespace runsc::boot {

// The wait of a FIFO's open(2) for its other end. kRestartSys on a signal.
Status WaitForFifoPeer(Task& task, File& file);
// F_GETPIPE_SZ and F_SETPIPE_SZ. EBADF: not a pipe.
Result<Word> PipeCommand(Task& task, File& file, int command, uint64_t argument);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SYSCALLS_PIPE_ARGUMENTS_H_
