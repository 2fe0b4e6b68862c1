// seccomp(2): who has which filters: children, programs, threads.
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include "test/guest/filtering.h"

using namespace guest;

// --- Inheritance.
CASE(seccomp_fork_inherits) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getuid, Errno(EDOM))));
  MUST(Install(On(SYS_sched_yield, Errno(EDOM))));
  Record("child", InChild([] {
           const bool notified = syscall(SYS_getuid) == -1 && errno == EDOM;
           const bool native = sched_yield() == -1 && errno == EDOM;
           return notified + 2 * native;
         }));
}
CASE(seccomp_child_does_not_affect_parent) {
  NoNewPrivileges();
  Record("child", InChild([] {
           Install(On(SYS_getuid, Errno(EDOM)));
           Install(On(SYS_sched_yield, Errno(EDOM)));
           return 0;
         }));
  T(syscall(SYS_getuid));
  T(sched_yield());
}
CASE(seccomp_exec_inherits) {
  NoNewPrivileges();
  MUST(Install(On(SYS_mkdir, Errno(EDOM))));
  Record("child", InChild([] {
           execl("/bin/sh", "sh", "-c", "mkdir x 2>/dev/null; test -d x; echo $? > out", nullptr);
           return 9;
         }));
  Record("out", Content("out"));
}
CASE(seccomp_exec_inherits_native) {
  NoNewPrivileges();
  MUST(Install(OnArg(SYS_nanosleep, 0, 1, Errno(EDOM))));
  MUST(Install(On(SYS_clock_nanosleep, Errno(EDOM))));
  Record("child", InChild([] {
           execl("/bin/sh", "sh", "-c", "exit 4", nullptr);
           return 9;
         }));
}
CASE(seccomp_thread_inherits) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getuid, Errno(EDOM))));
  pthread_t thread;
  pthread_create(
      &thread, nullptr,
      [](void*) -> void* { return reinterpret_cast<void*>(syscall(SYS_getuid) == -1); }, nullptr);
  void* result = nullptr;
  pthread_join(thread, &result);
  Record("thread", result != nullptr);
}
CASE(seccomp_is_per_thread) {
  NoNewPrivileges();
  pthread_t thread;
  pthread_create(
      &thread, nullptr,
      [](void*) -> void* {
        Install(On(SYS_getuid, Errno(EDOM)));
        Install(On(SYS_sched_yield, Errno(EDOM)));
        return nullptr;
      },
      nullptr);
  pthread_join(thread, nullptr);
  T(syscall(SYS_getuid));
  T(sched_yield());
}
CASE(seccomp_status_fields) {
  Record("mode", StatusField("Seccomp"));
  Record("count", StatusField("Seccomp_filters"));
  NoNewPrivileges();
  const std::string before = StatusField("Seccomp_filters");
  MUST(Install({Return(SECCOMP_RET_ALLOW)}));
  MUST(Install({Return(SECCOMP_RET_ALLOW)}));
  Record("mode", StatusField("Seccomp"));
  Record("more", atoi(StatusField("Seccomp_filters").c_str()) - atoi(before.c_str()));
  Record("nnp", StatusField("NoNewPrivs"));
}

// --- Synchronisation of threads.
namespace {
volatile int g_go;
struct Waiting {
  pthread_t thread;
  long (*probe)();
  long result;
  long (*before)();
  volatile int ready;
};
void Start(Waiting& waiting) {
  pthread_create(
      &waiting.thread, nullptr,
      [](void* argument) -> void* {
        auto* w = static_cast<Waiting*>(argument);
        if (w->before != nullptr) w->before();
        w->ready = 1;
        while (!g_go) usleep(1000);
        w->result = w->probe();
        return nullptr;
      },
      &waiting);
  while (!waiting.ready) usleep(1000);
}
long GetUid() { return syscall(SYS_getuid) == -1 ? errno : 0; }
long Yield() { return sched_yield() == -1 ? errno : 0; }
long Diverge() { return Install(On(SYS_getgid, Errno(1))); }
}  // namespace
CASE(seccomp_tsync) {
  NoNewPrivileges();
  Waiting other = {0, GetUid, 0, nullptr, 0};
  Start(other);
  T(Install(On(SYS_getuid, Errno(EDOM)), SECCOMP_FILTER_FLAG_TSYNC));
  g_go = 1;
  pthread_join(other.thread, nullptr);
  Record("other", other.result);
}
CASE(seccomp_tsync_native) {
  NoNewPrivileges();
  Waiting other = {0, Yield, 0, nullptr, 0};
  Start(other);
  T(Install(On(SYS_sched_yield, Errno(EDOM)), SECCOMP_FILTER_FLAG_TSYNC));
  g_go = 1;
  pthread_join(other.thread, nullptr);
  Record("other", other.result);
  Record("me", Yield());
}
CASE(seccomp_tsync_diverged) {
  NoNewPrivileges();
  Waiting other = {0, GetUid, 0, Diverge, 0};
  Start(other);
  const Code code = On(SYS_getuid, Errno(EDOM));
  Record("tid", Install(code, SECCOMP_FILTER_FLAG_TSYNC) > 0);
  T(Install(code, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH));
  T(syscall(SYS_getuid));
  g_go = 1;
  pthread_join(other.thread, nullptr);
  Record("other", other.result);
}
CASE(seccomp_tsync_spreads_no_new_privs) {
  Waiting other = {0, [] { return static_cast<long>(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); }, 0,
                   nullptr, 0};
  Start(other);
  NoNewPrivileges();
  T(Install({Return(SECCOMP_RET_ALLOW)}, SECCOMP_FILTER_FLAG_TSYNC));
  g_go = 1;
  pthread_join(other.thread, nullptr);
  Record("other", other.result);
}
CASE(seccomp_flags_log_and_spec_allow) {
  NoNewPrivileges();
  T(Install({Return(SECCOMP_RET_ALLOW)}, SECCOMP_FILTER_FLAG_LOG));
  T(Install({Return(SECCOMP_RET_ALLOW)}, SECCOMP_FILTER_FLAG_SPEC_ALLOW));
  T(Install({Return(SECCOMP_RET_ALLOW)}, SECCOMP_FILTER_FLAG_TSYNC_ESRCH));
}
