// POSIX timers.
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timex.h>

#include <atomic>
#include <thread>

#include "test/guest/timers.h"

using namespace guest;

CASE(timer_create_errors) {
  sigevent event = Event(SIGEV_SIGNAL, 0);
  T(Create(CLOCK_MONOTONIC, &event));
  event = Event(SIGEV_SIGNAL, 65);
  T(Create(CLOCK_MONOTONIC, &event));
  event = Event(99, SIGUSR1);
  T(Create(CLOCK_MONOTONIC, &event));
  event = Event(SIGEV_THREAD_ID, SIGUSR1);
  event._sigev_un._tid = 1;
  T(Create(CLOCK_MONOTONIC, &event));
  event._sigev_un._tid = 999999;
  T(Create(CLOCK_MONOTONIC, &event));
  event = Event(SIGEV_SIGNAL, SIGUSR1);
  T(Create(99, &event));
  T(Create(CLOCK_MONOTONIC_RAW, &event));
  T(Create(CLOCK_REALTIME_COARSE, &event));
  T(Create(CLOCK_MONOTONIC_COARSE, &event));
  T(Create(ProcessClock(999999), &event));
  T(syscall(SYS_timer_create, CLOCK_MONOTONIC, BadPointer(), &event));
  T(syscall(SYS_timer_create, CLOCK_MONOTONIC, nullptr, BadPointer()));
}
CASE(timer_create_clocks) {
  sigevent event = Event(SIGEV_NONE, 0);
  for (const clockid_t clock :
       {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI, CLOCK_PROCESS_CPUTIME_ID,
        CLOCK_THREAD_CPUTIME_ID, ProcessClock(getpid()), ProcessClock(1), ThreadClock(getpid())}) {
    T(Create(clock, &event) >= 0);
  }
}
CASE(timer_ids_count_up) {
  sigevent event = Event(SIGEV_NONE, 0);
  const int first = Create(CLOCK_MONOTONIC, &event);
  Record("first", first);
  Record("second", Create(CLOCK_MONOTONIC, &event) - first);
  T(syscall(SYS_timer_delete, first));
  T(syscall(SYS_timer_delete, first));
  Record("third", Create(CLOCK_MONOTONIC, &event) - first);
}
CASE(timer_unknown_ids) {
  itimerspec spec = {};
  T(syscall(SYS_timer_settime, 77, 0, &spec, nullptr));
  T(syscall(SYS_timer_gettime, 77, &spec));
  T(syscall(SYS_timer_getoverrun, 77));
  T(syscall(SYS_timer_delete, 77));
  T(syscall(SYS_timer_delete, -1));
}
CASE(timer_settime_errors) {
  sigevent event = Event(SIGEV_NONE, 0);
  const int id = Create(CLOCK_MONOTONIC, &event);
  itimerspec spec = {{0, 0}, {0, 1000000000}};
  T(syscall(SYS_timer_settime, id, 0, &spec, nullptr));
  spec = {{0, -1}, {0, 1}};
  T(syscall(SYS_timer_settime, id, 0, &spec, nullptr));
  spec = {{0, 0}, {-1, 0}};
  T(syscall(SYS_timer_settime, id, 0, &spec, nullptr));
  T(syscall(SYS_timer_settime, id, 0, nullptr, nullptr));
  T(syscall(SYS_timer_settime, id, 0, BadPointer(), nullptr));
  T(syscall(SYS_timer_gettime, id, BadPointer()));
}
CASE(timer_without_event_sends_sigalrm) {
  Handle(SIGALRM);
  const int id = Create(CLOCK_MONOTONIC, nullptr);
  MUST(Set(id, 10));
  while (g_count == 0) SleepMs(1);
  Record("signo", g_info.si_signo);
  Record("code", g_info.si_code);
  Record("value_is_id", g_info.si_value.sival_int == id);
}
CASE(timer_gettime_counts_down) {
  sigevent event = Event(SIGEV_NONE, 0);
  const int id = Create(CLOCK_MONOTONIC, &event);
  itimerspec now;
  T(syscall(SYS_timer_gettime, id, &now));
  Record("armed", Ns(now.it_value) != 0);
  MUST(Set(id, 100000, 3000));
  T(syscall(SYS_timer_gettime, id, &now));
  Record("left", now.it_value.tv_sec);
  Record("interval", now.it_interval.tv_sec);
  MUST(Set(id, 0, 3000));
  T(syscall(SYS_timer_gettime, id, &now));
  Record("interval", Ns(now.it_interval));
}
CASE(timer_none_expires_silently) {
  sigevent event = Event(SIGEV_NONE, SIGKILL);
  const int id = Create(CLOCK_MONOTONIC, &event);
  MUST(Set(id, 5));
  SleepMs(30);
  itimerspec now;
  T(syscall(SYS_timer_gettime, id, &now));
  Record("left", Ns(now.it_value));
}
CASE(timer_absolute_in_the_past_fires) {
  Handle(SIGUSR1);
  sigevent event = Event(SIGEV_SIGNAL, SIGUSR1);
  const int id = Create(CLOCK_REALTIME, &event);
  const itimerspec spec = {{0, 0}, {1000, 0}};
  T(syscall(SYS_timer_settime, id, TIMER_ABSTIME, &spec, nullptr));
  for (int i = 0; i < 1000 && g_count == 0; i++) SleepMs(1);
  Record("count", g_count);
  Record("overrun", g_overrun);
}
CASE(timer_overruns_are_counted_while_blocked) {
  Handle(SIGUSR1);
  sigevent event = Event(SIGEV_SIGNAL, SIGUSR1);
  const int id = Create(CLOCK_MONOTONIC, &event);
  Mask(SIG_BLOCK, SIGUSR1);
  MUST(Set(id, 20, 20));
  SleepMs(250);
  Record("before", syscall(SYS_timer_getoverrun, id));
  Mask(SIG_UNBLOCK, SIGUSR1);
  Record("count", g_count);
  Record("many", g_overrun >= 8 && g_overrun < 40);
  Record("same", syscall(SYS_timer_getoverrun, id) == g_overrun);
  for (int i = 0; i < 1000 && g_count < 3; i++) SleepMs(1);
  Record("goes_on", g_count >= 3);
}
CASE(timer_single_signal_is_queued) {
  Mask(SIG_BLOCK, SIGRTMIN);
  sigevent event = Event(SIGEV_SIGNAL, SIGRTMIN);
  const int id = Create(CLOCK_MONOTONIC, &event);
  MUST(Set(id, 5, 5));
  SleepMs(100);
  MUST(Set(id, 0));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  const timespec now = {0, 0};
  siginfo_t info;
  // It belongs to a setting that is gone.
  T(sigtimedwait(&set, &info, &now));
}
CASE(timer_sigwait_fields) {
  Mask(SIG_BLOCK, SIGRTMIN);
  sigevent event = Event(SIGEV_SIGNAL, SIGRTMIN);
  const int id = Create(CLOCK_MONOTONIC, &event);
  MUST(Set(id, 5));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  siginfo_t info;
  T(sigwaitinfo(&set, &info));
  Record("code", info.si_code);
  Record("value", info.si_value.sival_int);
  Record("id", info.si_timerid == id);
  Record("overrun", info.si_overrun);
}
CASE(timer_to_a_thread) {
  static volatile pid_t seen;
  struct sigaction action = {};
  action.sa_handler = [](int) { seen = static_cast<pid_t>(syscall(SYS_gettid)); };
  MUST(sigaction(SIGUSR1, &action, nullptr));
  std::atomic<pid_t> id{0};
  std::atomic<bool> stop{false};
  std::thread other([&] {
    id = static_cast<pid_t>(syscall(SYS_gettid));
    while (!stop) SleepMs(1);
  });
  while (id == 0) SleepMs(1);
  sigevent event = Event(SIGEV_THREAD_ID, SIGUSR1);
  event._sigev_un._tid = id;
  const int timer = Create(CLOCK_MONOTONIC, &event);
  MUST(Set(timer, 5));
  while (seen == 0) SleepMs(1);
  Record("right", seen == id);
  stop = true;
  other.join();
}
CASE(timer_thread_notification) {
  static std::atomic<int> value{0};
  sigevent event = {};
  event.sigev_notify = SIGEV_THREAD;
  event.sigev_value.sival_int = 17;
  event.sigev_notify_function = [](sigval given) { value = given.sival_int; };
  timer_t timer;
  T(timer_create(CLOCK_MONOTONIC, &event, &timer));
  const itimerspec spec = {{0, 0}, {0, 5000000}};
  T(timer_settime(timer, 0, &spec, nullptr));
  for (int i = 0; i < 2000 && value == 0; i++) SleepMs(1);
  Record("value", value);
  T(timer_delete(timer));
}
CASE(timer_on_cpu_time) {
  Handle(SIGUSR1);
  sigevent event = Event(SIGEV_SIGNAL, SIGUSR1);
  const int id = Create(CLOCK_PROCESS_CPUTIME_ID, &event);
  MUST(Set(id, 30));
  SleepMs(100);
  Record("asleep", g_count);
  Burn(150);
  SleepMs(20);
  Record("burnt", g_count);
}
CASE(timer_on_thread_cpu_time) {
  Handle(SIGUSR1);
  sigevent event = Event(SIGEV_SIGNAL, SIGUSR1);
  const int id = Create(CLOCK_THREAD_CPUTIME_ID, &event);
  MUST(Set(id, 50));
  std::thread([] {
    Mask(SIG_BLOCK, SIGUSR1);
    Burn(150);
  }).join();
  Record("other", g_count);
  Burn(150);
  SleepMs(20);
  Record("own", g_count);
}
CASE(timer_on_cpu_time_signals_the_thread_that_consumes) {
  CountByThread(SIGUSR1);
  sigevent event = Event(SIGEV_SIGNAL, SIGUSR1);
  T(Set(Create(CLOCK_PROCESS_CPUTIME_ID, &event), 20, 20));
  std::thread([] { Burn(290); }).join();
  Record("others", g_by_others >= 5);
  Record("main", g_by_main);
}
CASE(timer_on_thread_cpu_time_signals_that_thread) {
  CountByThread(SIGUSR1);
  std::thread([] {
    sigevent event = Event(SIGEV_SIGNAL, SIGUSR1);
    T(Set(Create(CLOCK_THREAD_CPUTIME_ID, &event), 20, 20));
    Burn(290);
  }).join();
  Record("others", g_by_others >= 5);
  Record("main", g_by_main);
}
CASE(timer_gone_after_exec_and_fork) {
  Handle(SIGUSR1);
  sigevent event = Event(SIGEV_SIGNAL, SIGUSR1);
  const int id = Create(CLOCK_MONOTONIC, &event);
  MUST(Set(id, 100000));
  Record("fork", InChild([id] {
           itimerspec now;
           return syscall(SYS_timer_gettime, id, &now) < 0 ? errno : 0;
         }));
  Record("exec", InChild([] {
           sigevent fatal = Event(SIGEV_SIGNAL, SIGUSR1);
           MUST(Set(Create(CLOCK_MONOTONIC, &fatal), 200));
           execl("/bin/sh", "sh", "-c", "sleep 0.5; exit 3", nullptr);
           return 1;
         }));
}
CASE(timer_limit_is_the_queues) {
  Record("child", InChild([] {
           BecomeUser(4300, 4300);
           rlimit limit = {5, 5};
           MUST(setrlimit(RLIMIT_SIGPENDING, &limit));
           sigevent event = Event(SIGEV_NONE, 0);
           int made = 0;
           while (made < 20 && Create(CLOCK_MONOTONIC, &event) >= 0) made++;
           return errno == EAGAIN ? made : 99;
         }));
}
CASE(timer_ignored_signal_keeps_running) {
  signal(SIGUSR1, SIG_IGN);
  sigevent event = Event(SIGEV_SIGNAL, SIGUSR1);
  const int id = Create(CLOCK_MONOTONIC, &event);
  MUST(Set(id, 5, 5));
  SleepMs(40);
  Handle(SIGUSR1);
  for (int i = 0; i < 2000 && g_count == 0; i++) SleepMs(1);
  Record("count", g_count > 0);
}
CASE(timer_short_period) {
  Handle(SIGUSR1);
  sigevent event = Event(SIGEV_SIGNAL, SIGUSR1);
  const int id = Create(CLOCK_MONOTONIC, &event);
  const itimerspec spec = {{0, 200000}, {0, 1}};
  T(syscall(SYS_timer_settime, id, 0, &spec, nullptr));
  for (int i = 0; i < 2000 && g_count < 5; i++) SleepMs(1);
  T(syscall(SYS_timer_delete, id));
  Record("count", g_count >= 5);
}
