// The platform runs the application's instructions and brings its system
// calls, faults and interruptions to the kernel. DESIGN.md section 5 has the
// mechanism and its costs; docs/platform.md has the measurements.
//
// Each application process is a host process (its stub), each application
// thread a host thread. Thread ids that the application sees are the host's
// ids in the stubs' own pid namespace.
//
// A Thread is always in one of three states:
//
//   running    executes application code, or a call that the host runs for it
//   notified   waits in a system call whose notification the kernel handles
//   in stub    waits in the stub's handler; its registers can be read and set
//
// Events arrive on worker threads, one event at a time for each Thread. The
// handler ends the event by Return, ContinueOnHost, Resume, StartClone,
// StartExec or ExitThread. A handler may block, after calling WillBlock.
//
// Lock order: the platform's own locks are leaves; it calls ThreadEvents
// without holding any.
#ifndef RUNSC_BOOT_PLATFORM_PLATFORM_H_
#define RUNSC_BOOT_PLATFORM_PLATFORM_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::boot::platform {

class Thread;
using ThreadRef = std::shared_ptr<Thread>;

// A system call as the host reported it: register values, copied once.
struct SyscallInfo {
  uint64_t number = 0;
  std::array<uint64_t, 6> args{};
  uint64_t instruction_pointer = 0;  // behind the `syscall` instruction
};

// The general registers of x86-64, in the order of the host's sigcontext.
struct Registers {
  uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
  uint64_t eflags;
  uint64_t fs_base, gs_base;
};

// What the processor said about a thread's last fault, as signal frames show it.
struct FaultCodes {
  uint64_t error = 0, trap = 0, address = 0;
};

// What the kernel implements for each thread (the task).
class ThreadEvents {
 public:
  virtual ~ThreadEvents() = default;
  // A system call. The thread is notified, or in stub for those calls that
  // the filter traps (clone, clone3, fork, vfork, execve, execveat,
  // rt_sigreturn, tgkill, tkill, rt_sigsuspend, pause); Thread::in_stub() tells.
  virtual void OnSyscall(Thread& thread, const SyscallInfo& call) = 0;
  // SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGTRAP by the application's own code.
  // In stub. `info` is the host's siginfo, forgeable by the application.
  virtual void OnFault(Thread& thread, const siginfo_t& info) = 0;
  // The end of ContinueOnHost for a thread in stub: what the call returned, or
  // nothing when an interrupt came first and the call has had no effect. In
  // stub again, registers as before the call but for rcx and r11.
  virtual void OnHostCall(Thread& thread, const SyscallInfo& call,
                          std::optional<int64_t> value) = 0;
  // The answer to Thread::Interrupt (also spurious). In stub.
  virtual void OnInterrupt(Thread& thread) = 0;
  // The first event of a thread that StartClone (of its parent) made: it has
  // its tid and is in stub, about to return 0 from its clone.
  virtual void OnStart(Thread& thread) = 0;
  // The end of StartClone in the parent: the child's tid or the host's error.
  // In stub; set rax and Resume. With CLONE_VFORK it comes after the child
  // has called exec or ended. OnStart of the child may come before or after.
  virtual void OnCloned(Thread& thread, Result<pid_t> child_tid) = 0;
  // The end of StartExec: success means that the thread is the only one of
  // its host process, in stub, in a new AddressSpace that holds nothing but
  // the stub. On failure the old one is untouched.
  virtual void OnExec(Thread& thread, Status status) = 0;
  // The host thread is gone without ExitThread or HostProcess::Kill having
  // been called: killed from outside, by the host's out-of-memory killer, or
  // because it destroyed its stub. Not called for expected deaths.
  virtual void OnDeath(Thread& thread) = 0;
};

