// Limits of tasks; exec and exit of threads that lead or do not lead their process.
#include <linux/sched.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <atomic>
#include <thread>

#include "test/guest/cloning.h"

using namespace guest;

CASE(fork_limit_of_processes) {
  BecomeUser(1000, 1000);
  rlimit limit = {1, 1};
  MUST(setrlimit(RLIMIT_NPROC, &limit));
  errno = 0;
  const pid_t child = fork();
  if (child == 0) _exit(0);
  RecordCall("fork", child);
}
CASE(fork_limit_of_processes_not_for_root) {
  rlimit limit = {1, 1};
  MUST(setrlimit(RLIMIT_NPROC, &limit));
  const pid_t child = fork();
  if (child == 0) _exit(0);
  Record("made", child > 0);
}
CASE(fork_limit_counts_zombies) {
  BecomeUser(1007, 1007);
  rlimit limit = {2, 2};
  MUST(setrlimit(RLIMIT_NPROC, &limit));
  const pid_t first = fork();
  if (first == 0) _exit(0);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(first), &info, WEXITED | WNOWAIT);
  errno = 0;
  pid_t second = fork();
  if (second == 0) _exit(0);
  RecordCall("fork", second);
  waitpid(first, nullptr, 0);
  second = fork();
  if (second == 0) _exit(0);
  Record("after_wait", second > 0);
}
CASE(thread_limit_of_processes) {
  BecomeUser(1008, 1008);
  rlimit limit = {1, 1};
  MUST(setrlimit(RLIMIT_NPROC, &limit));
  pthread_t thread;
  Record("create",
         pthread_create(&thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr));
}
CASE(setuid_over_limit_fails_at_exec) {
  const pid_t child = fork();
  if (child == 0) {
    BecomeUser(1009, 1009);
    pause();
    _exit(0);
  }
  SleepMs(50);
  Record("other", InChild([] {
           rlimit limit = {1, 1};
           setrlimit(RLIMIT_NPROC, &limit);
           BecomeUser(1009, 1009);
           execl("/bin/true", "true", nullptr);
           return errno;
         }));
  kill(child, SIGKILL);
}

CASE(leader_exits_others_go_on) {
  Record("child", InChild([] {
           const pid_t pid = getpid();
           std::thread([pid] {
             SleepMs(60);
             _exit(getpid() == pid && gettid() != pid ? 21 : 22);
           }).detach();
           syscall(SYS_exit, 9);
           return 1;
         }));
}
CASE(leader_exited_is_zombie_in_proc) {
  Record("child", InChild([] {
           std::thread([] {
             SleepMs(60);
             char path[64];
             snprintf(path, sizeof path, "/proc/%d/stat", getpid());
             const std::string stat = Content(path);
             const size_t at = stat.rfind(')');
             _exit(at == std::string::npos ? 1 : stat[at + 2]);
           }).detach();
           syscall(SYS_exit, 0);
           return 1;
         }));
}
CASE(leader_exited_wait_does_not_answer_yet) {
  const pid_t child = fork();
  if (child == 0) {
    std::thread([] {
      SleepMs(200);
      syscall(SYS_exit_group, 23);
    }).detach();
    syscall(SYS_exit, 0);
  }
  SleepMs(80);
  T(waitpid(child, nullptr, WNOHANG));
  Record("wait", WaitText(child));
}
CASE(leader_exited_can_be_signalled) {
  const pid_t child = fork();
  if (child == 0) {
    std::thread([] { pause(); }).detach();
    syscall(SYS_exit, 0);
  }
  SleepMs(80);
  T(kill(child, 0));
  T(kill(child, SIGTERM));
  Record("wait", WaitText(child));
}
CASE(leader_exited_exec_by_other) {
  Record("child", InChild([] {
           std::thread([] {
             SleepMs(60);
             execl("/bin/sh", "sh", "-c", "exit 24", nullptr);
             _exit(1);
           }).detach();
           syscall(SYS_exit, 0);
           return 1;
         }));
}
CASE(exec_by_thread_takes_over_the_pid) {
  Record("child", InChild([] {
           char text[64];
           snprintf(text, sizeof text, "test $$ = %d", getpid());
           std::thread([&text] {
             execl("/bin/sh", "sh", "-c", text, nullptr);
             _exit(1);
           }).join();
           return 2;
         }));
}
CASE(exec_by_thread_keeps_parent_and_child) {
  const pid_t child = fork();
  if (child == 0) {
    const pid_t grandchild = fork();
    if (grandchild == 0) {
      SleepMs(100);
      _exit(5);
    }
    char text[64];
    snprintf(text, sizeof text, "wait; test $PPID = %d", getppid());
    std::thread([&text] {
      execl("/bin/sh", "sh", "-c", text, nullptr);
      _exit(1);
    }).join();
    _exit(2);
  }
  Record("wait", WaitText(child));
}
CASE(exec_by_thread_loses_robust_futex_and_name) {
  Record("child", InChild([] {
           std::thread([] {
             prctl(PR_SET_NAME, "other");
             execl("/bin/sh", "/bin/sh", "-c", "test \"$(cat /proc/$$/comm)\" = sh", nullptr);
             _exit(1);
           }).join();
           return 2;
         }));
}
CASE(exec_while_threads_block) {
  Record("child", InChild([] {
           int p[2];
           MUST(pipe(p));
           for (int i = 0; i < 8; i++) {
             std::thread([&p] {
               char c;
               (void)!read(p[0], &c, 1);
             }).detach();
           }
           SleepMs(30);
           execl("/bin/sh", "sh", "-c", "exit 25", nullptr);
           return 1;
         }));
}
CASE(exec_failure_keeps_threads) {
  Record("child", InChild([] {
           std::atomic<int> ticks{0};
           std::atomic<bool> stop{false};
           std::thread other([&] {
             while (!stop) {
               ++ticks;
               SleepMs(1);
             }
           });
           T(execl("/missing", "missing", nullptr));
           const int before = ticks;
           SleepMs(30);
           stop = true;
           other.join();
           return ticks > before ? 26 : 1;
         }));
}
CASE(exec_two_threads_at_once) {
  Record("child", InChild([] {
           for (int i = 0; i < 2; i++) {
             std::thread([] { execl("/bin/sh", "sh", "-c", "exit 27", nullptr); }).detach();
           }
           pause();
           return 1;
         }));
}
CASE(exit_signal_after_exec_by_clone_child) {
  Handle(SIGCHLD);
  const pid_t child = CloneChild(SIGUSR1, [] {
    execl("/bin/true", "true", nullptr);
    return 1;
  });
  SleepMs(200);
  Record("wait", WaitText(child));
  Record("sigchld", g_signals);
}
CASE(exit_status_is_one_byte) {
  for (const int code : {0x100, 0x1ff, -2})
    Record(std::to_string(code), InChild([code] { return code; }));
}
CASE(exit_by_last_thread_gives_status) {
  Record("child", InChild([] {
           std::thread([] {
             SleepMs(60);
             syscall(SYS_exit, 33);
           }).detach();
           syscall(SYS_exit, 5);
           return 1;
         }));
}
CASE(exit_group_by_second_thread_wins) {
  Record("child", InChild([] {
           std::thread([] { syscall(SYS_exit_group, 34); }).detach();
           pause();
           return 1;
         }));
}
CASE(exit_wakes_waiting_parent_thread) {
  const pid_t child = fork();
  if (child == 0) {
    SleepMs(50);
    _exit(35);
  }
  std::string text;
  std::thread([&] { text = WaitText(child); }).join();
  Record("wait", text);
}
