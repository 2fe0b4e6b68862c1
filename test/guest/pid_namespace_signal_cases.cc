// Pid namespaces: waiting and signals across them.
#include <linux/sched.h>
#include <sched.h>

#include "test/guest/pid_namespaces.h"

using namespace guest;

CASE(kill_cannot_leave) {
  const pid_t outer = getpid();
  Record("inside", AsInit([outer] {
           std::string text = ErrorOf(kill(outer, 0));
           errno = 0;
           text += "," + ErrorOf(kill(-1, 0));
           return text;
         }));
}
CASE(kill_all_spares_outside) {
  Record("inside", AsInit([] {
           const pid_t child = fork();
           if (child == 0) {
             while (true) pause();
           }
           std::string text = ErrorOf(kill(-1, SIGKILL));
           return text + " " + WaitFor(child);
         }));
}
CASE(process_groups_inside) {
  Record("inside", AsInit([] {
           std::string text;
           text += ErrorOf(setsid());
           const pid_t child = fork();
           if (child == 0) {
             while (true) pause();
           }
           text += "," + ErrorOf(setpgid(child, child)) + "," + ErrorOf(getpgid(child)) + "," +
                   ErrorOf(getsid(child));
           text += "," + ErrorOf(kill(-child, SIGKILL));
           return text + " " + WaitFor(child);
         }));
}
CASE(group_from_outside_is_zero) {
  Record("inside", AsInit([] { return ErrorOf(getpgid(0)) + "," + ErrorOf(getsid(0)); }));
}
CASE(wait_by_inner_number) {
  Record("inside", AsInit([] {
           const pid_t child = fork();
           if (child == 0) _exit(3);
           siginfo_t info = {};
           std::string text = ErrorOf(waitid(P_PID, child, &info, WEXITED));
           return text + "," + Number(info.si_pid) + "," + Number(info.si_status) + "," +
                  ErrorOf(waitpid(child, nullptr, 0));
         }));
}
CASE(child_signal_has_inner_number) {
  Record("inside", AsInit([] {
           sigset_t set;
           sigemptyset(&set);
           sigaddset(&set, SIGCHLD);
           sigprocmask(SIG_BLOCK, &set, nullptr);
           const pid_t child = fork();
           if (child == 0) _exit(0);
           siginfo_t info = {};
           sigwaitinfo(&set, &info);
           return Number(info.si_pid) + "," + Number(child);
         }));
}
CASE(child_signal_of_init_has_outer_number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  const long pid = Clone(CLONE_NEWPID);
  if (pid == 0) _exit(0);
  siginfo_t info = {};
  sigwaitinfo(&set, &info);
  Record("same", info.si_pid == pid);
}
CASE(signal_from_outside_has_no_sender) {
  int ready[2], out[2];
  MUST(pipe(ready));
  MUST(pipe(out));
  const long pid = Clone(CLONE_NEWPID);
  if (pid == 0) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    (void)!write(ready[1], "x", 1);
    siginfo_t info = {};
    sigwaitinfo(&set, &info);
    const std::string text = Number(info.si_pid) + "," + Number(info.si_code);
    (void)!write(out[1], text.data(), text.size());
    _exit(0);
  }
  char byte;
  (void)!read(ready[0], &byte, 1);
  T(kill(static_cast<pid_t>(pid), SIGUSR1));
  close(out[1]);
  Record("info", Drain(out[0]));
  Record("end", WaitFor(pid));
}
CASE(signal_inside_has_inner_sender) {
  Record("inside", AsInit([] {
           sigset_t set;
           sigemptyset(&set);
           sigaddset(&set, SIGUSR1);
           sigprocmask(SIG_BLOCK, &set, nullptr);
           InChild([] { return kill(1, SIGUSR1); });
           siginfo_t info = {};
           sigwaitinfo(&set, &info);
           return Number(info.si_pid);
         }));
}
