// Alternate signal stacks.
#include <pthread.h>
#include <sys/resource.h>

#include <thread>

#include "test/guest/queued_signals.h"

using namespace guest;

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
