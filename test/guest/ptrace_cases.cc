// ptrace(2): stops, registers, memory, options, waits; process_vm_readv(2).
#include <elf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <vector>

#include "test/guest/cases.h"

using namespace guest;

namespace {

long Ptrace(int request, pid_t pid, unsigned long address = 0, unsigned long data = 0) {
  return syscall(SYS_ptrace, request, pid, address, data);
}
template <typename T>
unsigned long At(T* object) {
  return reinterpret_cast<unsigned long>(object);
}

// "stopped 19", "event 3 stopped 5", "exit 0"...; nothing for no change.
std::string WaitText(pid_t pid, int options = __WALL) {
  int status = 0;
  const pid_t got = waitpid(pid, &status, options);
  if (got < 0) return strerrorname_np(errno);
  if (got == 0) return "none";
  if (WIFSTOPPED(status)) {
    std::string text = "stopped " + std::to_string(WSTOPSIG(status));
    const int event = status >> 16;
    return event == 0 ? text : "event " + std::to_string(event) + " " + text;
  }
  return StatusText(status);
}
int WaitStatus(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, __WALL) != pid) Broken("waitpid");
  return status;
}

// A child that is traced and has stopped by SIGSTOP.
pid_t Traced(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (Ptrace(PTRACE_TRACEME, 0) != 0) _exit(99);
    raise(SIGSTOP);
    _exit(body());
  }
  WaitStatus(pid);
  return pid;
}
// A child that runs until it is killed or told by a byte.
struct Runner {
  pid_t pid;
  int pipe[2];
};
Runner Running(const std::function<int()>& body = [] { return 0; }) {
  Runner runner = {};
  MUST(pipe(runner.pipe));
  runner.pid = fork();
  if (runner.pid == 0) {
    close(runner.pipe[1]);
    char byte;
    while (read(runner.pipe[0], &byte, 1) < 0) {
    }
    _exit(body());
  }
  SleepMs(20);
  return runner;
}
void Tell(const Runner& runner) { MUST(write(runner.pipe[1], "x", 1)); }
void Kill(pid_t pid) {
  kill(pid, SIGKILL);
  Record("end", WaitText(pid));
}
user_regs_struct Registers(pid_t pid) {
  user_regs_struct registers = {};
  if (Ptrace(PTRACE_GETREGS, pid, 0, At(&registers)) != 0) Broken("GETREGS");
  return registers;
}
volatile long g_word = 0x1122334455667788;
volatile sig_atomic_t g_signals;
void Count(int) { g_signals = g_signals + 1; }

}  // namespace

// --- Errors
CASE(ptrace_no_such_process) {
  T(Ptrace(PTRACE_ATTACH, 0x3fffff));
  T(Ptrace(PTRACE_CONT, 0x3fffff));
  T(Ptrace(PTRACE_KILL, 0x3fffff));
  T(Ptrace(9999, 0x3fffff));
}
CASE(ptrace_not_traced) {
  Runner runner = Running();
  T(Ptrace(PTRACE_CONT, runner.pid));
  T(Ptrace(PTRACE_PEEKDATA, runner.pid, At(&g_word), At(&g_word)));
  T(Ptrace(PTRACE_INTERRUPT, runner.pid));
  T(Ptrace(9999, runner.pid));
  Kill(runner.pid);
}
CASE(ptrace_oneself) {
  T(Ptrace(PTRACE_ATTACH, getpid()));
  T(Ptrace(PTRACE_SEIZE, getpid()));
}
CASE(ptrace_not_stopped) {
  Runner runner = Running();
  T(Ptrace(PTRACE_SEIZE, runner.pid));
  T(Ptrace(PTRACE_CONT, runner.pid));
  T(Ptrace(PTRACE_GETREGS, runner.pid, 0, At(&g_word)));
  T(Ptrace(PTRACE_DETACH, runner.pid));
  Kill(runner.pid);
}
CASE(ptrace_traced_twice) {
  const pid_t pid =
      Traced([] { return Ptrace(PTRACE_TRACEME, 0) == -1 && errno == EPERM ? 3 : 4; });
  T(Ptrace(PTRACE_ATTACH, pid));
  T(Ptrace(PTRACE_SEIZE, pid));
  T(Ptrace(PTRACE_CONT, pid));
  Record("end", WaitText(pid));
}
CASE(ptrace_bad_arguments) {
  const pid_t pid = Traced([] { return 0; });
  T(Ptrace(PTRACE_CONT, pid, 0, 65));
  T(Ptrace(PTRACE_CONT, pid, 0, ~0ul));
  T(Ptrace(PTRACE_DETACH, pid, 0, 1000));
  T(Ptrace(PTRACE_SETOPTIONS, pid, 0, 0x80000000));
  T(Ptrace(9999, pid));
  T(Ptrace(PTRACE_GETREGS, pid, 0, At(BadPointer())));
  T(Ptrace(PTRACE_PEEKDATA, pid, At(BadPointer()), At(&g_word)));
  T(Ptrace(PTRACE_PEEKDATA, pid, At(&g_word), At(BadPointer())));
  T(Ptrace(PTRACE_POKEDATA, pid, At(BadPointer()), 1));
  T(Ptrace(PTRACE_PEEKUSR, pid, 3, At(&g_word)));
  T(Ptrace(PTRACE_PEEKUSR, pid, sizeof(struct user), At(&g_word)));
  T(Ptrace(PTRACE_LISTEN, pid));
  T(Ptrace(PTRACE_INTERRUPT, pid));
  Kill(pid);
}
CASE(ptrace_seize_bad_arguments) {
  Runner runner = Running();
  T(Ptrace(PTRACE_SEIZE, runner.pid, 1, 0));
  T(Ptrace(PTRACE_SEIZE, runner.pid, 0, 0x80000000));
  Kill(runner.pid);
}
CASE(ptrace_other_user) {
  Runner runner = Running();
  Record("child", InChild([&] {
           BecomeUser(1000, 1000);
           return Ptrace(PTRACE_ATTACH, runner.pid) == -1 ? errno : 0;
         }));
  Kill(runner.pid);
}
CASE(ptrace_not_dumpable) {
  BecomeUser(1000, 1000);
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_DUMPABLE, 0);
    pause();
  }
  SleepMs(20);
  T(Ptrace(PTRACE_ATTACH, pid));
  Kill(pid);
}
CASE(ptrace_same_user) {
  BecomeUser(1000, 1000);
  Record("child", InChild([] {
           prctl(PR_SET_DUMPABLE, 1);
           Runner runner = Running();
           const long result = Ptrace(PTRACE_ATTACH, runner.pid);
           kill(runner.pid, SIGKILL);
           return result == 0 ? 0 : errno;
         }));
}
CASE(ptrace_zombie) {
  const pid_t pid = fork();
  if (pid == 0) _exit(0);
  SleepMs(20);
  T(Ptrace(PTRACE_ATTACH, pid));
  Record("end", WaitText(pid));
}

