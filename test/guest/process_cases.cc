// Processes: fork, vfork, clone, wait, exit, groups, sessions, priorities.
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/times.h>

#include "test/guest/cases.h"

using namespace guest;

CASE(fork_returns_child) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) _exit(getppid() == parent && getpid() != parent ? 11 : 1);
  int status = 0;
  Record("pid", waitpid(child, &status, 0) == child);
  Record("status", StatusText(status));
}
CASE(fork_memory_is_private) {
  static int value = 1;
  int* heap = new int(10);
  Record("child", InChild([heap] {
           value = 2;
           *heap = 20;
           return value + *heap;
         }));
  Record("parent", value + *heap);
}
CASE(fork_shared_mapping_is_shared) {
  int* shared = static_cast<int*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  Record("child", InChild([shared] {
           *shared = 33;
           return 0;
         }));
  Record("value", *shared);
}
CASE(fork_tree) {
  Record("sum", InChild([] {
           int sum = 0;
           for (int i = 1; i <= 5; i++) {
             const pid_t child = fork();
             if (child == 0) {
               const pid_t grandchild = fork();
               if (grandchild == 0) _exit(i);
               int status;
               waitpid(grandchild, &status, 0);
               _exit(WEXITSTATUS(status) * 2);
             }
             int status;
             waitpid(child, &status, 0);
             sum += WEXITSTATUS(status);
           }
           return sum;
         }));
}
CASE(fork_two_hundred) {
  int ended = 0;
  for (int i = 0; i < 200; i++) {
    const pid_t child = fork();
    if (child == 0) _exit(i & 127);
    int status;
    if (waitpid(child, &status, 0) == child && WEXITSTATUS(status) == (i & 127)) ended++;
  }
  Record("ended", ended);
}
CASE(fork_many_at_once) {
  int p[2];
  MUST(pipe(p));
  for (int i = 0; i < 50; i++) {
    if (fork() == 0) {
      char c;
      close(p[1]);
      _exit(read(p[0], &c, 1) == 0 ? 0 : 1);
    }
  }
  close(p[1]);
  int good = 0, status;
  while (wait(&status) > 0) good += status == 0;
  Record("good", good);
}
CASE(vfork_shares_memory_and_suspends_parent) {
  static volatile int value = 0;
  const pid_t child = vfork();
  if (child == 0) {
    value = 5;
    _exit(3);
  }
  Record("value", value);
  int status;
  MUST(waitpid(child, &status, 0));
  Record("status", StatusText(status));
}
CASE(vfork_parent_ends_by_fatal_signals) {
  for (int signo : {SIGTERM, SIGALRM, SIGKILL, SIGUSR1}) {
    const pid_t parent = fork();
    MUST(parent);
    if (parent == 0) {
      signal(SIGUSR1, [](int) {});
      const pid_t child = vfork();
      if (child == 0) {
        SleepMs(1200);
        _exit(0);
      }
      _exit(3);
    }
    SleepMs(300);
    const long long before = NowMs();
    T(kill(parent, signo));
    int status = 0;
    MUST(waitpid(parent, &status, 0));
    Record("end", StatusText(status));
    Record("at_once", NowMs() - before < 500);
  }
}
CASE(vfork_and_exec) {
  const pid_t child = vfork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", "exit 9", nullptr);
    _exit(99);
  }
  int status;
  MUST(waitpid(child, &status, 0));
  Record("status", StatusText(status));
}
CASE(wait_errors) {
  int status;
  T(wait(&status));
  T(waitpid(99999, &status, 0));
  T(waitpid(-1, &status, 0x100));
  T(waitid(P_ALL, 0, nullptr, 0));
  T(waitid(static_cast<idtype_t>(9), 0, nullptr, WEXITED));
}
CASE(wait_nohang) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  int status;
  T(waitpid(child, &status, WNOHANG));
  MUST(kill(child, SIGKILL));
  Record("pid", waitpid(child, &status, 0) == child);
  T(waitpid(child, &status, WNOHANG));
}
CASE(wait_signal_and_core) {
  for (const int s : {SIGTERM, SIGKILL, SIGUSR1}) {
    Record(std::to_string(s), InChild([s] { return kill(getpid(), s); }));
  }
}
CASE(wait_stopped_and_continued) {
  const pid_t child = fork();
  if (child == 0) {
    kill(getpid(), SIGSTOP);
    SleepMs(300);
    _exit(4);
  }
  int status;
  MUST(waitpid(child, &status, WUNTRACED));
  Record("first", StatusText(status));
  MUST(kill(child, SIGCONT));
  MUST(waitpid(child, &status, WCONTINUED));
  Record("second", StatusText(status));
  MUST(waitpid(child, &status, 0));
  Record("third", StatusText(status));
}
CASE(waitid_leaves_zombie_with_wnowait) {
  const pid_t child = fork();
  if (child == 0) _exit(12);
  siginfo_t info = {};
  T(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
  Record("code", info.si_code);
  Record("status", info.si_status);
  Record("pid", info.si_pid == child);
  siginfo_t again = {};
  T(waitid(P_PID, child, &again, WEXITED));
  T(waitid(P_PID, child, &again, WEXITED));
}
CASE(wait4_rusage) {
  const pid_t child = fork();
  if (child == 0) {
    volatile long x = 0;
    for (long i = 0; i < 30000000; i++) x = x + i;
    _exit(0);
  }
  int status;
  rusage usage = {};
  Record("pid", wait4(child, &status, 0, &usage) == child);
  Record("used", usage.ru_utime.tv_sec * 1000000L + usage.ru_utime.tv_usec > 1000);
}
CASE(wait4_faults) {
  const pid_t child = fork();
  if (child == 0) {
    constexpr size_t kBytes = 8 << 20;
    void* map = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)madvise(map, kBytes, MADV_NOHUGEPAGE);
    memset(map, 1, kBytes);
    _exit(0);
  }
  int status;
  rusage usage = {};
  Record("pid", wait4(child, &status, 0, &usage) == child);
  Record("touched", usage.ru_minflt >= 2048);
  Record("peak", usage.ru_maxrss >= 8192);
  MUST(getrusage(RUSAGE_CHILDREN, &usage));
  Record("children", usage.ru_minflt >= 2048);
}
CASE(sigchld_info) {
  static siginfo_t info;
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t* given, void*) { info = *given; };
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGCHLD, &action, nullptr));
  const pid_t child = fork();
  if (child == 0) _exit(21);
  int status;
  while (waitpid(child, &status, 0) < 0) {
  }
  Record("code", info.si_code);
  Record("status", info.si_status);
  Record("pid", info.si_pid == child);
}
CASE(sigchld_ignored_reaps) {
  signal(SIGCHLD, SIG_IGN);
  const pid_t child = fork();
  if (child == 0) _exit(0);
  int status;
  T(waitpid(child, &status, 0));
}
CASE(orphan_gets_a_new_parent) {
  int p[2];
  MUST(pipe(p));
  Record("child", InChild([&] {
           if (fork() == 0) {
             SleepMs(100);
             char text[32];
             const int length = snprintf(text, sizeof text, "%d", getppid());
             _exit(write(p[1], text, length) > 0 ? 0 : 1);
           }
           return 0;
         }));
  close(p[1]);
  Record("parent", Drain(p[0]));
}
CASE(subreaper_adopts) {
  T(prctl(PR_SET_CHILD_SUBREAPER, 1));
  const pid_t self = getpid();
  int p[2];
  MUST(pipe(p));
  Record("child", InChild([&] {
           if (fork() == 0) {
             SleepMs(100);
             char yes = getppid() == self ? 'y' : 'n';
             _exit(write(p[1], &yes, 1) > 0 ? 0 : 1);
           }
           return 0;
         }));
  close(p[1]);
  Record("adopted", Drain(p[0]));
}
CASE(pdeathsig_fires) {
  int p[2];
  MUST(pipe(p));
  Record("child", InChild([&] {
           if (fork() == 0) {
             prctl(PR_SET_PDEATHSIG, SIGKILL);
             close(p[0]);
             pause();
           }
           SleepMs(100);
           return 0;
         }));
  close(p[1]);
  Record("closed", Drain(p[0]));
}
CASE(process_groups) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  Record("inherits", getpgid(child) == getpgrp());
  T(setpgid(child, child));
  Record("own", getpgid(child) == child);
  T(setpgid(child, 99999));
  T(setpgid(99999, 0));
  T(getpgid(99999));
  T(setpgid(-1, 0));
  kill(child, SIGKILL);
}
CASE(sessions) {
  const pid_t child = fork();
  if (child == 0) {
    int result = setsid() == getpid() ? 1 : 0;
    result |= getsid(0) == getpid() ? 2 : 0;
    result |= getpgrp() == getpid() ? 4 : 0;
    result |= setsid() == -1 && errno == EPERM ? 8 : 0;
    _exit(result);
  }
  int status;
  MUST(waitpid(child, &status, 0));
  Record("child", StatusText(status));
  T(getsid(99999));
}
CASE(setpgid_after_exec_refused) {
  int p[2];
  MUST(pipe(p));
  const pid_t child = fork();
  if (child == 0) {
    dup2(p[1], 1);
    execl("/bin/sh", "sh", "-c", "echo x; sleep 5", nullptr);
    _exit(1);
  }
  char c;
  MUST(read(p[0], &c, 1));
  T(setpgid(child, child));
  kill(child, SIGKILL);
}
CASE(priorities) {
  T(getpriority(PRIO_PROCESS, 0));
  T(setpriority(PRIO_PROCESS, 0, 5));
  T(getpriority(PRIO_PROCESS, 0));
  T(nice(3));
  T(getpriority(PRIO_PROCESS, 0));
  T(getpriority(PRIO_PROCESS, 99999));
  T(getpriority(9, 0));
  BecomeUser(1000, 1000);
  T(setpriority(PRIO_PROCESS, 0, 0));
}
CASE(scheduler_calls) {
  T(sched_yield());
  T(sched_getscheduler(0));
  T(sched_get_priority_max(SCHED_FIFO));
  T(sched_get_priority_min(SCHED_OTHER));
  cpu_set_t set;
  T(sched_getaffinity(0, sizeof set, &set));
  Record("some", CPU_COUNT(&set) > 0);
  sched_param parameter = {};
  T(sched_getparam(0, &parameter));
  T(sched_getparam(99999, &parameter));
}
CASE(prctl_name) {
  T(prctl(PR_SET_NAME, "a-very-long-thread-name"));
  char name[32] = {};
  T(prctl(PR_GET_NAME, name));
  Record("name", name);
  Record("comm", Content("/proc/self/comm"));
}
CASE(prctl_dumpable_and_others) {
  T(prctl(PR_GET_DUMPABLE));
  T(prctl(PR_SET_DUMPABLE, 0));
  T(prctl(PR_GET_DUMPABLE));
  T(prctl(PR_SET_DUMPABLE, 7));
  T(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  T(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  T(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  T(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
  T(prctl(12345));
  T(prctl(PR_GET_KEEPCAPS));
  int signal_number = 9;
  T(prctl(PR_GET_PDEATHSIG, &signal_number));
  Record("pdeathsig", signal_number);
}
CASE(clone_with_files_shared) {
  static char stack[65536];
  static int fd = -1;
  const pid_t child = clone(
      [](void*) {
        fd = open("/dev/null", O_RDONLY);
        return 0;
      },
      stack + sizeof stack, CLONE_FILES | CLONE_VM | SIGCHLD, nullptr);
  int status;
  Record("waited", waitpid(child, &status, 0) == child);
  Record("open", fcntl(fd, F_GETFD));
}
CASE(clone_with_fs_shared) {
  static char stack[65536];
  MUST(mkdir("d", 0755));
  const pid_t child =
      clone([](void*) { return chdir("d"); }, stack + sizeof stack, CLONE_FS | SIGCHLD, nullptr);
  int status;
  Record("waited", waitpid(child, &status, 0) == child);
  char buffer[4096];
  Record("cwd", strrchr(getcwd(buffer, sizeof buffer), '/'));
}
CASE(clone_bad_flags) {
  T(syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0));
  T(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0));
  T(syscall(SYS_clone, CLONE_FS | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0));
}
CASE(clone_pidfd_and_wait) {
  int pidfd = -1;
  const pid_t child = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
  if (child == 0) _exit(31);
  Record("given", pidfd >= 0);
  siginfo_t info = {};
  T(waitid(static_cast<idtype_t>(3), pidfd, &info, WEXITED));
  Record("status", info.si_status);
}
CASE(pidfd_open_and_signal) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  const int pidfd = syscall(SYS_pidfd_open, child, 0);
  Record("opened", pidfd >= 0);
  T(syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, nullptr, 0));
  int status;
  MUST(waitpid(child, &status, 0));
  Record("status", StatusText(status));
  T(syscall(SYS_pidfd_open, 99999, 0));
  T(syscall(SYS_pidfd_open, child, 0x40000));
}
CASE(exit_codes) {
  for (const int code : {0, 1, 127, 255, 256, -1}) {
    Record(std::to_string(code), InChild([code] { return code; }));
  }
}
CASE(times_advance) {
  tms before, after;
  times(&before);
  volatile long x = 0;
  for (long i = 0; i < 60000000; i++) x = x + i;
  times(&after);
  Record("grew", after.tms_utime + after.tms_stime > before.tms_utime + before.tms_stime);
}
CASE(getrusage_forms) {
  rusage usage;
  T(getrusage(RUSAGE_SELF, &usage));
  Record("maxrss", usage.ru_maxrss > 0);
  T(getrusage(RUSAGE_CHILDREN, &usage));
  T(getrusage(99, &usage));
}
