// futex(2), set_robust_list(2): what is not native already. Both concern only
// the caller's own memory and threads, whose ids are the host's, so the host
// does them.

#include <linux/futex.h>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

Result<Word> SysFutex(Task& task, const SyscallArgs& args) {
  switch (args.Int(1) & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAKE:
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
    case FUTEX_WAKE_OP:
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAKE_BITSET:
      return task.EndOnHost();
    default:  // priority inheritance
      return Error(ENOSYS);
  }
}

Result<Word> SysSetRobustList(Task& task, const SyscallArgs&) { return task.EndOnHost(); }

}  // namespace runsc::boot
