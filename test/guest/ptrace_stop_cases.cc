// ptrace(2): stops by signals.
#include <linux/ptrace.h>

#include "test/guest/ptracing.h"

using namespace guest;

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
CASE(ptrace_detach_leaves_group_stop) {
  for (const bool seize : {true, false}) {
    const pid_t pid = Sleeper();
    kill(pid, SIGSTOP);
    waitpid(pid, nullptr, WUNTRACED);
    T(Ptrace(seize ? PTRACE_SEIZE : PTRACE_ATTACH, pid));
    Record("stop", WaitText(pid));
    T(Ptrace(PTRACE_DETACH, pid, 0, seize ? SIGSTOP : 0));
    SleepMs(50);
    Record("state", StatusField("State", std::to_string(pid)));
    kill(pid, SIGCONT);
    SleepMs(50);
    Record("state", StatusField("State", std::to_string(pid)));
    kill(pid, SIGKILL);
    Record("end", WaitText(pid, WUNTRACED));
  }
}
