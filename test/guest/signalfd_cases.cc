// signalfd(2).
#include <sys/signalfd.h>

#include "test/guest/queued_signals.h"

using namespace guest;

CASE(signalfd_reads_records) {
  Block({SIGUSR1, SIGRTMIN});
  const sigset_t set = Set({SIGUSR1, SIGRTMIN});
  const int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  Record("opened", fd >= 0);
  T(fcntl(fd, F_GETFD));
  signalfd_siginfo info[4] = {};
  T(read(fd, info, sizeof info));
  MUST(QueueInfo(getpid(), SIGRTMIN, SI_QUEUE, 6));
  MUST(kill(getpid(), SIGUSR1));
  T(read(fd, info, sizeof info) / static_cast<long>(sizeof info[0]));
  for (int i = 0; i < 2; i++) {
    Record("signo", info[i].ssi_signo);
    Record("code", info[i].ssi_code);
    Record("int", info[i].ssi_int);
    Record("pid", info[i].ssi_pid == static_cast<unsigned>(getpid()));
  }
  T(read(fd, info, 100));
  T(write(fd, info, sizeof info[0]));
}
CASE(signalfd_child_record) {
  Block({SIGCHLD});
  const sigset_t set = Set({SIGCHLD});
  const int fd = signalfd(-1, &set, 0);
  if (fork() == 0) _exit(7);
  signalfd_siginfo info = {};
  T(read(fd, &info, sizeof info));
  Record("code", info.ssi_code);
  Record("status", info.ssi_status);
}
CASE(signalfd_errors) {
  sigset_t set = Set({SIGUSR1, SIGKILL});
  T(signalfd(-1, &set, 1));
  T(signalfd(0, &set, 0));
  T(signalfd(999, &set, 0));
  T(syscall(SYS_signalfd4, -1, &set, 4, 0));
  T(syscall(SYS_signalfd4, -1, BadPointer(), 8, 0));
}
CASE(signalfd_mask_can_change) {
  Block({SIGUSR1, SIGUSR2});
  sigset_t set = Set({SIGUSR1});
  const int fd = signalfd(-1, &set, SFD_NONBLOCK);
  MUST(raise(SIGUSR2));
  signalfd_siginfo info = {};
  T(read(fd, &info, sizeof info));
  set = Set({SIGUSR2});
  Record("same", signalfd(fd, &set, 0) == fd);
  T(read(fd, &info, sizeof info));
  Record("signo", info.ssi_signo);
}
CASE(signalfd_blocks_until_signal) {
  Block({SIGUSR1});
  const sigset_t set = Set({SIGUSR1});
  const int fd = signalfd(-1, &set, 0);
  const pid_t parent = getpid();
  if (fork() == 0) {
    SleepMs(50);
    _exit(kill(parent, SIGUSR1));
  }
  signalfd_siginfo info = {};
  T(read(fd, &info, sizeof info));
  Record("signo", info.ssi_signo);
}
CASE(signalfd_inherited_takes_the_childs) {
  Block({SIGUSR1});
  const sigset_t set = Set({SIGUSR1});
  const int fd = signalfd(-1, &set, 0);
  Record("child", InChild([fd] {
           const pid_t me = getpid();
           if (fork() == 0) {
             SleepMs(50);
             _exit(kill(me, SIGUSR1));
           }
           signalfd_siginfo info = {};
           alarm(5);
           return read(fd, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo)
                                                              : 99;
         }));
}
