// Signal-driven I/O: O_ASYNC, F_SETOWN, F_SETSIG.
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "test/guest/cases.h"

using namespace guest;

namespace {

sigset_t Blocked(int signo) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signo);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return set;
}

// The signals of `set` that are pending now, as "code/band/fd-is-`fd`".
std::string Pending(const sigset_t& set, int fd = -1) {
  const timespec none = {0, 0};
  std::string text;
  siginfo_t info;
  int signo;
  while ((signo = sigtimedwait(&set, &info, &none)) > 0) {
    text += (text.empty() ? "" : " ") + std::to_string(signo) + ":";
    if (info.si_code == SI_KERNEL) {
      text += "kernel";
    } else {
      text += std::to_string(info.si_code) + "/" + std::to_string(info.si_band) + "/" +
              (info.si_fd == fd ? "fd" : "?");
    }
  }
  return "[" + text + "]";
}

void Enable(int fd) {
  MUST(fcntl(fd, F_SETOWN, getpid()));
  MUST(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
}

}  // namespace

CASE(owner_forms) {
  int p[2];
  MUST(pipe(p));
  T(fcntl(p[0], F_GETOWN));
  T(fcntl(p[0], F_SETOWN, 99999));
  T(fcntl(p[0], F_SETOWN, -99999));
  T(fcntl(p[0], F_SETOWN, getpid()));
  Record("own", fcntl(p[0], F_GETOWN) == getpid());
  T(fcntl(p[0], F_SETOWN, -getpgrp()));
  f_owner_ex owner = {};
  T(fcntl(p[0], F_GETOWN_EX, &owner));
  Record("type", owner.type);
  Record("group", owner.pid == getpgrp());
  T(fcntl(p[0], F_SETOWN, 0));
  T(fcntl(p[0], F_GETOWN));
}
CASE(owner_ex_forms) {
  int p[2];
  MUST(pipe(p));
  f_owner_ex owner = {F_OWNER_TID, gettid()};
  T(fcntl(p[0], F_SETOWN_EX, &owner));
  Record("own", fcntl(p[0], F_GETOWN) == gettid());
  owner = {F_OWNER_PID, getpid()};
  T(fcntl(p[0], F_SETOWN_EX, &owner));
  owner = {};
  T(fcntl(p[0], F_GETOWN_EX, &owner));
  Record("type", owner.type);
  owner = {F_OWNER_PID, 99999};
  T(fcntl(p[0], F_SETOWN_EX, &owner));
  owner.type = static_cast<decltype(owner.type)>(7);
  T(fcntl(p[0], F_SETOWN_EX, &owner));
  T(fcntl(p[0], F_SETOWN_EX, BadPointer()));
  T(fcntl(p[0], F_GETOWN_EX, BadPointer()));
}
CASE(owner_that_ended) {
  int p[2];
  MUST(pipe(p));
  const pid_t child = fork();
  if (child == 0) _exit(0);
  T(fcntl(p[0], F_SETOWN, child));
  MUST(waitpid(child, nullptr, 0));
  T(fcntl(p[0], F_GETOWN));
}
CASE(owner_signal_forms) {
  int p[2];
  MUST(pipe(p));
  T(fcntl(p[0], F_GETSIG));
  T(fcntl(p[0], F_SETSIG, SIGRTMIN));
  Record("same", fcntl(p[0], F_GETSIG) == SIGRTMIN);
  T(fcntl(p[0], F_SETSIG, 65));
  T(fcntl(p[0], F_SETSIG, -1));
  T(fcntl(p[0], F_SETSIG, 0));
  T(fcntl(p[0], F_GETSIG));
}
CASE(owner_is_of_the_description) {
  int p[2];
  MUST(pipe(p));
  const int copy = dup(p[0]);
  T(fcntl(copy, F_SETOWN, getpid()));
  Record("shared", fcntl(p[0], F_GETOWN) == getpid());
  T(fcntl(p[1], F_GETOWN));
}
CASE(async_pipe_reader) {
  const sigset_t set = Blocked(SIGIO);
  int p[2];
  MUST(pipe(p));
  Enable(p[0]);
  Record("flag", (fcntl(p[0], F_GETFL) & O_ASYNC) != 0);
  Record("before", Pending(set));
  MUST(write(p[1], "x", 1));
  Record("written", Pending(set));
  MUST(write(p[1], "x", 1));
  Record("again", Pending(set));
  close(p[1]);
  Record("closed", Pending(set));
}
CASE(async_pipe_with_signal) {
  const sigset_t set = Blocked(SIGRTMIN);
  int p[2];
  MUST(pipe(p));
  Enable(p[0]);
  MUST(fcntl(p[0], F_SETSIG, SIGRTMIN));
  MUST(write(p[1], "x", 1));
  MUST(write(p[1], "y", 1));
  Record("written", Pending(set, p[0]));
}
CASE(async_pipe_writer) {
  const sigset_t set = Blocked(SIGRTMIN);
  int p[2];
  MUST(pipe2(p, O_NONBLOCK));
  static char buffer[65536];
  MUST(write(p[1], buffer, sizeof buffer));
  Enable(p[1]);
  MUST(fcntl(p[1], F_SETSIG, SIGRTMIN));
  MUST(read(p[0], buffer, sizeof buffer));
  Record("room", Pending(set, p[1]));
}
CASE(async_switched_off) {
  const sigset_t set = Blocked(SIGIO);
  int p[2];
  MUST(pipe(p));
  Enable(p[0]);
  MUST(fcntl(p[0], F_SETFL, 0));
  MUST(write(p[1], "x", 1));
  Record("written", Pending(set));
}
CASE(async_without_owner) {
  const sigset_t set = Blocked(SIGIO);
  int p[2];
  MUST(pipe(p));
  MUST(fcntl(p[0], F_SETFL, O_ASYNC));
  MUST(write(p[1], "x", 1));
  Record("written", Pending(set));
}
CASE(async_by_open_flag_does_nothing) {
  const sigset_t set = Blocked(SIGIO);
  MUST(mkfifo("f", 0600));
  const int fd = open("f", O_RDWR | O_ASYNC);
  Record("flag", (fcntl(fd, F_GETFL) & O_ASYNC) != 0);
  MUST(fcntl(fd, F_SETOWN, getpid()));
  MUST(write(fd, "x", 1));
  Record("written", Pending(set));
}
CASE(async_by_ioctl) {
  const sigset_t set = Blocked(SIGIO);
  int p[2];
  MUST(pipe(p));
  int on = 1;
  MUST(fcntl(p[0], F_SETOWN, getpid()));
  T(ioctl(p[0], FIOASYNC, &on));
  Record("flag", (fcntl(p[0], F_GETFL) & O_ASYNC) != 0);
  MUST(write(p[1], "x", 1));
  Record("written", Pending(set));
  Make("plain");
  const int plain = open("plain", O_RDWR);
  T(ioctl(plain, FIOASYNC, &on));
  on = 0;
  T(ioctl(plain, FIOASYNC, &on));
  T(ioctl(p[0], FIOASYNC, &on));
  Record("flag", (fcntl(p[0], F_GETFL) & O_ASYNC) != 0);
}
CASE(async_socket) {
  const sigset_t set = Blocked(SIGRTMIN);
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  Enable(s[0]);
  MUST(fcntl(s[0], F_SETSIG, SIGRTMIN));
  MUST(write(s[1], "x", 1));
  Record("written", Pending(set, s[0]));
  close(s[1]);
  Record("closed", Pending(set, s[0]));
}
CASE(async_socket_owner_ioctls) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  int who = getpid();
  T(ioctl(s[0], FIOSETOWN, &who));
  who = 0;
  T(ioctl(s[0], SIOCGPGRP, &who));
  Record("own", who == getpid());
  int p[2];
  MUST(pipe(p));
  T(ioctl(p[0], FIOSETOWN, &who));
}
CASE(async_datagram_socket) {
  const sigset_t set = Blocked(SIGIO);
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
  Enable(s[0]);
  MUST(write(s[1], "x", 1));
  Record("written", Pending(set));
}
CASE(async_to_process_group) {
  int p[2], ready[2];
  MUST(pipe(p));
  MUST(pipe(ready));
  const pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    const sigset_t set = Blocked(SIGIO);
    write(ready[1], "r", 1);
    siginfo_t info;
    const timespec wait = {5, 0};
    _exit(sigtimedwait(&set, &info, &wait) == SIGIO ? 7 : 1);
  }
  char c;
  MUST(read(ready[0], &c, 1));
  T(fcntl(p[0], F_SETOWN, -child));
  MUST(fcntl(p[0], F_SETFL, O_ASYNC));
  MUST(write(p[1], "x", 1));
  int status;
  MUST(waitpid(child, &status, 0));
  Record("child", StatusText(status));
}
CASE(async_handler_runs) {
  static volatile sig_atomic_t count;
  signal(SIGIO, [](int) { count = count + 1; });
  int p[2];
  MUST(pipe(p));
  Enable(p[0]);
  MUST(write(p[1], "x", 1));
  Record("count", count);
}
CASE(async_default_action_ends_the_process) {
  Record("child", InChild([] {
           int p[2];
           pipe(p);
           Enable(p[0]);
           write(p[1], "x", 1);
           return 3;
         }));
}

