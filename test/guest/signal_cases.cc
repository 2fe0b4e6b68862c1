// Signals: delivery, masks, handlers, waiting.
#include <setjmp.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <ucontext.h>

#include "test/guest/signals.h"

using namespace guest;

CASE(signal_handler_runs) {
  Handle(SIGUSR1);
  T(kill(getpid(), SIGUSR1));
  Record("count", g_count);
  Record("last", g_last);
}
CASE(signal_info_of_kill) {
  Handle(SIGUSR1);
  MUST(kill(getpid(), SIGUSR1));
  Record("code", g_info.si_code);
  Record("pid", g_info.si_pid == getpid());
  Record("uid", g_info.si_uid);
}
CASE(signal_info_of_sigqueue) {
  Handle(SIGUSR1);
  sigval value;
  value.sival_int = 1234;
  T(sigqueue(getpid(), SIGUSR1, value));
  Record("code", g_info.si_code);
  Record("value", g_info.si_value.sival_int);
}
CASE(signal_raise_is_tgkill) {
  Handle(SIGUSR1);
  T(raise(SIGUSR1));
  Record("code", g_info.si_code);
}
CASE(signal_default_actions) {
  for (const int s :
       {SIGHUP,    SIGINT,  SIGQUIT, SIGILL,  SIGABRT,   SIGFPE, SIGKILL, SIGSEGV, SIGPIPE,
        SIGALRM,   SIGTERM, SIGUSR1, SIGUSR2, SIGBUS,    SIGSYS, SIGTRAP, SIGXCPU, SIGXFSZ,
        SIGVTALRM, SIGPROF, SIGIO,   SIGPWR,  SIGSTKFLT, 34,     64}) {
    Record(std::to_string(s), InChild([s] {
             const rlimit none = {0, 0};
             setrlimit(RLIMIT_CORE, &none);
             kill(getpid(), s);
             return 77;
           }));
  }
}
CASE(signal_default_ignored) {
  for (const int s : {SIGCHLD, SIGURG, SIGWINCH, SIGCONT}) {
    Record(std::to_string(s), InChild([s] {
             kill(getpid(), s);
             return 77;
           }));
  }
}
CASE(signal_blocked_stays_pending) {
  Handle(SIGUSR1);
  Block({SIGUSR1});
  MUST(kill(getpid(), SIGUSR1));
  MUST(kill(getpid(), SIGUSR1));
  Record("count", g_count);
  sigset_t pending;
  T(sigpending(&pending));
  Record("pending", sigismember(&pending, SIGUSR1));
  const sigset_t set = Set({SIGUSR1});
  MUST(sigprocmask(SIG_UNBLOCK, &set, nullptr));
  Record("count", g_count);
}
CASE(signal_realtime_queue_in_order) {
  static int values[8];
  static int at = 0;
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    values[at++] = info->si_value.sival_int;
  };
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGRTMIN, &action, nullptr));
  Block({SIGRTMIN});
  for (int i = 1; i <= 4; i++) {
    sigval value;
    value.sival_int = i * 11;
    MUST(sigqueue(getpid(), SIGRTMIN, value));
  }
  const sigset_t set = Set({SIGRTMIN});
  MUST(sigprocmask(SIG_UNBLOCK, &set, nullptr));
  for (int i = 0; i < at; i++) Record("v", values[i]);
}
CASE(signal_lowest_number_first) {
  static char order[16];
  static int at = 0;
  for (const int s : {SIGRTMIN + 1, SIGRTMIN, SIGUSR2, SIGUSR1}) {
    struct sigaction action = {};
    action.sa_handler = [](int number) { order[at++] = static_cast<char>('A' + number - 10); };
    sigfillset(&action.sa_mask);
    MUST(sigaction(s, &action, nullptr));
  }
  Block({SIGRTMIN + 1, SIGRTMIN, SIGUSR2, SIGUSR1});
  for (const int s : {SIGRTMIN + 1, SIGUSR2, SIGRTMIN, SIGUSR1}) MUST(kill(getpid(), s));
  const sigset_t set = Set({SIGRTMIN + 1, SIGRTMIN, SIGUSR2, SIGUSR1});
  MUST(sigprocmask(SIG_UNBLOCK, &set, nullptr));
  Record("order", order);
}
CASE(signal_mask_during_handler) {
  static bool self = false, other = false;
  struct sigaction action = {};
  action.sa_handler = [](int) {
    sigset_t now;
    sigprocmask(SIG_BLOCK, nullptr, &now);
    self = sigismember(&now, SIGUSR1);
    other = sigismember(&now, SIGUSR2);
  };
  sigaddset(&action.sa_mask, SIGUSR2);
  MUST(sigaction(SIGUSR1, &action, nullptr));
  MUST(kill(getpid(), SIGUSR1));
  Record("self", self);
  Record("other", other);
  sigset_t now;
  MUST(sigprocmask(SIG_BLOCK, nullptr, &now));
  Record("after", sigismember(&now, SIGUSR1));
}
CASE(signal_nodefer_and_resethand) {
  Handle(SIGUSR1, SA_RESETHAND);
  MUST(kill(getpid(), SIGUSR1));
  struct sigaction now;
  T(sigaction(SIGUSR1, nullptr, &now));
  Record("default", now.sa_handler == SIG_DFL);
  static int depth = 0;
  struct sigaction action = {};
  action.sa_handler = [](int) {
    if (++depth < 5) kill(getpid(), SIGUSR2);
  };
  action.sa_flags = SA_NODEFER;
  MUST(sigaction(SIGUSR2, &action, nullptr));
  MUST(kill(getpid(), SIGUSR2));
  Record("depth", depth);
}
CASE(sigaction_errors) {
  struct sigaction action = {};
  T(sigaction(SIGKILL, &action, nullptr));
  T(sigaction(SIGSTOP, &action, nullptr));
  T(syscall(SYS_rt_sigaction, 0, nullptr, nullptr, 8));
  T(syscall(SYS_rt_sigaction, 65, nullptr, nullptr, 8));
  T(syscall(SYS_rt_sigaction, 1, nullptr, nullptr, 4));
  T(syscall(SYS_rt_sigprocmask, 7, &action, nullptr, 8));
}
CASE(signal_cannot_block_kill_and_stop) {
  sigset_t all;
  sigfillset(&all);
  MUST(sigprocmask(SIG_SETMASK, &all, nullptr));
  sigset_t now;
  MUST(sigprocmask(SIG_BLOCK, nullptr, &now));
  Record("kill", sigismember(&now, SIGKILL));
  Record("stop", sigismember(&now, SIGSTOP));
  Record("term", sigismember(&now, SIGTERM));
}
CASE(kill_errors) {
  T(kill(getpid(), 65));
  T(kill(getpid(), -1));
  T(kill(99999, 0));
  T(kill(getpid(), 0));
  T(syscall(SYS_tgkill, getpid(), 99999, 0));
  T(syscall(SYS_tgkill, -1, 1, 0));
}
CASE(kill_needs_permission) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  Record("other", InChild([child] {
           BecomeUser(1000, 1000);
           return kill(child, SIGTERM) < 0 ? errno : 0;
         }));
  MUST(kill(child, SIGKILL));
}
CASE(kill_process_group) {
  const pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    for (int i = 0; i < 3; i++) {
      if (fork() == 0) {
        pause();
        _exit(0);
      }
    }
    pause();
    _exit(0);
  }
  SleepMs(100);
  T(kill(-child, SIGTERM));
  int status;
  T(waitpid(child, &status, 0) == child ? 1 : 0);
  Record("status", StatusText(status));
}
CASE(signal_interrupts_read) {
  Handle(SIGUSR1);
  int p[2];
  MUST(pipe(p));
  SendLater(SIGUSR1);
  char c;
  T(read(p[0], &c, 1));
  Record("count", g_count);
}
CASE(signal_restarts_read) {
  Handle(SIGUSR1, SA_RESTART);
  int p[2];
  MUST(pipe(p));
  SendLater(SIGUSR1, 50);
  if (fork() == 0) {
    SleepMs(200);
    _exit(write(p[1], "x", 1) == 1 ? 0 : 1);
  }
  char c;
  T(read(p[0], &c, 1));
  Record("count", g_count);
}
CASE(signal_ignored_does_not_interrupt) {
  signal(SIGUSR1, SIG_IGN);
  int p[2];
  MUST(pipe(p));
  SendLater(SIGUSR1, 30);
  if (fork() == 0) {
    SleepMs(150);
    _exit(write(p[1], "x", 1) == 1 ? 0 : 1);
  }
  char c;
  T(read(p[0], &c, 1));
}
CASE(signal_interrupts_nanosleep_with_rest) {
  Handle(SIGUSR1, SA_RESTART);
  SendLater(SIGUSR1);
  timespec wait = {5, 0}, rest = {};
  T(nanosleep(&wait, &rest));
  Record("rest", rest.tv_sec);
}
CASE(signal_interrupts_wait) {
  Handle(SIGUSR1);
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  SendLater(SIGUSR1);
  int status;
  T(waitpid(child, &status, 0));
  kill(child, SIGKILL);
}
CASE(sigsuspend_returns_after_handler) {
  Handle(SIGUSR1);
  Block({SIGUSR1});
  MUST(kill(getpid(), SIGUSR1));
  sigset_t none;
  sigemptyset(&none);
  T(sigsuspend(&none));
  Record("count", g_count);
  sigset_t now;
  MUST(sigprocmask(SIG_BLOCK, nullptr, &now));
  Record("blocked_again", sigismember(&now, SIGUSR1));
}
CASE(pause_returns_after_handler) {
  Handle(SIGUSR1);
  SendLater(SIGUSR1);
  T(pause());
}
CASE(sigwaitinfo_takes_signal) {
  Block({SIGUSR1, SIGUSR2});
  MUST(kill(getpid(), SIGUSR2));
  const sigset_t set = Set({SIGUSR1, SIGUSR2});
  siginfo_t info;
  T(sigwaitinfo(&set, &info));
  Record("signo", info.si_signo);
  const timespec wait = {0, 20000000};
  T(sigtimedwait(&set, &info, &wait));
}
CASE(sigaltstack_is_used) {
  static char stack[65536];
  static bool inside = false;
  static bool on_stack = false;
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  T(sigaltstack(&alternate, nullptr));
  struct sigaction action = {};
  action.sa_handler = [](int) {
    char here;
    inside = &here >= stack && &here < stack + sizeof stack;
    stack_t now;
    sigaltstack(nullptr, &now);
    on_stack = now.ss_flags & SS_ONSTACK;
  };
  action.sa_flags = SA_ONSTACK;
  MUST(sigaction(SIGUSR1, &action, nullptr));
  MUST(kill(getpid(), SIGUSR1));
  Record("inside", inside);
  Record("flag", on_stack);
  stack_t small = {};
  small.ss_sp = stack;
  small.ss_size = 100;
  T(sigaltstack(&small, nullptr));
}
CASE(signal_handler_sees_registers) {
  static volatile unsigned long seen;
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t*, void* context) {
    seen = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_R12];
  };
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGUSR1, &action, nullptr));
  const long pid = getpid();
  unsigned long after;
  asm volatile(
      "mov $0x1122334455667788, %%r12\n"
      "syscall\n"
      "mov %%r12, %0\n"
      : "=r"(after)
      : "a"(SYS_kill), "D"(pid), "S"(SIGUSR1)
      : "rcx", "r11", "r12", "memory");
  Record("in_handler", seen == 0x1122334455667788UL);
  Record("after", after == 0x1122334455667788UL);
}
CASE(signal_handler_can_change_registers) {
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t*, void* context) {
    static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_R12] = 99;
  };
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGUSR1, &action, nullptr));
  const long pid = getpid();
  unsigned long after;
  asm volatile(
      "mov $5, %%r12\n"
      "syscall\n"
      "mov %%r12, %0\n"
      : "=r"(after)
      : "a"(SYS_kill), "D"(pid), "S"(SIGUSR1)
      : "rcx", "r11", "r12", "memory");
  Record("r12", after);
}
CASE(signal_preserves_floating_point) {
  struct sigaction action = {};
  action.sa_handler = [](int) { asm volatile("pxor %%xmm7, %%xmm7" ::: "xmm7"); };
  MUST(sigaction(SIGUSR1, &action, nullptr));
  const long pid = getpid();
  double value = 2.5, after = 0;
  asm volatile(
      "movsd %1, %%xmm7\n"
      "syscall\n"
      "movsd %%xmm7, %0\n"
      : "=m"(after)
      : "m"(value), "a"(SYS_kill), "D"(pid), "S"(SIGUSR1)
      : "rcx", "r11", "xmm7", "memory");
  Record("kept", after == 2.5);
}
CASE(alarm_delivers) {
  Handle(SIGALRM);
  T(alarm(1) >= 1);
  Record("left", alarm(1));
  T(pause());
  Record("count", g_count);
}
CASE(setitimer_repeats) {
  Handle(SIGALRM);
  alarm(0);
  const itimerval each = {{0, 10000}, {0, 10000}};
  T(setitimer(ITIMER_REAL, &each, nullptr));
  while (g_count < 3) pause();
  const itimerval off = {};
  itimerval old;
  T(setitimer(ITIMER_REAL, &off, &old));
  Record("interval", old.it_interval.tv_usec);
  T(setitimer(99, &off, nullptr));
}
CASE(posix_timer_signals) {
  Handle(SIGUSR1);
  timer_t timer;
  sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGUSR1;
  event.sigev_value.sival_int = 77;
  T(timer_create(CLOCK_MONOTONIC, &event, &timer));
  const itimerspec spec = {{0, 0}, {0, 10000000}};
  T(timer_settime(timer, 0, &spec, nullptr));
  while (g_count == 0) pause();
  Record("code", g_info.si_code);
  Record("value", g_info.si_value.sival_int);
  T(timer_getoverrun(timer));
  T(timer_delete(timer));
  T(timer_delete(timer));
}
CASE(signals_reset_on_exec_but_ignored_stay) {
  signal(SIGUSR1, SIG_IGN);
  signal(SIGUSR2, Count);
  Record("ignored", InChild([] {
           execl("/bin/sh", "sh", "-c", "kill -USR1 $$; exit 5", nullptr);
           return 99;
         }));
  Record("handled", InChild([] {
           execl("/bin/sh", "sh", "-c", "kill -USR2 $$; exit 5", nullptr);
           return 99;
         }));
}
CASE(signal_mask_inherited_by_fork_and_exec) {
  Block({SIGUSR1});
  Record("exec", InChild([] {
           execl("/bin/sh", "sh", "-c", "kill -USR1 $$; exit 6", nullptr);
           return 99;
         }));
  MUST(kill(getpid(), SIGUSR1));
  Record("child_pending", InChild([] {
           sigset_t pending;
           sigpending(&pending);
           return sigismember(&pending, SIGUSR1);
         }));
}
