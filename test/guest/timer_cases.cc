// Timers and clocks: timer_create, setitimer, timerfd, CPU clocks, RLIMIT_CPU.
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>

#include <atomic>
#include <thread>

#include "test/guest/cases.h"

using namespace guest;

namespace {
volatile sig_atomic_t g_count;
volatile sig_atomic_t g_overrun;
siginfo_t g_info;

void Keep(int, siginfo_t* info, void*) {
  g_count = g_count + 1;
  g_info = *info;
  g_overrun = info->si_overrun;
}
void Handle(int signo) {
  struct sigaction action = {};
  action.sa_sigaction = Keep;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  MUST(sigaction(signo, &action, nullptr));
}
void Mask(int how, int signo) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signo);
  MUST(sigprocmask(how, &set, nullptr));
}
// The kernel's timer ids; the C library's are pointers for SIGEV_THREAD.
int Create(clockid_t clock, sigevent* event) {
  int id = -1;
  const long result = syscall(SYS_timer_create, clock, event, &id);
  return result < 0 ? -1 : id;
}
sigevent Event(int notify, int signo) {
  sigevent event = {};
  event.sigev_notify = notify;
  event.sigev_signo = signo;
  event.sigev_value.sival_int = 321;
  return event;
}
long Set(int id, long value_ms, long interval_ms = 0, int flags = 0) {
  const itimerspec spec = {{interval_ms / 1000, interval_ms % 1000 * 1000000},
                           {value_ms / 1000, value_ms % 1000 * 1000000}};
  return syscall(SYS_timer_settime, id, flags, &spec, nullptr);
}
void Burn(int milliseconds) {
  timespec start, now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
  do {
    for (int i = 0; i < 20000; i++) asm volatile("");
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <
           milliseconds);
}
clockid_t ProcessClock(pid_t pid, int kind = 2) {
  return static_cast<clockid_t>((~static_cast<unsigned>(pid) << 3) | static_cast<unsigned>(kind));
}
clockid_t ThreadClock(pid_t tid) { return ProcessClock(tid, 6); }
long long Ns(const timespec& time) { return time.tv_sec * 1000000000LL + time.tv_nsec; }
}  // namespace

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
