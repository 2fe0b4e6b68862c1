// Sessions and process groups (credentials(7), setsid(2), setpgid(2)).
#ifndef RUNSC_BOOT_KERNEL_PROCESS_GROUP_H_
#define RUNSC_BOOT_KERNEL_PROCESS_GROUP_H_

#include <sys/types.h>

#include <memory>
#include <vector>

namespace runsc::boot {

class ThreadGroup;

// All fields are guarded by the kernel's tree mutex.
struct Session {
  pid_t id = 0;
  // The terminal's own object; null: no controlling terminal.
  std::shared_ptr<void> terminal;
  pid_t foreground_group = 0;
};

// Guarded by the kernel's tree mutex. Exists as long as it has members.
struct ProcessGroup {
  pid_t id = 0;
  std::shared_ptr<Session> session;
  std::vector<ThreadGroup*> members;
};
using ProcessGroupRef = std::shared_ptr<ProcessGroup>;

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_PROCESS_GROUP_H_
