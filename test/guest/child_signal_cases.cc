// SIGCHLD and other signals at the end of children.
#include <sys/times.h>

#include <limits>

#include "test/guest/children.h"

using namespace guest;

CASE(sigchld_ignored_wait_blocks_until_all_ended) {
  signal(SIGCHLD, SIG_IGN);
  Child(1, 40);
  Child(2, 80);
  const long long start = NowMs();
  T(wait(nullptr));
  Record("waited", NowMs() - start >= 60);
}
CASE(sigchld_nocldwait_reaps_and_signals) {
  OnChild(SA_NOCLDWAIT);
  const pid_t child = Child(1);
  while (g_signals == 0) SleepMs(1);
  T(waitpid(child, nullptr, 0));
  Record("signals", g_signals);
  Record("code", g_info.si_code);
}
CASE(sigchld_nocldstop) {
  OnChild(SA_NOCLDSTOP);
  const pid_t child = Sleeper();
  kill(child, SIGSTOP);
  Record("stop", WaitText(child, WUNTRACED));
  kill(child, SIGCONT);
  Record("continue", WaitText(child, WCONTINUED));
  Record("signals", g_signals);
  End(child);
}
CASE(sigchld_of_stop_has_details) {
  OnChild(0);
  const pid_t child = Sleeper();
  kill(child, SIGSTOP);
  while (waitpid(child, nullptr, WUNTRACED) < 0 && errno == EINTR) {
  }
  while (g_signals == 0) SleepMs(1);
  Record("info", Info(g_info, child));
  Record("uid", g_info.si_uid);
  End(child);
}
CASE(sigchld_set_ignored_while_zombie_waits) {
  const pid_t child = Child(14);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  signal(SIGCHLD, SIG_IGN);
  Record("wait", WaitText(child));
}
CASE(exit_signal_other_than_sigchld_not_autoreaped) {
  signal(SIGCHLD, SIG_IGN);
  signal(SIGUSR1, SIG_IGN);
  const long child = syscall(SYS_clone, SIGUSR1, 0, 0, 0, 0);
  if (child == 0) _exit(15);
  SleepMs(50);
  Record("wait", WaitText(static_cast<pid_t>(child), static_cast<int>(__WALL)));
}
