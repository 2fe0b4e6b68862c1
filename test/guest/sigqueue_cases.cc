// Queued signals: their limits and information; whom kill(2) reaches.

#include <thread>

#include "test/guest/queued_signals.h"

using namespace guest;

CASE(queue_limit_stops_sigqueue) {
  Record("child", InChild([] {
           BecomeUser(4242, 4242);
           LimitPending(3);
           Block({SIGRTMIN});
           int sent = 0;
           while (sent < 10 && QueueInfo(getpid(), SIGRTMIN, SI_QUEUE, 0) == 0) sent++;
           return errno == EAGAIN ? sent : 99;
         }));
}
CASE(queue_limit_counts_all_processes_of_a_user) {
  Record("child", InChild([] {
           BecomeUser(4243, 4243);
           LimitPending(4);
           Block({SIGRTMIN});
           const pid_t other = fork();
           if (other == 0) {
             pause();
             _exit(0);
           }
           SleepMs(50);
           int sent = 0;
           for (int i = 0; i < 2; i++) sent += QueueInfo(other, SIGRTMIN, SI_QUEUE, 0) == 0;
           while (sent < 10 && QueueInfo(getpid(), SIGRTMIN, SI_QUEUE, 0) == 0) sent++;
           kill(other, SIGKILL);
           return sent;
         }));
}
CASE(queue_limit_zero_lets_kill_pass) {
  Record("child", InChild([] {
           BecomeUser(4244, 4244);
           LimitPending(0);
           Handle(SIGRTMIN);
           Block({SIGRTMIN});
           int result = 0;
           if (kill(getpid(), SIGRTMIN) == 0) result |= 1;
           if (kill(getpid(), SIGRTMIN) == 0) result |= 2;
           if (QueueInfo(getpid(), SIGRTMIN, SI_QUEUE, 1) < 0 && errno == EAGAIN) result |= 4;
           if (raise(SIGRTMIN) != 0) result |= 8;
           Unblock({SIGRTMIN});
           if (g_count == 1) result |= 16;
           if (g_info.si_code == SI_USER && g_info.si_pid == 0) result |= 32;
           return result;
         }));
}
CASE(queue_limit_zero_standard_signal_loses_value) {
  Record("child", InChild([] {
           BecomeUser(4245, 4245);
           LimitPending(0);
           Handle(SIGUSR1);
           Block({SIGUSR1});
           if (QueueInfo(getpid(), SIGUSR1, SI_QUEUE, 9) != 0) return 1;
           Unblock({SIGUSR1});
           return g_count * 100 + g_info.si_value.sival_int + (g_info.si_code == SI_USER ? 10 : 0);
         }));
}
CASE(queue_room_comes_back) {
  Record("child", InChild([] {
           BecomeUser(4246, 4246);
           LimitPending(2);
           Block({SIGRTMIN});
           int total = 0;
           const sigset_t set = Set({SIGRTMIN});
           for (int round = 0; round < 5; round++) {
             while (QueueInfo(getpid(), SIGRTMIN, SI_QUEUE, 0) == 0) total++;
             siginfo_t info;
             const timespec now = {0, 0};
             while (sigtimedwait(&set, &info, &now) > 0) {
             }
           }
           return total;
         }));
}
CASE(queue_standard_signal_once_first_value) {
  Handle(SIGUSR1);
  Block({SIGUSR1});
  T(QueueInfo(getpid(), SIGUSR1, SI_QUEUE, 1));
  T(QueueInfo(getpid(), SIGUSR1, SI_QUEUE, 2));
  Unblock({SIGUSR1});
  Record("count", g_count);
  Record("value", g_info.si_value.sival_int);
}
CASE(queue_hundred_in_order) {
  static int last = -1;
  static bool ordered = true;
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    ordered = ordered && info->si_value.sival_int == last + 1;
    last = info->si_value.sival_int;
  };
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGRTMIN + 3, &action, nullptr));
  Block({SIGRTMIN + 3});
  for (int i = 0; i < 100; i++) MUST(QueueInfo(getpid(), SIGRTMIN + 3, SI_QUEUE, i));
  Unblock({SIGRTMIN + 3});
  Record("last", last);
  Record("ordered", ordered);
}
CASE(queue_fields_arrive) {
  Handle(SIGUSR2);
  T(QueueInfo(getpid(), SIGUSR2, SI_QUEUE, 77));
  Record("signo", g_info.si_signo);
  Record("errno", g_info.si_errno);
  Record("code", g_info.si_code);
  Record("pid", g_info.si_pid);
  Record("uid", g_info.si_uid);
  Record("value", g_info.si_value.sival_int);
}
CASE(queue_codes_to_oneself) {
  Handle(SIGUSR1);
  for (const int code : {0, 1, 128, -1, -2, -3, -4, -5, -6, -7, -60, -61, 100}) {
    g_info.si_code = 9999;
    Record("c" + std::to_string(code), QueueInfo(getpid(), SIGUSR1, code, 0) == 0 ? 0 : errno);
    Record("seen", g_info.si_code);
  }
}
CASE(queue_codes_to_others) {
  const pid_t child = Sleeper();
  for (const int code : {0, 1, 128, -1, -2, -3, -4, -5, -6, -7, -60}) {
    Record("c" + std::to_string(code), QueueInfo(child, 0, code, 0) == 0 ? 0 : errno);
  }
  End(child);
}
CASE(queue_errors) {
  T(QueueInfo(getpid(), 65, SI_QUEUE, 0));
  T(QueueInfo(getpid(), -1, SI_QUEUE, 0));
  T(QueueInfo(999999, SIGUSR1, SI_QUEUE, 0));
  T(QueueInfo(999999, 65, SI_QUEUE, 0));
  T(QueueInfo(999999, SIGUSR1, SI_USER, 0));
  T(QueueInfo(0, SIGUSR1, SI_QUEUE, 0));
  T(QueueInfo(-1, SIGUSR1, SI_QUEUE, 0));
  T(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, BadPointer()));
  T(QueueInfo(getpid(), 0, SI_QUEUE, 0));
}
CASE(queue_thread_errors) {
  const pid_t me = getpid();
  T(QueueThread(me, me, 0, SI_QUEUE));
  T(QueueThread(me, me, 65, SI_QUEUE));
  T(QueueThread(0, me, 0, SI_QUEUE));
  T(QueueThread(me, 0, 0, SI_QUEUE));
  T(QueueThread(me, -1, 0, SI_QUEUE));
  T(QueueThread(me, 999999, 0, SI_QUEUE));
  T(QueueThread(999999, me, 0, SI_QUEUE));
  T(QueueThread(1, me, 0, SI_QUEUE));
  T(QueueThread(me, 1, 0, SI_USER));
  T(QueueThread(me, me, 0, SI_USER));
  T(syscall(SYS_rt_tgsigqueueinfo, me, me, SIGUSR1, BadPointer()));
}
CASE(queue_thread_reaches_that_thread) {
  static volatile pid_t seen;
  struct sigaction action = {};
  action.sa_handler = [](int) { seen = static_cast<pid_t>(syscall(SYS_gettid)); };
  MUST(sigaction(SIGUSR1, &action, nullptr));
  volatile pid_t id = 0;
  volatile bool stop = false;
  std::thread other([&] {
    id = static_cast<pid_t>(syscall(SYS_gettid));
    while (!stop) SleepMs(1);
  });
  while (id == 0) SleepMs(1);
  T(QueueThread(getpid(), id, SIGUSR1, SI_QUEUE));
  while (seen == 0) SleepMs(1);
  Record("right", seen == id);
  stop = true;
  other.join();
}
CASE(queue_pending_of_thread_is_its_own) {
  Block({SIGUSR1});
  volatile bool stop = false;
  volatile pid_t id = 0;
  volatile int inside = -1;
  std::thread other([&] {
    id = static_cast<pid_t>(syscall(SYS_gettid));
    while (!stop) SleepMs(1);
    sigset_t pending;
    sigpending(&pending);
    inside = sigismember(&pending, SIGUSR1);
  });
  while (id == 0) SleepMs(1);
  T(syscall(SYS_tgkill, getpid(), id, SIGUSR1));
  sigset_t pending;
  sigpending(&pending);
  Record("main", sigismember(&pending, SIGUSR1));
  stop = true;
  other.join();
  Record("thread", inside);
}
CASE(kill_looks_for_the_process_first) {
  T(kill(999999, 65));
  T(kill(getpid(), 65));
  T(kill(getpid(), -5));
  T(syscall(SYS_tkill, 999999, 65));
  T(syscall(SYS_tkill, getpid(), 65));
  T(syscall(SYS_tkill, 0, 0));
  T(syscall(SYS_tkill, -3, 0));
  T(syscall(SYS_tgkill, getpid(), getpid(), 65));
  T(syscall(SYS_tgkill, 999999, getpid(), 0));
  T(kill(-999999, 0));
  T(kill(-999999, 65));
}
CASE(kill_by_thread_id_reaches_the_process) {
  Handle(SIGUSR1);
  volatile pid_t id = 0;
  volatile bool stop = false;
  std::thread other([&] {
    id = static_cast<pid_t>(syscall(SYS_gettid));
    while (!stop) SleepMs(1);
  });
  while (id == 0) SleepMs(1);
  T(kill(id, SIGUSR1));
  SleepMs(20);
  Record("count", g_count);
  T(QueueInfo(id, SIGUSR1, SI_QUEUE, 0));
  stop = true;
  other.join();
}
CASE(kill_without_permission) {
  const pid_t child = Sleeper();
  Record("user", InChild([child] {
           BecomeUser(1000, 1000);
           int result = 0;
           if (kill(child, 0) < 0 && errno == EPERM) result |= 1;
           if (kill(child, SIGCONT) == 0) result |= 2;
           if (kill(child, 65) < 0 && errno == EINVAL) result |= 4;
           if (QueueInfo(child, SIGTERM, SI_QUEUE, 0) < 0 && errno == EPERM) result |= 8;
           if (syscall(SYS_tgkill, child, child, SIGTERM) < 0 && errno == EPERM) result |= 16;
           if (kill(1, SIGTERM) < 0 && errno == EPERM) result |= 32;
           return result;
         }));
  End(child);
}
