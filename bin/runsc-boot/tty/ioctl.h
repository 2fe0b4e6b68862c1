// ioctl_tty(2): the requests that both ends of a terminal know.
#ifndef RUNSC_BOOT_TTY_IOCTL_H_
#define RUNSC_BOOT_TTY_IOCTL_H_

#include "bin/runsc-boot/tty/terminal.h"

namespace runsc::boot {
class Task;
}

namespace runsc::boot::tty {

// Who asks, through which end.
struct IoctlCall {
  Context& context;
  Task* task;  // null: set-up code
  const TerminalRef& terminal;
  bool master;
  bool readable;  // the file's access mode
};

// ENOTTY: a request that no pseudo terminal has.
Result<int64_t> TerminalIoctl(const IoctlCall& call, uint64_t command, uint64_t argument);

}  // namespace runsc::boot::tty

#endif  // RUNSC_BOOT_TTY_IOCTL_H_
