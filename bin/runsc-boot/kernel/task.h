// A task: one application thread as the kernel sees it.
//
// Most of its state belongs to the worker that handles its current event and
// needs no lock. What others may touch is guarded by the task's own state mutex
// (identity, descriptors), the group's signal mutex (pending signals) or the
// kernel's tree mutex (relations); kernel.h has the order.
#ifndef RUNSC_BOOT_KERNEL_TASK_H_
#define RUNSC_BOOT_KERNEL_TASK_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/auth/credentials.h"
#include "bin/runsc-boot/kernel/io_counters.h"
#include "bin/runsc-boot/kernel/process_requests.h"
#include "bin/runsc-boot/kernel/scheduling.h"
#include "bin/runsc-boot/kernel/signal.h"
#include "bin/runsc-boot/kernel/signal_actions.h"
#include "bin/runsc-boot/kernel/timer.h"
#include "bin/runsc-boot/mm/memory_manager.h"
#include "bin/runsc-boot/namespaces/namespace_set.h"
#include "bin/runsc-boot/platform/platform.h"
#include "bin/runsc-boot/vfs/context.h"
#include "bin/runsc-boot/vfs/fd_table.h"
#include "bin/runsc-boot/vfs/vfs.h"
#include "bin/runsc-boot/wait/wait_queue.h"

