// What the programs about timers and clocks have in common.
#ifndef RUNSC_TEST_GUEST_TIMERS_H_
#define RUNSC_TEST_GUEST_TIMERS_H_

#include <sys/auxv.h>
#include <sys/time.h>
#include <sys/timex.h>

#include <atomic>

#include "test/guest/cases.h"

namespace guest {

inline volatile sig_atomic_t g_count;
inline volatile sig_atomic_t g_overrun;
inline siginfo_t g_info;

inline void Keep(int, siginfo_t* info, void*) {
  g_count = g_count + 1;
  g_info = *info;
  g_overrun = info->si_overrun;
}
inline void Handle(int signo) {
  struct sigaction action = {};
  action.sa_sigaction = Keep;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  MUST(sigaction(signo, &action, nullptr));
}
inline void Mask(int how, int signo) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signo);
  MUST(sigprocmask(how, &set, nullptr));
}
// The kernel's timer ids; the C library's are pointers for SIGEV_THREAD.
inline int Create(clockid_t clock, sigevent* event) {
  int id = -1;
  const long result = syscall(SYS_timer_create, clock, event, &id);
  return result < 0 ? -1 : id;
}
inline sigevent Event(int notify, int signo) {
  sigevent event = {};
  event.sigev_notify = notify;
  event.sigev_signo = signo;
  event.sigev_value.sival_int = 321;
  return event;
}
inline long Set(int id, long value_ms, long interval_ms = 0, int flags = 0) {
  const itimerspec spec = {{interval_ms / 1000, interval_ms % 1000 * 1000000},
                           {value_ms / 1000, value_ms % 1000 * 1000000}};
  return syscall(SYS_timer_settime, id, flags, &spec, nullptr);
}
inline void Burn(int milliseconds) {
  timespec start, now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
  do {
    for (int i = 0; i < 20000; i++) asm volatile("");
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <
           milliseconds);
}
inline std::atomic<int> g_by_main, g_by_others;
// Counts signals by who handles them: the first thread, or another one.
inline void CountByThread(int signo) {
  struct sigaction action = {};
  action.sa_handler = [](int) { ++(gettid() == getpid() ? g_by_main : g_by_others); };
  action.sa_flags = SA_RESTART;
  MUST(sigaction(signo, &action, nullptr));
}
inline clockid_t ProcessClock(pid_t pid, int kind = 2) {
  return static_cast<clockid_t>((~static_cast<unsigned>(pid) << 3) | static_cast<unsigned>(kind));
}
inline clockid_t ThreadClock(pid_t tid) { return ProcessClock(tid, 6); }
inline long long Ns(const timespec& time) { return time.tv_sec * 1000000000LL + time.tv_nsec; }

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_TIMERS_H_