// The memory of one application process, shared by its threads and by vfork
// children. Thread-safe.
class AddressSpace {
 public:
  virtual ~AddressSpace() = default;
  // Copy from and to application memory by process_vm_readv/writev. Protections
  // are respected; the result is the number of bytes copied before the first
  // fault. EFAULT: not even one byte (and size > 0), or the process is gone.
  virtual Result<size_t> Read(uint64_t address, void* buffer, size_t size) = 0;
  virtual Result<size_t> Write(uint64_t address, const void* buffer, size_t size) = 0;
  // Scatter forms for readv and friends: `remote` are application ranges.
  // Copies until one side ends.
  virtual Result<size_t> ReadV(std::span<const iovec> remote, std::span<const iovec> local) = 0;
  virtual Result<size_t> WriteV(std::span<const iovec> local, std::span<const iovec> remote) = 0;
  // For the child of a fork, which can only be read until its first thread has
  // come up: waits for that, at most so long. Writing has no effect before.
  virtual bool AwaitStart(int milliseconds) { return true; }
  // True when [begin, end) meets what the stub occupies: the application must not
  // map over it. The heap is no part of it, though the host lays it in between.
  virtual bool MeetsStub(uint64_t begin, uint64_t end) const = 0;
  // Address of the host's vDSO in this process, 0 if none.
  virtual uint64_t VdsoBase() const = 0;
};

// A host process (thread group) of stubs.
class HostProcess {
 public:
  virtual ~HostProcess() = default;
  // Ends every thread of it with SIGKILL; no OnDeath follows. Idempotent.
  virtual void Kill() = 0;
  // The pid in boot's pid namespace, for /proc/PID/... of the host.
  virtual pid_t host_pid() const = 0;
  // CPU time consumed so far (all threads), in nanoseconds; 0 once it is gone.
  virtual uint64_t UserTimeNs() const = 0;
  virtual uint64_t TotalTimeNs() const = 0;
};

// One call that the stub makes natively in the application's address space.
struct NativeCall {
  uint64_t number = 0;
  std::array<uint64_t, 6> args{};
  int64_t result = 0;
};

struct CloneArgs {
  // Host flags. Only those that the stub's filter admits: see stub_filter.h.
  uint64_t flags = 0;
  uint64_t stack = 0;       // 0: the same as the parent's
  uint64_t parent_tid = 0;  // CLONE_PARENT_SETTID
  uint64_t child_tid = 0;   // CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID
  uint64_t tls = 0;         // CLONE_SETTLS
};

class Thread {
 public:
  virtual ~Thread() = default;

  virtual pid_t tid() const = 0;       // in the stubs' namespace; 0 before OnStart
  virtual pid_t host_tid() const = 0;  // in boot's namespace
  virtual std::shared_ptr<AddressSpace> address_space() const = 0;
  // Also before OnStart: killed then, the thread never starts.
  virtual std::shared_ptr<HostProcess> process() const = 0;
  virtual bool in_stub() const = 0;
  // CPU time consumed so far, in nanoseconds; 0 once it is gone. From any thread.
  virtual uint64_t CpuTimeNs() const { return 0; }

  // --- Notified, or in stub because of a system call.
  // Ends the call with `value` (a result, or a negative errno) and lets the
  // application run.
  virtual void Return(int64_t value) = 0;
  // Lets the host execute `call` with its register arguments. Notified: it must
  // be the notified one, and no event tells its end. In stub: any call that the
  // kernel has checked; its end is OnHostCall.
  virtual void ContinueOnHost(const SyscallInfo& call) = 0;
  // Notified, or in stub by an event: puts a copy of `host_fd` at number `fd`
  // of the host process, close-on-exec, for a following mmap.
  virtual Status InstallFd(int host_fd, int fd) = 0;
  // Notified to in stub: rip is behind the system call, rax undefined; the
  // kernel sets it (or rewinds rip and sets rax to restart the call). No-op
  // when in stub. ESRCH when the thread is gone.
  virtual Status EnterStub() = 0;

