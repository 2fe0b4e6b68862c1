// Signal-driven I/O: O_ASYNC, F_SETOWN, F_SETSIG; and programs that are busy.
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

namespace {

void CopyProgram() { MUST(system("cp /bin/busybox prog") == 0 ? 0 : -1); }

// A child that sleeps in ./prog; it has started when this returns.
pid_t StartProgram() {
  int p[2];
  MUST(pipe2(p, O_CLOEXEC));
  const pid_t child = fork();
  if (child == 0) {
    execl("./prog", "sleep", "30", nullptr);
    _exit(99);
  }
  close(p[1]);
  Drain(p[0]);  // closed by exec
  close(p[0]);
  return child;
}

void End(pid_t child) {
  kill(child, SIGKILL);
  MUST(waitpid(child, nullptr, 0));
}

int ExecProgram() {
  execl("./prog", "true", nullptr);
  return errno;
}

}  // namespace

CASE(busy_open_for_writing_while_running) {
  CopyProgram();
  const pid_t child = StartProgram();
  T(open("prog", O_WRONLY));
  T(open("prog", O_RDWR));
  T(open("prog", O_RDONLY | O_TRUNC));
  T(truncate("prog", 1));
  Record("read_only", open("prog", O_RDONLY) >= 0);
  T(chmod("prog", 0700));
  End(child);
  Record("afterwards", open("prog", O_WRONLY) >= 0);
}
CASE(busy_unlink_and_rename_are_allowed) {
  CopyProgram();
  const pid_t child = StartProgram();
  T(rename("prog", "other"));
  T(unlink("other"));
  End(child);
}
CASE(busy_exec_while_writable) {
  CopyProgram();
  const int fd = open("prog", O_WRONLY);
  Record("writer", InChild(ExecProgram));
  close(fd);
  Record("closed", InChild(ExecProgram));
  const int reader = open("prog", O_RDONLY);
  Record("reader", InChild(ExecProgram));
  close(reader);
}
CASE(busy_two_writers) {
  CopyProgram();
  const int one = open("prog", O_WRONLY), two = open("prog", O_RDWR);
  close(one);
  Record("one_left", InChild(ExecProgram));
  close(two);
  Record("none_left", InChild(ExecProgram));
}
CASE(busy_fork_keeps_the_program) {
  CopyProgram();
  Record("child", InChild([] {
           const pid_t child = StartProgram();
           const int busy = open("prog", O_WRONLY) < 0 ? errno : 0;
           End(child);
           return busy;
         }));
}
CASE(busy_script_may_be_written) {
  MUST(chmod(".", 0755));
  Make("script", "#!/bin/sh\nread x\n", 0755);
  MUST(chmod("script", 0755));
  int p[2], done[2];
  MUST(pipe(p));
  MUST(pipe2(done, O_CLOEXEC));
  const pid_t child = fork();
  if (child == 0) {
    dup2(p[0], 0);
    execl("./script", "script", nullptr);
    _exit(99);
  }
  close(done[1]);
  Drain(done[0]);
  Record("opened", open("script", O_WRONLY) >= 0);
  End(child);
}
CASE(busy_memfd_is_not) {
  const int fd = memfd_create("prog", 0);
  const int from = open("/bin/busybox", O_RDONLY);
  static char buffer[1 << 16];
  ssize_t count;
  while ((count = read(from, buffer, sizeof buffer)) > 0) MUST(write(fd, buffer, count));
  Record("child", InChild([fd] {
           char* const arguments[] = {const_cast<char*>("true"), nullptr};
           char* const environment[] = {nullptr};
           syscall(SYS_execveat, fd, "", arguments, environment, AT_EMPTY_PATH);
           return errno;
         }));
}
CASE(tee_errors) {
  int a[2], b[2];
  MUST(pipe(a));
  MUST(pipe(b));
  Make("f");
  const int file = open("f", O_RDWR);
  T(tee(a[0], b[1], 1, 0x100));
  T(tee(a[0], b[1], 0, 0));
  T(tee(-1, b[1], 1, 0));
  T(tee(a[0], -1, 1, 0));
  T(tee(a[1], b[1], 1, 0));
  T(tee(a[0], b[0], 1, 0));
  T(tee(a[0], a[1], 1, 0));
  T(tee(file, b[1], 1, 0));
  T(tee(a[0], b[1], 1, SPLICE_F_NONBLOCK));
  close(a[1]);
  T(tee(a[0], b[1], 1, 0));
}
CASE(tee_keeps_the_data) {
  int a[2], b[2];
  MUST(pipe(a));
  MUST(pipe(b));
  MUST(write(a[1], "hello", 5));
  T(tee(a[0], b[1], 3, 0));
  T(tee(a[0], b[1], 100, 0));
  char buffer[32] = {};
  T(read(b[0], buffer, sizeof buffer));
  Record("b", buffer);
  char other[32] = {};
  T(read(a[0], other, sizeof other));
  Record("a", other);
}
CASE(tee_waits_for_data) {
  int a[2], b[2];
  MUST(pipe(a));
  MUST(pipe(b));
  const pid_t child = fork();
  if (child == 0) {
    SleepMs(50);
    write(a[1], "late", 4);
    _exit(0);
  }
  T(tee(a[0], b[1], 10, 0));
  MUST(waitpid(child, nullptr, 0));
}
CASE(tee_without_reader) {
  signal(SIGPIPE, SIG_IGN);
  int a[2], b[2];
  MUST(pipe(a));
  MUST(pipe(b));
  MUST(write(a[1], "x", 1));
  close(b[0]);
  T(tee(a[0], b[1], 1, 0));
}
CASE(vmsplice_forms) {
  int p[2];
  MUST(pipe(p));
  char text[] = "abc";
  iovec vector = {text, 3};
  T(vmsplice(p[1], &vector, 1, 0));
  char buffer[8] = {};
  iovec in = {buffer, 8};
  T(vmsplice(p[0], &in, 1, 0));
  Record("text", buffer);
  T(vmsplice(p[1], &vector, 1, 0x100));
  Make("f");
  T(vmsplice(open("f", O_RDWR), &vector, 1, 0));
  T(vmsplice(p[1], &vector, 0, 0));
}
CASE(limit_of_address_space_can_be_raised) {
  Record("child", InChild([] {
           struct {
             unsigned long soft, hard;
           } limit = {64 << 20, ~0ul};
           syscall(SYS_setrlimit, 9, &limit);
           void* small = mmap(nullptr, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
           limit.soft = ~0ul;
           syscall(SYS_setrlimit, 9, &limit);
           void* large = mmap(nullptr, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
           return (small == MAP_FAILED ? 1 : 0) + (large != MAP_FAILED ? 2 : 0);
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