// --- Stops by signals
CASE(ptrace_traceme_stops) {
  const pid_t pid = fork();
  if (pid == 0) {
    Ptrace(PTRACE_TRACEME, 0);
    raise(SIGUSR1);
    raise(SIGCHLD);
    _exit(5);
  }
  Record("first", WaitText(pid));
  T(Ptrace(PTRACE_CONT, pid));
  Record("second", WaitText(pid));
  T(Ptrace(PTRACE_CONT, pid));
  Record("end", WaitText(pid));
}
CASE(ptrace_wait_reports_once) {
  const pid_t pid = Traced([] { return 0; });
  Record("again", WaitText(pid, __WALL | WNOHANG));
  Kill(pid);
}
CASE(ptrace_wait_without_untraced) {
  const pid_t pid = fork();
  if (pid == 0) {
    Ptrace(PTRACE_TRACEME, 0);
    raise(SIGSTOP);
    _exit(0);
  }
  Record("stop", WaitText(pid, 0));
  Kill(pid);
}
CASE(ptrace_waitid) {
  const pid_t pid = fork();
  if (pid == 0) {
    Ptrace(PTRACE_TRACEME, 0);
    raise(SIGUSR1);
    _exit(0);
  }
  siginfo_t info = {};
  T(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WSTOPPED | WNOWAIT));
  Record("code", info.si_code);
  Record("status", info.si_status);
  info = {};
  T(waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED));
  Record("code", info.si_code);
  Kill(pid);
}
CASE(ptrace_sigchld_of_a_stop) {
  static siginfo_t seen;
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t* info, void*) { seen = *info; };
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  MUST(sigaction(SIGCHLD, &action, nullptr));
  const pid_t pid = fork();
  if (pid == 0) {
    Ptrace(PTRACE_TRACEME, 0);
    raise(SIGUSR2);
    _exit(0);
  }
  WaitStatus(pid);
  Record("code", seen.si_code);
  Record("status", seen.si_status);
  Record("pid", seen.si_pid == pid);
  Kill(pid);
}
CASE(ptrace_suppresses_a_signal) {
  const pid_t pid = Traced([] {
    raise(SIGTERM);
    return 7;
  });
  T(Ptrace(PTRACE_CONT, pid));
  Record("stop", WaitText(pid));
  T(Ptrace(PTRACE_CONT, pid));
  Record("end", WaitText(pid));
}
CASE(ptrace_delivers_a_signal) {
  const pid_t pid = Traced([] {
    raise(SIGTERM);
    return 7;
  });
  Ptrace(PTRACE_CONT, pid);
  Record("stop", WaitText(pid));
  T(Ptrace(PTRACE_CONT, pid, 0, SIGTERM));
  Record("end", WaitText(pid));
}
CASE(ptrace_replaces_a_signal) {
  const pid_t pid = Traced([] {
    signal(SIGUSR2, Count);
    raise(SIGTERM);
    return static_cast<int>(g_signals);
  });
  Ptrace(PTRACE_CONT, pid);
  Record("stop", WaitText(pid));
  T(Ptrace(PTRACE_CONT, pid, 0, SIGUSR2));
  Record("end", WaitText(pid));
}
CASE(ptrace_sees_ignored_signals) {
  const pid_t pid = Traced([] {
    signal(SIGUSR1, SIG_IGN);
    raise(SIGUSR1);
    return 0;
  });
  Ptrace(PTRACE_CONT, pid);
  Record("stop", WaitText(pid));
  Ptrace(PTRACE_CONT, pid, 0, SIGUSR1);
  Record("end", WaitText(pid));
}
CASE(ptrace_signal_info) {
  const pid_t pid = Traced([] {
    kill(getpid(), SIGUSR1);
    return 0;
  });
  Ptrace(PTRACE_CONT, pid);
  WaitStatus(pid);
  siginfo_t info = {};
  T(Ptrace(PTRACE_GETSIGINFO, pid, 0, At(&info)));
  Record("signal", info.si_signo);
  Record("code", info.si_code);
  Record("pid", info.si_pid == pid);
  Kill(pid);
}
CASE(ptrace_sets_signal_info) {
  const pid_t pid = Traced([] {
    static int value;
    struct sigaction action = {};
    action.sa_sigaction = [](int, siginfo_t* info, void*) { value = info->si_value.sival_int; };
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &action, nullptr);
    raise(SIGUSR1);
    return value;
  });
  Ptrace(PTRACE_CONT, pid);
  WaitStatus(pid);
  siginfo_t info = {};
  Ptrace(PTRACE_GETSIGINFO, pid, 0, At(&info));
  info.si_code = SI_QUEUE;
  info.si_value.sival_int = 42;
  T(Ptrace(PTRACE_SETSIGINFO, pid, 0, At(&info)));
  Ptrace(PTRACE_CONT, pid, 0, SIGUSR1);
  Record("end", WaitText(pid));
}
CASE(ptrace_kill_ends_it) {
  const pid_t pid = Traced([] { return 0; });
  T(Ptrace(PTRACE_KILL, pid));
  Record("end", WaitText(pid));
}
CASE(ptrace_sigkill_is_not_seen) {
  const pid_t pid = Traced([] {
    pause();
    return 0;
  });
  Ptrace(PTRACE_CONT, pid);
  SleepMs(20);
  Kill(pid);
}
CASE(ptrace_fault) {
  const pid_t pid = Traced([] {
    *static_cast<volatile int*>(BadPointer()) = 1;
    return 0;
  });
  Ptrace(PTRACE_CONT, pid);
  Record("stop", WaitText(pid));
  siginfo_t info = {};
  Ptrace(PTRACE_GETSIGINFO, pid, 0, At(&info));
  Record("code", info.si_code);
  Ptrace(PTRACE_CONT, pid, 0, SIGSEGV);
  Record("end", WaitText(pid));
}
CASE(ptrace_handler_runs_once) {
  const pid_t pid = Traced([] {
    signal(SIGUSR1, Count);
    raise(SIGUSR1);
    return static_cast<int>(g_signals);
  });
  Ptrace(PTRACE_CONT, pid);
  WaitStatus(pid);
  Ptrace(PTRACE_CONT, pid, 0, SIGUSR1);
  Record("end", WaitText(pid));
}
CASE(ptrace_signal_mask) {
  const pid_t pid = Traced([] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    raise(SIGUSR1);
    raise(SIGUSR2);
    return 0;
  });
  Ptrace(PTRACE_CONT, pid);
  WaitStatus(pid);
  unsigned long mask = 0;
  T(Ptrace(PTRACE_GETSIGMASK, pid, 4, At(&mask)));
  T(Ptrace(PTRACE_GETSIGMASK, pid, 8, At(&mask)));
  Record("mask", static_cast<long long>(mask));
  mask = 0;
  T(Ptrace(PTRACE_SETSIGMASK, pid, 8, At(&mask)));
  Ptrace(PTRACE_CONT, pid);
  Record("stop", WaitText(pid));
  Kill(pid);
}
CASE(ptrace_peek_signals) {
  const pid_t pid = Traced([] {
    sigset_t set;
    sigfillset(&set);
    sigdelset(&set, SIGUSR1);
    sigprocmask(SIG_SETMASK, &set, nullptr);
    raise(SIGUSR2);
    raise(SIGHUP);
    raise(SIGUSR1);
    return 0;
  });
  Ptrace(PTRACE_CONT, pid);
  WaitStatus(pid);
  siginfo_t info[4] = {};
  ptrace_peeksiginfo_args arguments = {0, 0, 4};
  T(Ptrace(PTRACE_PEEKSIGINFO, pid, At(&arguments), At(info)));
  arguments.flags = 8;
  T(Ptrace(PTRACE_PEEKSIGINFO, pid, At(&arguments), At(info)));
  arguments = {0, PTRACE_PEEKSIGINFO_SHARED, 4};
  T(Ptrace(PTRACE_PEEKSIGINFO, pid, At(&arguments), At(info)));
  Kill(pid);
}

