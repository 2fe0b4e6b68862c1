// A thread group: what users call a process. Signal actions, limits, children,
// process group and session.
#ifndef RUNSC_BOOT_KERNEL_THREAD_GROUP_H_
#define RUNSC_BOOT_KERNEL_THREAD_GROUP_H_

#include <sys/resource.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/process_group.h"
#include "bin/runsc-boot/kernel/signal.h"
#include "bin/runsc-boot/kernel/signal_actions.h"
#include "bin/runsc-boot/kernel/task.h"

namespace runsc::boot {

class ControllingTerminal;
class JobControl;
class ProcessTimers;

// CPU time and counters that wait4(2), getrusage(2) and times(2) report.
struct Usage {
  uint64_t user_ns = 0, system_ns = 0;
  uint64_t max_rss_kib = 0;
  uint64_t minor_faults = 0, major_faults = 0;
  void Add(const Usage& other);
};

inline void Usage::Add(const Usage& other) {
  user_ns += other.user_ns;
  system_ns += other.system_ns;
  max_rss_kib = std::max(max_rss_kib, other.max_rss_kib);
  minor_faults += other.minor_faults;
  major_faults += other.major_faults;
}

// A timer of timer_create(2), as /proc/PID/timers shows it.
struct PosixTimerInfo {
  int id = 0;
  clockid_t clock = CLOCK_MONOTONIC;
  sigevent event{};
  pid_t thread = 0;  // the kernel's number of who is notified; 0: the process
};

class ThreadGroup : public std::enable_shared_from_this<ThreadGroup> {
  // Only the kernel makes groups.
  struct Key {
    explicit Key() = default;
  };

 public:
  ThreadGroup(Key, Kernel& kernel);
  ~ThreadGroup();
  Kernel& kernel() const { return kernel_; }
  // The kernel's number, of the first pid namespace.
  pid_t pid() const { return pid_.load(std::memory_order_relaxed); }
  // What its own pid namespace calls it.
  pid_t shown_pid() const {
    return pid_namespace_ == nullptr ? pid() : shown_pid_.load(std::memory_order_relaxed);
  }
  // Null: the first one.
  const PidNamespaceRef& pid_namespace() const { return pid_namespace_; }
  // The parent's pid as the group sees it (0 for init).
  pid_t parent_pid() const;
  pid_t process_group() const;
  pid_t session() const;
  // The first task, or the one that executed a program; also while a zombie.
  TaskRef leader() const;
  // Those that have not ended.
  std::vector<TaskRef> tasks() const;
  size_t task_count() const;

  SignalAction action(int signo) const;
  // The table of actions, for comparing it only (kcmp(2)).
  const void* action_table() const;
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
  // The same by one in an outer pid namespace, who can kill and stop init, too.
  Status SendSignalFromOutside(const SigInfo& info) { return Send(info, nullptr, true); }
  // Notified with EPOLLIN for every signal that becomes pending here or for one
  // of the tasks (signalfd).
  WaitQueue& signal_queue() { return signal_queue_; }
  // Notified with EPOLLIN when the group ends (pidfds).
  WaitQueue& exit_queue() { return exit_queue_; }
  // True once it has ended and waits to be reaped.
  bool zombie() const;
  // As wait(2) has it; once it has ended.
  int exit_status() const;
  // kill(2) from the host, against which init is not protected. ESRCH once the
  // group has been reaped.
  Status SendFromOutside(int signo);
  // The stub; null before the group's first event and after its end.
  std::shared_ptr<platform::HostProcess> host_process() const;

  // What is mapped for the stack of its program; 0 before it has one.
  uint64_t stack_bytes() const { return stack_bytes_.load(std::memory_order_relaxed); }
  // Before the program of `process` gets its stack.
  void SetStackBytes(const platform::HostProcess& process, uint64_t bytes);

  // setitimer(2), getitimer(2). `which` as there; the old value is returned.
  Result<itimerval> SetIntervalTimer(int which, const itimerval& value);
  Result<itimerval> GetIntervalTimer(int which) const;
  // timer_create(2) and friends. EINVAL for unknown ids.
  // Without `event`, SIGALRM with the timer's id.
  Result<int> CreateTimer(Task& caller, clockid_t clock, const std::optional<sigevent>& event);
  // An absolute time is one of the time namespace `time`.
  Result<itimerspec> SetTimer(int id, bool absolute, const itimerspec& value,
                              const TimeNamespace& time);
  Result<itimerspec> GetTimer(int id) const;
  Result<int> TimerOverrun(int id) const;
  Status DeleteTimer(int id);
  // The newest first.
  std::vector<PosixTimerInfo> Timers() const;

