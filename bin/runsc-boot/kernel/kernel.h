// The application kernel of one sandbox: its tasks, and what they share.
//
// Lock order; each may be taken while those before it are held:
//   1. Kernel::tree_mutex_         who exists, and how they are related
//   2. ThreadGroup::timers_mutex_
//   3. ThreadGroup::signal_mutex_  of one group at a time
//   4. leaves: SignalActions, SignalQuota, LateSignals, ThreadGroup::limits_mutex_,
//      Task::state_mutex_ (under which the platform's Return, Resume, Interrupt,
//      StartClone and StartExec are called), the locks of wait queues
// SIGIO (async_io.h) is sent with the lock of a wait queue held: none of 1 to 4
// may be held where such a queue (pipe, socket, terminal, inotify, message queue)
// is used.
// Tracee::request_mutex_ comes before all of them; the other locks of ptrace(2)
// and seccomp(2) are leaves.
// The locks of ipc namespaces are leaves, but for the tmpfs behind shared memory.
// VFS objects are used, and the last reference to a task or a file is given
// up, with none of them held.
#ifndef RUNSC_BOOT_KERNEL_KERNEL_H_
#define RUNSC_BOOT_KERNEL_KERNEL_H_

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/kernel/late_signals.h"
#include "bin/runsc-boot/kernel/load_average.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/kernel/thread_group.h"
#include "bin/runsc-boot/kernel/timer.h"
#include "bin/runsc-boot/namespaces/namespace_set.h"
#include "bin/runsc-boot/namespaces/ns_file.h"
#include "bin/runsc-boot/platform/platform.h"
#include "bin/runsc-boot/socket/families.h"
#include "bin/runsc-boot/vfs/filesystem_types.h"
#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

namespace sysv {
class SharedMemory;
}

class HeldInit;

// What such a process executes.
struct ProgramOptions {
  // The file, found by PATH already; relative to cwd if not absolute.
  std::string program;
  std::vector<std::string> args, env;
  std::string cwd;
};

// What a process starts with that has no parent in the container.
struct ProcessOptions : ProgramOptions {
  Credentials credentials;
  std::array<rlimit, RLIM_NLIMITS> limits;
  mode_t umask = 022;
  int oom_score_adj = 0;
  unsigned personality = 0;  // personality(2), its domain only
  std::shared_ptr<FdTable> fds;
  // The specification's filter, in force from the program's first call on.
  std::shared_ptr<const seccomp::Filter> seccomp;
  std::shared_ptr<MountNamespace> mounts;
};

// What the container's init starts with.
struct InitOptions : ProcessOptions {
  std::string hostname, domainname;
  int cpu_count = 1;          // shown to the container
  uint64_t memory_total = 0;  // bytes shown to the container
  // Becomes init's controlling terminal; null: none.
  std::shared_ptr<ControllingTerminal> terminal;
};

// Executes one system call of `task`; the table in syscalls/ provides it. A
// parameter, since syscalls/ depends on kernel/ and not the other way round.
using SyscallDispatch = Result<uint64_t> (*)(Task& task, const platform::SyscallInfo& call);

class Kernel {
 public:
  // Init's user namespace is `user_namespace`.
  Kernel(std::unique_ptr<platform::Platform> platform, SyscallDispatch dispatch,
         UserNamespaceRef user_namespace);
  ~Kernel();

  Vfs& vfs() { return vfs_; }
  platform::Platform& platform() { return *platform_; }
  // Families are registered before init starts.
  SocketFamilies& sockets() { return sockets_; }
  // What mount(2) and memfd_create(2) can make; filled before init starts, too.
  FilesystemTypes& filesystems() { return filesystems_; }
  // RLIMIT_NPROC of `parent` leaves room for one more task of its user.
  bool MayMakeTask(const Task& parent) ABSL_LOCKS_EXCLUDED(tree_mutex_);
  // Processes and threads made since the start: "processes" of /proc/stat.
  uint64_t forks() const { return forks_.load(std::memory_order_relaxed); }
  // The number that was given out last, as in /proc/loadavg.
  pid_t last_pid() const { return last_pid_.load(std::memory_order_relaxed); }
  // True for the first caller with this number: an unimplemented system call
  // is logged once.
  bool FirstUnimplemented(uint64_t number) {
    return number >= unimplemented_seen_.size() ? false
                                                : !unimplemented_seen_[number].exchange(true);
  }