// --- Attach, detach
CASE(ptrace_attach_stops) {
  Runner runner = Running([] { return 3; });
  T(Ptrace(PTRACE_ATTACH, runner.pid));
  Record("stop", WaitText(runner.pid));
  T(Ptrace(PTRACE_DETACH, runner.pid));
  Tell(runner);
  Record("end", WaitText(runner.pid));
}
CASE(ptrace_detach_with_signal) {
  Runner runner = Running();
  Ptrace(PTRACE_ATTACH, runner.pid);
  WaitStatus(runner.pid);
  T(Ptrace(PTRACE_DETACH, runner.pid, 0, SIGTERM));
  Record("end", WaitText(runner.pid));
}
CASE(ptrace_attach_again) {
  Runner runner = Running([] { return 0; });
  for (int i = 0; i < 3; ++i) {
    Ptrace(PTRACE_ATTACH, runner.pid);
    Record("stop", WaitText(runner.pid));
    Ptrace(PTRACE_DETACH, runner.pid);
  }
  Tell(runner);
  Record("end", WaitText(runner.pid));
}
CASE(ptrace_interrupted_read_goes_on) {
  Runner runner = Running([] { return 6; });
  Ptrace(PTRACE_ATTACH, runner.pid);
  WaitStatus(runner.pid);
  const user_regs_struct registers = Registers(runner.pid);
  Record("call", static_cast<long long>(registers.orig_rax));
  Record("rax", static_cast<long long>(registers.rax));
  Ptrace(PTRACE_CONT, runner.pid);
  Tell(runner);
  Record("end", WaitText(runner.pid));
}
CASE(ptrace_not_a_child) {
  Runner runner = Running([] { return 0; });
  Record("child", InChild([&] {
           if (Ptrace(PTRACE_ATTACH, runner.pid) != 0) return 1;
           const std::string stop = WaitText(runner.pid);
           Ptrace(PTRACE_DETACH, runner.pid);
           return stop == "stopped 19" ? 5 : 2;
         }));
  Tell(runner);
  Record("end", WaitText(runner.pid));
}
CASE(ptrace_tracer_dies) {
  Runner runner = Running([] { return 4; });
  Record("child", InChild([&] {
           Ptrace(PTRACE_ATTACH, runner.pid);
           WaitText(runner.pid);
           return 0;
         }));
  SleepMs(20);
  kill(runner.pid, SIGCONT);
  Tell(runner);
  Record("end", WaitText(runner.pid));
}
CASE(ptrace_tracer_dies_with_exitkill) {
  Runner runner = Running([] { return 4; });
  Record("child", InChild([&] {
           Ptrace(PTRACE_SEIZE, runner.pid, 0, PTRACE_O_EXITKILL);
           return 0;
         }));
  Record("end", WaitText(runner.pid));
}
CASE(ptrace_tracer_waits_first) {
  Runner runner = Running([] { return 4; });
  int pipes[2];
  MUST(pipe(pipes));
  const pid_t tracer = fork();
  if (tracer == 0) {
    Ptrace(PTRACE_SEIZE, runner.pid);
    (void)!write(pipes[1], "x", 1);
    SleepMs(100);
    _exit(WaitText(runner.pid) == "exit 4" ? 8 : 9);
  }
  char byte;
  (void)!read(pipes[0], &byte, 1);
  Tell(runner);
  SleepMs(30);
  Record("early", WaitText(runner.pid, WNOHANG));
  Record("tracer", WaitText(tracer));
  Record("late", WaitText(runner.pid));
}
CASE(ptrace_tracer_pid) {
  const pid_t pid = Traced([] { return 0; });
  const std::string path = "/proc/" + std::to_string(pid) + "/status";
  std::string text = Content(path.c_str());
  const std::string line = "TracerPid:\t" + std::to_string(getpid()) + "\n";
  Record("tracer", text.find(line) != std::string::npos);
  Record("state", text.find("State:\tt (tracing stop)") != std::string::npos);
  Ptrace(PTRACE_DETACH, pid);
  SleepMs(20);
  text = Content(path.c_str());
  Record("none", text.find("TracerPid:\t0\n") != std::string::npos);
  Record("end", WaitText(pid));
}