  // prctl(2) state of a process.
  bool child_subreaper() const;
  void set_child_subreaper(bool value);
  // What its memory had been when it ended (PR_GET_DUMPABLE).
  int dumpable_at_end() const { return dumpable_at_end_.load(std::memory_order_relaxed); }

  // What threads that have ended had counted.
  const IoCounters& ended_io() const { return ended_io_; }
  // The signal at the end of the process; -1 or 0: none (proc_pid_stat(5)).
  int exit_signal() const;
  // /proc/PID/coredump_filter, kept for programs that set and read it.
  unsigned coredump_filter() const { return coredump_filter_.load(std::memory_order_relaxed); }
  void set_coredump_filter(unsigned value) {
    coredump_filter_.store(value, std::memory_order_relaxed);
  }

  // /proc/PID/oom_score_adj: kept for programs that set and read it.
  int oom_score_adj() const { return oom_score_adj_.load(std::memory_order_relaxed); }
  void set_oom_score_adj(int value) { oom_score_adj_.store(value, std::memory_order_relaxed); }
  // How far down anybody may set it: where somebody with CAP_SYS_RESOURCE did.
  int oom_score_adj_min() const { return oom_score_adj_min_.load(std::memory_order_relaxed); }
  void set_oom_score_adj_min(int value) {
    oom_score_adj_min_.store(value, std::memory_order_relaxed);
  }

 private:
  friend class JobControl;
  friend class Kernel;
  friend class Task;
  friend class PosixTimers;
  friend class ProcessTimers;
  friend class Tracee;

  // For fork: limits, actions and the like of `parent`.
  static ThreadGroupRef Fork(ThreadGroup& parent, const CloneRequest& request);

