// Orphans: reapers, parent death signals, orphaned groups.
#include <sys/prctl.h>
#include <sys/times.h>

#include <atomic>
#include <limits>
#include <thread>

#include "test/guest/children.h"

using namespace guest;

CASE(orphan_goes_to_init) {
  int p[2];
  MUST(pipe(p));
  Record("middle", InChild([&] {
           const pid_t self = getpid();
           if (fork() == 0) {
             while (getppid() == self) SleepMs(1);
             const char c = getppid() == 1 ? 'i' : 'o';
             (void)!write(p[1], &c, 1);
             _exit(0);
           }
           return 0;
         }));
  char c = 0;
  T(read(p[0], &c, 1));
  Record("parent", std::string(1, c));
}
CASE(orphan_zombie_is_gone_after_parent) {
  int p[2];
  MUST(pipe(p));
  Record("middle", InChild([&] {
           const pid_t grandchild = Child(1);
           siginfo_t info;
           waitid(P_PID, static_cast<id_t>(grandchild), &info, WEXITED | WNOWAIT);
           (void)!write(p[1], &grandchild, sizeof grandchild);
           return 0;
         }));
  pid_t grandchild;
  T(read(p[0], &grandchild, sizeof grandchild));
}
CASE(subreaper_gets_orphan_and_waits) {
  T(prctl(PR_SET_CHILD_SUBREAPER, 1));
  int value = 0;
  T(prctl(PR_GET_CHILD_SUBREAPER, &value));
  Record("value", value);
  Record("middle", InChild([] {
           if (fork() == 0) {
             SleepMs(60);
             _exit(16);
           }
           return 0;
         }));
  Record("adopted", WaitText(-1));
}
CASE(subreaper_is_not_inherited) {
  prctl(PR_SET_CHILD_SUBREAPER, 5);
  int value = -1;
  prctl(PR_GET_CHILD_SUBREAPER, &value);
  Record("own", value);
  Record("child", InChild([] {
           int inherited = -1;
           prctl(PR_GET_CHILD_SUBREAPER, &inherited);
           return inherited;
         }));
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  prctl(PR_GET_CHILD_SUBREAPER, &value);
  Record("off", value);
}
CASE(subreaper_nearest_wins) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  Record("inner", InChild([] {
           prctl(PR_SET_CHILD_SUBREAPER, 1);
           const pid_t middle = fork();
           if (middle == 0) {
             if (fork() == 0) {
               SleepMs(50);
               _exit(17);
             }
             _exit(0);
           }
           waitpid(middle, nullptr, 0);
           int status = 0;
           return waitpid(-1, &status, 0) > 0 ? WEXITSTATUS(status) : 1;
         }));
  T(waitpid(-1, nullptr, WNOHANG));
}
CASE(pdeathsig_by_end_of_thread) {
  Record("child", InChild([] {
           int p[2];
           MUST(pipe(p));
           pid_t child = 0;
           std::atomic<bool> go{false};
           std::thread parent([&] {
             child = fork();
             if (child == 0) {
               prctl(PR_SET_PDEATHSIG, SIGTERM);
               (void)!write(p[1], "x", 1);
               pause();
               _exit(1);
             }
             while (!go) SleepMs(1);
           });
           char c;
           (void)!read(p[0], &c, 1);
           go = true;
           parent.join();
           int status = 0;
           waitpid(child, &status, 0);
           return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
         }));
}
CASE(pdeathsig_cleared_by_fork) {
  T(prctl(PR_SET_PDEATHSIG, SIGUSR1));
  Record("child", InChild([] {
           int value = -1;
           prctl(PR_GET_PDEATHSIG, &value);
           return value;
         }));
}
CASE(pdeathsig_survives_exec) {
  int p[2];
  MUST(pipe(p));
  Record("middle", InChild([&] {
           if (fork() == 0) {
             prctl(PR_SET_PDEATHSIG, SIGKILL);
             close(p[0]);
             execl("/bin/sleep", "sleep", "20", nullptr);
             _exit(1);
           }
           SleepMs(100);
           return 0;
         }));
  close(p[1]);
  char c;
  T(read(p[0], &c, 1));
}
CASE(pdeathsig_cleared_by_setuid) {
  T(prctl(PR_SET_PDEATHSIG, SIGUSR1));
  MUST(setresuid(1000, 1000, 1000));
  int value = -1;
  prctl(PR_GET_PDEATHSIG, &value);
  Record("value", value);
}
CASE(pdeathsig_kept_by_same_ids) {
  T(prctl(PR_SET_PDEATHSIG, SIGUSR1));
  MUST(setresuid(0, 0, 0));
  int value = -1;
  prctl(PR_GET_PDEATHSIG, &value);
  Record("value", value);
  T(prctl(PR_SET_PDEATHSIG, 65));
  T(prctl(PR_SET_PDEATHSIG, -1));
  T(prctl(PR_GET_PDEATHSIG, BadPointer()));
}
CASE(orphaned_group_gets_hup_and_cont) {
  int p[2];
  MUST(pipe(p));
  Record("middle", InChild([&] {
           // Init is to be in another session, or it would keep the group from
           // being orphaned.
           setsid();
           const pid_t child = fork();
           if (child == 0) {
             setpgid(0, 0);
             static int fd;
             fd = p[1];
             signal(SIGHUP, [](int) {
               (void)!write(fd, "h", 1);
               _exit(0);
             });
             raise(SIGSTOP);
             _exit(1);
           }
           waitpid(child, nullptr, WUNTRACED);
           return 0;
         }));
  char c = 0;
  T(read(p[0], &c, 1));
  Record("got", std::string(1, c));
}
CASE(orphaned_group_ignores_tstp) {
  Record("middle", InChild([] {
           setsid();
           raise(SIGTSTP);
           return 20;
         }));
}