// --- Seize
CASE(ptrace_seize_does_not_stop) {
  Runner runner = Running([] { return 2; });
  T(Ptrace(PTRACE_SEIZE, runner.pid));
  SleepMs(20);
  Record("none", WaitText(runner.pid, __WALL | WNOHANG));
  Tell(runner);
  Record("end", WaitText(runner.pid));
}
CASE(ptrace_interrupt) {
  Runner runner = Running([] { return 2; });
  Ptrace(PTRACE_SEIZE, runner.pid);
  T(Ptrace(PTRACE_INTERRUPT, runner.pid));
  Record("stop", WaitText(runner.pid));
  siginfo_t info = {};
  T(Ptrace(PTRACE_GETSIGINFO, runner.pid, 0, At(&info)));
  Record("signal", info.si_signo);
  Record("code", info.si_code);
  T(Ptrace(PTRACE_CONT, runner.pid));
  Tell(runner);
  Record("end", WaitText(runner.pid));
}
CASE(ptrace_seized_group_stop) {
  Runner runner = Running([] { return 2; });
  Ptrace(PTRACE_SEIZE, runner.pid);
  kill(runner.pid, SIGSTOP);
  Record("signal", WaitText(runner.pid));
  T(Ptrace(PTRACE_CONT, runner.pid, 0, SIGSTOP));
  Record("group", WaitText(runner.pid));
  T(Ptrace(PTRACE_LISTEN, runner.pid));
  SleepMs(20);
  Record("none", WaitText(runner.pid, __WALL | WNOHANG));
  kill(runner.pid, SIGCONT);
  Record("trap", WaitText(runner.pid));
  T(Ptrace(PTRACE_CONT, runner.pid));
  Record("cont", WaitText(runner.pid));
  T(Ptrace(PTRACE_CONT, runner.pid, 0, SIGCONT));
  Tell(runner);
  Record("end", WaitText(runner.pid));
}
CASE(ptrace_attached_group_stop) {
  Runner runner = Running([] { return 2; });
  Ptrace(PTRACE_ATTACH, runner.pid);
  WaitStatus(runner.pid);
  T(Ptrace(PTRACE_CONT, runner.pid, 0, SIGSTOP));
  Record("group", WaitText(runner.pid));
  siginfo_t info = {};
  T(Ptrace(PTRACE_GETSIGINFO, runner.pid, 0, At(&info)));
  T(Ptrace(PTRACE_LISTEN, runner.pid));
  T(Ptrace(PTRACE_CONT, runner.pid));
  Tell(runner);
  Record("end", WaitText(runner.pid));
}

