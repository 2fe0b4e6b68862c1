// A thread group: what users call a process. Signal actions, limits, children,
// process group and session.
#ifndef RUNSC_BOOT_KERNEL_THREAD_GROUP_H_
#define RUNSC_BOOT_KERNEL_THREAD_GROUP_H_

#include <sys/resource.h>
#include <sys/time.h>

#include <array>
#include <atomic>
#include <csignal>
#include <ctime>
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
  // `pid` and `group` as the caller gave them, 0 included.
  Status SetProcessGroup(Task& caller, pid_t pid, pid_t group);
  Result<pid_t> NewSession();

  // To any task of the group that wants it. Permission has been checked.
  // ESRCH once the group has been reaped, EAGAIN for a full real-time queue.
  Status SendSignal(const SigInfo& info);
  // Notified with EPOLLIN for every signal that becomes pending here or for one
  // of the tasks (signalfd).
  WaitQueue& signal_queue() { return signal_queue_; }
  // True once it has ended and waits to be reaped.
  bool zombie() const;

  // setitimer(2), getitimer(2). `which` as there; the old value is returned.
  Result<itimerval> SetIntervalTimer(int which, const itimerval& value);
  Result<itimerval> GetIntervalTimer(int which) const;
  // timer_create(2) and friends. EINVAL for unknown ids.
  Result<int> CreateTimer(Task& caller, clockid_t clock, const sigevent& event);
  Result<itimerspec> SetTimer(int id, bool absolute, const itimerspec& value);
  Result<itimerspec> GetTimer(int id) const;
  Result<int> TimerOverrun(int id) const;
  Status DeleteTimer(int id);

  // prctl(2) state of a process.
  bool child_subreaper() const;
  void set_child_subreaper(bool value);
  int dumpable() const;  // PR_SET_DUMPABLE: 0, 1 or 2
  void set_dumpable(int value);

  // /proc/PID/oom_score_adj: kept for programs that set and read it.
  int oom_score_adj() const { return oom_score_adj_.load(std::memory_order_relaxed); }
  void set_oom_score_adj(int value) { oom_score_adj_.store(value, std::memory_order_relaxed); }

 private:
  std::atomic<int> oom_score_adj_{0};
  WaitQueue signal_queue_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_THREAD_GROUP_H_
