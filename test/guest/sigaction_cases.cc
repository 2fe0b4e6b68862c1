// Signals: waiting for them, masks, what sigaction(2) keeps, handlers.
#include <pthread.h>

#include <thread>

#include "test/guest/queued_signals.h"

using namespace guest;

CASE(sigtimedwait_errors) {
  const sigset_t set = Set({SIGUSR1});
  siginfo_t info;
  timespec bad = {0, 1000000000};
  T(sigtimedwait(&set, &info, &bad));
  bad = {-1, 0};
  T(sigtimedwait(&set, &info, &bad));
  const timespec now = {0, 0};
  T(sigtimedwait(&set, &info, &now));
  T(syscall(SYS_rt_sigtimedwait, &set, &info, &now, 4));
  T(syscall(SYS_rt_sigtimedwait, BadPointer(), &info, &now, 8));
  T(syscall(SYS_rt_sigtimedwait, &set, &info, BadPointer(), 8));
  Block({SIGUSR1});
  MUST(raise(SIGUSR1));
  T(syscall(SYS_rt_sigtimedwait, &set, BadPointer(), &now, 8));
  T(sigtimedwait(&set, &info, &now));
}
CASE(sigtimedwait_takes_lowest_then_queue) {
  Block({SIGUSR1, SIGUSR2, SIGRTMIN});
  MUST(QueueInfo(getpid(), SIGRTMIN, SI_QUEUE, 1));
  MUST(QueueInfo(getpid(), SIGRTMIN, SI_QUEUE, 2));
  MUST(raise(SIGUSR2));
  MUST(raise(SIGUSR1));
  const sigset_t set = Set({SIGUSR1, SIGUSR2, SIGRTMIN});
  const timespec now = {0, 0};
  siginfo_t info;
  for (int i = 0; i < 5; i++) {
    info.si_value.sival_int = 0;
    Record("s", sigtimedwait(&set, &info, &now));
    Record("v", i >= 2 && i < 4 ? info.si_value.sival_int : 0);
  }
}
CASE(sigtimedwait_takes_ignored_signal) {
  signal(SIGUSR1, SIG_IGN);
  Block({SIGUSR1});
  const pid_t parent = getpid();
  if (fork() == 0) {
    SleepMs(50);
    _exit(kill(parent, SIGUSR1));
  }
  const sigset_t set = Set({SIGUSR1});
  const timespec wait = {5, 0};
  T(sigtimedwait(&set, nullptr, &wait));
}
CASE(sigtimedwait_takes_default_ignored_signal) {
  Block({SIGCHLD});
  if (fork() == 0) _exit(3);
  const sigset_t set = Set({SIGCHLD});
  siginfo_t info;
  const timespec wait = {5, 0};
  T(sigtimedwait(&set, &info, &wait));
  Record("code", info.si_code);
  Record("status", info.si_status);
}
CASE(sigtimedwait_unblocked_signal) {
  const pid_t parent = getpid();
  if (fork() == 0) {
    SleepMs(50);
    _exit(kill(parent, SIGUSR1));
  }
  const sigset_t set = Set({SIGUSR1});
  const timespec wait = {5, 0};
  T(sigtimedwait(&set, nullptr, &wait));
}
CASE(sigtimedwait_in_second_thread) {
  Block({SIGUSR1});
  int got = 0;
  std::thread other([&] {
    const sigset_t set = Set({SIGUSR1});
    got = sigwaitinfo(&set, nullptr);
  });
  SleepMs(50);
  MUST(kill(getpid(), SIGUSR1));
  other.join();
  Record("got", got);
}
CASE(sigpending_sizes) {
  Block({SIGUSR1});
  MUST(raise(SIGUSR1));
  unsigned char bytes[16] = {};
  T(syscall(SYS_rt_sigpending, bytes, 2));
  Record("second", bytes[1]);
  T(syscall(SYS_rt_sigpending, bytes, 0));
  T(syscall(SYS_rt_sigpending, bytes, 9));
  T(syscall(SYS_rt_sigpending, BadPointer(), 8));
}
CASE(sigprocmask_errors) {
  sigset_t set = Set({SIGUSR1});
  T(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, nullptr, 4));
  T(syscall(SYS_rt_sigprocmask, SIG_BLOCK, BadPointer(), nullptr, 8));
  T(syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, BadPointer(), 8));
  T(syscall(SYS_rt_sigprocmask, 99, nullptr, nullptr, 8));
  T(syscall(SYS_rt_sigprocmask, 99, &set, nullptr, 8));
  T(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, BadPointer(), 8));
  sigset_t now;
  MUST(sigprocmask(SIG_BLOCK, nullptr, &now));
  Record("blocked", sigismember(&now, SIGUSR1));
}
CASE(sigsuspend_errors) {
  sigset_t set = Set({});
  T(syscall(SYS_rt_sigsuspend, &set, 4));
  T(syscall(SYS_rt_sigsuspend, BadPointer(), 8));
}
CASE(sigsuspend_handler_sees_its_mask) {
  static int inside = -1;
  struct sigaction action = {};
  action.sa_handler = [](int) {
    sigset_t now;
    sigprocmask(SIG_BLOCK, nullptr, &now);
    inside = sigismember(&now, SIGUSR2) * 10 + sigismember(&now, SIGTERM);
  };
  MUST(sigaction(SIGUSR1, &action, nullptr));
  Block({SIGUSR1, SIGTERM});
  MUST(raise(SIGUSR1));
  const sigset_t during = Set({SIGUSR2});
  T(sigsuspend(&during));
  Record("inside", inside);
  sigset_t now;
  MUST(sigprocmask(SIG_BLOCK, nullptr, &now));
  Record("usr2", sigismember(&now, SIGUSR2));
  Record("term", sigismember(&now, SIGTERM));
}
CASE(sigaction_keeps_known_flags_only) {
  struct KernelAction {
    void* handler;
    unsigned long flags;
    void* restorer;
    unsigned long mask;
  } action = {}, old = {};
  action.handler = reinterpret_cast<void*>(0x1234);
  action.flags = 0xffffffffUL;
  action.mask = ~0UL;
  T(syscall(SYS_rt_sigaction, SIGUSR1, &action, nullptr, 8));
  T(syscall(SYS_rt_sigaction, SIGUSR1, nullptr, &old, 8));
  Record("flags", static_cast<long long>(old.flags));
  Record("mask", static_cast<long long>(old.mask));
  action.flags = 0xffffffff00000000UL;
  T(syscall(SYS_rt_sigaction, SIGUSR1, &action, &old, 8));
  T(syscall(SYS_rt_sigaction, SIGUSR1, nullptr, &old, 8));
  Record("flags", static_cast<long long>(old.flags));
}
CASE(sigaction_of_unblockable_can_be_read) {
  struct sigaction old;
  T(sigaction(SIGKILL, nullptr, &old));
  Record("default", old.sa_handler == SIG_DFL);
  T(sigaction(SIGSTOP, nullptr, &old));
  T(syscall(SYS_rt_sigaction, SIGUSR1, BadPointer(), nullptr, 8));
  T(syscall(SYS_rt_sigaction, SIGUSR1, nullptr, BadPointer(), 8));
}
CASE(sigaction_ignore_drops_pending) {
  Block({SIGUSR1, SIGCHLD, SIGCONT});
  MUST(raise(SIGUSR1));
  MUST(raise(SIGCHLD));
  signal(SIGUSR1, SIG_IGN);
  Handle(SIGUSR1);
  signal(SIGCHLD, SIG_DFL);
  sigset_t pending;
  sigpending(&pending);
  Record("usr1", sigismember(&pending, SIGUSR1));
  Record("chld", sigismember(&pending, SIGCHLD));
  Unblock({SIGUSR1});
  Record("count", g_count);
}
CASE(signal_stop_and_continue_cancel_each_other) {
  Block({SIGTSTP, SIGTTIN, SIGCONT});
  sigset_t pending;
  MUST(raise(SIGTSTP));
  MUST(raise(SIGTTIN));
  sigpending(&pending);
  Record("stop", sigismember(&pending, SIGTSTP) + sigismember(&pending, SIGTTIN));
  Handle(SIGCONT);
  MUST(raise(SIGCONT));
  sigpending(&pending);
  Record("stop", sigismember(&pending, SIGTSTP) + sigismember(&pending, SIGTTIN));
  Record("cont", sigismember(&pending, SIGCONT));
  MUST(raise(SIGTSTP));
  sigpending(&pending);
  Record("cont", sigismember(&pending, SIGCONT));
}
CASE(signal_nested_order_is_last_frame_first) {
  static std::string order;
  for (const int s : {SIGUSR1, SIGUSR2}) {
    struct sigaction action = {};
    action.sa_handler = [](int number) { order += number == SIGUSR1 ? '1' : '2'; };
    MUST(sigaction(s, &action, nullptr));
  }
  Block({SIGUSR1, SIGUSR2});
  MUST(raise(SIGUSR1));
  MUST(raise(SIGUSR2));
  Unblock({SIGUSR1, SIGUSR2});
  Record("order", order);
}
CASE(signal_without_restorer_is_fatal) {
  Record("child", InChild([] {
           struct KernelAction {
             void (*handler)(int);
             unsigned long flags;
             void* restorer;
             unsigned long mask;
           } action = {};
           action.handler = [](int) { _exit(1); };
           syscall(SYS_rt_sigaction, SIGUSR1, &action, nullptr, 8);
           kill(getpid(), SIGUSR1);
           return 2;
         }));
}
CASE(signal_reset_on_entry) {
  static int inside = -1;
  struct sigaction action = {};
  action.sa_handler = [](int) {
    struct sigaction now;
    sigaction(SIGUSR1, nullptr, &now);
    inside = now.sa_handler == SIG_DFL;
  };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  MUST(sigaction(SIGUSR1, &action, nullptr));
  MUST(raise(SIGUSR1));
  Record("inside", inside);
}
CASE(sigpipe_on_pipe_and_socket) {
  Record("default", InChild([] {
           int p[2];
           MUST(pipe(p));
           close(p[0]);
           if (write(p[1], "x", 1) < 0) return 1;
           return 0;
         }));
  Handle(SIGPIPE);
  int p[2];
  MUST(pipe(p));
  close(p[0]);
  T(write(p[1], "x", 1));
  Record("count", g_count);
  Record("code", g_info.si_code);
  signal(SIGPIPE, SIG_IGN);
  T(write(p[1], "x", 1));
}
CASE(signal_all_numbers_queue_to_handler) {
  int good = 0;
  for (int s = 1; s <= 64; s++) {
    if (s == SIGKILL || s == SIGSTOP || s == 32 || s == 33) continue;
    g_count = 0;
    Handle(s);
    if (kill(getpid(), s) == 0 && g_count == 1 && g_info.si_signo == s) good++;
  }
  Record("good", good);
}
CASE(signal_exit_from_handler) {
  Record("child", InChild([] {
           signal(SIGUSR1, [](int) { _exit(31); });
           raise(SIGUSR1);
           return 1;
         }));
}
CASE(signal_many_threads_each_their_own) {
  static volatile int hits[8];
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    hits[info->si_value.sival_int] = hits[info->si_value.sival_int] + 1;
  };
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGRTMIN + 1, &action, nullptr));
  static volatile bool stop;
  std::thread threads[8];
  for (std::thread& thread : threads) {
    thread = std::thread([] {
      while (!stop) SleepMs(1);
    });
  }
  for (int round = 0; round < 50; round++) {
    for (int i = 0; i < 8; i++) {
      sigval value;
      value.sival_int = i;
      while (pthread_sigqueue(threads[i].native_handle(), SIGRTMIN + 1, value) == EAGAIN) {
        SleepMs(1);
      }
    }
  }
  for (int i = 0; i < 500 && hits[0] + hits[7] < 100; i++) SleepMs(10);
  SleepMs(50);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  for (const volatile int& count : hits) Record("n", count);
}