// --- Registers
CASE(ptrace_registers) {
  const pid_t pid = Traced([] { return 0; });
  const user_regs_struct registers = Registers(pid);
  Record("cs", static_cast<long long>(registers.cs));
  Record("ss", static_cast<long long>(registers.ss));
  Record("orig", static_cast<long long>(registers.orig_rax));
  Record("fs", registers.fs_base != 0);
  unsigned long value = 0;
  T(Ptrace(PTRACE_PEEKUSR, pid, offsetof(user_regs_struct, rip), At(&value)));
  Record("same", value == registers.rip);
  T(Ptrace(PTRACE_PEEKUSR, pid, offsetof(struct user, u_debugreg), At(&value)));
  Record("debug", static_cast<long long>(value));
  Kill(pid);
}
CASE(ptrace_sets_registers) {
  const pid_t pid = Traced([] { return static_cast<int>(syscall(SYS_getppid) == 4711); });
  Ptrace(PTRACE_SYSCALL, pid);
  while (true) {
    WaitStatus(pid);
    user_regs_struct registers = Registers(pid);
    if (registers.orig_rax == SYS_getppid && static_cast<long>(registers.rax) != -ENOSYS) {
      registers.rax = 4711;
      T(Ptrace(PTRACE_SETREGS, pid, 0, At(&registers)));
      break;
    }
    Ptrace(PTRACE_SYSCALL, pid);
  }
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}
CASE(ptrace_bad_registers) {
  const pid_t pid = Traced([] { return 0; });
  user_regs_struct registers = Registers(pid);
  registers.cs = 0;
  T(Ptrace(PTRACE_SETREGS, pid, 0, At(&registers)));
  registers = Registers(pid);
  registers.fs_base = ~0ul;
  T(Ptrace(PTRACE_SETREGS, pid, 0, At(&registers)));
  T(Ptrace(PTRACE_POKEUSR, pid, offsetof(user_regs_struct, ss), 3));
  T(Ptrace(PTRACE_POKEUSR, pid, offsetof(user_regs_struct, rbx), 3));
  Kill(pid);
}
CASE(ptrace_register_sets) {
  const pid_t pid = Traced([] { return 0; });
  user_regs_struct registers = {};
  iovec vector = {&registers, sizeof(registers) + 64};
  T(Ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, At(&vector)));
  Record("size", static_cast<long long>(vector.iov_len));
  vector.iov_len = 16;
  T(Ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, At(&vector)));
  Record("size", static_cast<long long>(vector.iov_len));
  vector.iov_len = 5;
  T(Ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, At(&vector)));
  T(Ptrace(PTRACE_GETREGSET, pid, 0x999, At(&vector)));
  T(Ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, At(BadPointer())));
  vector.iov_len = sizeof(registers);
  T(Ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, At(&vector)));
  registers.rbx = 77;
  T(Ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, At(&vector)));
  Record("rbx", static_cast<long long>(Registers(pid).rbx));
  Kill(pid);
}
CASE(ptrace_floating_point) {
  const pid_t pid = Traced([] { return 0; });
  user_fpregs_struct fp = {};
  T(Ptrace(PTRACE_GETFPREGS, pid, 0, At(&fp)));
  Record("cwd", fp.cwd);
  Record("mxcsr", fp.mxcsr);
  fp.xmm_space[0] = 0x12345678;
  T(Ptrace(PTRACE_SETFPREGS, pid, 0, At(&fp)));
  user_fpregs_struct again = {};
  iovec vector = {&again, sizeof(again)};
  T(Ptrace(PTRACE_GETREGSET, pid, NT_FPREGSET, At(&vector)));
  Record("xmm", again.xmm_space[0]);
  fp.mxcsr = 0xffffffff;
  T(Ptrace(PTRACE_SETFPREGS, pid, 0, At(&fp)));
  std::vector<char> state(16384);
  vector = {state.data(), state.size()};
  T(Ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, At(&vector)));
  Record("large", vector.iov_len > 512);
  memcpy(&fp, state.data(), sizeof(fp));
  Record("xmm", fp.xmm_space[0]);
  Kill(pid);
}
CASE(ptrace_xstate_reaches_the_program) {
  const pid_t pid = Traced([] {
    unsigned value = 1;
    asm volatile("movd %1, %%xmm5\n\tmov %2, %%eax\n\tsyscall\n\tmovd %%xmm5, %0"
                 : "=r"(value)
                 : "r"(2), "i"(SYS_getppid)
                 : "rax", "rcx", "r11", "xmm5");
    return static_cast<int>(value);
  });
  Ptrace(PTRACE_SYSCALL, pid);
  WaitStatus(pid);
  while (Registers(pid).orig_rax != SYS_getppid) {
    Ptrace(PTRACE_SYSCALL, pid);
    WaitStatus(pid);
  }
  user_fpregs_struct fp = {};
  Ptrace(PTRACE_GETFPREGS, pid, 0, At(&fp));
  Record("xmm5", fp.xmm_space[20]);
  fp.xmm_space[20] = 33;
  T(Ptrace(PTRACE_SETFPREGS, pid, 0, At(&fp)));
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}

