// ptrace(2): one traced task, and what its tracer has asked of it.
//
// A tracee stops on its own worker, in Stop(), with its thread in the stub; the
// worker sleeps there until a request of the tracer lets it go on. Meanwhile the
// tracer's worker owns the thread: it reads and writes registers and runs native
// calls. Nothing here is on the path of a task that nobody traces.
//
// Calls that the host executes for the application are seen too: the first
// request that wants to see calls or single steps makes all calls of the thread
// trap (Thread::TrapAllCalls), until the tracer detaches or has let many of them
// pass.
#ifndef RUNSC_BOOT_KERNEL_PTRACE_H_
#define RUNSC_BOOT_KERNEL_PTRACE_H_

#include <linux/ptrace.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/debug_registers.h"
#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/kernel/thread_group.h"

namespace runsc::boot {

using TraceeRef = std::shared_ptr<Tracee>;

class Tracee : public std::enable_shared_from_this<Tracee> {
  struct Key {
    explicit Key() = default;
  };

 public:
  // What a request lets the tracee do.
  enum class Mode { kContinue, kSyscall, kStep, kEmulate, kEmulateStep };

  Tracee(Key, const TaskRef& task, const TaskRef& tracer, bool seized, uint32_t options);

  // --- ptrace(2) (ptrace_requests.cc). Its result, as the system call has it.
  static Result<uint64_t> Request(Task& caller, int request, pid_t pid, uint64_t address,
                                  uint64_t data);

  // --- The tracee's own worker (ptrace.cc). Null when nobody traces it.
  static TraceeRef Of(const Task& task);
  static void HandleSyscall(Task& task, platform::Thread& thread, platform::SyscallInfo call);
  // `late`: signals have been looked at already, before it was traced.
  static void FinishCall(Task& task, platform::Thread& thread, const platform::SyscallInfo& call,
                         Result<uint64_t> result, bool late = false);
  // Ends an event in which the thread is in stub.
  static void Leave(Task& task, platform::Thread& thread);
  // Stops for what has been asked for from outside. True: look again.
  static bool HandleTraps(Task& task);
  // True for a task that its tracer has sent on out of a stop of its group.
  static bool PassesGroupStop(const Task& task);
  // Whether it has a tracer that has not let go of it. `IsTraced` holds on until
  // the task runs again.
  static bool HasTracer(const Task& task);
  // The stop before a signal is delivered. False: the tracer has taken it away.
  static bool OfferSignal(Task& task, SigInfo& info);
  // A filter's SECCOMP_RET_TRACE. Nothing: nobody wants to know, ENOSYS.
  static std::optional<Result<uint64_t>> OnSeccompTrace(Task& task,
                                                        const platform::SyscallInfo& call,
                                                        uint32_t data);
  // The end of a single step, told by `trap` (ptrace_debug.cc). True: it was the
  // kernel's own, and nobody is to know.
  static bool EndStep(Task& task, platform::Thread& thread, SigInfo& trap);
  // Whether exec(2) may give privileges: its tracer has them anyway.
  static bool MayGain(const Task& task);
  // --- Ends (ptrace_exit.cc)
  // Whether a tracer wants to look at the task's end.
  static bool ReportsEnd(const Task& task);
  // Keeps the status for the tracer. `stops`: PTRACE_EVENT_EXIT, if it wants that.
  static void BeforeExit(Task& task, int status, bool stops);
  // One more SIGKILL: the task goes on to its end. Callable with locks held.
  static void EndLastStop(Task& task);
  // Whether a thread of the group has ended that its tracer has not waited for.
  static bool HasUnreapedThread(Kernel& kernel, const ThreadGroup& group)
      ABSL_LOCKS_EXCLUDED(kernel.tree_mutex());

  // --- Clone and exec (ptrace_events.cc)
  // Decides whether `child` is traced from its first moment; the flags for the
  // host's clone.
  static uint64_t PrepareClone(Task& parent, const TaskRef& child, const CloneRequest& request);
  static void AfterClone(Task& task, platform::Thread& thread, const TaskRef& child);
  static void OnStart(Task& task);
  static void AfterExec(Task& task, platform::Thread& thread);
  // A child of vfork gives its parent's memory back by exec or by its end.
  static void ReleaseVforkParent(Task& task);

  // --- Relations (ptrace_wait.cc)
  // What wait(2) by `waiter` finds among its tracees.
  static std::optional<ChildEvent> TakeEvent(Kernel& kernel, const Task& waiter,
                                             const WaitRequest& request, bool* found_any);
  // The rest under the kernel's tree mutex.
  // Whether wait(2) by its parent must pass `child` over: its tracer comes first.
  static bool IsHidden(Kernel& kernel, const ThreadGroup& child, const ThreadGroup& parent);
  // The end of a task, as tracer and as tracee.
  static void OnTaskEnd(Kernel& kernel, Task& task, Kernel::DeferredSignals& signals);
  // The end of a group: true when its parent is told only after the tracer.
  static bool HoldsBack(Kernel& kernel, ThreadGroup& group, Kernel::DeferredSignals& signals);
  // SIGCONT has come.
  static void OnContinue(Task& task);

