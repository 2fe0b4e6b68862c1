// What becomes of calls that a signal interrupts: by a handler with and without
// SA_RESTART, by a stop and a continuation, by an ignored signal.
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include "test/guest/cases.h"

using namespace guest;

namespace {

// Runs `body` in a child and does something to it after a while: a signal with a
// handler of these flags, SIGSTOP and SIGCONT, or an ignored signal; then lets it
// finish by `finish`. The child exits with the errno of `body`, 0 for success,
// plus 100 when it took as long as the whole.
enum class Kind { kHandler, kRestart, kStop, kIgnored };

std::string Interrupt(Kind kind, const std::function<long()>& body,
                      const std::function<void()>& finish = nullptr) {
  const pid_t child = fork();
  if (child == 0) {
    struct sigaction action = {};
    action.sa_handler = kind == Kind::kIgnored ? SIG_IGN : [](int) {};
    action.sa_flags = kind == Kind::kRestart ? SA_RESTART : 0;
    sigaction(SIGUSR1, &action, nullptr);
    const long result = body();
    _exit(result < 0 ? errno : 0);
  }
  SleepMs(100);
  if (kind == Kind::kStop) {
    kill(child, SIGSTOP);
    int status = 0;
    waitpid(child, &status, WUNTRACED);
    SleepMs(20);
    kill(child, SIGCONT);
  } else {
    kill(child, SIGUSR1);
  }
  SleepMs(100);
  if (finish) finish();
  int status = 0;
  for (int i = 0; i < 400; i++) {
    if (waitpid(child, &status, WNOHANG) == child) {
      if (!WIFEXITED(status)) return StatusText(status);
      const int code = WEXITSTATUS(status);
      return code == 0 ? "done" : strerrorname_np(code);
    }
    SleepMs(10);
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return "hung";
}

void All(const std::function<long()>& body, const std::function<void()>& finish = nullptr) {
  Record("handler", Interrupt(Kind::kHandler, body, finish));
  Record("restart", Interrupt(Kind::kRestart, body, finish));
  Record("stop", Interrupt(Kind::kStop, body, finish));
  Record("ignored", Interrupt(Kind::kIgnored, body, finish));
}

template <typename T>
T* Shared() {
  return static_cast<T*>(
      mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}
long Futex(void* word, int operation, unsigned value, const timespec* timeout = nullptr,
           void* second = nullptr, unsigned last = 0) {
  return syscall(SYS_futex, word, operation, value, timeout, second, last);
}
timespec In(clockid_t clock, int milliseconds) {
  timespec time;
  clock_gettime(clock, &time);
  time.tv_nsec += milliseconds * 1000000L;
  time.tv_sec += time.tv_nsec / 1000000000;
  time.tv_nsec %= 1000000000;
  return time;
}
// 0 when `body` gave ETIMEDOUT or success not before the time was over.
long TimedOut(const std::function<long()>& body, int milliseconds) {
  const long long start = NowMs();
  const long result = body();
  const int code = errno;
  const bool whole = NowMs() - start >= milliseconds - 2;
  if ((result == 0 || code == ETIMEDOUT) && whole) return 0;
  errno = result == 0 ? EBUSY : code == ETIMEDOUT ? EALREADY : code;
  return -1;
}
}  // namespace

CASE(restart_read_pipe) {
  int p[2];
  MUST(pipe(p));
  All(
      [&] {
        char c;
        return read(p[0], &c, 1);
      },
      [&] { MUST(write(p[1], "x", 1)); });
}
CASE(restart_write_pipe) {
  int p[2];
  MUST(pipe2(p, O_NONBLOCK));
  char block[4096] = {};
  while (write(p[1], block, sizeof block) > 0) {
  }
  MUST(fcntl(p[1], F_SETFL, 0));
  All([&] { return write(p[1], block, 1); },
      [&] {
        char room[8192];
        if (read(p[0], room, sizeof room) < 0) return;
        fcntl(p[1], F_SETFL, O_NONBLOCK);
        SleepMs(50);
        while (write(p[1], block, 1) > 0) {
        }
        fcntl(p[1], F_SETFL, 0);
      });
}
CASE(restart_socket_receive) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  All(
      [&] {
        char c;
        return recv(s[0], &c, 1, 0);
      },
      [&] { MUST(send(s[1], "x", 1, 0)); });
}
CASE(restart_socket_receive_with_timeout) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  const timeval limit = {3, 0};
  MUST(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  All(
      [&] {
        char c;
        return recv(s[0], &c, 1, 0);
      },
      [&] { MUST(send(s[1], "x", 1, 0)); });
}
CASE(restart_socket_waits_with_timeout) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  const timeval limit = {3, 0};
  MUST(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
  static char block[65536];
  while (send(s[0], block, sizeof block, MSG_DONTWAIT) > 0) {
  }
  const auto drain = [&] {
    for (int i = 0; i < 16; ++i) recv(s[1], block, sizeof block, MSG_DONTWAIT);
  };
  Record("stop", Interrupt(Kind::kStop, [&] { return send(s[0], block, 1, 0); }, drain));
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  strcpy(name.sun_path, "socket");
  MUST(bind(listener, reinterpret_cast<sockaddr*>(&name), sizeof name));
  MUST(listen(listener, 9));
  MUST(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  Record("accept", Interrupt(Kind::kStop, [&] { return accept(listener, nullptr, nullptr); }));
  MUST(setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  drain();
  char c;
  Record("read", Interrupt(Kind::kStop, [&] { return read(s[1], &c, 1); }));
  Record("by_handler", Interrupt(Kind::kRestart, [&] { return recv(s[1], &c, 1, 0); }));
  Record("by_handler", Interrupt(Kind::kRestart, [&] { return read(s[1], &c, 1); }));
  Record("ignored", Interrupt(
                        Kind::kIgnored, [&] { return accept(listener, nullptr, nullptr); },
                        [&] {
                          const int c = socket(AF_UNIX, SOCK_STREAM, 0);
                          MUST(connect(c, reinterpret_cast<sockaddr*>(&name), sizeof name));
                        }));
}
CASE(restart_accept) {
  const int s = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  strcpy(name.sun_path, "socket");
  MUST(bind(s, reinterpret_cast<sockaddr*>(&name), sizeof name));
  MUST(listen(s, 9));
  All([&] { return accept(s, nullptr, nullptr); },
      [&] {
        const int c = socket(AF_UNIX, SOCK_STREAM, 0);
        MUST(connect(c, reinterpret_cast<sockaddr*>(&name), sizeof name));
      });
}
CASE(restart_wait) {
  All([] {
    const pid_t child = fork();
    if (child == 0) {
      SleepMs(400);
      _exit(0);
    }
    return waitpid(child, nullptr, 0);
  });
}
CASE(restart_waitid) {
  All([] {
    const pid_t child = fork();
    if (child == 0) {
      SleepMs(400);
      _exit(0);
    }
    siginfo_t info;
    return static_cast<long>(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED));
  });
}
CASE(restart_poll) {
  int p[2];
  MUST(pipe(p));
  All(
      [&] {
        pollfd fd = {p[0], POLLIN, 0};
        const long ready = poll(&fd, 1, 5000);
        char c;
        return ready < 0 ? ready : read(p[0], &c, 1);
      },
      [&] { MUST(write(p[1], "x", 1)); });
}
CASE(restart_ppoll) {
  int p[2];
  MUST(pipe(p));
  All(
      [&] {
        pollfd fd = {p[0], POLLIN, 0};
        const timespec limit = {5, 0};
        const long ready = ppoll(&fd, 1, &limit, nullptr);
        char c;
        return ready < 0 ? ready : read(p[0], &c, 1);
      },
      [&] { MUST(write(p[1], "x", 1)); });
}
CASE(restart_select) {
  All([] {
    timeval limit = {0, 400000};
    return TimedOut([&] { return static_cast<long>(select(0, nullptr, nullptr, nullptr, &limit)); },
                    400);
  });
}
CASE(restart_pselect) {
  All([] {
    const timespec limit = {0, 400000000};
    return TimedOut(
        [&] { return static_cast<long>(pselect(0, nullptr, nullptr, nullptr, &limit, nullptr)); },
        400);
  });
}
CASE(restart_epoll_wait) {
  int p[2];
  MUST(pipe(p));
  const int e = epoll_create1(0);
  epoll_event event = {EPOLLIN, {}};
  MUST(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &event));
  const auto wait = [&] {
    epoll_event got;
    const long ready = epoll_wait(e, &got, 1, 5000);
    char c;
    return ready < 0 ? ready : read(p[0], &c, 1);
  };
  Record("handler", Interrupt(Kind::kHandler, wait));
  Record("restart", Interrupt(Kind::kRestart, wait));
  Record("stop", Interrupt(Kind::kStop, wait));
  Record("ignored", Interrupt(Kind::kIgnored, wait, [&] { MUST(write(p[1], "x", 1)); }));
}
CASE(restart_polls_with_masks) {
  sigset_t none;
  sigemptyset(&none);
  const timespec limit = {0, 400000000};
  All([&] {
    return TimedOut([&] { return static_cast<long>(ppoll(nullptr, 0, &limit, &none)); }, 400);
  });
  All([&] {
    return TimedOut(
        [&] { return static_cast<long>(pselect(0, nullptr, nullptr, nullptr, &limit, &none)); },
        400);
  });
  All([&] { return TimedOut([&] { return static_cast<long>(poll(nullptr, 0, 400)); }, 400); });
}
CASE(restart_pause_and_sigsuspend) {
  const auto wait_pause = [] { return static_cast<long>(pause()); };
  Record("pause_handler", Interrupt(Kind::kHandler, wait_pause));
  Record("pause_restart", Interrupt(Kind::kRestart, wait_pause));
  const auto suspend = [] {
    sigset_t none;
    sigemptyset(&none);
    return static_cast<long>(sigsuspend(&none));
  };
  Record("suspend_handler", Interrupt(Kind::kHandler, suspend));
  Record("suspend_restart", Interrupt(Kind::kRestart, suspend));
}
CASE(restart_pause_goes_on_after_stop) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(1);
  }
  SleepMs(50);
  MUST(kill(child, SIGSTOP));
  int status;
  MUST(waitpid(child, &status, WUNTRACED));
  MUST(kill(child, SIGCONT));
  SleepMs(100);
  T(waitpid(child, &status, WNOHANG));
  MUST(kill(child, SIGKILL));
}
CASE(restart_sigtimedwait) {
  const auto wait = [] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    const timespec limit = {0, 500000000};
    return static_cast<long>(sigtimedwait(&set, nullptr, &limit));
  };
  All(wait);
}
CASE(restart_nanosleep) {
  All([] {
    const timespec time = {0, 400000000};
    return TimedOut([&] { return static_cast<long>(nanosleep(&time, nullptr)); }, 400);
  });
}
CASE(restart_nanosleep_with_rest) {
  All([] {
    const timespec time = {0, 400000000};
    timespec rest = {77, 77};
    const long result = TimedOut([&] { return static_cast<long>(nanosleep(&time, &rest)); }, 400);
    if (result < 0 && errno == EINTR && rest.tv_sec == 0 && rest.tv_nsec > 0) errno = EXDEV;
    return result;
  });
}
CASE(restart_nanosleep_survives_two_stops) {
  const pid_t child = fork();
  if (child == 0) {
    const timespec time = {0, 500000000};
    const long long start = NowMs();
    const int result = nanosleep(&time, nullptr);
    const long long took = NowMs() - start;
    _exit(result != 0 ? 1 : took < 498 ? 2 : took > 3000 ? 3 : 0);
  }
  int status;
  for (int i = 0; i < 2; i++) {
    SleepMs(60);
    MUST(kill(child, SIGSTOP));
    MUST(waitpid(child, &status, WUNTRACED));
    MUST(kill(child, SIGCONT));
  }
  MUST(waitpid(child, &status, 0));
  Record("child", StatusText(status));
}
CASE(restart_clock_nanosleep_absolute) {
  All([] {
    const timespec until = In(CLOCK_MONOTONIC, 400);
    return TimedOut(
        [&] {
          errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
          return errno == 0 ? 0L : -1L;
        },
        400);
  });
}
CASE(restart_clock_nanosleep_relative) {
  All([] {
    const timespec time = {0, 400000000};
    return TimedOut(
        [&] {
          errno = clock_nanosleep(CLOCK_REALTIME, 0, &time, nullptr);
          return errno == 0 ? 0L : -1L;
        },
        400);
  });
}
CASE(restart_futex_wait) {
  unsigned* word = Shared<unsigned>();
  All([&] { return Futex(word, FUTEX_WAIT, 0); },
      [&] {
        SleepMs(20);
        Futex(word, FUTEX_WAKE, 1);
      });
}
CASE(restart_futex_wait_bitset_timed) {
  unsigned* word = Shared<unsigned>();
  All([&] {
    const timespec until = In(CLOCK_MONOTONIC, 400);
    return TimedOut([&] { return Futex(word, FUTEX_WAIT_BITSET, 0, &until, nullptr, ~0u); }, 400);
  });
}
CASE(restart_futex_wait_timed) {
  unsigned* word = Shared<unsigned>();
  All([&] {
    const timespec time = {0, 400000000};
    return TimedOut([&] { return Futex(word, FUTEX_WAIT, 0, &time); }, 400);
  });
  Record("private", Interrupt(Kind::kStop, [&] {
           const timespec time = {0, 400000000};
           return TimedOut([&] { return Futex(word, FUTEX_WAIT_PRIVATE, 0, &time); }, 400);
         }));
}
CASE(restart_futex_wait_timed_survives_stops) {
  unsigned* word = Shared<unsigned>();
  const pid_t child = fork();
  if (child == 0) {
    const timespec time = {0, 500000000};
    const long long start = NowMs();
    const long result = Futex(word, FUTEX_WAIT, 0, &time);
    const int error = errno;
    const long long took = NowMs() - start;
    _exit(result != -1 || error != ETIMEDOUT ? 1 : took < 498 ? 2 : took > 1500 ? 3 : 0);
  }
  int status;
  for (int i = 0; i < 4; i++) {
    SleepMs(60);
    MUST(kill(child, SIGSTOP));
    MUST(waitpid(child, &status, WUNTRACED));
    MUST(kill(child, SIGCONT));
  }
  MUST(waitpid(child, &status, 0));
  Record("child", StatusText(status));
}
CASE(restart_futex_wait_timed_is_woken) {
  unsigned* word = Shared<unsigned>();
  All(
      [&] {
        const timespec time = {5, 0};
        return Futex(word, FUTEX_WAIT, 0, &time);
      },
      [&] { Futex(word, FUTEX_WAKE, 1); });
}
CASE(restart_futex_wait_timed_sees_a_new_value) {
  unsigned* word = Shared<unsigned>();
  const pid_t child = fork();
  if (child == 0) {
    const timespec time = {5, 0};
    _exit(Futex(word, FUTEX_WAIT, 0, &time) < 0 ? errno : 0);
  }
  SleepMs(100);
  int status;
  MUST(kill(child, SIGSTOP));
  MUST(waitpid(child, &status, WUNTRACED));
  *word = 1;
  MUST(kill(child, SIGCONT));
  MUST(waitpid(child, &status, 0));
  Record("child", strerrorname_np(WEXITSTATUS(status)));
}
CASE(restart_futex_wait_timed_errors) {
  unsigned word = 0;
  timespec time = {0, 1000000000};
  T(Futex(&word, FUTEX_WAIT, 0, &time));
  time = {-1, 0};
  T(Futex(&word, FUTEX_WAIT, 0, &time));
  T(Futex(&word, FUTEX_WAIT, 0, static_cast<timespec*>(BadPointer())));
  time = {0, 1};
  T(Futex(&word, FUTEX_WAIT, 1, &time));
  T(Futex(&word, FUTEX_WAIT, 0, &time));
  T(Futex(&word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, &time));
  T(Futex(reinterpret_cast<char*>(&word) + 1, FUTEX_WAIT, 0, &time));
  T(Futex(BadPointer(), FUTEX_WAIT, 0, &time));
}
CASE(restart_clock_nanosleep_of_cpu_time) {
  // A second thread consumes the time.
  const auto sleep = [](int flags) {
    pthread_t worker;
    pthread_create(
        &worker, nullptr,
        [](void*) -> void* {
          while (true) {
          }
        },
        nullptr);
    timespec time = In(CLOCK_PROCESS_CPUTIME_ID, 300), start;
    if (flags == 0) time = {0, 300000000};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    errno = clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, flags, &time, nullptr);
    if (errno != 0) return -1L;
    timespec end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    const long took = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
    errno = EALREADY;
    return took >= 295 ? 0L : -1L;
  };
  All([&] { return sleep(0); });
  All([&] { return sleep(TIMER_ABSTIME); });
}
CASE(restart_futex_wait_timed_by_handler) {
  unsigned* word = Shared<unsigned>();
  const auto wait = [&] {
    const timespec time = {0, 500000000};
    return Futex(word, FUTEX_WAIT, 0, &time);
  };
  Record("handler", Interrupt(Kind::kHandler, wait));
  Record("restart", Interrupt(Kind::kRestart, wait));
  Record("ignored", Interrupt(Kind::kIgnored, wait));
}
CASE(restart_sem_wait) {
  sem_t* semaphore = Shared<sem_t>();
  MUST(sem_init(semaphore, 1, 0));
  const auto wait = [&] { return static_cast<long>(sem_wait(semaphore)); };
  Record("handler", Interrupt(Kind::kHandler, wait));
  Record("restart", Interrupt(Kind::kRestart, wait, [&] { sem_post(semaphore); }));
  Record("stop", Interrupt(Kind::kStop, wait, [&] { sem_post(semaphore); }));
  Record("ignored", Interrupt(Kind::kIgnored, wait, [&] { sem_post(semaphore); }));
}
CASE(restart_mutex_never_fails) {
  pthread_mutex_t* mutex = Shared<pthread_mutex_t>();
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(mutex, &attributes);
  const auto lock = [&] {
    errno = pthread_mutex_lock(mutex);
    const bool good = errno == 0;
    if (good) pthread_mutex_unlock(mutex);
    return good ? 0L : -1L;
  };
  for (const Kind kind : {Kind::kHandler, Kind::kRestart, Kind::kStop}) {
    pthread_mutex_lock(mutex);
    Record("lock", Interrupt(kind, lock, [&] { pthread_mutex_unlock(mutex); }));
  }
}
CASE(restart_flock) {
  Make("f");
  const int fd = open("f", O_RDWR);
  const auto lock = [] {
    const int other = open("f", O_RDWR);
    return static_cast<long>(flock(other, LOCK_EX));
  };
  for (const Kind kind : {Kind::kHandler, Kind::kRestart, Kind::kStop}) {
    MUST(flock(fd, LOCK_EX));
    Record("lock", Interrupt(kind, lock, [&] { flock(fd, LOCK_UN); }));
  }
}
CASE(restart_record_lock) {
  Make("f", "x");
  const int fd = open("f", O_RDWR);
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  const auto lock = [&] {
    struct flock mine = {};
    mine.l_type = F_WRLCK;
    return static_cast<long>(fcntl(fd, F_SETLKW, &mine));
  };
  for (const Kind kind : {Kind::kHandler, Kind::kRestart, Kind::kStop}) {
    whole.l_type = F_WRLCK;
    MUST(fcntl(fd, F_SETLK, &whole));
    Record("lock", Interrupt(kind, lock, [&] {
             whole.l_type = F_UNLCK;
             fcntl(fd, F_SETLK, &whole);
           }));
  }
}
CASE(restart_open_fifo) {
  MUST(mkfifo("f", 0600));
  All([] { return static_cast<long>(open("f", O_RDONLY)); },
      [] {
        SleepMs(20);
        const int fd = open("f", O_WRONLY | O_NONBLOCK);
        if (fd >= 0) close(fd);
      });
}
CASE(restart_eventfd_and_timerfd) {
  const int event = eventfd(0, 0);
  All(
      [&] {
        unsigned long value;
        return read(event, &value, 8);
      },
      [&] {
        const unsigned long one = 1;
        MUST(write(event, &one, 8));
      });
  const int timer = timerfd_create(CLOCK_MONOTONIC, 0);
  All([&] {
    const itimerspec when = {{0, 0}, {0, 300000000}};
    timerfd_settime(timer, 0, &when, nullptr);
    unsigned long value;
    return read(timer, &value, 8);
  });
}
CASE(restart_signalfd_read) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  MUST(sigprocmask(SIG_BLOCK, &set, nullptr));
  const auto wait = [&] {
    const int fd = signalfd(-1, &set, 0);
    const pid_t me = getpid();
    if (fork() == 0) {
      SleepMs(400);
      _exit(kill(me, SIGUSR2));
    }
    signalfd_siginfo info;
    return read(fd, &info, sizeof info);
  };
  All(wait);
}
CASE(restart_partial_write_counts) {
  int p[2];
  MUST(pipe(p));
  const pid_t child = fork();
  if (child == 0) {
    struct sigaction action = {};
    action.sa_handler = [](int) {};
    sigaction(SIGUSR1, &action, nullptr);
    static char block[300000];
    const ssize_t put = write(p[1], block, sizeof block);
    _exit(put < 0 ? 1 : put == 65536 ? 2 : put == sizeof block ? 3 : 4);
  }
  SleepMs(100);
  MUST(kill(child, SIGUSR1));
  int status;
  MUST(waitpid(child, &status, 0));
  Record("child", StatusText(status));
}
CASE(restart_handler_then_longjmp_free_loop) {
  // A periodic signal while a thread does short native sleeps: none may fail
  // with anything but EINTR, and all must end.
  struct sigaction action = {};
  static volatile int hits;
  action.sa_handler = [](int) { hits = hits + 1; };
  MUST(sigaction(SIGUSR1, &action, nullptr));
  const pid_t me = getpid();
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 200; i++) {
      kill(me, SIGUSR1);
      usleep(500);
    }
    _exit(0);
  }
  int strange = 0;
  int status;
  while (waitpid(child, &status, WNOHANG) != child) {
    const timespec time = {0, 300000};
    if (nanosleep(&time, nullptr) < 0 && errno != EINTR) strange++;
  }
  Record("strange", strange);
  Record("hit", hits > 0);
}
