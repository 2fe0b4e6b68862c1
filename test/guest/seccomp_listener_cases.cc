// seccomp(2): listeners.
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "test/guest/filtering.h"

using namespace guest;

CASE(seccomp_listener_value) {
  Listen(On(SYS_getppid, SECCOMP_RET_USER_NOTIF),
         [](int listener, seccomp_notif& report) { Answer(listener, report.id, 4711, 0, 0); });
  T(syscall(SYS_getppid));
  T(wait(nullptr) > 0);
}
CASE(seccomp_listener_error) {
  Listen(On(SYS_getppid, SECCOMP_RET_USER_NOTIF),
         [](int listener, seccomp_notif& report) { Answer(listener, report.id, 0, -EXDEV, 0); });
  T(syscall(SYS_getppid));
}
CASE(seccomp_listener_continue) {
  Listen(On(SYS_mkdir, SECCOMP_RET_USER_NOTIF), [](int listener, seccomp_notif& report) {
    Answer(listener, report.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
  });
  T(mkdir("made", 0755));
  T(access("made", F_OK));
}
CASE(seccomp_listener_sees_the_call) {
  const pid_t self = getpid();
  const pid_t child =
      Listen(On(SYS_dup2, SECCOMP_RET_USER_NOTIF), [self](int listener, seccomp_notif& report) {
        const bool right = report.data.nr == SYS_dup2 && report.data.args[0] == 901 &&
                           report.data.args[1] == 902 && report.data.arch == AUDIT_ARCH_X86_64 &&
                           report.flags == 0 && report.pid == static_cast<uint32_t>(self);
        Answer(listener, report.id, right, 0, 0);
      });
  Record("right", syscall(SYS_dup2, 901, 902));
  int status = 0;
  waitpid(child, &status, 0);
  Record("supervisor", StatusText(status));
}
CASE(seccomp_listener_native_call) {
  Listen(On(SYS_sched_yield, SECCOMP_RET_USER_NOTIF),
         [](int listener, seccomp_notif& report) { Answer(listener, report.id, 33, 0, 0); });
  T(syscall(SYS_sched_yield));
}
CASE(seccomp_listener_adds_a_descriptor) {
  Make("file", "content");
  Listen(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), [](int listener, seccomp_notif& report) {
    seccomp_notif_addfd add = {};
    add.id = report.id;
    add.srcfd = static_cast<uint32_t>(open("file", O_RDONLY));
    add.newfd = 50;
    add.flags = SECCOMP_ADDFD_FLAG_SETFD;
    const int fd = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
    Answer(listener, report.id, fd, 0, 0);
  });
  T(syscall(SYS_getppid));
  Record("content", Drain(50));
}
CASE(seccomp_listener_adds_and_answers) {
  Make("file", "content");
  Listen(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), [](int listener, seccomp_notif& report) {
    seccomp_notif_addfd add = {};
    add.id = report.id;
    add.srcfd = static_cast<uint32_t>(open("file", O_RDONLY));
    add.flags = 1u << 1;  // SECCOMP_ADDFD_FLAG_SEND
    add.newfd_flags = O_CLOEXEC;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
  });
  const auto fd = static_cast<int>(syscall(SYS_getppid));
  Record("cloexec", fcntl(fd, F_GETFD));
  Record("content", Drain(fd));
}
CASE(seccomp_listener_bad_requests) {
  NoNewPrivileges();
  const auto listener = static_cast<int>(
      Install(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), SECCOMP_FILTER_FLAG_NEW_LISTENER));
  Record("cloexec", fcntl(listener, F_GETFD));
  seccomp_notif_resp reply = {12345, 0, 0, 0};
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply));
  reply.flags = 8;
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply));
  reply = {12345, 1, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply));
  uint64_t id = 12345;
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id));
  seccomp_notif report = {};
  report.flags = 1;
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &report));
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, BadPointer()));
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, BadPointer()));
  seccomp_notif_addfd add = {};
  add.id = 12345;
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
  add.newfd = 7;
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
  add.newfd = 0;
  add.srcfd = 999;
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
  T(ioctl(listener, FIONREAD, &id));
  char byte;
  T(read(listener, &byte, 1));
  T(write(listener, &byte, 1));
}
CASE(seccomp_listener_adds_by_larger_requests) {
  struct Larger {
    seccomp_notif_addfd add;
    uint64_t unknown;
  };
  Listen(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), [](int listener, seccomp_notif& report) {
    Larger larger = {};
    larger.add.id = report.id;
    larger.add.newfd = 50;
    larger.add.flags = SECCOMP_ADDFD_FLAG_SETFD;
    const auto ask = [&](unsigned long command) {
      const int fd = ioctl(listener, command, &larger);
      return fd < 0 ? errno : fd;
    };
    larger.unknown = 1;
    const int unknown = ask(SECCOMP_IOW(3, Larger)), both_ways = ask(SECCOMP_IOWR(3, Larger));
    larger.unknown = 0;
    const bool right = unknown == E2BIG && both_ways == E2BIG &&
                       ask(SECCOMP_IOW(3, Larger)) == 50 && ask(SECCOMP_IOWR(3, Larger)) == 50 &&
                       ask(SECCOMP_IO(3)) == EINVAL;
    Answer(listener, report.id, right, 0, 0);
  });
  T(syscall(SYS_getppid));
}
CASE(seccomp_listener_killable_wait_is_uninterruptible) {
  constexpr unsigned kWaitKillable = 1u << 5;  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
  const pid_t self = getpid();
  const pid_t supervisor = Listen(
      On(SYS_getppid, SECCOMP_RET_USER_NOTIF),
      [self](int listener, seccomp_notif& report) {
        kill(self, SIGUSR1);
        const std::string file = "/proc/" + std::to_string(self) + "/stat";
        bool seen = false;
        for (int i = 0; i < 500 && !seen; ++i, SleepMs(5)) {
          const std::string text = Content(file.c_str());
          seen = text.compare(text.rfind(')'), 3, ") D") == 0;
        }
        Answer(listener, report.id, seen, 0, 0);
      },
      kWaitKillable);
  static volatile sig_atomic_t handled;
  signal(SIGUSR1, [](int) { handled = 1; });
  T(syscall(SYS_getppid));
  Record("handled", handled);
  waitpid(supervisor, nullptr, 0);
}
CASE(seccomp_listener_killable_wait_ends_by_fatal_signals) {
  constexpr unsigned kWaitKillable = 1u << 5;  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
  for (int signo : {SIGTERM, SIGKILL}) {
    Record("end", InChild([signo] {
             const pid_t self = getpid();
             Listen(
                 On(SYS_getppid, SECCOMP_RET_USER_NOTIF),
                 [self, signo](int listener, seccomp_notif& report) {
                   kill(self, signo);
                   SleepMs(2000);
                   Answer(listener, report.id, 0, 0, 0);
                 },
                 kWaitKillable);
             const long long before = NowMs();
             syscall(SYS_getppid);
             return NowMs() - before > 1500 ? 1 : 2;
           }));
  }
}
CASE(seccomp_listener_only_once) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), SECCOMP_FILTER_FLAG_NEW_LISTENER));
  T(Install(On(SYS_getuid, SECCOMP_RET_USER_NOTIF), SECCOMP_FILTER_FLAG_NEW_LISTENER));
  T(Install(On(SYS_getuid, Errno(EDOM))));
}
CASE(seccomp_listener_closed) {
  NoNewPrivileges();
  close(static_cast<int>(
      Install(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), SECCOMP_FILTER_FLAG_NEW_LISTENER)));
  T(syscall(SYS_getppid));
}
CASE(seccomp_listener_closed_meanwhile) {
  Listen(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), [](int, seccomp_notif&) { SleepMs(20); });
  T(syscall(SYS_getppid));
}
CASE(seccomp_listener_polls) {
  Listen(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), [](int listener, seccomp_notif& report) {
    pollfd item = {listener, POLLIN | POLLOUT, 0};
    poll(&item, 1, 0);
    uint64_t id = report.id;
    const int valid = ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
    Answer(listener, report.id, item.revents * 10 + valid, 0, 0);
  });
  T(syscall(SYS_getppid));
}
CASE(seccomp_listener_hangs_up) {
  int pair[2];
  MUST(pipe(pair));
  NoNewPrivileges();
  const pid_t child = fork();
  if (child == 0) {
    const long listener =
        Install(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), SECCOMP_FILTER_FLAG_NEW_LISTENER);
    _exit(listener >= 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  Record("child", StatusText(status));
}
CASE(seccomp_listener_signal_interrupts) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  MUST(sigaction(SIGUSR1, &action, nullptr));
  const pid_t self = getpid();
  Listen(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), [self](int listener, seccomp_notif& report) {
    SleepMs(30);
    kill(self, SIGUSR1);
    SleepMs(100);
    uint64_t id = report.id;
    _exit(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0 ? 0 : errno == ENOENT ? 5 : 6);
  });
  T(syscall(SYS_getppid));
  int status = 0;
  T(wait(&status) > 0);
  Record("supervisor", StatusText(status));
}
CASE(seccomp_listener_errno_beats_it) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), SECCOMP_FILTER_FLAG_NEW_LISTENER));
  MUST(Install(On(SYS_getppid, Errno(EDOM))));
  T(syscall(SYS_getppid));
}