  // Runs `access` to the memory of `task` with the protection of the pages under
  // [address, address + size) lifted, for /proc/PID/mem. EIO unless a thread with
  // that memory is a stopped tracee, which does the work, and the pages are private.
  static Status Force(Task& task, uint64_t address, uint64_t size,
                      const std::function<Status()>& access);

  // For /proc/PID/status.
  pid_t TracerPid() const;
  bool stopped() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct StopInfo {
    int status = 0;  // signal | event << 8
    int code = 0;    // CLD_TRAPPED or CLD_STOPPED
    std::optional<SigInfo> info;
    uint8_t syscall_op = 0;  // PTRACE_SYSCALL_INFO_*
    uint64_t message = 0;    // PTRACE_GETEVENTMSG
  };
  struct VforkWait {
    std::atomic<bool> done{false};
    std::weak_ptr<Task> parent;
  };

  // Stops until the tracer lets it go on; the signal that it sends along, 0 for
  // none. Also returns when the tracer is gone or the task is killed.
  int Stop(Task& task, StopInfo stop);
  // The last stop of a task that has been killed already.
  void StopAtEnd(Task& task, StopInfo stop);
  // Makes it stopped, and tells. False: it has no tracer any more.
  bool BeginStop(Task& task, StopInfo stop);
  void StopForEvent(Task& task, int event, uint64_t message);
  void StopForGroup(Task& task, int signo);
  void StopForSyscall(Task& task, uint8_t op);
  void StopForStep(Task& task, int code);
  void NotifyTracer(Task& task, const StopInfo& stop);
  // Lets a call whose registers say so start again; `action`: of the handler
  // that runs first.
  void ResolveRestart(platform::Registers& registers, const SignalAction* action);
  bool Deliver(Task& task, platform::Thread& thread, const Task::Delivery& delivery);
  // Resume, if there is nothing left to do.
  static bool Resume(Task& task, platform::Thread& thread);
  static bool ReturnPlainly(Task& task, platform::Thread& thread, int64_t value);
  void PrepareToRun(Task& task, platform::Thread& thread);
  void AfterExitStop(Task& task, platform::Thread& thread);
  Mode mode() const ABSL_LOCKS_EXCLUDED(mutex_);
  bool Has(uint32_t option) const ABSL_LOCKS_EXCLUDED(mutex_);
  // Calls that the tracer does not want to see trap for a while only.
  void CountUnwatchedCall(Mode mode);
  bool WantsExit() const { return mode() == Mode::kSyscall; }
  // Whether all calls shall trap.
  bool WantsTraps() const ABSL_LOCKS_EXCLUDED(mutex_);

  // ptrace_debug.cc
  // What is known of the instruction that the thread is about to run.
  struct Upcoming {
    uint64_t watchpoints = 0;  // bits of DR6
    bool pushes_flags = false, pops_flags = false;
  };
  bool Steps() const;
  // Whether any debug register is enabled.
  bool Watches() const ABSL_LOCKS_EXCLUDED(mutex_);
  void PrepareStep(platform::Thread& thread);
  // Takes back what PrepareStep has set.
  void EndForcedStep(platform::Registers& registers);
  // Whether a breakpoint lies where the thread goes on; its signal is pending then.
  bool MeetBreakpoint(Task& task, platform::Registers& registers);
  // Takes the trap flag out of flags that the program has pushed.
  static void HideTrapFlag(Task& task, uint64_t address);

  // ptrace_exit.cc
  // A thread's end has been waited for, or nobody will: who waits for that goes on.
  static void ForgetEnded(Kernel& kernel, pid_t group, Kernel::DeferredSignals& signals)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(kernel.tree_mutex());
  static bool HasUnreaped(Kernel& kernel, const ThreadGroup& group)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(kernel.tree_mutex());
  static std::optional<ChildEvent> TakeEventLocked(Kernel& kernel, const Task& waiter,
                                                   const WaitRequest& request, bool* found_any,
                                                   Kernel::DeferredSignals& signals);

