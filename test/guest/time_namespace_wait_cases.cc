// Waits for absolute times in a time namespace.
#include <pthread.h>
#include <sys/timerfd.h>

#include "test/guest/futexes.h"
#include "test/guest/time_namespaces.h"
#include "test/guest/timers.h"

using namespace guest;

namespace {

// Whether `wait` ends `kMs` after its begin, and not much later.
constexpr int kMs = 60;
std::string Ends(const std::function<std::string()>& wait) {
  const long long begin = NowMs();
  const std::string result = wait();
  const long long took = NowMs() - begin;
  if (took < kMs - 5) return result + " early";
  return result + (took < 5000 ? " in time" : " late");
}
std::string AtOnce(const std::function<std::string()>& wait) {
  const long long begin = NowMs();
  const std::string result = wait();
  return result + (NowMs() - begin < 1000 ? " at once" : " late");
}
std::string Text(long result) {
  return result < 0 ? strerrorname_np(errno) : std::to_string(result);
}
std::string Sleep(clockid_t clock, const timespec& until) {
  return Text(-clock_nanosleep(clock, TIMER_ABSTIME, &until, nullptr)) == "0" ? "slept" : "failed";
}
// What lies before the namespace's clock began.
constexpr timespec kLongAgo = {5, 0};

unsigned g_word;
std::string Bitset(const timespec& until, int flags = 0) {
  return Text(Futex(&g_word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | flags, 0, &until, nullptr,
                    FUTEX_BITSET_MATCH_ANY));
}
std::string LockPi(int operation, const timespec& until) {
  static unsigned lock;
  lock = static_cast<unsigned>(getppid());
  return Text(Futex(&lock, operation, 0, &until));
}
std::string WaitOnVector(clockid_t clock, const timespec& until) {
  Waitv waiter = {0, reinterpret_cast<unsigned long>(&g_word), kSize32 | kPrivate2, 0};
  return Text(syscall(kWaitv, &waiter, 1, 0, &until, clock));
}
std::string Wait2(clockid_t clock, const timespec& until) {
  return Text(syscall(kWait2, &g_word, 0, ~0u, kSize32 | kPrivate2, &until, clock));
}
void InterruptIn(int milliseconds, int flags) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  action.sa_flags = flags;
  MUST(sigaction(SIGALRM, &action, nullptr));
  const itimerval timer = {{0, 0}, {0, milliseconds * 1000}};
  MUST(setitimer(ITIMER_REAL, &timer, nullptr));
}

}  // namespace