CASE(async_with_sigkill) {
  Record("self", InChild([] {
           int p[2];
           pipe(p);
           Enable(p[0]);
           fcntl(p[0], F_SETSIG, SIGKILL);
           write(p[1], "x", 1);
           sleep(10);  // the signal may come a moment after the call
           return 3;
         }));
  // The owner has the reading end itself, and runs.
  int p[2], ready[2];
  MUST(pipe(p));
  MUST(pipe(ready));
  const pid_t child = fork();
  if (child == 0) {
    close(p[1]);
    Enable(p[0]);
    fcntl(p[0], F_SETSIG, SIGKILL);
    write(ready[1], "r", 1);
    volatile long i = 0;
    while (true) i = i + 1;
  }
  char c;
  MUST(read(ready[0], &c, 1));
  close(p[0]);
  signal(SIGPIPE, SIG_IGN);
  MUST(write(p[1], "x", 1));
  int status;
  MUST(waitpid(child, &status, 0));
  Record("other", StatusText(status));
}
CASE(fatal_signal_comes_though_the_file_is_closed_at_once) {
  for (const int signo : {SIGKILL, SIGTERM}) {
    const pid_t target = fork();
    if (target == 0) {
      SleepMs(2000);
      _exit(0);
    }
    SleepMs(50);
    int p[2];
    MUST(pipe(p));
    MUST(fcntl(p[0], F_SETSIG, signo));
    MUST(fcntl(p[0], F_SETOWN, target));
    MUST(fcntl(p[0], F_SETFL, O_ASYNC));
    MUST(write(p[1], "x", 1));
    close(p[0]);
    close(p[1]);
    int status;
    MUST(waitpid(target, &status, 0));
    Record("target", StatusText(status));
  }
}
