// Interval timers, timerfd, RLIMIT_CPU.
#include <limits.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>

#include <thread>

#include "test/guest/timers.h"

using namespace guest;

namespace {
constexpr itimerval kNever = {};
}

CASE(itimer_kinds) {
  Handle(SIGVTALRM);
  Handle(SIGPROF);
  const itimerval spec = {{0, 0}, {0, 40000}};
  T(setitimer(ITIMER_VIRTUAL, &spec, nullptr));
  T(setitimer(ITIMER_PROF, &spec, nullptr));
  SleepMs(100);
  Record("asleep", g_count);
  Burn(250);
  SleepMs(20);
  Record("count", g_count);
  Record("code", g_info.si_code);
}
CASE(itimer_signals_go_to_the_thread_that_consumes) {
  for (const auto& [which, signo] :
       {std::pair(ITIMER_VIRTUAL, SIGVTALRM), {ITIMER_PROF, SIGPROF}}) {
    g_by_main = g_by_others = 0;
    CountByThread(signo);
    const itimerval spec = {{0, 20000}, {0, 20000}};
    MUST(setitimer(which, &spec, nullptr));
    std::thread([] { Burn(290); }).join();
    MUST(setitimer(which, &kNever, nullptr));
    Record("others", g_by_others >= 5);
    Record("main", g_by_main);
  }
}
CASE(itimer_signals_are_shared_by_threads_that_consume) {
  CountByThread(SIGPROF);
  const itimerval spec = {{0, 20000}, {0, 20000}};
  MUST(setitimer(ITIMER_PROF, &spec, nullptr));
  std::thread other([] { Burn(600); });
  Burn(600);
  other.join();
  MUST(setitimer(ITIMER_PROF, &kNever, nullptr));
  Record("others", g_by_others >= 5);
  Record("main", g_by_main >= 5);
}
CASE(itimer_signals_go_elsewhere_when_blocked) {
  CountByThread(SIGPROF);
  const itimerval spec = {{0, 20000}, {0, 20000}};
  MUST(setitimer(ITIMER_PROF, &spec, nullptr));
  std::thread([] {
    Mask(SIG_BLOCK, SIGPROF);
    Burn(300);
  }).join();
  MUST(setitimer(ITIMER_PROF, &kNever, nullptr));
  Record("others", g_by_others);
  Record("main", g_by_main >= 5);
}
CASE(itimer_periods_without_a_value) {
  for (const auto which : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) {
    const itimerval spec = {{10, 0}, {0, 0}};
    T(setitimer(which, &spec, nullptr));
    itimerval now;
    T(getitimer(which, &now));
    Record("period", now.it_interval.tv_sec);
    T(setitimer(which, &kNever, &now));
    Record("period", now.it_interval.tv_sec);
  }
}
CASE(itimer_long_times) {
  for (const time_t seconds : {0x1ffffffffL, 9223372035L, 9223372037L, LONG_MAX}) {
    const itimerval spec = {{seconds, 7}, {1000, 0}};
    T(setitimer(ITIMER_REAL, &spec, nullptr));
    itimerval now;
    T(setitimer(ITIMER_REAL, &kNever, &now));
    Record("s", now.it_interval.tv_sec);
    Record("us", now.it_interval.tv_usec);
  }
}
CASE(itimer_errors) {
  itimerval spec = {{0, 0}, {0, 1000000}};
  T(setitimer(ITIMER_REAL, &spec, nullptr));
  spec = {{-1, 0}, {0, 1}};
  T(setitimer(ITIMER_REAL, &spec, nullptr));
  T(setitimer(static_cast<__itimer_which>(3), &spec, nullptr));
  T(getitimer(static_cast<__itimer_which>(-1), &spec));
  T(syscall(SYS_setitimer, ITIMER_REAL, BadPointer(), nullptr));
  T(syscall(SYS_getitimer, ITIMER_REAL, BadPointer()));
  T(syscall(SYS_setitimer, ITIMER_REAL, nullptr, &spec));
}
CASE(itimer_not_inherited_but_kept_by_exec) {
  const itimerval spec = {{0, 0}, {100, 0}};
  MUST(setitimer(ITIMER_REAL, &spec, nullptr));
  Record("fork", InChild([] {
           itimerval now;
           getitimer(ITIMER_REAL, &now);
           return now.it_value.tv_sec == 0 && now.it_value.tv_usec == 0 ? 1 : 2;
         }));
  Record("exec", InChild([] {
           alarm(1);
           execl("/bin/sh", "sh", "-c", "sleep 5", nullptr);
           return 1;
         }));
}
CASE(alarm_rounds) {
  T(alarm(100));
  T(alarm(0) >= 99);
  T(alarm(0));
}
CASE(timerfd_periods) {
  const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  const itimerspec spec = {{0, 10000000}, {0, 10000000}};
  T(timerfd_settime(fd, 0, &spec, nullptr));
  unsigned long count = 0;
  T(read(fd, &count, 8));
  SleepMs(105);
  T(read(fd, &count, 8));
  Record("count", count >= 9);
  itimerspec now;
  T(timerfd_gettime(fd, &now));
  Record("interval", now.it_interval.tv_nsec);
  Record("soon", now.it_value.tv_nsec <= 10000000);
  T(read(fd, &count, 4));
}
CASE(timerfd_errors) {
  T(timerfd_create(CLOCK_MONOTONIC_RAW, 0));
  T(timerfd_create(99, 0));
  T(timerfd_create(CLOCK_MONOTONIC, 1));
  const int fd = timerfd_create(CLOCK_REALTIME, 0);
  itimerspec spec = {{0, 0}, {0, 1000000000}};
  T(timerfd_settime(fd, 0, &spec, nullptr));
  T(timerfd_settime(fd, 8, &spec, nullptr));
  T(timerfd_settime(0, 0, &spec, nullptr));
  T(timerfd_settime(99, 0, &spec, nullptr));
  T(timerfd_gettime(fd, static_cast<itimerspec*>(BadPointer())));
  T(timerfd_settime(fd, 0, static_cast<itimerspec*>(BadPointer()), nullptr));
  spec = {{0, 0}, {2000000000, 0}};
  T(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, nullptr));
  T(write(fd, &spec, 8));
  T(lseek(fd, 0, SEEK_SET));
}
CASE(timerfd_rearmed_by_reading) {
  const int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  const itimerspec spec = {{0, 20000000}, {0, 20000000}};
  MUST(timerfd_settime(fd, 0, &spec, nullptr));
  unsigned long count = 0;
  bool good = true;
  for (int i = 0; i < 5; i++) good = read(fd, &count, 8) == 8 && count >= 1 && good;
  Record("good", good);
}
CASE(timerfd_info) {
  const int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  const std::string text = Content(("/proc/self/fdinfo/" + std::to_string(fd)).c_str());
  Record("text", text.substr(text.find("clockid")));
}
CASE(limit_cpu_sends_sigxcpu) {
  Record("child", InChild([] {
           static volatile int hits;
           signal(SIGXCPU, [](int) { hits = hits + 1; });
           rlimit limit = {1, RLIM_INFINITY};
           MUST(setrlimit(RLIMIT_CPU, &limit));
           for (int i = 0; i < 60 && hits == 0; i++) Burn(100);
           MUST(getrlimit(RLIMIT_CPU, &limit));
           return hits * 10 + static_cast<int>(limit.rlim_cur);
         }));
}
CASE(limit_cpu_warns_the_thread_that_consumes) {
  Record("child", InChild([] {
           CountByThread(SIGXCPU);
           const rlimit limit = {1, RLIM_INFINITY};
           MUST(setrlimit(RLIMIT_CPU, &limit));
           std::thread([] { Burn(1500); }).join();
           return g_by_main * 10 + g_by_others;
         }));
}
CASE(limit_cpu_kills) {
  Record("soft", InChild([] {
           rlimit limit = {1, RLIM_INFINITY};
           MUST(setrlimit(RLIMIT_CPU, &limit));
           const rlimit none = {0, 0};
           setrlimit(RLIMIT_CORE, &none);
           while (true) Burn(100);
           return 0;
         }));
  Record("hard", InChild([] {
           signal(SIGXCPU, SIG_IGN);
           const rlimit limit = {1, 1};
           MUST(setrlimit(RLIMIT_CPU, &limit));
           while (true) Burn(100);
           return 0;
         }));
}
CASE(timerfd_flags_are_shown) {
  const auto flags = [](int clock, int set) {
    const int fd = timerfd_create(clock, 0);
    const itimerspec spec = {{0, 0}, {2000000000, 0}};
    const int result = timerfd_settime(fd, set, &spec, nullptr);
    const std::string text = Content(("/proc/self/fdinfo/" + std::to_string(fd)).c_str());
    close(fd);
    const size_t at = text.find("settime flags");
    return std::to_string(result) + " " + text.substr(at, text.find('\n', at) - at);
  };
  for (const int clock : {CLOCK_REALTIME, CLOCK_MONOTONIC}) {
    Record("none", flags(clock, 0));
    Record("absolute", flags(clock, TFD_TIMER_ABSTIME));
    Record("cancel", flags(clock, TFD_TIMER_CANCEL_ON_SET));
    Record("both", flags(clock, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET));
  }
}
CASE(timerfd_cancelled_on_set_works_while_nobody_sets_the_clock) {
  const int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  itimerspec spec = {{0, 0}, {now.tv_sec + 100, 0}};
  T(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, nullptr));
  unsigned long count = 0;
  T(read(fd, &count, 8));
  spec.it_value.tv_sec = now.tv_sec - 1;
  T(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, nullptr));
  T(read(fd, &count, 8));
  Record("count", static_cast<long long>(count));
}
