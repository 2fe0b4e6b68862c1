// clone(2), clone3(2), fork(2), vfork(2), execve(2), execveat(2), exit(2),
// exit_group(2), wait4(2), waitid(2), set_tid_address(2)

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/kernel/growing_struct.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

Result<Word> Exec(Task& task, int dirfd, uint64_t path, uint64_t argv, uint64_t envp, int flags) {
  constexpr int kKnown = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
  ExecRequest request;
  // Linux looks at the path before the flags.
  const auto path_flags = static_cast<unsigned>(flags & kKnown);
  TRY_ASSIGN(PathArgument argument, PathAt(task, dirfd, path, path_flags));
  if ((flags & ~kKnown) != 0) return Error(EINVAL);
  request.walk = argument.walk;
  request.filename = argument.path;
  if (dirfd != AT_FDCWD && !argument.path.starts_with('/')) {
    request.filename =
        absl::StrCat("/dev/fd/", dirfd, argument.path.empty() ? "" : "/", argument.path);
  }
  request.path = std::move(argument.path);
  // The program comes before its arguments: a missing one is ENOENT whatever
  // the arguments are.
  if (!request.path.empty()) TRY(task.vfs().Walk(task.caller(), request.walk, request.path));
  TRY_ASSIGN(request.args, task.CopyInStrings(argv));
  TRY_ASSIGN(request.env, task.CopyInStrings(envp));
  return task.Exec(std::move(request));
}

// The status and usage of a child, as wait4(2) and waitid(2) hand them out.
Status CopyOutWaitId(Task& task, uint64_t address, const std::optional<ChildEvent>& event) {
  if (address == 0) return Ok();
  siginfo_t info{};
  if (event) {
    info.si_signo = SIGCHLD;
    info.si_code = event->code;
    info.si_pid = event->pid;
    info.si_uid = task.credentials()->ShownUid(event->uid);
    info.si_status = event->status;
  }
  // Linux writes the six fields only; what lies behind them stays.
  TRY(task.CopyOut(address, &info.si_signo, 3 * sizeof(int)));
  return task.CopyOut(address + offsetof(siginfo_t, si_pid), &info.si_pid, 3 * sizeof(int));
}

Result<clone_args> CopyInCloneArgs(Task& task, const SyscallArgs& args) {
  constexpr size_t kPageSize = 4096;
  constexpr uint64_t kDeepestPidNamespace = 32;
  const size_t size = args.Size(1);
  if (size > kPageSize) return Error(E2BIG);
  if (size < CLONE_ARGS_SIZE_VER0) return Error(EINVAL);
  TRY_ASSIGN(const clone_args in, CopyInGrowing<clone_args>(task, args.Address(0), size));
  if (in.set_tid_size > kDeepestPidNamespace) return Error(EINVAL);
  if ((in.set_tid == 0) != (in.set_tid_size == 0)) return Error(EINVAL);
  if (in.exit_signal > kSignalCount) return Error(EINVAL);
  if ((in.flags & CLONE_INTO_CGROUP) != 0 &&
      (in.cgroup > INT32_MAX || size < CLONE_ARGS_SIZE_VER2)) {
    return Error(EINVAL);
  }
  return in;
}

// clone3(2), ERRORS.
Status CheckCloneArgs(const clone_args& in) {
  constexpr uint64_t kHighFlags = CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP;
  constexpr uint64_t kTaskSize = (uint64_t{1} << 47) - 4096;
  if ((in.flags & ~(uint64_t{0xffffffff} | kHighFlags)) != 0) return Error(EINVAL);
  // CLONE_NEWTIME lies among the bits of the exit signal.
  if ((in.flags & (CLONE_DETACHED | (CSIGNAL & ~uint64_t{CLONE_NEWTIME}))) != 0) {
    return Error(EINVAL);
  }
  if ((in.flags & CLONE_SIGHAND) != 0 && (in.flags & CLONE_CLEAR_SIGHAND) != 0) {
    return Error(EINVAL);
  }
  if ((in.flags & (CLONE_THREAD | CLONE_PARENT)) != 0 && in.exit_signal != 0) {
    return Error(EINVAL);
  }
  if ((in.stack == 0) != (in.stack_size == 0)) return Error(EINVAL);
  if (in.stack_size > kTaskSize || in.stack > kTaskSize - in.stack_size) return Error(EINVAL);
  return Ok();
}

}  // namespace

Result<Word> SysClone(Task& task, const SyscallArgs& args) {
  CloneRequest request;
  request.flags = args.Raw(0) & 0xffffffff & ~uint64_t{CSIGNAL};
  // As Linux, a number that is no signal is no signal at the end.
  request.exit_signal = static_cast<int>(args.Raw(0) & CSIGNAL);
  request.stack = args.Address(1);
  request.parent_tid = args.Address(2);
  request.child_tid = args.Address(3);
  request.tls = args.Address(4);
  // clone(2) returns the pidfd where clone3 would have a field of its own.
  if ((request.flags & CLONE_PIDFD) != 0) {
    if ((request.flags & (CLONE_PARENT_SETTID | CLONE_DETACHED)) != 0) return Error(EINVAL);
    request.pidfd = request.parent_tid;
  }
  return task.Clone(request);
}

