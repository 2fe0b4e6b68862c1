// Signal-driven I/O as fcntl(2) and ioctl(2) set it up.
#ifndef RUNSC_BOOT_SYSCALLS_ASYNC_ARGUMENTS_H_
#define RUNSC_BOOT_SYSCALLS_ASYNC_ARGUMENTS_H_

#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/syscalls/table.h"

namespace runsc::boot {

// F_GETOWN, F_SETOWN, F_GETOWN_EX, F_SETOWN_EX, F_GETSIG, F_SETSIG.
Result<Word> OwnerCommand(Task& task, File& file, int command, uint64_t argument);
// F_NOTIFY: `events` of DN_*. ENOTDIR.
Result<Word> NotifyCommand(Task& task, const FileRef& file, int fd, uint32_t events);
// O_ASYNC of the file's flags has changed, by the descriptor `fd`.
void UpdateAsync(Task& task, const FileRef& file, int fd);
// FIOASYNC, FIOSETOWN, SIOCSPGRP, FIOGETOWN, SIOCGPGRP; nothing: another command.
std::optional<Result<Word>> AsyncIoctl(Task& task, const FileRef& file, int fd, unsigned command,
                                       uint64_t argument);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SYSCALLS_ASYNC_ARGUMENTS_H_