// --- Memory
CASE(ptrace_peek_and_poke) {
  const pid_t pid = Traced([] { return g_word == 0x55; });
  long value = 0;
  T(Ptrace(PTRACE_PEEKDATA, pid, At(&g_word), At(&value)));
  Record("value", value);
  T(Ptrace(PTRACE_POKEDATA, pid, At(&g_word), 0x55));
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}
__attribute__((noinline)) static int Answer() {
  asm volatile("nop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop");
  return 42;
}
CASE(ptrace_pokes_read_only_text) {
  const pid_t pid = Traced([] { return Answer(); });
  // ret with 11 in eax.
  T(Ptrace(PTRACE_POKETEXT, pid, At(&Answer), 0x9090c30000000bb8));
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
  Record("own", Answer());
}
CASE(ptrace_breakpoint) {
  const pid_t pid = Traced([] { return Answer(); });
  long text = 0;
  Ptrace(PTRACE_PEEKTEXT, pid, At(&Answer), At(&text));
  T(Ptrace(PTRACE_POKETEXT, pid, At(&Answer), (static_cast<unsigned long>(text) & ~0xfful) | 0xcc));
  Ptrace(PTRACE_CONT, pid);
  Record("stop", WaitText(pid));
  siginfo_t info = {};
  Ptrace(PTRACE_GETSIGINFO, pid, 0, At(&info));
  Record("code", info.si_code);
  user_regs_struct registers = Registers(pid);
  Record("rip", registers.rip == At(&Answer) + 1);
  Record("orig", static_cast<long long>(registers.orig_rax));
  registers.rip -= 1;
  Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
  T(Ptrace(PTRACE_POKETEXT, pid, At(&Answer), static_cast<unsigned long>(text)));
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}