namespace runsc::boot {

namespace seccomp {
class Filter;
}
namespace sysv {
class SemaphoreUndo;
}
class HeldInit;
class Kernel;
class NamespaceFile;
struct SeccompRequest;
class Task;
class ThreadGroup;
class Tracee;
using TaskRef = std::shared_ptr<Task>;
using ThreadGroupRef = std::shared_ptr<ThreadGroup>;

// Monotonic deadline in nanoseconds of CLOCK_MONOTONIC; nullopt: for ever.
using Deadline = std::optional<int64_t>;

class Task final : public platform::ThreadEvents,
                   public Context,
                   public Waker,
                   public std::enable_shared_from_this<Task> {
  // Only the kernel makes tasks.
  struct Key {
    explicit Key() = default;
  };

 public:
  Task(Key, Kernel& kernel, ThreadGroupRef group);
  ~Task() override;
  Kernel& kernel() const { return kernel_; }
  ThreadGroup& group() const { return *group_; }
  ThreadGroupRef group_ref() const { return group_; }
  pid_t tid() const { return tid_.load(std::memory_order_relaxed); }
  pid_t tgid() const;
  std::string name() const;  // comm, at most 15 bytes
  void set_name(std::string_view name);

  // --- What system calls work on.
  // The plain accessors are for the task's own worker; the others for anybody,
  // and null once the task has exited.
  MemoryManager& memory() const { return *memory_; }
  std::shared_ptr<MemoryManager> memory_ref() const;
  FdTable& fds() const { return *fds_; }
  std::shared_ptr<FdTable> fds_ref() const;
  std::shared_ptr<FsContext> fs_ref() const;
  void set_fds(std::shared_ptr<FdTable> fds);
  FsContext& fs() const { return *fs_; }
  void set_fs(std::shared_ptr<FsContext> fs);
  Vfs& vfs() const;
  // For calls of the VFS: this task in its own tree.
  Caller caller() { return {*this, *fs_}; }
  CredentialsRef credentials() const override;
  // Replaces the credentials (setuid and friends); the caller has checked. New
  // effective ids or capabilities make the process undumpable and clear the
  // parent death signal, as on Linux.
  void set_credentials(Credentials credentials);
  platform::Thread& thread() const { return *thread_; }
  // --- Namespaces (task_namespaces.cc). The user namespace is that of the
  // credentials, the mount namespace that of fs().
  NamespaceSetRef namespaces() const ABSL_LOCKS_EXCLUDED(state_mutex_);
  void set_namespaces(NamespaceSetRef set) ABSL_LOCKS_EXCLUDED(state_mutex_);
  // tid() and tgid() are numbers of the sandbox's first pid namespace, as all
  // in the kernel; these are what the task's own pid namespace calls it.
  pid_t shown_tid() const;
  pid_t shown_tgid() const;
  // Null: the first one.
  const PidNamespace* pid_namespace() const;
  // From what the task calls a process, thread, group or session to the
  // kernel's number, and back. 0: there is none that it could see.
  pid_t ToKernelPid(pid_t pid) const { return boot::ToKernelPid(pid_namespace(), pid); }
  pid_t FromKernelPid(pid_t pid) const { return boot::FromKernelPid(pid_namespace(), pid); }
  // By the task's own name for them; null.
  TaskRef FindTask(pid_t pid);
  ThreadGroupRef FindGroup(pid_t pid);
  // --- System V IPC (task_ipc.cc)
  // What SEM_UNDO keeps, shared with CLONE_SYSVSEM.
  std::shared_ptr<sysv::SemaphoreUndo> semaphore_undo() ABSL_LOCKS_EXCLUDED(state_mutex_);
  // Takes back what SEM_UNDO keeps, unless others share it: before another ipc
  // namespace, and with CLONE_SYSVSEM of unshare(2).
  void LeaveSemaphores() ABSL_LOCKS_EXCLUDED(state_mutex_);
  // The same, and is no longer the maker of shared memory: at the end, too.
  void LeaveIpc() ABSL_LOCKS_EXCLUDED(state_mutex_);

  // unshare(2) of CLONE_NEW*: EPERM, EINVAL, ENOSPC.
  Status UnshareNamespaces(uint64_t flags);
  // setns(2) with a file of nsfs, or into `flags` of `target`'s namespaces.
  Status EnterNamespace(const NamespaceRef& target);
  Status EnterNamespacesOf(Task& target, uint64_t flags);

  // For others than the task's own worker; null before it has one.
  platform::ThreadRef thread_ref() const ABSL_LOCKS_EXCLUDED(state_mutex_) {
    absl::MutexLock lock(&state_mutex_);
    return thread_;
  }

  // --- Context
  pid_t caller_tid() const override { return tid(); }
  pid_t caller_pid() const override { return tgid(); }
  Task* caller_task() override { return this; }
  uint64_t file_size_limit() const override;
  Status CopyIn(uint64_t address, void* buffer, size_t size) override;
  Status CopyOut(uint64_t address, const void* buffer, size_t size) override;
  template <typename T>
  Result<T> CopyInObject(uint64_t address) {
    T object;
    TRY(CopyIn(address, &object, sizeof(object)));
    return object;
  }
  template <typename T>
  Status CopyOutObject(uint64_t address, const T& object) {
    return CopyOut(address, &object, sizeof(object));
  }
  // A path argument: ENAMETOOLONG above PATH_MAX - 1 bytes, EFAULT.
  Result<std::string> CopyInPath(uint64_t address);

  // --- Blocking. Only on the worker that handles this task's event.
  // Waker: makes Sleep return.
  void Wake() override;
  // Sleeps until Wake. kRestartSys: a signal is to be delivered, or the task is
  // being killed; ETIMEDOUT at the deadline. May return early without cause,
  // so callers loop over their condition.
  Status Sleep(Deadline deadline);
  // The same, whatever signals come; false when the task is being killed.
  bool SleepUntilKilled() { return SleepUninterruptibly(); }
  // Before another process's memory is written: the child of a fork can be found
  // a moment before it has come up. EFAULT: it has not, for long.
  Status AwaitStart(platform::AddressSpace& memory);
  // Repeats `attempt` while it answers EAGAIN, sleeping on `file`'s queue for
  // `events`; with O_NONBLOCK set, EAGAIN is the answer.
  template <typename T>
  Result<T> BlockOnFile(File& file, PollEvents events, Deadline deadline,
                        const std::function<Result<T>()>& attempt);

  // --- How the current call ends, beside returning a value.
  // The host executes it with its register arguments (notified calls only).
  // For a sleep, `restart_code` says how it goes on after an interruption
  // without a handler: kRestartBlock (by SetRestart) or kRestartNoHand.
  uint64_t EndOnHost(int restart_code = 0);
  // The host executes `call`, with `time_ns` as the time that argument `index`
  // points to: of the absolute kind on its own clock, of the relative kind what is
  // left for a call that SetRestart begins again. ESRCH.
  Result<uint64_t> EndOnHostWithTime(const platform::SyscallInfo& call, size_t index,
                                     int64_t time_ns, int restart_code);
  // The registers are set: the thread goes on as they say (rt_sigreturn).
  uint64_t EndInStub();
  // The call has already been answered or never returns (exec, exit, clone).
  uint64_t EndHandled();
  // With error kRestartBlock: what restart_syscall(2) runs.
  void SetRestart(std::function<Result<uint64_t>(Task&)> restart);

  // --- Signals
  SignalSet signal_mask() const;
  // What is blocked just now: the temporary mask while there is one.
  SignalSet blocked_now() const;
  // SIGKILL and SIGSTOP are taken out.
  void SetSignalMask(SignalSet mask);
  // For sigsuspend, ppoll, pselect, epoll_pwait: `mask` holds until the call has
  // ended and a handler has been set up, then the old one is back.
  void SetTemporaryMask(SignalSet mask);
  // To this task (tgkill) / to its group (kill). Permission has been checked.
  // EAGAIN for a full real-time queue. Signal 0 does nothing.
  Status SendSignal(const SigInfo& info);
  Status SendGroupSignal(const SigInfo& info);
  bool HasDeliverableSignal() const;
  SignalSet PendingSet() const;  // both queues
  struct Pending {
    SignalSet own = 0, shared = 0;  // of the task, of its group
  };
  Pending PendingSets() const;
  // Takes a pending signal out of `set` (signalfd).
  std::optional<SigInfo> TakePending(SignalSet set);
  // rt_sigtimedwait(2): waits for a signal of `set` and takes it. EAGAIN at the
  // deadline, EINTR when another signal is to be delivered.
  Result<SigInfo> WaitForSignal(SignalSet set, Deadline deadline);
  // rt_sigreturn(2): takes the registers from the frame on the stack; the
  // result is what the system call returns.
  Result<uint64_t> SignalReturn();
  stack_t alternate_stack() const;
  // EPERM while on it, ENOMEM, EINVAL.
  Status SetAlternateStack(const stack_t& stack);

  // --- Life
  // exit(2) of this task, exit_group(2) of its group. `status` as wait(2) has it.
  void Exit(int status);
  void ExitGroup(int status);
  bool exiting() const;

  // --- Processes
  // Starts a child. Its error, or EndHandled(): the call ends when the host has
  // made the child. EINVAL for impossible flags, EPERM for namespaces, EAGAIN.
  Result<uint64_t> Clone(const CloneRequest& request);
  // Replaces the program. Its error, or EndHandled().
  Result<uint64_t> Exec(ExecRequest request);
  // Reads argv or envp. E2BIG above the limits of execve(2), EFAULT.
  Result<std::vector<std::string>> CopyInStrings(uint64_t address);
  // Nothing: WNOHANG and no child has changed. ECHILD, EINVAL, kRestartSys.
  Result<std::optional<ChildEvent>> WaitChild(const WaitRequest& request);

  // --- seccomp(2) (seccomp.cc); null without a filter.
  std::shared_ptr<const seccomp::Filter> seccomp_filter() const ABSL_LOCKS_EXCLUDED(state_mutex_);
  // EINVAL: in strict mode already; EBUSY: a second listener; ENOMEM. With
  // `sync`, the id of a thread that cannot follow, or ESRCH; else 0.
  Result<uint64_t> InstallSeccomp(SeccompRequest request);
  // Before the task has run: the filter that its program starts with.
  void StartWithSeccomp(std::shared_ptr<const seccomp::Filter> filter)
      ABSL_LOCKS_EXCLUDED(state_mutex_);

  // --- ptrace(2); null when nobody traces the task.
  std::shared_ptr<Tracee> tracee() const ABSL_LOCKS_EXCLUDED(state_mutex_);

  // --- prctl(2) state of a thread.
  int parent_death_signal() const;
  void set_parent_death_signal(int signo);
  bool keep_capabilities() const;  // PR_SET_KEEPCAPS, cleared by exec
  void set_keep_capabilities(bool keep);
  // When it was made (by execve of a thread: the process), on CLOCK_MONOTONIC.
  int64_t start_ns() const { return start_ns_.load(std::memory_order_relaxed); }
  uint64_t timer_slack_ns() const { return timer_slack_ns_.load(std::memory_order_relaxed); }
  void set_timer_slack_ns(uint64_t ns) { timer_slack_ns_.store(ns, std::memory_order_relaxed); }
  // What PR_SET_TIMERSLACK with 0 goes back to: the slack of the task's maker.
  uint64_t default_timer_slack_ns() const { return default_timer_slack_ns_; }
  // personality(2); the host's thread has the same.
  unsigned personality() const { return personality_.load(std::memory_order_relaxed); }
  void set_personality(unsigned value) { personality_.store(value, std::memory_order_relaxed); }
  Scheduling scheduling() const ABSL_LOCKS_EXCLUDED(state_mutex_);
  void set_scheduling(Scheduling scheduling) ABSL_LOCKS_EXCLUDED(state_mutex_);
  // Pins the host's thread where the container's processors are the host's, so
  // that pinned programs get what they ask for. Best effort; before there is a
  // thread, its start does it.
  void FollowAffinity() const ABSL_LOCKS_EXCLUDED(state_mutex_);
  // 'R', 'S', 'D', 'T', 'Z': what /proc/PID/stat shows.
  char run_state() const;
  // It executes its own code, or a call that the host runs for it.
  bool in_application() const ABSL_LOCKS_EXCLUDED(state_mutex_);
  // The processes that this thread made or was given, as __WNOTHREAD counts.
  std::vector<pid_t> children() const;
  // The system call that it is in, for /proc/PID/syscall.
  std::optional<platform::SyscallInfo> current_call() const ABSL_LOCKS_EXCLUDED(state_mutex_);
  // Counted by the task's own worker.
  IoCounters& io() { return io_; }

  // --- platform::ThreadEvents
  void OnSyscall(platform::Thread& thread, const platform::SyscallInfo& call) override;
  void OnFault(platform::Thread& thread, const siginfo_t& info) override;
  void OnHostCall(platform::Thread& thread, const platform::SyscallInfo& call,
                  std::optional<int64_t> value) override;
  void OnInterrupt(platform::Thread& thread) override;
  void OnStart(platform::Thread& thread) override;
  void OnCloned(platform::Thread& thread, Result<pid_t> child_tid) override;
  void OnExec(platform::Thread& thread, Status status) override;
  void OnDeath(platform::Thread& thread) override;

 private:
  friend class Kernel;
  friend class PosixTimers;
  friend class ThreadGroup;
  friend class Tracee;

  // Who may touch the task's host thread.
  enum class Where {
    kKernel,         // an event is being handled: the worker owns the task
    kApplication,    // it runs application code
    kHostOperation,  // a clone or exec of the host is under way
    kVfork,          // the same, for as long as the child likes
  };
  // Why a task must not go on as it is: bits of work_.
  static constexpr uint32_t kSignalWork = 1;  // a signal or a stop
  static constexpr uint32_t kKilled = 2;
  // Who wants to see the task's system calls first: bits of interception_.
  static constexpr uint32_t kFiltered = 1;  // seccomp(2)
  static constexpr uint32_t kTraced = 2;    // ptrace(2)

  // --- Events (task_event.cc)
  // False: the task has been killed meanwhile, and the event is void.
  bool BeginEvent(const platform::SyscallInfo* call = nullptr) ABSL_LOCKS_EXCLUDED(state_mutex_);
  // Ends an event by `action`, unless there is work to do first.
  template <typename Action>
  bool TryLeave(Where to, Action action) ABSL_LOCKS_EXCLUDED(state_mutex_);
  void LeaveOnHost(platform::Thread& thread, const platform::SyscallInfo& call);
  // Ends an event in which the thread is in stub.
  void LeaveStub(platform::Thread& thread);
  // Ends the current system call with `result`.
  void EndCall(platform::Thread& thread, const platform::SyscallInfo& call,
               Result<uint64_t> result);
  // Runs a call again that a signal without a handler has interrupted.
  Result<uint64_t> Redispatch(const platform::SyscallInfo& call, int code);
  // Executes a call, if the task's filters let it.
  Result<uint64_t> Execute(const platform::SyscallInfo& call);
  Result<uint64_t> Dispatch(const platform::SyscallInfo& call);
  // Sets `bits` in work_ and makes the task notice. Callable with locks held.
  void Notify(uint32_t bits);
  bool IsTraced() const { return (interception_.load(std::memory_order_relaxed) & kTraced) != 0; }
  bool HasWork() const { return work_.load(std::memory_order_acquire) != 0; }
  bool killed() const { return (work_.load(std::memory_order_acquire) & kKilled) != 0; }
  // Sleeps until Wake whatever signals come; false when the task is killed.
  bool SleepUninterruptibly();
  // The same at its end, when it has been killed already.
  void SleepAtEnd();
  Status SleepOnFutex(Deadline deadline, uint32_t stop_on);

  // --- Waits that the host does for the application (task_host_wait.cc)
  // The one that an interruption has ended, if there is one.
  struct HostWait {
    platform::SyscallInfo call;  // the application's
    int restart_code = 0;
    // What the host executes in its place (EndOnHostWithTime).
    std::optional<platform::SyscallInfo> substitute;
  };
  std::optional<HostWait> InterruptedHostWait(platform::Registers& registers);
  bool IsSyscallInstruction(uint64_t address);
  void EndFutexWait(platform::Thread& thread, const HostWait& wait);

  // --- Signals (task_signal.cc)
  struct Delivery {
    SigInfo info;
    SignalAction action;
  };
  // The interrupted call that a handler's frame must return to or restart.
  struct InterruptedCall {
    const platform::SyscallInfo& call;
    int64_t result;  // as returned, or a negative restart code
  };
  enum class Delivered { kNothing, kHandler, kGone };
  // Handles all work that is pending; sets up frames for handlers.
  Delivered DeliverSignals(platform::Thread& thread, InterruptedCall* call);
  // Takes the next signal that a handler wants; handles stops, ignored signals
  // and those that end the group.
  std::optional<Delivery> NextSignal();
  Status SetUpFrame(platform::Thread& thread, const Delivery& delivery);
  Status RestoreFrame(platform::Thread& thread);
  bool OnAlternateStack(uint64_t stack_pointer) const;
  void ResolveInterruptedCall(platform::Registers& registers, const InterruptedCall& call,
                              const SignalAction& action);
  // A signal that cannot be ignored or blocked: faults.
  void ForceSignal(const SigInfo& info);
  void RestoreSavedMask();
  // Under the group's signal mutex:
  bool Wants(int signo) const { return (mask_ & SignalBit(signo)) == 0; }
  std::optional<SigInfo> TakeLocked(SignalSet blocked);
  void SetMaskLocked(SignalSet mask);

  // --- Filters (seccomp.cc)
  Result<uint64_t> ExecuteFiltered(const platform::SyscallInfo& call);
  Result<uint64_t> ApplyFilter(const platform::SyscallInfo& call);
  Result<uint64_t> NotifySupervisor(const platform::SyscallInfo& call,
                                    const seccomp::Filter& filter);
  Result<uint64_t> TrapOnCall(const platform::SyscallInfo& call, uint32_t data);
  // seccomp's way to end a task: the process, when it is the last.
  Result<uint64_t> KillThread(int signo);
  // Makes native calls trap, as a set of seccomp::kNativeCalls, here and in
  // children: those about which a filter has an opinion, or whose answer is not
  // the host's.
  Status TrapNativeCalls(uint32_t calls, bool all_threads);
  // Brings what shows the clocks of `time` to the kernel, if they are not the
  // host's. The thread is in stub or notified, and alone in its address space.
  Status FollowClocks(const TimeNamespace& time);
  // Whether another process has the same memory (CLONE_VM).
  bool SharesMemory();
  void SetFilter(std::shared_ptr<const seccomp::Filter> filter) ABSL_LOCKS_EXCLUDED(state_mutex_);
  // A thread that was being made when its siblings' filters were synchronised.
  void CatchUpWithSeccomp() ABSL_LOCKS_EXCLUDED(state_mutex_);

  // --- Clone, exec, exit (task_clone.cc, task_exec.cc, task_exit.cc)
  struct PendingExec;
  // What CLONE_NEW* flags make; null where nothing changes.
  struct NewNamespaces {
    std::shared_ptr<const Credentials> credentials;
    NamespaceSetRef set;
    bool mounts = false;
    // Of the new user namespace, or the caller's.
    UserNamespaceRef owner;
  };
  Result<NewNamespaces> MakeNamespaces(uint64_t flags);
  // What a child in other namespaces must be told before it runs.
  struct StartWrites {
    uint64_t parent_tid = 0, child_tid = 0;
  };
  struct Entry;  // a change by setns(2), checked and not yet made
  Status Enter(const NamespaceRef& target, Entry& entry);
  Status Commit(Entry entry);
  TaskRef MakeChild(const CloneRequest& request, NewNamespaces namespaces);
  // The descriptor that CLONE_PIDFD makes; -1 without it.
  Result<int> InstallPidFd(const CloneRequest& request, const Task& child);
  // All of exec(2) that can fail without harm.
  Result<std::shared_ptr<PendingExec>> PrepareExec(ExecRequest request);
  // For a held init: until it has its program. False: it has been killed.
  bool AwaitProgram();
  // Ends all other tasks of the group and waits for them.
  Status KillSiblings();
  Status FinishExec(platform::Thread& thread, PendingExec& exec);
  void CloseOnExec();
  // Ends the host's side of a task that was killed before it started.
  void EndHostThread(platform::Thread& thread);
  // By who does not use it any more, with no lock held (task_ipc.cc).
  void LoseMemory(std::shared_ptr<MemoryManager> memory);
  // Ends the task's kernel side: by whoever made it dead.
  void Terminate() ABSL_LOCKS_EXCLUDED(state_mutex_);
  // Kills it from anywhere. The host thread is the caller's business.
  // kComesIn: it may be stopped by a tracer at its end, or has a sibling that
  // may; so its own worker ends it, and it runs no application code meanwhile.
  enum class Death { kNow, kComesIn };
  void Kill(Death death) ABSL_LOCKS_EXCLUDED(state_mutex_);
  // On the task's own worker, when it is killed or exits.
  void FinishKilled() ABSL_LOCKS_EXCLUDED(state_mutex_);

  Kernel& kernel_;
  const ThreadGroupRef group_;
  std::atomic<pid_t> tid_{0};
  // In a pid namespace below the first one. numbers_ is guarded by the
  // kernel's tree mutex.
  std::atomic<pid_t> shown_tid_{0};
  PidNumbersRef numbers_;
  std::unique_ptr<ReservedPids> reserved_pids_;  // until it has its numbers

  // Held while an event ends, so that Interrupt never comes before Return.
  // A leaf but for the platform's locks.
  mutable absl::Mutex state_mutex_;
  Where where_ ABSL_GUARDED_BY(state_mutex_) = Where::kHostOperation;
  bool dead_ ABSL_GUARDED_BY(state_mutex_) = false;
  // Of the event that is being handled; valid while where_ is kKernel.
  const platform::SyscallInfo* call_ ABSL_GUARDED_BY(state_mutex_) = nullptr;
  std::string name_ ABSL_GUARDED_BY(state_mutex_);
  Scheduling scheduling_ ABSL_GUARDED_BY(state_mutex_);
  CredentialsRef credentials_ ABSL_GUARDED_BY(state_mutex_);
  NamespaceSetRef namespaces_ ABSL_GUARDED_BY(state_mutex_);
  std::shared_ptr<sysv::SemaphoreUndo> semaphore_undo_ ABSL_GUARDED_BY(state_mutex_);
  std::atomic<uint32_t> work_{0};
  // Futex word of Sleep: 0 idle, 1 asleep, 2 woken.
  std::atomic<uint32_t> sleep_{0};
  std::atomic<bool> parked_{false};  // in a stop

  // Written by the task's own worker only, under state_mutex_; others read
  // under it.
  platform::ThreadRef thread_;
  std::shared_ptr<MemoryManager> memory_;
  std::shared_ptr<FdTable> fds_;
  std::shared_ptr<FsContext> fs_;

  // Guarded by the group's signal mutex. mask_ is written by the task alone.
  PendingSignals pending_;
  SignalSet mask_ = 0;
  SignalSet waited_for_ = 0;  // by WaitForSignal

  // The worker's own.
  std::optional<SignalSet> saved_mask_;
  stack_t alternate_stack_{nullptr, SS_DISABLE, 0};
  std::function<Result<uint64_t>(Task&)> restart_;
  HostWait host_sleep_;               // under way on the host, if its restart code is not 0
  platform::FaultCodes fault_codes_;  // of the last fault
  StartWrites start_writes_;
  TaskRef clone_child_;
  uint64_t clone_parent_tid_ = 0;  // to be written by the kernel
  int clone_pidfd_ = -1;
  std::shared_ptr<PendingExec> pending_exec_;
  std::shared_ptr<HeldInit> held_init_;  // null for all others; set before the task starts

  std::atomic<uint32_t> interception_{0};
  // filter_ref_ for the task's own worker. A new filter keeps the old ones alive.
  std::atomic<const seccomp::Filter*> filter_{nullptr};
  std::shared_ptr<const seccomp::Filter> filter_ref_ ABSL_GUARDED_BY(state_mutex_);
  std::atomic<uint32_t> trapped_calls_{0};  // of seccomp::kNativeCalls
  std::shared_ptr<Tracee> tracee_ ABSL_GUARDED_BY(state_mutex_);

  std::atomic<int> parent_death_signal_{0};
  std::atomic<bool> keep_capabilities_{false};
  std::atomic<int64_t> start_ns_;
  std::atomic<uint64_t> timer_slack_ns_{50'000};
  uint64_t default_timer_slack_ns_ = 50'000;  // set before the task starts
  std::atomic<unsigned> personality_{0};
  IoCounters io_;
};

inline Result<uint64_t> Task::Execute(const platform::SyscallInfo& call) {
  if ((interception_.load(std::memory_order_relaxed) & kFiltered) != 0) {
    return ExecuteFiltered(call);
  }
  return Dispatch(call);
}

template <typename T>
Result<T> Task::BlockOnFile(File& file, PollEvents events, Deadline deadline,
                            const std::function<Result<T>()>& attempt) {
  Result<T> result = attempt();
  if (result.code() != EAGAIN || (file.flags() & O_NONBLOCK) != 0) return result;
  WaitQueue* queue = file.wait_queue();
  if (queue == nullptr) return result;
  WaitEntry entry(events, static_cast<Waker&>(*this));
  queue->Register(entry);
  while (true) {
    result = attempt();
    if (result.code() != EAGAIN) return result;
    if (Status slept = Sleep(deadline); !slept.ok()) return std::move(slept).error();
  }
}

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_TASK_H_
