// Process groups and sessions: setpgid(2), getpgid(2), setsid(2), getsid(2).
#include <thread>

#include "test/guest/cases.h"

using namespace guest;

namespace {

void End(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

}  // namespace

CASE(setpgid_argument_errors) {
  T(setpgid(0, -1));
  T(setpgid(-1, 0));
  T(setpgid(99999, 0));
  T(setpgid(getppid(), 0));
  T(setpgid(0, 99999));
}
CASE(setpgid_zero_forms) {
  T(setpgid(0, 0));
  Record("leads", getpgrp() == getpid());
  T(setpgid(0, 0));
  T(setpgid(getpid(), getpid()));
}
CASE(setpgid_of_child) {
  const pid_t child = Sleeper();
  T(setpgid(child, child));
  Record("moved", getpgid(child) == child);
  T(setpgid(child, getpgrp()));
  Record("back", getpgid(child) == getpgrp());
  End(child);
}
CASE(setpgid_joins_siblings_group) {
  const pid_t one = Sleeper(), two = Sleeper();
  T(setpgid(one, 0));
  T(setpgid(two, one));
  Record("joined", getpgid(two) == one);
  End(one);
  Record("group_outlives_leader", getpgid(two) == one);
  T(setpgid(0, one));
  End(two);
  T(setpgid(0, one));
}
CASE(setpgid_of_session_leader) {
  Record("child", InChild([] {
           setsid();
           return setpgid(0, 0) < 0 ? errno : 0;
         }));
}
CASE(setpgid_of_child_in_other_session) {
  int p[2];
  MUST(pipe(p));
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    (void)!write(p[1], "x", 1);
    for (;;) pause();
  }
  char c;
  MUST(read(p[0], &c, 1));
  T(setpgid(child, child));
  T(setpgid(0, child));
  End(child);
}
CASE(setpgid_of_grandchild) {
  int p[2];
  MUST(pipe(p));
  const pid_t child = fork();
  if (child == 0) {
    const pid_t grandchild = Sleeper();
    (void)!write(p[1], &grandchild, sizeof grandchild);
    for (;;) pause();
  }
  pid_t grandchild;
  MUST(read(p[0], &grandchild, sizeof grandchild));
  T(setpgid(grandchild, grandchild));
  kill(grandchild, SIGKILL);
  End(child);
}
CASE(setpgid_of_thread_id) {
  pid_t tid = 0;
  std::thread([&] {
    tid = gettid();
    T(setpgid(tid, 0));
  }).join();
}
CASE(setpgid_by_thread_moves_process) {
  std::thread([] { T(setpgid(0, 0)); }).join();
  Record("leads", getpgrp() == getpid());
}
CASE(setpgid_of_zombie) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  T(setpgid(child, child));
}
CASE(getpgid_and_getsid_errors) {
  T(getpgid(-1));
  T(getpgid(99999));
  T(getsid(-1));
  T(getsid(99999));
  Record("own", getpgid(0) == getpgrp());
  Record("session", getsid(0) == getsid(getpid()));
}
CASE(setsid_of_group_leader) {
  setpgid(0, 0);
  T(setsid());
}
CASE(setsid_makes_all_three) {
  Record("child", InChild([] {
           const pid_t session = setsid();
           return session == getpid() && getsid(0) == session && getpgrp() == session ? 1 : 0;
         }));
}
CASE(setsid_while_group_has_members) {
  Record("child", InChild([] {
           setpgid(0, 0);
           const pid_t other = Sleeper();
           setpgid(0, getpgid(getppid()));
           const int result = setsid() < 0 ? errno : 0;
           End(other);
           return result;
         }));
}
CASE(setsid_twice) {
  Record("child", InChild([] {
           setsid();
           return setsid() < 0 ? errno : 0;
         }));
}
CASE(session_and_group_inherited_and_kept_by_exec) {
  Record("child", InChild([] {
           setsid();
           char text[128];
           snprintf(text, sizeof text, "test \"$(cut -d' ' -f5,6 /proc/$$/stat)\" = '%d %d'",
                    getpid(), getpid());
           execl("/bin/sh", "sh", "-c", text, nullptr);
           return 9;
         }));
}
CASE(kill_group_forms) {
  const pid_t one = Sleeper(), two = Sleeper();
  setpgid(one, one);
  setpgid(two, one);
  T(kill(-one, 0));
  T(kill(-one, SIGTERM));
  int status;
  waitpid(one, &status, 0);
  Record("one", StatusText(status));
  waitpid(two, &status, 0);
  Record("two", StatusText(status));
  T(kill(-one, 0));
}
CASE(background_read_of_terminalless_session) {
  Record("child", InChild([] {
           setsid();
           const int fd = open("/dev/tty", O_RDWR);
           return fd < 0 ? errno : 0;
         }));
}