// --- System calls
CASE(ptrace_syscall_stops) {
  const pid_t pid = Traced([] {
    syscall(SYS_getppid);
    return 0;
  });
  T(Ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
  for (int i = 0; i < 2; ++i) {
    Ptrace(PTRACE_SYSCALL, pid);
    Record("stop", WaitText(pid));
    const user_regs_struct registers = Registers(pid);
    Record("call", static_cast<long long>(registers.orig_rax));
    Record("enosys", static_cast<long>(registers.rax) == -ENOSYS);
  }
  Ptrace(PTRACE_SYSCALL, pid);
  Record("stop", WaitText(pid));
  Record("call", static_cast<long long>(Registers(pid).orig_rax));
  Ptrace(PTRACE_SYSCALL, pid);
  Record("end", WaitText(pid));
}
CASE(ptrace_syscall_stop_without_sysgood) {
  const pid_t pid = Traced([] { return 0; });
  Ptrace(PTRACE_SYSCALL, pid);
  Record("stop", WaitText(pid));
  siginfo_t info = {};
  Ptrace(PTRACE_GETSIGINFO, pid, 0, At(&info));
  Record("code", info.si_code);
  Kill(pid);
}
CASE(ptrace_sees_native_calls) {
  const pid_t pid = Traced([] {
    void* page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    munmap(page, 4096);
    sched_yield();
    return 0;
  });
  std::string calls;
  bool entry = true;
  while (true) {
    Ptrace(PTRACE_SYSCALL, pid);
    const int status = WaitStatus(pid);
    if (!WIFSTOPPED(status)) break;
    if (entry) calls += std::to_string(Registers(pid).orig_rax) + ",";
    entry = !entry;
  }
  Record("calls", calls);
}
CASE(ptrace_changes_a_call) {
  const pid_t pid = Traced([] { return mkdir("one", 0755) == 0 && access("one", F_OK) != 0; });
  while (true) {
    Ptrace(PTRACE_SYSCALL, pid);
    WaitStatus(pid);
    user_regs_struct registers = Registers(pid);
    if (registers.orig_rax != SYS_mkdir) continue;
    registers.orig_rax = SYS_getppid;
    Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
    Ptrace(PTRACE_SYSCALL, pid);
    WaitStatus(pid);
    registers = Registers(pid);
    Record("orig", static_cast<long long>(registers.orig_rax));
    registers.rax = 0;
    Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
    break;
  }
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
  T(access("one", F_OK));
}
CASE(ptrace_skips_a_call) {
  const pid_t pid = Traced([] { return mkdir("one", 0755) == -1 ? errno : 0; });
  while (true) {
    Ptrace(PTRACE_SYSCALL, pid);
    WaitStatus(pid);
    user_regs_struct registers = Registers(pid);
    if (registers.orig_rax != SYS_mkdir) continue;
    registers.orig_rax = ~0ul;
    registers.rax = static_cast<unsigned long>(-EDOM);
    Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
    break;
  }
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
  T(access("one", F_OK));
}
CASE(ptrace_emulates_a_call) {
  const pid_t pid = Traced([] { return static_cast<int>(syscall(SYS_getppid)); });
  T(Ptrace(PTRACE_SYSEMU, pid));
  Record("stop", WaitText(pid));
  user_regs_struct registers = Registers(pid);
  Record("call", static_cast<long long>(registers.orig_rax));
  registers.rax = 21;
  Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}
CASE(ptrace_syscall_info) {
  struct Info {
    uint8_t op;
    uint8_t padding[3];
    uint32_t arch;
    uint64_t ip, sp;
    uint64_t words[8];
  };
  const pid_t pid = Traced([] {
    syscall(SYS_dup2, 901, 902);
    return 0;
  });
  Info info = {};
  T(Ptrace(0x420e, pid, sizeof(info), At(&info)));
  Record("op", info.op);
  Ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
  Ptrace(PTRACE_SYSCALL, pid);
  WaitStatus(pid);
  T(Ptrace(0x420e, pid, sizeof(info), At(&info)));
  Record("op", info.op);
  Record("arch", info.arch == AUDIT_ARCH_X86_64);
  Record("call", static_cast<long long>(info.words[0]));
  Record("arg", static_cast<long long>(info.words[1]));
  Record("arg", static_cast<long long>(info.words[2]));
  unsigned long message = 0;
  T(Ptrace(PTRACE_GETEVENTMSG, pid, 0, At(&message)));
  Record("message", static_cast<long long>(message));
  Ptrace(PTRACE_SYSCALL, pid);
  WaitStatus(pid);
  T(Ptrace(0x420e, pid, sizeof(info), At(&info)));
  Record("op", info.op);
  Record("value", static_cast<long long>(info.words[0]));
  Record("error", static_cast<long long>(info.words[1] & 0xff));
  T(Ptrace(0x420e, pid, 4, At(&info)));
  Kill(pid);
}
CASE(ptrace_interrupted_call) {
  const pid_t pid = Traced([] {
    struct sigaction action = {};
    action.sa_handler = Count;
    sigaction(SIGALRM, &action, nullptr);
    alarm(1);
    return pause() == -1 ? errno : 0;
  });
  long rax = 0;
  while (true) {
    Ptrace(PTRACE_SYSCALL, pid);
    const int status = WaitStatus(pid);
    if (WSTOPSIG(status) == SIGALRM) break;
    rax = static_cast<long>(Registers(pid).rax);
  }
  Record("rax", rax);
  Record("now", static_cast<long long>(Registers(pid).rax));
  Ptrace(PTRACE_CONT, pid, 0, SIGALRM);
  Record("end", WaitText(pid));
}
CASE(ptrace_restarted_call) {
  const pid_t pid = Traced([] {
    alarm(1);
    const timespec time = {1, 200'000'000};
    return syscall(SYS_nanosleep, &time, nullptr) == 0 ? 3 : errno;
  });
  std::string calls;
  while (true) {
    Ptrace(PTRACE_SYSCALL, pid);
    const int status = WaitStatus(pid);
    if (!WIFSTOPPED(status)) break;
    if (WSTOPSIG(status) == SIGALRM) {
      calls += "signal,";
      continue;
    }
    const user_regs_struct registers = Registers(pid);
    calls += std::to_string(registers.orig_rax) + "=" +
             std::to_string(static_cast<long>(registers.rax)) + ",";
  }
  Record("calls", calls.substr(calls.find("35=")));
}

// --- Single steps
CASE(ptrace_single_step) {
  const pid_t pid = Traced([] { return 3; });
  unsigned long before = Registers(pid).rip;
  int moved = 0;
  for (int i = 0; i < 20; ++i) {
    if (Ptrace(PTRACE_SINGLESTEP, pid) != 0) break;
    const int status = WaitStatus(pid);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) break;
    const user_regs_struct registers = Registers(pid);
    moved += registers.rip != before;
    before = registers.rip;
    if ((registers.eflags & 0x100) != 0) Record("trap flag", i);
  }
  Record("moved", moved);
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}
CASE(ptrace_steps_one_instruction) {
  const pid_t pid = Traced([] { return Answer(); });
  long text = 0;
  Ptrace(PTRACE_PEEKTEXT, pid, At(&Answer), At(&text));
  Ptrace(PTRACE_POKETEXT, pid, At(&Answer), (static_cast<unsigned long>(text) & ~0xfful) | 0xcc);
  Ptrace(PTRACE_CONT, pid);
  WaitStatus(pid);
  user_regs_struct registers = Registers(pid);
  registers.rip -= 1;
  Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
  // Eight times `nop`.
  Ptrace(PTRACE_POKETEXT, pid, At(&Answer), 0x9090909090909090);
  for (int i = 0; i < 3; ++i) {
    T(Ptrace(PTRACE_SINGLESTEP, pid));
    Record("stop", WaitText(pid));
    Record("offset", static_cast<long long>(Registers(pid).rip - At(&Answer)));
  }
  siginfo_t info = {};
  Ptrace(PTRACE_GETSIGINFO, pid, 0, At(&info));
  Record("code", info.si_code);
  Kill(pid);
}
CASE(ptrace_steps_over_a_call) {
  const pid_t pid = Traced([] {
    syscall(SYS_getppid);
    return 0;
  });
  Ptrace(PTRACE_SYSCALL, pid);
  WaitStatus(pid);
  const unsigned long entry = Registers(pid).rip;
  T(Ptrace(PTRACE_SINGLESTEP, pid));
  Record("stop", WaitText(pid));
  Record("same", Registers(pid).rip == entry);
  Kill(pid);
}
CASE(ptrace_steps_into_a_handler) {
  const pid_t pid = Traced([] {
    signal(SIGUSR1, Count);
    raise(SIGUSR1);
    return static_cast<int>(g_signals);
  });
  Ptrace(PTRACE_CONT, pid);
  WaitStatus(pid);
  T(Ptrace(PTRACE_SINGLESTEP, pid, 0, SIGUSR1));
  Record("stop", WaitText(pid));
  Record("handler", Registers(pid).rip == At(&Count));
  Record("signal", static_cast<long long>(Registers(pid).rdi));
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}

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

