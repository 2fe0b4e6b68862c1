// signalfd: whose signals a descriptor shows that several tasks share.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>

#include <thread>

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
int Ready(int fd, int milliseconds = 0) {
  pollfd entry = {fd, POLLIN, 0};
  return poll(&entry, 1, milliseconds);
}
int Selected(int fd) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fd, &set);
  timeval none = {0, 0};
  return select(fd + 1, &set, nullptr, nullptr, &none);
}
int Watch(int fd) {
  const int instance = epoll_create1(0);
  epoll_event event = {EPOLLIN, {}};
  MUST(epoll_ctl(instance, EPOLL_CTL_ADD, fd, &event));
  return instance;
}
int Happened(int instance, int milliseconds = 0) {
  epoll_event event;
  return epoll_wait(instance, &event, 1, milliseconds);
}

}  // namespace

CASE(signalfd_in_child_hides_what_waits_for_its_parent) {
  const sigset_t set = Blocked(SIGUSR1);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK);
  MUST(raise(SIGUSR1));
  Record("own", Ready(fd));
  Record("child", InChild([&] { return Ready(fd) * 2 + Selected(fd); }));
  Record("own", Ready(fd) + Selected(fd));
}
CASE(signalfd_in_child_shows_what_waits_for_itself) {
  const sigset_t set = Blocked(SIGUSR1);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK);
  Record("child", InChild([&] {
           raise(SIGUSR1);
           const int ready = Ready(fd) * 2 + Selected(fd);
           signalfd_siginfo info;
           return ready + (read(fd, &info, sizeof info) > 0 ? 4 : 0) + Ready(fd) * 8;
         }));
  Record("own", Ready(fd));
}
CASE(signalfd_wakes_a_child_that_polls) {
  const sigset_t set = Blocked(SIGUSR1);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK);
  const pid_t child = fork();
  if (child == 0) _exit(Ready(fd, 5000) == 1 ? 0 : 1);
  SleepMs(100);
  MUST(kill(child, SIGUSR1));
  int status;
  MUST(waitpid(child, &status, 0));
  Record("child", StatusText(status));
}
CASE(signalfd_in_epoll_of_child) {
  const sigset_t set = Blocked(SIGUSR1);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK);
  const int before = Watch(fd);
  MUST(raise(SIGUSR1));
  Record("inherited", InChild([&] { return Happened(before); }));
  Record("made", InChild([&] {
           const int mine = Watch(fd);
           const int none = Happened(mine);
           raise(SIGUSR1);
           return none * 2 + Happened(mine, 1000);
         }));
}
CASE(signalfd_of_a_thread_shows_its_own_signals) {
  const sigset_t set = Blocked(SIGUSR1);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK);
  int mine = -1, after = -1;
  std::thread([&] {
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
    mine = Ready(fd);
    std::thread([&] { after = Ready(fd); }).join();
  }).join();
  Record("thread", mine);
  Record("other", after);
  Record("gone", Ready(fd));
  MUST(kill(getpid(), SIGUSR1));
  std::thread([&] { mine = Ready(fd); }).join();
  Record("shared", mine);
}