  // Loads and starts the container's init. ENOENT, EACCES, ENOEXEC...: the
  // program cannot be executed; `*program` in the message.
  Status StartInit(InitOptions options);
  // Instead: makes init, which waits for its program; see held_init.h. EAGAIN,
  // ENOMEM.
  Result<std::shared_ptr<HeldInit>> HoldInit(InitOptions options);
  // Starts a process beside init, in a session of its own; not before StartInit
  // or HoldInit has returned. Nobody in the container waits for it. The errors of
  // StartInit; ESRCH: the container has ended.
  Result<ThreadGroupRef> StartProcess(ProcessOptions options);
  // Blocks the calling (non-worker) thread until init has ended; its status as
  // wait(2) has it.
  int WaitForInit();

  absl::Mutex& tree_mutex() ABSL_LOCK_RETURNED(tree_mutex_) { return tree_mutex_; }
  // By thread id / process id of the first pid namespace; what an application
  // names, Task::FindTask and FindGroup find. Null when there is none.
  TaskRef FindTask(pid_t tid);
  ThreadGroupRef FindGroup(pid_t pid);
  std::vector<ThreadGroupRef> Groups();
  // Members of a process group; empty when there is none.
  std::vector<ThreadGroupRef> ProcessGroupMembers(pid_t process_group);
  // kill(2)'s check of `sender` against `target`: EPERM.
  Status CheckKill(const Task& sender, const Task& target, int signo);
  // A descriptor of pidfd_open(2) (ESRCH), and back (EBADF: not a pidfd). It
  // is readable once the process has ended.
  Result<FileRef> OpenPidFd(pid_t pid, int flags);
  static Result<ThreadGroupRef> PidFdTarget(File& file);

  // Runs callbacks at times, for timerfd and others; see timer.h.
  TimerQueue& timers() { return timers_; }
  SignalQuota& signal_quota() { return signal_quota_; }
  LateSignals& late_signals() { return late_signals_; }
  LoadAverage& load_average() { return load_average_; }
  // kill(2) from outside: to init, one process, or (all) every process.
  Status SignalFromOutside(pid_t pid, int signo, bool all);
  void KillAll();

  // The namespaces of init.
  const UserNamespaceRef& user_namespace() const { return user_namespace_; }
  const NamespaceSetRef& namespaces() const { return namespaces_; }
  NamespaceFilesystem& nsfs() { return *nsfs_; }

  // --- Shared memory (task_ipc.cc). How to read the host's table of mappings;
  // set before init starts.
  void set_mapping_reader(MappingReader reader) { mapping_reader_ = std::move(reader); }
  // Of files only. ESRCH.
  Result<std::vector<MappedRange>> MappingsOf(const ThreadGroup& group) const;
  AttachmentCounts CountAttachments() ABSL_LOCKS_EXCLUDED(tree_mutex_);
  void SweepSharedMemory(sysv::SharedMemory& memory) ABSL_LOCKS_EXCLUDED(tree_mutex_);
  // Those of a caller's namespaces: init's outside a task.
  NamespaceSetRef NamespacesOf(Context& context);
  int cpu_count() const;
  uint64_t memory_total() const;
  int64_t boot_time_monotonic_ns() const;
  // From the sandbox's start to `monotonic_ns` (of the host's CLOCK_MONOTONIC), as
  // `time` has it; at least 0.
  int64_t Uptime(const TimeNamespace& time, int64_t monotonic_ns = MonotonicNow()) const;

 private:
  friend class JobControl;
  friend class Task;
  friend class ThreadGroup;
  friend class Tracee;

  // A signal that an event under the tree mutex leads to.
  struct DeferredSignal {
    ThreadGroupRef group;
    SigInfo info;
  };
  using DeferredSignals = std::vector<DeferredSignal>;
  class TreeLock;  // tree_lock.h

  // --- kernel_start.cc
  // A task that has no program yet; nothing runs.
  TaskRef MakeFirstTask(ProcessOptions& options);
  // Makes `task`, which runs nothing, ready to execute `program`. The errors of
  // StartInit.
  static Status GiveProgram(Task& task, ProgramOptions program);
  // Of the sandbox, for its first process.
  void SetUpFor(const InitOptions& options);