Result<Word> SysClone3(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(const clone_args in, CopyInCloneArgs(task, args));
  std::vector<pid_t> chosen_pids(in.set_tid_size);
  TRY(task.CopyIn(in.set_tid, chosen_pids.data(), chosen_pids.size() * sizeof(pid_t)));
  TRY(CheckCloneArgs(in));
  // There is no cgroup that a descriptor could stand for.
  if ((in.flags & CLONE_INTO_CGROUP) != 0) return Error(EBADF);
  CloneRequest request;
  request.flags = in.flags;
  request.exit_signal = static_cast<int>(in.exit_signal);
  request.stack = in.stack == 0 ? 0 : in.stack + in.stack_size;
  request.parent_tid = in.parent_tid;
  request.child_tid = in.child_tid;
  request.tls = in.tls;
  request.pidfd = in.pidfd;
  request.chosen_pids = std::move(chosen_pids);
  return task.Clone(request);
}

Result<Word> SysFork(Task& task, const SyscallArgs&) {
  CloneRequest request;
  request.exit_signal = SIGCHLD;
  return task.Clone(request);
}

Result<Word> SysVfork(Task& task, const SyscallArgs&) {
  CloneRequest request;
  request.flags = CLONE_VFORK | CLONE_VM;
  request.exit_signal = SIGCHLD;
  return task.Clone(request);
}

Result<Word> SysExecve(Task& task, const SyscallArgs& args) {
  return Exec(task, AT_FDCWD, args.Address(0), args.Address(1), args.Address(2), 0);
}

Result<Word> SysExecveat(Task& task, const SyscallArgs& args) {
  return Exec(task, args.Fd(0), args.Address(1), args.Address(2), args.Address(3), args.Int(4));
}

Result<Word> SysExit(Task& task, const SyscallArgs& args) {
  task.Exit((args.Int(0) & 0xff) << 8);
  return task.EndHandled();
}

Result<Word> SysExitGroup(Task& task, const SyscallArgs& args) {
  task.ExitGroup((args.Int(0) & 0xff) << 8);
  return task.EndHandled();
}

Result<Word> SysWait4(Task& task, const SyscallArgs& args) {
  const pid_t pid = args.Pid(0);
  const int options = args.Int(2);
  if ((options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WALL | __WCLONE | __WNOTHREAD)) != 0) {
    return Error(EINVAL);
  }
  if (pid == std::numeric_limits<pid_t>::min()) return Error(ESRCH);
  WaitRequest request;
  request.options = options | WEXITED;
  if (pid > 0) {
    request.type = P_PID;
    request.id = task.ToKernelPid(pid);
  } else if (pid != -1) {
    request.type = P_PGID;
    request.id = pid == 0 ? task.group().process_group() : task.ToKernelPid(-pid);
  }
  if (request.type != P_ALL && request.id == 0) return Error(ECHILD);
  TRY_ASSIGN(std::optional<ChildEvent> event, task.WaitChild(request));
  if (!event) return 0;
  if (args.Address(1) != 0) TRY(task.CopyOutObject(args.Address(1), event->wait_status));
  if (args.Address(3) != 0) TRY(task.CopyOutObject(args.Address(3), event->usage));
  return event->pid;
}

Result<Word> SysWaitid(Task& task, const SyscallArgs& args) {
  constexpr int kStates = WEXITED | WSTOPPED | WCONTINUED;
  const int options = args.Int(3);
  if ((options & ~(WNOHANG | WNOWAIT | kStates | __WALL | __WCLONE | __WNOTHREAD)) != 0) {
    return Error(EINVAL);
  }
  if ((options & kStates) == 0) return Error(EINVAL);
  WaitRequest request;
  request.options = options;
  request.id = args.Pid(1);
  constexpr int kPidFd = 3;  // P_PIDFD
  bool nonblocking = false;  // by the pidfd's O_NONBLOCK
  switch (args.Int(0)) {
    case P_ALL:
      request.type = P_ALL;
      break;
    case P_PID:
      if (request.id <= 0) return Error(EINVAL);
      request.type = P_PID;
      request.id = task.ToKernelPid(request.id);
      break;
    case P_PGID:
      if (request.id < 0) return Error(EINVAL);
      request.type = P_PGID;
      request.id = request.id == 0 ? task.group().process_group() : task.ToKernelPid(request.id);
      break;
    case kPidFd: {
      if (request.id < 0) return Error(EINVAL);
      TRY_ASSIGN(FileRef file, task.fds().Get(args.Fd(1)));
      TRY_ASSIGN(ThreadGroupRef target, Kernel::PidFdTarget(*file));
      request.type = P_PID;
      request.id = target->pid();
      nonblocking = (file->flags() & O_NONBLOCK) != 0;
      if (nonblocking) request.options |= WNOHANG;
      break;
    }
    default:
      return Error(EINVAL);
  }
  if (request.type != P_ALL && request.id == 0) return Error(ECHILD);
  TRY_ASSIGN(std::optional<ChildEvent> event, task.WaitChild(request));
  if (!event && nonblocking && (options & WNOHANG) == 0) return Error(EAGAIN);
  if (event && args.Address(4) != 0) TRY(task.CopyOutObject(args.Address(4), event->usage));
  TRY(CopyOutWaitId(task, args.Address(2), event));
  return 0;
}

// The host clears the word at the thread's end, so it must know the address. It
// is asked for once per program; the filter does not let it through by itself,
// since C libraries take the thread's number from it.
Result<Word> SysSetTidAddress(Task& task, const SyscallArgs& args) {
  if (task.pid_namespace() == nullptr) return task.EndOnHost();
  // It would answer with its own number.
  platform::NativeCall call;
  call.number = SYS_set_tid_address;
  call.args[0] = args.Address(0);
  TRY(task.thread().EnterStub());
  TRY(task.thread().RunNative({&call, 1}, true));
  return task.shown_tid();
}

}  // namespace runsc::boot
