// ptrace(2): options and events.
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/user.h>

#include "test/guest/ptracing.h"

using namespace guest;

// --- Options and events
namespace {
// Goes on, without signals, until an event comes; its text.
std::string NextEvent(pid_t pid, int request = PTRACE_CONT) {
  while (true) {
    Ptrace(request, pid);
    const int status = WaitStatus(pid);
    if (!WIFSTOPPED(status)) return StatusText(status);
    if (status >> 16 != 0) return "event " + std::to_string(status >> 16);
  }
}
unsigned long Message(pid_t pid) {
  unsigned long message = 0;
  Ptrace(PTRACE_GETEVENTMSG, pid, 0, At(&message));
  return message;
}
}  // namespace
CASE(ptrace_event_fork) {
  const pid_t pid = Traced([] {
    const pid_t child = fork();
    if (child == 0) _exit(9);
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  });
  T(Ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK));
  Record("event", NextEvent(pid));
  const auto child = static_cast<pid_t>(Message(pid));
  Record("child", child > 0);
  Record("stop", WaitText(child));
  T(Ptrace(PTRACE_CONT, child));
  Ptrace(PTRACE_CONT, pid);
  Record("child end", WaitText(child));
  std::string end = WaitText(pid);
  while (end == "stopped 17") {
    Ptrace(PTRACE_CONT, pid, 0, SIGCHLD);
    end = WaitText(pid);
  }
  Record("end", end);
}
CASE(ptrace_event_vfork) {
  const pid_t pid = Traced([] {
    const pid_t child = vfork();
    if (child == 0) _exit(9);
    return child > 0 ? 1 : 2;
  });
  Ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE);
  Record("event", NextEvent(pid));
  const auto child = static_cast<pid_t>(Message(pid));
  Record("stop", WaitText(child));
  Ptrace(PTRACE_CONT, child);
  Record("child end", WaitText(child));
  Record("event", NextEvent(pid));
  Record("same", static_cast<pid_t>(Message(pid)) == child);
  Record("end", NextEvent(pid));
}
CASE(ptrace_event_clone) {
  const pid_t pid = Traced([] {
    pthread_t thread;
    pthread_create(&thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr);
    pthread_join(thread, nullptr);
    // A process that ends gives its status to threads not yet waited for.
    SleepMs(200);
    return 4;
  });
  Ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE);
  Record("event", NextEvent(pid));
  const auto thread = static_cast<pid_t>(Message(pid));
  Record("stop", WaitText(thread));
  Ptrace(PTRACE_CONT, thread);
  Ptrace(PTRACE_CONT, pid);
  Record("thread end", WaitText(thread));
  Record("end", WaitText(pid));
}
CASE(ptrace_event_exec) {
  const pid_t pid = Traced([] {
    execl("/bin/sh", "sh", "-c", "exit 6", nullptr);
    return 1;
  });
  Ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC);
  Record("event", NextEvent(pid));
  Record("message", static_cast<pid_t>(Message(pid)) == pid);
  Record("end", NextEvent(pid));
}
CASE(ptrace_exec_trap) {
  const pid_t pid = Traced([] {
    execl("/bin/sh", "sh", "-c", "exit 6", nullptr);
    return 1;
  });
  Ptrace(PTRACE_CONT, pid);
  Record("stop", WaitText(pid));
  siginfo_t info = {};
  Ptrace(PTRACE_GETSIGINFO, pid, 0, At(&info));
  Record("code", info.si_code);
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}
CASE(ptrace_exec_syscall_stops) {
  const pid_t pid = Traced([] {
    execl("/bin/sh", "sh", "-c", "exit 6", nullptr);
    return 1;
  });
  Ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC);
  for (int i = 0; i < 3; ++i) {
    Ptrace(PTRACE_SYSCALL, pid);
    Record("stop", WaitText(pid));
    Record("call", static_cast<long long>(Registers(pid).orig_rax));
    Record("rax", static_cast<long long>(Registers(pid).rax));
  }
  Kill(pid);
}
CASE(ptrace_event_exit) {
  const pid_t pid = Traced([] { return 7; });
  Ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT);
  Record("event", NextEvent(pid));
  Record("status", static_cast<long long>(Message(pid)));
  Record("end", NextEvent(pid));
}
CASE(ptrace_event_exit_of_last_thread) {
  const pid_t pid = Traced([] { return static_cast<int>(syscall(SYS_exit, 8)); });
  Ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT);
  Record("event", NextEvent(pid));
  Record("status", static_cast<long long>(Message(pid)));
  Record("end", NextEvent(pid));
}
CASE(ptrace_event_exit_by_signal) {
  const pid_t pid = Traced([] {
    raise(SIGTERM);
    return 7;
  });
  Ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT);
  Ptrace(PTRACE_CONT, pid);
  WaitStatus(pid);
  Ptrace(PTRACE_CONT, pid, 0, SIGTERM);
  Record("event", WaitText(pid));
  Record("status", static_cast<long long>(Message(pid)));
  Record("end", NextEvent(pid));
}
CASE(ptrace_event_seccomp) {
  const pid_t pid = Traced([] {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
                          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 44),
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    sock_fprog program = {4, code};
    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    const bool right = syscall(SYS_getppid) > 0;
    return static_cast<int>(syscall(SYS_getppid) == 5 && right);
  });
  Ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP);
  Record("event", NextEvent(pid));
  Record("data", static_cast<long long>(Message(pid)));
  Record("call", static_cast<long long>(Registers(pid).orig_rax));
  Record("event", NextEvent(pid));
  user_regs_struct registers = Registers(pid);
  registers.orig_rax = ~0ul;
  registers.rax = 5;
  Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
  Record("end", NextEvent(pid));
}
CASE(ptrace_seized_child_stops_by_event) {
  Runner runner = Running([] {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    int status = 0;
    waitpid(child, &status, 0);
    return 0;
  });
  Ptrace(PTRACE_SEIZE, runner.pid, 0, PTRACE_O_TRACEFORK);
  Tell(runner);
  Record("event", WaitText(runner.pid));
  const auto child = static_cast<pid_t>(Message(runner.pid));
  Record("child", WaitText(child));
  Ptrace(PTRACE_CONT, child);
  Ptrace(PTRACE_CONT, runner.pid);
  Record("child end", WaitText(child));
  kill(runner.pid, SIGKILL);
  Record("any", WaitText(runner.pid) != "none");
}
