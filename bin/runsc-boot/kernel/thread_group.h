// A thread group: what users call a process. Signal actions, limits, children,
// process group and session.
#ifndef RUNSC_BOOT_KERNEL_THREAD_GROUP_H_
#define RUNSC_BOOT_KERNEL_THREAD_GROUP_H_

#include <sys/resource.h>

#include <array>
#include <memory>
#include <vector>

#include "bin/runsc-boot/kernel/signal.h"
#include "bin/runsc-boot/kernel/task.h"

namespace runsc::boot {

// CPU time and counters that wait4(2), getrusage(2) and times(2) report.
struct Usage {
  uint64_t user_ns = 0, system_ns = 0;
  uint64_t max_rss_kib = 0;
  uint64_t minor_faults = 0, major_faults = 0;
};

class ThreadGroup : public std::enable_shared_from_this<ThreadGroup> {
 public:
  pid_t pid() const;
  // The parent's pid as the group sees it (0 for init).
  pid_t parent_pid() const;
  pid_t process_group() const;
  pid_t session() const;
  TaskRef leader() const;
  std::vector<TaskRef> tasks() const;
  size_t task_count() const;

  SignalAction action(int signo) const;
  // Returns the old one. EINVAL for SIGKILL, SIGSTOP and numbers out of range.
  Result<SignalAction> SetAction(int signo, const SignalAction& action);

  rlimit limit(int resource) const;
  // EINVAL; EPERM for raising a hard limit without CAP_SYS_RESOURCE.
  Status SetLimit(const Credentials& credentials, int resource, const rlimit& limit);

  Usage usage() const;           // of this group
  Usage children_usage() const;  // of waited-for children

  // setpgid(2), setsid(2) with their errors (EPERM, EACCES, ESRCH, EINVAL).
  Status SetProcessGroup(Task& caller, pid_t pid, pid_t group);
  Result<pid_t> NewSession();
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_THREAD_GROUP_H_