CASE(sleep_until) {
  for (clockid_t clock : {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME}) {
    Record("sleep",
           InMovedTime([&] { return Ends([&] { return Sleep(clock, In(clock, kMs)); }); }));
    Record("past", InMovedTime([&] { return AtOnce([&] { return Sleep(clock, kLongAgo); }); }));
    Record("relative", InMovedTime([&] {
             return Ends([&] {
               const timespec time = {0, kMs * 1'000'000};
               return Text(clock_nanosleep(clock, 0, &time, nullptr));
             });
           }));
  }
}
CASE(sleep_until_interrupted) {
  Record("handler", InMovedTime([] {
           InterruptIn(kMs, SA_RESTART);
           return Ends([] {
             const timespec until = In(CLOCK_MONOTONIC, 10'000);
             return std::string(
                 strerrorname_np(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr)));
           });
         }));
}
CASE(sleep_until_over_a_stop) {
  Record("slept", InMovedTime([] {
           return Ends([] {
             const pid_t self = getpid();
             const pid_t helper = fork();
             if (helper == 0) {
               SleepMs(10);
               kill(self, SIGSTOP);
               SleepMs(10);
               kill(self, SIGCONT);
               _exit(0);
             }
             const std::string text = Sleep(CLOCK_MONOTONIC, In(CLOCK_MONOTONIC, kMs));
             waitpid(helper, nullptr, 0);
             return text;
           });
         }));
}
CASE(sleep_errors) {
  Record("invalid", InMovedTime([] {
           const timespec wrong = {1, 1'000'000'000};
           return std::string(
               strerrorname_np(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wrong, nullptr)));
         }));
  Record("address", InMovedTime([] {
           return Text(
               syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, BadPointer(), nullptr));
         }));
}
CASE(timer_until) {
  for (clockid_t clock : {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME}) {
    Record("timer", InMovedTime([&] {
             Mask(SIG_BLOCK, SIGUSR1);
             sigevent event = Event(SIGEV_SIGNAL, SIGUSR1);
             const int id = Create(clock, &event);
             return Ends([&] {
               const itimerspec value = {{0, 0}, In(clock, kMs)};
               if (syscall(SYS_timer_settime, id, TIMER_ABSTIME, &value, nullptr) < 0)
                 return Text(-1);
               itimerspec left;
               syscall(SYS_timer_gettime, id, &left);
               sigset_t set;
               sigemptyset(&set);
               sigaddset(&set, SIGUSR1);
               return Text(sigwaitinfo(&set, nullptr)) + " " + std::to_string(left.it_value.tv_sec);
             });
           }));
  }
}
CASE(timer_until_the_past) {
  Record("timer", InMovedTime([] {
           Mask(SIG_BLOCK, SIGUSR1);
           sigevent event = Event(SIGEV_SIGNAL, SIGUSR1);
           const int id = Create(CLOCK_MONOTONIC, &event);
           return AtOnce([&] {
             const itimerspec value = {{0, 0}, kLongAgo};
             syscall(SYS_timer_settime, id, TIMER_ABSTIME, &value, nullptr);
             sigset_t set;
             sigemptyset(&set);
             sigaddset(&set, SIGUSR1);
             return Text(sigwaitinfo(&set, nullptr));
           });
         }));
}
CASE(timerfd_until) {
  for (clockid_t clock : {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME}) {
    Record("timerfd", InMovedTime([&] {
             const int fd = timerfd_create(clock, 0);
             return Ends([&] {
               const itimerspec value = {{0, 0}, In(clock, kMs)};
               if (timerfd_settime(fd, TFD_TIMER_ABSTIME, &value, nullptr) < 0) return Text(-1);
               uint64_t count = 0;
               const ssize_t n = read(fd, &count, sizeof count);
               return Text(n) + " " + std::to_string(count);
             });
           }));
  }
  Record("past", InMovedTime([] {
           const int fd = timerfd_create(CLOCK_BOOTTIME, 0);
           return AtOnce([&] {
             const itimerspec value = {{0, 0}, kLongAgo};
             timerfd_settime(fd, TFD_TIMER_ABSTIME, &value, nullptr);
             uint64_t count = 0;
             return Text(read(fd, &count, sizeof count));
           });
         }));
}
CASE(futex_until) {
  Record("bitset",
         InMovedTime([] { return Ends([] { return Bitset(In(CLOCK_MONOTONIC, kMs)); }); }));
  Record("realtime", InMovedTime([] {
           return Ends([] { return Bitset(In(CLOCK_REALTIME, kMs), FUTEX_CLOCK_REALTIME); });
         }));
  Record("past", InMovedTime([] { return AtOnce([] { return Bitset(kLongAgo); }); }));
  Record("relative", InMovedTime([] {
           return Ends([] {
             const timespec time = {0, kMs * 1'000'000};
             return Text(Futex(&g_word, FUTEX_WAIT, 0, &time));
           });
         }));
  Record("wrong_value", InMovedTime([] {
           const timespec until = In(CLOCK_MONOTONIC, kMs);
           return Text(Futex(&g_word, FUTEX_WAIT_BITSET, 1, &until, nullptr, ~0u));
         }));
  Record("invalid", InMovedTime([] { return Bitset({1, -1}); }));
  Record("address", InMovedTime([] {
           return Text(Futex(&g_word, FUTEX_WAIT_BITSET, 0, BadPointer(), nullptr, ~0u));
         }));
}
CASE(futex_pi_until) {
  Record("lock2", InMovedTime([] {
           return Ends([] { return LockPi(FUTEX_LOCK_PI2, In(CLOCK_MONOTONIC, kMs)); });
         }));
  Record("lock", InMovedTime([] {
           return Ends([] { return LockPi(FUTEX_LOCK_PI, In(CLOCK_REALTIME, kMs)); });
         }));
}
CASE(futex_vector_until) {
  Record("monotonic", InMovedTime([] {
           return Ends([] { return WaitOnVector(CLOCK_MONOTONIC, In(CLOCK_MONOTONIC, kMs)); });
         }));
  Record("realtime", InMovedTime([] {
           return Ends([] { return WaitOnVector(CLOCK_REALTIME, In(CLOCK_REALTIME, kMs)); });
         }));
  Record("boottime",
         InMovedTime([] { return WaitOnVector(CLOCK_BOOTTIME, In(CLOCK_BOOTTIME, kMs)); }));
}
CASE(futex_wait_until) {
  Record("monotonic", InMovedTime([] {
           return Ends([] { return Wait2(CLOCK_MONOTONIC, In(CLOCK_MONOTONIC, kMs)); });
         }));
  Record("realtime", InMovedTime([] {
           return Ends([] { return Wait2(CLOCK_REALTIME, In(CLOCK_REALTIME, kMs)); });
         }));
}
CASE(futex_interrupted) {
  const struct {
    const char* name;
    std::string (*wait)();
  } kWaits[] = {
      {"bitset", [] { return Bitset(In(CLOCK_MONOTONIC, kMs * 3)); }},
      {"vector", [] { return WaitOnVector(CLOCK_MONOTONIC, In(CLOCK_MONOTONIC, kMs * 3)); }},
      {"wait2", [] { return Wait2(CLOCK_MONOTONIC, In(CLOCK_MONOTONIC, kMs * 3)); }},
      {"lock", [] { return LockPi(FUTEX_LOCK_PI2, In(CLOCK_MONOTONIC, kMs * 3)); }},
  };
  for (const auto& [name, wait] : kWaits) {
    for (int flags : {0, SA_RESTART}) {
      Record(name, InMovedTime([&] {
               InterruptIn(kMs, flags);
               return Ends(wait);
             }));
    }
  }
}
CASE(futex_woken) {
  Record("woken", InMovedTime([] {
           unsigned* word = Shared<unsigned>();
           const pid_t waker = fork();
           if (waker == 0) {
             while (Futex(word, FUTEX_WAKE, 1) == 0) SleepMs(5);
             _exit(0);
           }
           const timespec until = In(CLOCK_MONOTONIC, 20'000);
           const std::string text =
               Text(Futex(word, FUTEX_WAIT_BITSET, 0, &until, nullptr, FUTEX_BITSET_MATCH_ANY));
           waitpid(waker, nullptr, 0);
           return text;
         }));
}
CASE(condition_variable_until) {
  for (clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME}) {
    Record(
        "wait", InMovedTime([&] {
          pthread_condattr_t attributes;
          pthread_condattr_init(&attributes);
          pthread_condattr_setclock(&attributes, clock);
          pthread_cond_t condition;
          pthread_cond_init(&condition, &attributes);
          pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
          pthread_mutex_lock(&mutex);
          return Ends([&] {
            const timespec until = In(clock, kMs);
            return std::string(strerrorname_np(pthread_cond_timedwait(&condition, &mutex, &until)));
          });
        }));
  }
}