  // --- In stub only.
  virtual Registers& registers() = 0;
  // After OnFault; forgeable by the application.
  virtual FaultCodes fault_codes() const { return {}; }
  // The host's xsave image as it lies in a signal frame (with the software
  // bytes at 464), for copying into and out of application signal frames.
  virtual std::vector<std::byte> ReadXstate() = 0;
  // Takes an image from an application frame; validated and clamped. EINVAL:
  // unusable, the state stays as it was.
  virtual Status WriteXstate(std::span<const std::byte> image) = 0;
  // Initial extended state, as after exec.
  virtual void ResetXstate() = 0;
  // Makes the stub execute `calls` in order, stopping behind the first that
  // fails when `stop_on_error`. Results are what the (hostile) process says.
  virtual Status RunNative(std::span<NativeCall> calls, bool stop_on_error) = 0;
  // Copies up to 64 bytes to where calls of the thread on the host can read them
  // until its next event; their address there.
  virtual uint64_t Lend(std::span<const std::byte> bytes) = 0;
  // From now on `numbers` trap, although the host could execute them for the
  // application: for good, also in its children and after exec. `all_threads`:
  // also for the other threads of the process. ENOMEM, ESRCH.
  virtual Status TrapCalls(std::span<const uint32_t> numbers, bool all_threads) = 0;
  // Makes every call of the application trap, natively executed ones included,
  // or no longer. For this thread alone; children and exec begin without.
  virtual Status TrapAllCalls(bool on) = 0;
  // Lets the application run with the registers as set.
  virtual void Resume() = 0;
  // Starts the host's clone. `events` is the child's kernel side; the child's
  // Thread is returned, with tid 0 until its OnStart. The call's end in the
  // parent is OnCloned.
  virtual Result<ThreadRef> StartClone(const CloneArgs& args,
                                       std::shared_ptr<ThreadEvents> events) = 0;
  // Replaces the address space; the end is OnExec.
  virtual void StartExec() = 0;

  // --- Notified or in stub.
  // Ends this thread alone with exit(2): robust futexes and the clear-tid
  // futex are done by the host. No event follows.
  virtual void ExitThread() = 0;

  // --- From any thread, in any state.
  // Brings a running thread to OnInterrupt soon. A thread that is not running
  // is not disturbed (but may get a spurious OnInterrupt later).
  virtual void Interrupt() = 0;
};

// The instructions of a platform; one exists per sandbox.
class Platform {
 public:
  struct Options {
    // false: anonymous mmap, munmap, futex, ... go through the kernel too.
    bool native_calls = true;
  };

  virtual ~Platform() = default;

  // Starts the zygote of a new pid namespace and its notification listener.
  // Called while boot still has CAP_SYS_ADMIN; the zygote drops to `uid`/`gid`
  // without capabilities and with no_new_privs by itself, in an empty root.
  // Boot's own seccomp filter must not be installed yet.
  static Result<std::unique_ptr<Platform>> Create(const Options& options, uid_t uid, gid_t gid);

  // Makes pid 1 of the namespace, the kernel's first task; its first event is
  // OnExec with success. Call after boot has dropped its privileges.
  virtual Result<ThreadRef> Start(std::shared_ptr<ThreadEvents> events) = 0;

  // Makes another process, which has no parent in the namespace; not before
  // Start has returned. The thread has its tid; its first event is OnExec,
  // which may come before this returns. EAGAIN: the host allows no more;
  // ENOMEM: pid 1 has ended.
  virtual Result<ThreadRef> Spawn(std::shared_ptr<ThreadEvents> events) = 0;

  // Stops every application thread, and those that come, or lets them go on.
  // Calls that are being handled end; nobody sees their results before the end.
  virtual void Freeze(bool frozen) = 0;

  // Must be called on a worker thread before it waits for something that other
  // application threads or a peer bring about: another worker takes over the
  // reception of events. `thread` is the one whose event is handled; when many
  // are blocked it is moved into the stub, where waiting is cheap.
  virtual void WillBlock(Thread& thread) = 0;

  // Kills every stub and joins the workers. No event is delivered afterwards.
  virtual void Shutdown() = 0;
};

}  // namespace runsc::boot::platform

#endif  // RUNSC_BOOT_PLATFORM_PLATFORM_H_
