// Clocks and sleeping.
#include <sys/time.h>
#include <sys/timex.h>

#include "test/guest/cases.h"

using namespace guest;

CASE(clock_gettime_kinds) {
  timespec now;
  for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
                                CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI}) {
    T(clock_gettime(clock, &now));
    T(syscall(SYS_clock_gettime, clock, &now));
  }
  T(clock_gettime(99, &now));
  T(syscall(SYS_clock_gettime, 99, &now));
}
CASE(clock_getres_kinds) {
  timespec resolution;
  T(clock_getres(CLOCK_MONOTONIC, &resolution));
  Record("ns", resolution.tv_nsec);
  T(clock_getres(99, &resolution));
}
CASE(clock_monotonic_never_goes_back) {
  timespec last = {};
  bool good = true;
  for (int i = 0; i < 10000; i++) {
    timespec now;
    if (i % 2) {
      clock_gettime(CLOCK_MONOTONIC, &now);
    } else {
      syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    }
    good = good &&
           (now.tv_sec > last.tv_sec || (now.tv_sec == last.tv_sec && now.tv_nsec >= last.tv_nsec));
    last = now;
  }
  Record("good", good);
}
CASE(clock_vdso_agrees_with_call) {
  timespec a, b;
  clock_gettime(CLOCK_REALTIME, &a);
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &b);
  Record("close", llabs(a.tv_sec - b.tv_sec) <= 1);
  timeval v;
  T(gettimeofday(&v, nullptr));
  Record("close", llabs(v.tv_sec - b.tv_sec) <= 1);
  Record("time", llabs(time(nullptr) - b.tv_sec) <= 1);
}
CASE(clock_realtime_is_this_century) {
  Record("good", time(nullptr) > 1600000000 && time(nullptr) < 4000000000);
}
CASE(nanosleep_forms) {
  const long long start = NowMs();
  const timespec wait = {0, 20000000};
  T(nanosleep(&wait, nullptr));
  Record("slept", NowMs() - start >= 20);
  const timespec bad = {0, 1000000000};
  T(nanosleep(&bad, nullptr));
  const timespec negative = {-1, 0};
  T(nanosleep(&negative, nullptr));
  const timespec none = {0, 0};
  T(nanosleep(&none, nullptr));
}
CASE(clock_nanosleep_forms) {
  timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  const long long start = NowMs();
  until.tv_nsec += 20000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  T(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr));
  Record("slept", NowMs() - start >= 19);
  T(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr));
  T(clock_nanosleep(99, 0, &until, nullptr));
  T(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &until, nullptr));
}
CASE(clock_settime_unprivileged) {
  BecomeUser(1000, 1000);
  const timespec now = {1000, 0};
  T(clock_settime(CLOCK_REALTIME, &now));
  T(clock_settime(CLOCK_MONOTONIC, &now));
}
CASE(cpu_clock_advances_with_work) {
  timespec before, after;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
  volatile long x = 0;
  for (long i = 0; i < 20000000; i++) x = x + i;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
  Record("grew", after.tv_sec > before.tv_sec || after.tv_nsec > before.tv_nsec);
}
CASE(cpu_clock_stands_still_in_sleep) {
  timespec before, after;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
  SleepMs(100);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
  const long passed = (after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec;
  Record("small", passed < 50000000);
}