  // --- kernel.cc
  // Makes `task` visible under `tid`; once, by whoever learns it first. False:
  // its group is ending or executing a program, and the task must end.
  bool Register(const TaskRef& task, pid_t tid) ABSL_LOCKS_EXCLUDED(tree_mutex_);
  void RegisterGroup(const TaskRef& task, pid_t pid) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tree_mutex_);
  // Gives the executing task its group's pid.
  void BecomeLeader(Task& task) ABSL_LOCKS_EXCLUDED(tree_mutex_);

  // --- kernel_exit.cc
  // Ends every group but `init` in its pid namespace and those below.
  void KillOthers(const ThreadGroup& init) ABSL_LOCKS_EXCLUDED(tree_mutex_);
  void Unregister(Task& task) ABSL_LOCKS_EXCLUDED(tree_mutex_);
  void EndGroup(ThreadGroup& group, DeferredSignals& signals)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tree_mutex_);
  void ReparentChildren(ThreadGroup& group, DeferredSignals& signals)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tree_mutex_);
  // Hands the children that `task` made over to another task of its group.
  void PassOnChildren(Task& task, DeferredSignals& signals)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tree_mutex_);
  static void SendDeathSignals(ThreadGroup& child, pid_t parent, DeferredSignals& signals);
  // As the parent's namespaces name the child and its user.
  static SigInfo ChildSignal(const ThreadGroup& parent, const ThreadGroup& child, int signo,
                             int code);
  void NotifyParentOfEnd(ThreadGroup& group, DeferredSignals& signals)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tree_mutex_);
  ThreadGroup* FindReaper(const ThreadGroup& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tree_mutex_);
  void Reap(ThreadGroup& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tree_mutex_);
  // SIGCHLD and wait for stops and continuations.
  void ReportStop(ThreadGroup& group) ABSL_LOCKS_EXCLUDED(tree_mutex_);
  void ReportContinue(ThreadGroup& group) ABSL_LOCKS_EXCLUDED(tree_mutex_);
  void ReportToParent(ThreadGroup& group, int code, int status, DeferredSignals& signals)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tree_mutex_);

  // --- kernel_wait.cc
  // The first child that answers `request`; found_any: there are such children.
  std::optional<ChildEvent> TakeChildEvent(Task& waiter, const WaitRequest& request,
                                           bool* found_any) ABSL_LOCKS_EXCLUDED(tree_mutex_);
  std::optional<ChildEvent> TakeEventOf(const ThreadGroup& parent, ThreadGroup& child, int options)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tree_mutex_);

  // --- process_group.cc
  void JoinProcessGroup(ThreadGroup& group, ProcessGroupRef target)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tree_mutex_);
  void LeaveProcessGroup(ThreadGroup& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tree_mutex_);
  ProcessGroupRef FindProcessGroup(pid_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tree_mutex_);
  // No member has a parent in another group of the same session, `ignored`
  // (which is about to end) not counted.
  bool IsOrphaned(const ProcessGroup& group, const ThreadGroup* ignored) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tree_mutex_);
  // SIGHUP and SIGCONT to stopped groups that the end of `ending` orphans.
  void SignalNewOrphans(ThreadGroup& ending, DeferredSignals& signals)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tree_mutex_);

  const std::unique_ptr<platform::Platform> platform_;
  Vfs vfs_;
  SocketFamilies sockets_;
  FilesystemTypes filesystems_;
  std::array<std::atomic<bool>, 512> unimplemented_seen_{};
  const SyscallDispatch dispatch_;
  const UserNamespaceRef user_namespace_;
  const NamespaceSetRef namespaces_ = NamespaceSet::MakeInitial(user_namespace_);
  const std::shared_ptr<NamespaceFilesystem> nsfs_;
  MappingReader mapping_reader_;
  TimerQueue timers_;
  SignalQuota signal_quota_;
  const int64_t boot_time_ns_ = MonotonicNow();
  std::atomic<int> cpu_count_{1};
  std::atomic<uint64_t> memory_total_{0};
  std::atomic<uint64_t> forks_{0};
  std::atomic<pid_t> last_pid_{0};

  mutable absl::Mutex tree_mutex_;
  absl::flat_hash_map<pid_t, TaskRef> tasks_ ABSL_GUARDED_BY(tree_mutex_);
  absl::flat_hash_map<pid_t, ThreadGroupRef> groups_ ABSL_GUARDED_BY(tree_mutex_);
  absl::flat_hash_map<pid_t, ProcessGroupRef> process_groups_ ABSL_GUARDED_BY(tree_mutex_);
  ThreadGroupRef init_ ABSL_GUARDED_BY(tree_mutex_);
  // The inits of the other pid namespaces.
  absl::flat_hash_map<const PidNamespace*, ThreadGroup*> inits_ ABSL_GUARDED_BY(tree_mutex_);
  std::optional<int> init_status_ ABSL_GUARDED_BY(tree_mutex_);
  // Who is traced by whom (ptrace(2)), oldest first.
  std::vector<std::shared_ptr<Tracee>> tracees_ ABSL_GUARDED_BY(tree_mutex_);

  // Last, since their timers use all of the above.
  LateSignals late_signals_{timers_};
  LoadAverage load_average_{*this};
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_KERNEL_H_
