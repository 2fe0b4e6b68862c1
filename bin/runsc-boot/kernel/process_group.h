// Sessions and process groups (credentials(7), setsid(2), setpgid(2)).
#ifndef RUNSC_BOOT_KERNEL_PROCESS_GROUP_H_
#define RUNSC_BOOT_KERNEL_PROCESS_GROUP_H_

#include <sys/types.h>

#include <memory>
#include <vector>

#include "bin/runsc-boot/namespaces/pid_namespace.h"

namespace runsc::boot {

class ThreadGroup;

// Guarded by the kernel's tree mutex. Its terminal, which knows the foreground
// group, is controlling_terminal.h's; each process keeps whether it has it.
struct Session {
  pid_t id = 0;
  // Of the first leader, so that they outlive it; null in the first namespace.
  PidNumbersRef numbers;
};

// Guarded by the kernel's tree mutex. Exists as long as it has members.
struct ProcessGroup {
  pid_t id = 0;
  PidNumbersRef numbers;  // as Session's
  std::shared_ptr<Session> session;
  std::vector<ThreadGroup*> members;
};
using ProcessGroupRef = std::shared_ptr<ProcessGroup>;

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_PROCESS_GROUP_H_
