// Clocks of processes and threads, sleeping on clocks, setting them.
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/time.h>
#include <sys/timex.h>

#include <atomic>
#include <thread>

#include "test/guest/timers.h"

using namespace guest;

CASE(cpu_clocks_of_processes) {
  const pid_t child = fork();
  if (child == 0) {
    while (true) Burn(10);
  }
  SleepMs(200);
  timespec time = {};
  T(clock_gettime(ProcessClock(child), &time));
  Record("burns", Ns(time) > 1000000);
  T(clock_gettime(ThreadClock(child), &time));
  T(clock_gettime(ProcessClock(999999), &time));
  clockid_t clock;
  T(clock_getcpuclockid(child, &clock));
  T(clock_getcpuclockid(999999, &clock));
  T(clock_getres(ProcessClock(child), &time));
  Record("ns", time.tv_nsec);
  T(clock_settime(ProcessClock(child), &time));
  MUST(kill(child, SIGKILL));
}
CASE(cpu_clocks_of_processes_that_have_ended) {
  const pid_t child = fork();
  if (child == 0) {
    Burn(50);
    _exit(0);
  }
  siginfo_t info;
  MUST(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT));
  timespec time = {};
  T(clock_gettime(ProcessClock(child), &time));
  Record("burned", Ns(time) > 40'000'000);
  T(clock_getres(ProcessClock(child), &time));
  MUST(waitpid(child, nullptr, 0));
  T(clock_gettime(ProcessClock(child), &time));
  T(clock_getres(ProcessClock(child), &time));
  clockid_t clock;
  T(clock_getcpuclockid(child, &clock));
}
CASE(cpu_clocks_of_threads) {
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) Burn(5);
  });
  SleepMs(50);
  clockid_t clock;
  T(pthread_getcpuclockid(other.native_handle(), &clock));
  timespec busy, own;
  T(clock_gettime(clock, &busy));
  T(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own));
  Record("more", Ns(busy) > Ns(own));
  stop = true;
  other.join();
}
CASE(cpu_clock_kinds) {
  timespec time;
  for (int kind = 0; kind < 8; kind++) {
    Record("k", syscall(SYS_clock_gettime, ProcessClock(0, kind), &time) == 0 ? 0 : errno);
  }
  for (int kind = 0; kind < 3; kind++) {
    Record("me", syscall(SYS_clock_gettime, ProcessClock(getpid(), kind), &time) == 0 ? 0 : errno);
  }
}
CASE(cpu_clock_nanosleep) {
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) Burn(5);
  });
  timespec time = {0, 30000000};
  Record("sleep", clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &time, nullptr));
  stop = true;
  other.join();
  Record("thread", clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &time, nullptr));
  Record("unknown", clock_nanosleep(ProcessClock(999999), 0, &time, nullptr));
}
CASE(clock_nanosleep_errors) {
  timespec time = {0, 1000};
  for (const clockid_t clock : {CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE,
                                CLOCK_BOOTTIME, CLOCK_TAI}) {
    Record("c", clock_nanosleep(clock, 0, &time, nullptr));
  }
  Record("unknown", clock_nanosleep(77, 0, &time, nullptr));
  time = {0, 1000000000};
  Record("ns", clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr));
  time = {-1, 0};
  Record("negative", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr));
  time = {0, 1000};
  T(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, BadPointer(), nullptr));
  T(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 8, &time, nullptr));
  T(syscall(SYS_nanosleep, BadPointer(), nullptr));
}
CASE(clock_getres_of_all) {
  for (clockid_t clock = 0; clock <= 12; clock++) {
    timespec time = {};
    const long result = syscall(SYS_clock_getres, clock, &time);
    // Alarm clocks depend on the machine's hardware.
    if (clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM) continue;
    Record("c", result == 0 ? time.tv_nsec : -errno);
  }
  T(syscall(SYS_clock_getres, CLOCK_MONOTONIC, nullptr));
  T(syscall(SYS_clock_getres, CLOCK_MONOTONIC, BadPointer()));
  T(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, BadPointer()));
}
CASE(clock_setting_is_refused) {
  BecomeUser(1000, 1000);
  timespec time = {1000, 0};
  T(clock_settime(CLOCK_REALTIME, &time));
  T(clock_settime(CLOCK_MONOTONIC, &time));
  T(clock_settime(CLOCK_PROCESS_CPUTIME_ID, &time));
  T(clock_settime(77, &time));
  T(syscall(SYS_clock_settime, CLOCK_REALTIME, BadPointer()));
  time = {0, -5};
  T(clock_settime(CLOCK_REALTIME, &time));
  const timeval now = {1000, 0};
  T(settimeofday(&now, nullptr));
  timex adjust = {};
  adjust.modes = ADJ_OFFSET;
  T(adjtimex(&adjust));
  T(clock_adjtime(CLOCK_MONOTONIC, &adjust));
  T(syscall(SYS_adjtimex, BadPointer()));
}
CASE(adjtime_is_read_by_anybody) {
  BecomeUser(1000, 1000);
  timeval left = {};
  T(adjtime(nullptr, &left));
  T(adjtime(&left, nullptr));
  for (const unsigned modes : {0x8000U, 0xa000U, 0x2000U, 0x8001U, 0xa001U | ADJ_TICK}) {
    timex adjust = {};
    adjust.modes = modes;
    Record("result", adjtimex(&adjust) < 0 ? strerrorname_np(errno) : "ok");
    Record("modes", adjust.modes);
  }
}
CASE(vdso_is_mapped) {
  const unsigned long base = getauxval(AT_SYSINFO_EHDR);
  Record("base", base != 0);
  Record("elf", base != 0 && memcmp(reinterpret_cast<void*>(base), "\177ELF", 4) == 0);
  // Much faster than any system call: it is used.
  timespec time;
  const long long start = NowMs();
  for (int i = 0; i < 200000; i++) clock_gettime(CLOCK_MONOTONIC, &time);
  Record("fast", NowMs() - start < 400);
}