// --- Others' memory
CASE(process_vm_reads_and_writes) {
  const pid_t pid = fork();
  if (pid == 0) {
    g_word = 99;
    pause();
    _exit(0);
  }
  SleepMs(20);
  long value = 0;
  iovec local = {&value, sizeof(value)};
  iovec remote = {const_cast<long*>(&g_word), sizeof(g_word)};
  T(process_vm_readv(pid, &local, 1, &remote, 1, 0));
  Record("value", value);
  value = 100;
  T(process_vm_writev(pid, &local, 1, &remote, 1, 0));
  value = 0;
  T(process_vm_readv(pid, &local, 1, &remote, 1, 0));
  Record("value", value);
  Record("own", g_word == 0x1122334455667788);
  Kill(pid);
}
CASE(process_vm_vectors) {
  char a[3] = {}, b[5] = {};
  const char source[] = "abcdefgh";
  iovec local[] = {{a, 3}, {nullptr, 0}, {b, 5}};
  iovec remote[] = {{const_cast<char*>(source), 2}, {const_cast<char*>(source) + 2, 6}};
  T(process_vm_readv(getpid(), local, 3, remote, 2, 0));
  Record("text", std::string(a, 3) + "|" + std::string(b, 5));
  T(process_vm_readv(getpid(), local, 1, remote, 2, 0));
  T(process_vm_readv(getpid(), local, 0, remote, 2, 0));
  T(process_vm_readv(getpid(), local, 3, remote, 0, 0));
}
CASE(process_vm_errors) {
  char buffer[16];
  iovec local = {buffer, sizeof(buffer)};
  iovec remote = {buffer, sizeof(buffer)};
  iovec bad = {BadPointer(), 16};
  T(process_vm_readv(getpid(), &local, 1, &remote, 1, 1));
  T(process_vm_readv(0x3fffff, &local, 1, &remote, 1, 0));
  T(process_vm_readv(getpid(), &local, 1, &bad, 1, 0));
  T(process_vm_readv(getpid(), &bad, 1, &remote, 1, 0));
  T(process_vm_readv(getpid(), &local, 2000, &remote, 1, 0));
  T(process_vm_readv(getpid(), static_cast<iovec*>(BadPointer()), 1, &remote, 1, 0));
  iovec negative = {buffer, static_cast<size_t>(-1)};
  T(process_vm_readv(getpid(), &negative, 1, &remote, 1, 0));
}
CASE(process_vm_stops_at_a_hole) {
  auto* pages = static_cast<char*>(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  munmap(pages + 4096, 4096);
  char buffer[64];
  iovec local = {buffer, sizeof(buffer)};
  iovec remote = {pages + 4096 - 10, 20};
  T(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}
CASE(process_vm_of_another_user) {
  Runner runner = Running();
  Record("child", InChild([&] {
           BecomeUser(1000, 1000);
           char buffer[8];
           iovec local = {buffer, 8}, remote = {const_cast<long*>(&g_word), 8};
           return process_vm_readv(runner.pid, &local, 1, &remote, 1, 0) == -1 ? errno : 0;
         }));
  Kill(runner.pid);
}