  // --- Signals (thread_group_signal.cc)
  // To `target` alone, or to the group when null. `outside`: from the host,
  // which init cannot be protected against.
  Status Send(const SigInfo& info, Task* target, bool outside) ABSL_LOCKS_EXCLUDED(signal_mutex_);
  // To the group; `preferred` (or null) is asked first whether it wants the signal.
  Status SendPreferring(const SigInfo& info, Task* preferred) ABSL_LOCKS_EXCLUDED(signal_mutex_);
  // The two halves of sending: what may happen under the kernel's tree mutex, and what
  // takes that mutex itself.
  struct Sent {
    Status status;
    bool resumed = false;  // a stopped group goes on
    int exit_status = 0;   // of the group, which the signal ends
  };
  Sent TakeIn(const SigInfo& info, Task* target, bool outside, Task* preferred = nullptr)
      ABSL_LOCKS_EXCLUDED(signal_mutex_);
  void Announce(const Sent& sent) ABSL_LOCKS_EXCLUDED(signal_mutex_);
  bool IsIgnored(int signo, const Task* target, bool outside)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(signal_mutex_);
  // As Linux: a fatal signal ends the group when it is sent, whatever its threads
  // wait for, unless it is blocked, stopped or traced, or the signal dumps core.
  bool EndsAtOnce(int signo, const Task* target) ABSL_EXCLUSIVE_LOCKS_REQUIRED(signal_mutex_);
  Status Queue(const SigInfo& info, Task* target, Task* preferred)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(signal_mutex_);
  // Effects that a signal has by being sent. True: a stopped group goes on.
  bool PrepareStopAndContinue(int signo) ABSL_EXCLUSIVE_LOCKS_REQUIRED(signal_mutex_);
  void DiscardEverywhere(SignalSet signals) ABSL_EXCLUSIVE_LOCKS_REQUIRED(signal_mutex_);
  void BeginStop(int signo) ABSL_EXCLUSIVE_LOCKS_REQUIRED(signal_mutex_);
  // Makes the tasks other than `task` look at signals pending for the group.
  void Retarget(const Task& task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(signal_mutex_);
  // The default action of a signal that has been taken. True: the group stops.
  bool HandleDefault(const SigInfo& info, bool forced) ABSL_LOCKS_EXCLUDED(signal_mutex_);
  // Keeps `task` asleep until the stop ends or it is killed.
  void Park(Task& task) ABSL_LOCKS_EXCLUDED(signal_mutex_);
  // True once: every task has parked.
  bool StopCompletes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(signal_mutex_);
  std::shared_ptr<SignalActions> actions() const;
  // Of its pid namespace.
  bool is_init() const { return shown_pid() == 1; }
  // RLIMIT_CPU's soft limit moves on after a SIGXCPU.
  void RaiseCpuLimit(rlim_t seconds);

  // --- Life (kernel_exit.cc)
  // Ends every task; `status` as wait(2) has it. The first call counts.
  void BeginExit(int status) ABSL_LOCKS_EXCLUDED(signal_mutex_);
  // The same without stops for tracers, also where an end with them is under way.
  void ForceExit() ABSL_LOCKS_EXCLUDED(signal_mutex_);
  // A task of it has come to its end. The last one ends a host process that was
  // kept for the tracers.
  void LeaveHost(const Task& task) ABSL_LOCKS_EXCLUDED(signal_mutex_);
  void EndHost() ABSL_LOCKS_EXCLUDED(signal_mutex_);
  static Usage ReadUsage(platform::HostProcess& process);

  Kernel& kernel_;
  std::atomic<pid_t> pid_{0};
  // Set before the group is visible.
  PidNamespaceRef pid_namespace_;
  std::atomic<pid_t> shown_pid_{0};
  // Notified when a child changes state.
  WaitQueue child_queue_;
  WaitQueue exit_queue_;

  // Guarded by the kernel's tree mutex; tasks_ changes with the signal mutex
  // held as well, so that either is enough to read it.
  ThreadGroup* parent_ = nullptr;
  // The task of parent_ that counts as the parent: for __WNOTHREAD, parent
  // death signals and PTRACE_TRACEME. Only compared, never followed.
  const Task* parent_task_ = nullptr;
  ThreadGroupRef birth_parent_;  // until the group is registered
  std::vector<ThreadGroupRef> children_;
  ProcessGroupRef process_group_;
  std::shared_ptr<ControllingTerminal> terminal_;
  // Of a session's leader whose terminal was hung up: the foreground group then.
  ProcessGroupRef hung_up_foreground_;
  TaskRef leader_;
  std::vector<TaskRef> tasks_;
  enum class Life { kAlive, kZombie, kReaped };
  std::atomic<Life> life_{Life::kAlive};
  int exit_signal_ = SIGCHLD;
  int stop_report_ = 0;           // for WUNTRACED: the signal that stopped it
  bool continue_report_ = false;  // for WCONTINUED
  Usage children_usage_;
  bool has_executed_ = false;  // setpgid(2) by the parent is over

  mutable absl::Mutex signal_mutex_;
  std::shared_ptr<SignalActions> actions_ ABSL_GUARDED_BY(signal_mutex_);
  PendingSignals pending_ ABSL_GUARDED_BY(signal_mutex_);
  int stop_signal_ ABSL_GUARDED_BY(signal_mutex_) = 0;  // 0: not stopping
  size_t parked_ ABSL_GUARDED_BY(signal_mutex_) = 0;
  bool stop_complete_ ABSL_GUARDED_BY(signal_mutex_) = false;
  bool exiting_ ABSL_GUARDED_BY(signal_mutex_) = false;
  int exit_status_ ABSL_GUARDED_BY(signal_mutex_) = 0;
  // It ends, and tasks stop for PTRACE_EVENT_EXIT: the host process lives on
  // until the last one has come to its end.
  bool keeps_host_ ABSL_GUARDED_BY(signal_mutex_) = false;
  size_t leaving_ ABSL_GUARDED_BY(signal_mutex_) = 0;         // of tasks_, past LeaveHost
  Task* executing_ ABSL_GUARDED_BY(signal_mutex_) = nullptr;  // in exec
  std::shared_ptr<platform::HostProcess> process_ ABSL_GUARDED_BY(signal_mutex_);
  Usage final_usage_ ABSL_GUARDED_BY(signal_mutex_);

  // The filters of the last synchronisation (SECCOMP_FILTER_FLAG_TSYNC).
  std::shared_ptr<const seccomp::Filter> synchronised_filter_ ABSL_GUARDED_BY(signal_mutex_);

  mutable absl::Mutex limits_mutex_;  // a leaf
  std::array<rlimit, RLIM_NLIMITS> limits_ ABSL_GUARDED_BY(limits_mutex_){};
  std::atomic<uint64_t> stack_bytes_{0};

  // Set once, before the group is visible.
  std::unique_ptr<ProcessTimers> timers_;

  std::atomic<bool> child_subreaper_{false};
  std::atomic<int> dumpable_at_end_{0};
  std::atomic<int> oom_score_adj_{0};
  std::atomic<int> oom_score_adj_min_{0};
  std::atomic<unsigned> coredump_filter_{0x33};
  IoCounters ended_io_;
  WaitQueue signal_queue_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_THREAD_GROUP_H_
