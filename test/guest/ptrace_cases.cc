// ptrace(2): errors, attaching and detaching.
#include <linux/ptrace.h>
#include <sys/prctl.h>
#include <sys/user.h>

#include "test/guest/ptracing.h"

using namespace guest;

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
