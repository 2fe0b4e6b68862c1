// Queued signals, their limits and information; masks; alternate stacks; what
// sigaction(2) keeps.
#include <pthread.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <ucontext.h>

#include <thread>

#include "test/guest/cases.h"

using namespace guest;

namespace {
volatile sig_atomic_t g_count;
siginfo_t g_info;

void Keep(int, siginfo_t* info, void*) {
  g_count = g_count + 1;
  g_info = *info;
}
void Handle(int signo, int flags = 0) {
  struct sigaction action = {};
  action.sa_sigaction = Keep;
  action.sa_flags = flags | SA_SIGINFO;
  MUST(sigaction(signo, &action, nullptr));
}
sigset_t Set(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : signals) sigaddset(&set, s);
  return set;
}
void Block(std::initializer_list<int> signals) {
  const sigset_t set = Set(signals);
  MUST(sigprocmask(SIG_BLOCK, &set, nullptr));
}
void Unblock(std::initializer_list<int> signals) {
  const sigset_t set = Set(signals);
  MUST(sigprocmask(SIG_UNBLOCK, &set, nullptr));
}
long QueueInfo(pid_t pid, int signo, int code, int value) {
  siginfo_t info = {};
  info.si_signo = 1;  // the argument counts
  info.si_code = code;
  info.si_pid = 4321;
  info.si_uid = 1234;
  info.si_value.sival_int = value;
  return syscall(SYS_rt_sigqueueinfo, pid, signo, &info);
}
long QueueThread(pid_t tgid, pid_t tid, int signo, int code) {
  siginfo_t info = {};
  info.si_code = code;
  info.si_value.sival_int = 5;
  return syscall(SYS_rt_tgsigqueueinfo, tgid, tid, signo, &info);
}
pid_t Sleeper() {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  return child;
}
void End(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}
void LimitPending(rlim_t soft) {
  rlimit limit;
  MUST(getrlimit(RLIMIT_SIGPENDING, &limit));
  limit.rlim_cur = soft;
  MUST(setrlimit(RLIMIT_SIGPENDING, &limit));
}
}  // namespace

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
CASE(sigaltstack_round_trip) {
  static char stack[32768];
  stack_t set = {}, old = {};
  T(sigaltstack(nullptr, &old));
  Record("flags", old.ss_flags);
  set.ss_sp = stack;
  set.ss_size = sizeof stack;
  T(sigaltstack(&set, nullptr));
  T(sigaltstack(nullptr, &old));
  Record("flags", old.ss_flags);
  Record("same", old.ss_sp == stack && old.ss_size == sizeof stack);
  set.ss_flags = SS_ONSTACK;
  T(sigaltstack(&set, nullptr));
  T(sigaltstack(nullptr, &old));
  Record("flags", old.ss_flags);
  set.ss_flags = SS_DISABLE;
  T(sigaltstack(&set, &old));
  T(sigaltstack(nullptr, &old));
  Record("flags", old.ss_flags);
  Record("gone", old.ss_sp == nullptr && old.ss_size == 0);
}
CASE(sigaltstack_errors) {
  static char stack[32768];
  stack_t set = {};
  set.ss_sp = stack;
  set.ss_size = 2047;
  T(sigaltstack(&set, nullptr));
  set.ss_size = 2048;
  T(sigaltstack(&set, nullptr));
  set.ss_size = sizeof stack;
  set.ss_flags = 4;
  T(sigaltstack(&set, nullptr));
  set.ss_flags = 3;
  T(sigaltstack(&set, nullptr));
  set.ss_flags = SS_DISABLE;
  set.ss_size = 1;
  T(sigaltstack(&set, nullptr));
  T(syscall(SYS_sigaltstack, BadPointer(), nullptr));
  T(syscall(SYS_sigaltstack, nullptr, BadPointer()));
}
CASE(sigaltstack_autodisarm) {
  static char stack[65536];
  static int inside_flags = -1, error = -1;
  static bool inside;
  stack_t set = {};
  set.ss_sp = stack;
  set.ss_size = sizeof stack;
  set.ss_flags = static_cast<int>(1u << 31);
  T(sigaltstack(&set, nullptr));
  struct sigaction action = {};
  action.sa_handler = [](int) {
    char here;
    inside = &here >= stack && &here < stack + sizeof stack;
    stack_t now;
    sigaltstack(nullptr, &now);
    inside_flags = now.ss_flags;
    stack_t other = {};
    static char second[32768];
    other.ss_sp = second;
    other.ss_size = sizeof second;
    error = sigaltstack(&other, nullptr) < 0 ? errno : 0;
  };
  action.sa_flags = SA_ONSTACK;
  MUST(sigaction(SIGUSR1, &action, nullptr));
  MUST(raise(SIGUSR1));
  Record("inside", inside);
  Record("flags", inside_flags);
  Record("error", error);
  stack_t now;
  MUST(sigaltstack(nullptr, &now));
  Record("restored", now.ss_sp == stack);
  Record("flags", now.ss_flags);
}
CASE(sigaltstack_cannot_change_in_use) {
  static char stack[65536];
  static int change = -1, disable = -1;
  stack_t set = {};
  set.ss_sp = stack;
  set.ss_size = sizeof stack;
  MUST(sigaltstack(&set, nullptr));
  struct sigaction action = {};
  action.sa_handler = [](int) {
    stack_t other = {};
    static char second[32768];
    other.ss_sp = second;
    other.ss_size = sizeof second;
    change = sigaltstack(&other, nullptr) < 0 ? errno : 0;
    other.ss_flags = SS_DISABLE;
    disable = sigaltstack(&other, nullptr) < 0 ? errno : 0;
  };
  action.sa_flags = SA_ONSTACK;
  MUST(sigaction(SIGUSR1, &action, nullptr));
  MUST(raise(SIGUSR1));
  Record("change", change);
  Record("disable", disable);
}
CASE(sigaltstack_nested_handlers_stay_on_it) {
  static char stack[65536];
  static int depth;
  static bool inside = true;
  stack_t set = {};
  set.ss_sp = stack;
  set.ss_size = sizeof stack;
  MUST(sigaltstack(&set, nullptr));
  struct sigaction action = {};
  action.sa_handler = [](int) {
    char here;
    inside = inside && &here >= stack && &here < stack + sizeof stack;
    if (++depth < 4) raise(SIGUSR1);
  };
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  MUST(sigaction(SIGUSR1, &action, nullptr));
  MUST(raise(SIGUSR1));
  Record("depth", depth);
  Record("inside", inside);
}
CASE(sigaltstack_overflow_is_fatal) {
  Record("child", InChild([] {
           static char stack[8192];
           stack_t set = {};
           set.ss_sp = stack;
           set.ss_size = sizeof stack;
           MUST(sigaltstack(&set, nullptr));
           struct sigaction action = {};
           action.sa_handler = [](int) { raise(SIGUSR1); };
           action.sa_flags = SA_ONSTACK | SA_NODEFER;
           MUST(sigaction(SIGUSR1, &action, nullptr));
           raise(SIGUSR1);
           return 0;
         }));
}
CASE(sigaltstack_is_the_threads_own) {
  static char stack[32768];
  stack_t set = {};
  set.ss_sp = stack;
  set.ss_size = sizeof stack;
  MUST(sigaltstack(&set, nullptr));
  int flags = -1;
  std::thread([&] {
    stack_t now;
    sigaltstack(nullptr, &now);
    flags = now.ss_flags;
  }).join();
  Record("thread", flags);
  Record("child", InChild([] {
           stack_t now;
           sigaltstack(nullptr, &now);
           return now.ss_sp == stack ? 1 : 2;
         }));
}
CASE(sigaltstack_saves_from_stack_overflow) {
  Record("child", InChild([] {
           static char stack[65536];
           stack_t set = {};
           set.ss_sp = stack;
           set.ss_size = sizeof stack;
           MUST(sigaltstack(&set, nullptr));
           struct sigaction action = {};
           action.sa_handler = [](int) { _exit(42); };
           action.sa_flags = SA_ONSTACK;
           MUST(sigaction(SIGSEGV, &action, nullptr));
           const rlimit small = {1 << 20, RLIM_INFINITY};
           setrlimit(RLIMIT_STACK, &small);
           pthread_attr_t attributes;
           pthread_attr_init(&attributes);
           std::function<int(int)> deep = [&](int n) {
             volatile char room[4096];
             room[0] = static_cast<char>(n);
             return deep(n + 1) + room[0];
           };
           return deep(0);
         }));
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
CASE(signalfd_reads_records) {
  Block({SIGUSR1, SIGRTMIN});
  const sigset_t set = Set({SIGUSR1, SIGRTMIN});
  const int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  Record("opened", fd >= 0);
  T(fcntl(fd, F_GETFD));
  signalfd_siginfo info[4] = {};
  T(read(fd, info, sizeof info));
  MUST(QueueInfo(getpid(), SIGRTMIN, SI_QUEUE, 6));
  MUST(kill(getpid(), SIGUSR1));
  T(read(fd, info, sizeof info) / static_cast<long>(sizeof info[0]));
  for (int i = 0; i < 2; i++) {
    Record("signo", info[i].ssi_signo);
    Record("code", info[i].ssi_code);
    Record("int", info[i].ssi_int);
    Record("pid", info[i].ssi_pid == static_cast<unsigned>(getpid()));
  }
  T(read(fd, info, 100));
  T(write(fd, info, sizeof info[0]));
}
CASE(signalfd_child_record) {
  Block({SIGCHLD});
  const sigset_t set = Set({SIGCHLD});
  const int fd = signalfd(-1, &set, 0);
  if (fork() == 0) _exit(7);
  signalfd_siginfo info = {};
  T(read(fd, &info, sizeof info));
  Record("code", info.ssi_code);
  Record("status", info.ssi_status);
}
CASE(signalfd_errors) {
  sigset_t set = Set({SIGUSR1, SIGKILL});
  T(signalfd(-1, &set, 1));
  T(signalfd(0, &set, 0));
  T(signalfd(999, &set, 0));
  T(syscall(SYS_signalfd4, -1, &set, 4, 0));
  T(syscall(SYS_signalfd4, -1, BadPointer(), 8, 0));
}
CASE(signalfd_mask_can_change) {
  Block({SIGUSR1, SIGUSR2});
  sigset_t set = Set({SIGUSR1});
  const int fd = signalfd(-1, &set, SFD_NONBLOCK);
  MUST(raise(SIGUSR2));
  signalfd_siginfo info = {};
  T(read(fd, &info, sizeof info));
  set = Set({SIGUSR2});
  Record("same", signalfd(fd, &set, 0) == fd);
  T(read(fd, &info, sizeof info));
  Record("signo", info.ssi_signo);
}
CASE(signalfd_blocks_until_signal) {
  Block({SIGUSR1});
  const sigset_t set = Set({SIGUSR1});
  const int fd = signalfd(-1, &set, 0);
  const pid_t parent = getpid();
  if (fork() == 0) {
    SleepMs(50);
    _exit(kill(parent, SIGUSR1));
  }
  signalfd_siginfo info = {};
  T(read(fd, &info, sizeof info));
  Record("signo", info.ssi_signo);
}
CASE(signalfd_inherited_takes_the_childs) {
  Block({SIGUSR1});
  const sigset_t set = Set({SIGUSR1});
  const int fd = signalfd(-1, &set, 0);
  Record("child", InChild([fd] {
           const pid_t me = getpid();
           if (fork() == 0) {
             SleepMs(50);
             _exit(kill(me, SIGUSR1));
           }
           signalfd_siginfo info = {};
           alarm(5);
           return read(fd, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo)
                                                              : 99;
         }));
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
