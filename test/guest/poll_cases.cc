// poll, select, epoll, eventfd, timerfd, signalfd.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "test/guest/cases.h"

using namespace guest;

CASE(poll_bad_descriptor) {
  pollfd fds[] = {{99, POLLIN, 0}, {-1, POLLIN, 5}};
  T(poll(fds, 2, 0));
  Record("bad", fds[0].revents);
  Record("ignored", fds[1].revents);
}
CASE(poll_regular_file_is_ready) {
  Make("f");
  const int fd = open("f", O_RDWR);
  pollfd one = {fd, POLLIN | POLLOUT, 0};
  T(poll(&one, 1, 0));
  Record("events", one.revents);
}
CASE(poll_timeout_elapses) {
  const long long start = NowMs();
  T(poll(nullptr, 0, 60));
  const long long passed = NowMs() - start;
  Record("in_time", passed >= 59 && passed < 2000);
}
CASE(poll_wakes_on_write) {
  int p[2];
  MUST(pipe(p));
  if (fork() == 0) {
    SleepMs(30);
    _exit(write(p[1], "x", 1) == 1 ? 0 : 1);
  }
  pollfd one = {p[0], POLLIN, 0};
  T(poll(&one, 1, 5000));
  Record("events", one.revents);
}
CASE(poll_interrupted_by_signal) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  MUST(sigaction(SIGUSR1, &action, nullptr));
  const pid_t parent = getpid();
  if (fork() == 0) {
    SleepMs(50);
    _exit(kill(parent, SIGUSR1));
  }
  T(poll(nullptr, 0, 5000));
}
CASE(poll_too_many) {
  static pollfd fds[2000];
  for (auto& entry : fds) entry.fd = -1;
  T(poll(fds, 2000, 0));
}
CASE(ppoll_with_mask) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  MUST(sigprocmask(SIG_BLOCK, &set, nullptr));
  static volatile int handled = 0;
  signal(SIGUSR1, [](int) { handled = handled + 1; });
  MUST(kill(getpid(), SIGUSR1));
  Record("before", handled);
  sigset_t none;
  sigemptyset(&none);
  const timespec wait = {5, 0};
  T(ppoll(nullptr, 0, &wait, &none));
  Record("after", handled);
}
CASE(select_readiness) {
  int p[2];
  MUST(pipe(p));
  fd_set in, out;
  FD_ZERO(&in);
  FD_ZERO(&out);
  FD_SET(p[0], &in);
  FD_SET(p[1], &out);
  timeval none = {0, 0};
  T(select(p[1] + 1, &in, &out, nullptr, &none));
  Record("in", FD_ISSET(p[0], &in) != 0);
  Record("out", FD_ISSET(p[1], &out) != 0);
}
CASE(select_errors) {
  fd_set in;
  FD_ZERO(&in);
  FD_SET(90, &in);
  timeval none = {0, 0};
  T(select(91, &in, nullptr, nullptr, &none));
  T(select(-1, nullptr, nullptr, nullptr, &none));
  timeval negative = {-1, 0};
  T(select(0, nullptr, nullptr, nullptr, &negative));
}
CASE(select_timeout_is_updated) {
  timeval wait = {0, 50000};
  T(select(0, nullptr, nullptr, nullptr, &wait));
  Record("left", wait.tv_sec * 1000000 + wait.tv_usec);
}
CASE(epoll_level_triggered) {
  const int e = epoll_create1(0);
  int p[2];
  MUST(pipe(p));
  epoll_event event = {EPOLLIN, {.u64 = 42}};
  T(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &event));
  epoll_event out[4];
  T(epoll_wait(e, out, 4, 0));
  MUST(write(p[1], "xy", 2));
  T(epoll_wait(e, out, 4, 0));
  Record("data", out[0].data.u64);
  T(epoll_wait(e, out, 4, 0));
}
CASE(epoll_edge_triggered) {
  const int e = epoll_create1(0);
  int p[2];
  MUST(pipe(p));
  epoll_event event = {EPOLLIN | EPOLLET, {}};
  MUST(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &event));
  MUST(write(p[1], "x", 1));
  epoll_event out[4];
  T(epoll_wait(e, out, 4, 0));
  T(epoll_wait(e, out, 4, 0));
  MUST(write(p[1], "y", 1));
  T(epoll_wait(e, out, 4, 0));
}
CASE(epoll_oneshot) {
  const int e = epoll_create1(0);
  int p[2];
  MUST(pipe(p));
  epoll_event event = {EPOLLIN | EPOLLONESHOT, {}};
  MUST(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &event));
  MUST(write(p[1], "x", 1));
  epoll_event out[4];
  T(epoll_wait(e, out, 4, 0));
  T(epoll_wait(e, out, 4, 0));
  T(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &event));
  T(epoll_wait(e, out, 4, 0));
}
CASE(epoll_ctl_errors) {
  const int e = epoll_create1(EPOLL_CLOEXEC);
  int p[2];
  MUST(pipe(p));
  Make("f");
  const int file = open("f", O_RDONLY);
  epoll_event event = {EPOLLIN, {}};
  T(epoll_ctl(e, EPOLL_CTL_ADD, file, &event));
  T(epoll_ctl(e, EPOLL_CTL_ADD, 99, &event));
  T(epoll_ctl(e, EPOLL_CTL_ADD, e, &event));
  T(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &event));
  T(epoll_ctl(e, EPOLL_CTL_DEL, p[0], &event));
  T(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &event));
  T(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &event));
  T(epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &event));
  T(epoll_ctl(e, 77, p[1], &event));
  epoll_event out;
  T(epoll_wait(e, &out, 0, 0));
  T(epoll_create(0));
  T(epoll_create1(0x40));
}
CASE(epoll_forgets_closed_descriptor) {
  const int e = epoll_create1(0);
  int p[2];
  MUST(pipe(p));
  epoll_event event = {EPOLLIN, {}};
  MUST(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &event));
  MUST(write(p[1], "x", 1));
  close(p[0]);
  epoll_event out[2];
  T(epoll_wait(e, out, 2, 0));
}
CASE(epoll_nested) {
  const int inner = epoll_create1(0), outer = epoll_create1(0);
  int p[2];
  MUST(pipe(p));
  epoll_event event = {EPOLLIN, {}};
  MUST(epoll_ctl(inner, EPOLL_CTL_ADD, p[0], &event));
  T(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event));
  epoll_event out[2];
  T(epoll_wait(outer, out, 2, 0));
  MUST(write(p[1], "x", 1));
  T(epoll_wait(outer, out, 2, 0));
}
CASE(epoll_hangup) {
  const int e = epoll_create1(0);
  int p[2];
  MUST(pipe(p));
  epoll_event event = {0, {}};
  MUST(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &event));
  close(p[1]);
  epoll_event out[2] = {};
  T(epoll_wait(e, out, 2, 0));
  Record("events", out[0].events);
}
CASE(epoll_wakes_from_other_process) {
  const int e = epoll_create1(0);
  int p[2];
  MUST(pipe(p));
  epoll_event event = {EPOLLIN, {}};
  MUST(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &event));
  if (fork() == 0) {
    SleepMs(30);
    _exit(write(p[1], "x", 1) == 1 ? 0 : 1);
  }
  epoll_event out[2];
  T(epoll_wait(e, out, 2, 5000));
}
CASE(eventfd_counter) {
  const int fd = eventfd(3, EFD_NONBLOCK);
  unsigned long long value = 0;
  T(read(fd, &value, 8));
  Record("value", value);
  T(read(fd, &value, 8));
  value = 5;
  T(write(fd, &value, 8));
  T(write(fd, &value, 8));
  T(read(fd, &value, 8));
  Record("value", value);
  T(read(fd, &value, 4));
  value = ~0ULL;
  T(write(fd, &value, 8));
  value = ~0ULL - 1;
  T(write(fd, &value, 8));
  value = 1;
  T(write(fd, &value, 8));
}
CASE(eventfd_semaphore) {
  const int fd = eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE);
  unsigned long long value = 0;
  T(read(fd, &value, 8));
  Record("value", value);
  T(read(fd, &value, 8));
  T(read(fd, &value, 8));
}
CASE(eventfd_poll) {
  const int fd = eventfd(0, 0);
  pollfd one = {fd, POLLIN | POLLOUT, 0};
  T(poll(&one, 1, 0));
  Record("events", one.revents);
  unsigned long long value = 1;
  T(write(fd, &value, 8));
  T(poll(&one, 1, 0));
  Record("events", one.revents);
  T(eventfd(0, 0x100));
}
CASE(timerfd_expires) {
  const int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  itimerspec spec = {{0, 0}, {0, 20000000}};
  T(timerfd_settime(fd, 0, &spec, nullptr));
  unsigned long long ticks = 0;
  T(read(fd, &ticks, 8));
  Record("ticks", ticks);
}
CASE(timerfd_interval_and_gettime) {
  const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  itimerspec spec = {{0, 10000000}, {0, 10000000}};
  T(timerfd_settime(fd, 0, &spec, nullptr));
  SleepMs(100);
  unsigned long long ticks = 0;
  T(read(fd, &ticks, 8));
  Record("many", ticks >= 5);
  itimerspec now;
  T(timerfd_gettime(fd, &now));
  Record("interval", now.it_interval.tv_nsec);
}
CASE(timerfd_errors_and_disarm) {
  T(timerfd_create(99, 0));
  T(timerfd_create(CLOCK_MONOTONIC, 0x40));
  const int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
  itimerspec bad = {{0, 0}, {0, 1000000000}};
  T(timerfd_settime(fd, 0, &bad, nullptr));
  unsigned long long ticks = 0;
  T(read(fd, &ticks, 8));
  itimerspec spec = {{0, 0}, {100, 0}}, old = {};
  T(timerfd_settime(fd, 0, &spec, nullptr));
  itimerspec off = {};
  T(timerfd_settime(fd, 0, &off, &old));
  Record("left", old.it_value.tv_sec >= 99);
}
CASE(timerfd_absolute_in_past) {
  const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  itimerspec spec = {{0, 0}, {0, 1}};
  T(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, nullptr));
  pollfd one = {fd, POLLIN, 0};
  T(poll(&one, 1, 1000));
}
CASE(signalfd_reads_blocked_signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  MUST(sigprocmask(SIG_BLOCK, &set, nullptr));
  const int fd = signalfd(-1, &set, SFD_NONBLOCK);
  signalfd_siginfo info = {};
  T(read(fd, &info, sizeof info));
  MUST(kill(getpid(), SIGUSR2));
  pollfd one = {fd, POLLIN, 0};
  T(poll(&one, 1, 0));
  T(read(fd, &info, sizeof info));
  Record("signal", info.ssi_signo);
  Record("from_self", info.ssi_pid == static_cast<unsigned>(getpid()));
}