  // --- The tracer's side.
  static Status Attach(Task& caller, const TaskRef& target, bool seize, uint32_t options);
  static Status TraceMe(Task& caller);
  static void Link(Kernel& kernel, const TraceeRef& tracee)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(kernel.tree_mutex());
  Result<uint64_t> Handle(Task& caller, Task& task, int request, uint64_t address, uint64_t data);
  Result<uint64_t> Continue(Task& task, Mode mode, uint64_t signal);
  Result<uint64_t> Detach(Task& caller, Task& task, uint64_t signal);
  void LetGo(Task* task, int signal, bool detach);
  Result<uint64_t> Interrupt(Task& task);
  Result<uint64_t> Listen(Task& task);
  // INTERRUPT and KILL, which need no stop.
  Result<uint64_t> AtAnyTime(Task& caller, Task& task, int request);
  // ESRCH: `caller` is not the tracer, or the tracee has not stopped.
  Status CheckRequest(const Task& caller, bool stopped) const ABSL_LOCKS_EXCLUDED(mutex_);
  Result<uint64_t> SignalInfo(Task& caller, int request, uint64_t address);
  static Result<uint64_t> PeekSignals(Task& caller, Task& task, uint64_t address, uint64_t data);
  static Result<uint64_t> SignalMask(Task& caller, Task& task, int request, uint64_t size,
                                     uint64_t address);
  Result<uint64_t> SyscallInfo(Task& caller, Task& task, uint64_t size, uint64_t address);
  // ptrace_seccomp.cc
  static Result<uint64_t> SeccompFilter(Task& caller, const Task& task, uint64_t index,
                                        uint64_t address);
  static Result<uint64_t> SeccompMetadata(Task& caller, const Task& task, uint64_t size,
                                          uint64_t address);
  // ptrace_memory.cc
  // Whether the thread is the tracer's to use, with the request mutex held.
  bool IsAtRest() const ABSL_LOCKS_EXCLUDED(mutex_);
  static Result<uint64_t> Memory(Task& caller, Task& task, int request, uint64_t address,
                                 uint64_t data);
  // ptrace_registers.cc
  Result<uint64_t> User(Task& caller, Task& task, int request, uint64_t offset, uint64_t data);
  Result<uint64_t> Registers(Task& caller, Task& task, int request, uint64_t address);
  Result<uint64_t> RegisterSet(Task& caller, Task& task, bool set, uint64_t type,
                               uint64_t vector_address);
  // arch_prctl(2) of the tracee.
  static Result<uint64_t> SegmentBase(Task& caller, Task& task, uint64_t code, uint64_t address);
  Result<std::vector<std::byte>> ReadSet(Task& task, uint64_t type);
  Status WriteSet(Task& task, uint64_t type, std::span<const std::byte> bytes);

  const std::weak_ptr<Task> task_;
  const std::weak_ptr<Task> tracer_;
  const bool seized_;
  // Made with the task by its parent's options, and not by a request that came
  // before the task has run at all; constant once made.
  bool made_with_task_ = false;

  // Held by requests to a stopped tracee, so that one at a time uses its thread
  // and that it goes on only in between. Before the kernel's tree mutex.
  absl::Mutex request_mutex_;
  mutable absl::Mutex mutex_;  // a leaf
  uint32_t options_ ABSL_GUARDED_BY(mutex_);
  bool detached_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool reported_ ABSL_GUARDED_BY(mutex_) = false;  // to wait(2)
  bool listening_ ABSL_GUARDED_BY(mutex_) = false;
  bool trap_pending_ ABSL_GUARDED_BY(mutex_) = false;
  bool passed_stop_ ABSL_GUARDED_BY(mutex_) = false;
  StopInfo stop_ ABSL_GUARDED_BY(mutex_);
  int resume_signal_ ABSL_GUARDED_BY(mutex_) = 0;
  Mode mode_ ABSL_GUARDED_BY(mutex_) = Mode::kContinue;
  bool wants_all_calls_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<int> exit_status_ ABSL_GUARDED_BY(mutex_);  // of a thread
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;

  // Of the tracee's worker, or of the tracer while it is stopped.
  int64_t original_rax_ = -1;
  std::atomic<bool> all_calls_trap_{false};
  int unwatched_calls_ = 0;   // in a row, since the tracer wanted to see one
  bool forced_step_ = false;  // the trap flag is ours
  DebugRegisters debug_;
  Upcoming upcoming_;
  bool rechecks_ = false;      // filters run again behind PTRACE_EVENT_SECCOMP
  uint64_t event_number_ = 0;  // of the clone under way, PTRACE_EVENT_*
  pid_t tid_before_exec_ = 0;
  // Under the tree mutex.
  bool linked_ = false;
  pid_t ended_tid_ = 0;  // of a thread that waits to be waited for
  pid_t ended_group_ = 0;
  uid_t ended_uid_ = 0;

  std::shared_ptr<VforkWait> vfork_;        // in the child
  std::shared_ptr<VforkWait> vfork_child_;  // in the parent
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_PTRACE_H_
