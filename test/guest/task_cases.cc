// Tasks: every flag of clone(2) and clone3(2), exec and exit of threads that
// lead or do not lead their process.
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <atomic>
#include <thread>
#include <vector>

#include "test/guest/cases.h"

using namespace guest;

namespace {

constexpr uint64_t kClearSighand = 0x100000000;
constexpr uint64_t kIntoCgroup = 0x200000000;

struct Clone3 {
  uint64_t flags = 0, pidfd = 0, child_tid = 0, parent_tid = 0, exit_signal = 0, stack = 0,
           stack_size = 0, tls = 0, set_tid = 0, set_tid_size = 0, cgroup = 0;
};
static_assert(sizeof(Clone3) == 88);

long DoClone3(Clone3& args, size_t size = sizeof(Clone3)) {
  return syscall(SYS_clone3, &args, size);
}

// clone3 that must fail: a child that exists after all ends at once.
void Refused(const char* name, Clone3 args, size_t size = sizeof(Clone3)) {
  errno = 0;
  const long result = DoClone3(args, size);
  if (result == 0) _exit(0);
  RecordCall(name, result < 0 ? result : 1);
  if (result > 0) waitpid(static_cast<pid_t>(result), nullptr, __WALL);
}

void RefusedClone(const char* name, unsigned long flags) {
  errno = 0;
  const long result = syscall(SYS_clone, flags, 0, 0, 0, 0);
  if (result == 0) _exit(0);
  RecordCall(name, result < 0 ? result : 1);
  if (result > 0) waitpid(static_cast<pid_t>(result), nullptr, __WALL);
}

// Runs `body` in a child made with `flags` and the parent's memory copied.
pid_t CloneChild(unsigned long flags, const std::function<int()>& body) {
  const long child = syscall(SYS_clone, flags, 0, 0, 0, 0);
  if (child == 0) _exit(body());
  return static_cast<pid_t>(child);
}

std::string WaitText(pid_t child, int options = 0) {
  int status = 0;
  if (waitpid(child, &status, options) != child) return strerrorname_np(errno);
  return StatusText(status);
}

std::atomic<int> g_signals{0};
void Count(int) { ++g_signals; }

void Handle(int signo) {
  struct sigaction action = {};
  action.sa_handler = Count;
  sigaction(signo, &action, nullptr);
}

}  // namespace

CASE(clone_sighand_needs_vm) { RefusedClone("sighand", CLONE_SIGHAND | SIGCHLD); }
CASE(clone_thread_needs_sighand) {
  RefusedClone("thread", CLONE_THREAD | SIGCHLD);
  RefusedClone("thread_vm", CLONE_THREAD | CLONE_VM | SIGCHLD);
}
CASE(clone_newns_with_fs) { RefusedClone("newns", CLONE_NEWNS | CLONE_FS | SIGCHLD); }
CASE(clone_newuser_with_fs) { RefusedClone("newuser", CLONE_NEWUSER | CLONE_FS | SIGCHLD); }
CASE(clone_thread_with_newpid) {
  RefusedClone("newpid", CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWPID);
  RefusedClone("newuser", CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWUSER);
}
CASE(clone_newipc_with_sysvsem) { RefusedClone("newipc", CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD); }
CASE(clone_detached_is_ignored) { RefusedClone("detached", CLONE_DETACHED | SIGCHLD); }
CASE(clone_sysvsem_and_io_accepted) {
  RefusedClone("sysvsem", CLONE_SYSVSEM | SIGCHLD);
  RefusedClone("io", CLONE_IO | SIGCHLD);
  RefusedClone("untraced", CLONE_UNTRACED | SIGCHLD);
}
CASE(clone_pidfd_with_parent_settid) {
  int word = 0;
  errno = 0;
  const long result =
      syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &word, 0, 0);
  if (result == 0) _exit(0);
  RecordCall("clone", result);
}
CASE(clone_pidfd_bad_address) {
  errno = 0;
  const long result = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, BadPointer(), 0, 0);
  if (result == 0) _exit(0);
  RecordCall("clone", result);
  T(waitpid(-1, nullptr, 0));
}
CASE(clone_exit_signal_out_of_range) {
  Handle(SIGCHLD);
  const pid_t child = CloneChild(200, [] { return 3; });
  Record("made", child > 0);
  T(waitpid(child, nullptr, WNOHANG | 0) == 0 ? 0 : -1);
  Record("wait", WaitText(child, __WCLONE));
  Record("signals", g_signals);
}
CASE(clone_exit_signal_is_sent) {
  Handle(SIGUSR1);
  Handle(SIGCHLD);
  const pid_t child = CloneChild(SIGUSR1, [] { return 4; });
  T(waitpid(child, nullptr, 0));
  Record("wait", WaitText(child, __WCLONE));
  Record("signals", g_signals);
}
CASE(clone_without_exit_signal) {
  Handle(SIGCHLD);
  const pid_t child = CloneChild(0, [] { return 5; });
  T(waitpid(child, nullptr, 0));
  Record("wait", WaitText(child, __WALL));
  Record("signals", g_signals);
}
CASE(clone_parent_makes_a_sibling) {
  Record("child", InChild([] {
           const pid_t own_parent = getppid();
           const pid_t child = CloneChild(CLONE_PARENT | SIGCHLD,
                                          [own_parent] { return getppid() == own_parent ? 7 : 8; });
           if (child < 0) return 1;
           return waitpid(child, nullptr, 0) < 0 && errno == ECHILD ? 6 : 2;
         }));
  int status = 0;
  Record("sibling", wait(&status) > 0);
  Record("status", StatusText(status));
}
CASE(clone_parent_of_init_refused) {
  Record("child", InChild([] {
           // The case's own process is not init; init itself cannot be asked.
           return getppid() == 1 ? 1 : 0;
         }));
}
CASE(clone_vfork_waits_for_end) {
  volatile int* word = static_cast<int*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const pid_t child = CloneChild(CLONE_VFORK | SIGCHLD, [word] {
    SleepMs(50);
    *word = 1;
    return 0;
  });
  Record("seen", *word);
  Record("wait", WaitText(child));
}
CASE(clone_child_settid) {
  static int word = 0;
  const long child = syscall(SYS_clone, CLONE_CHILD_SETTID | SIGCHLD, 0, 0, &word, 0);
  if (child == 0) _exit(word == getpid() ? 9 : 10);
  Record("parent_word", word);
  Record("wait", WaitText(static_cast<pid_t>(child)));
}
CASE(clone_parent_settid) {
  static int word = 0;
  const long child = syscall(SYS_clone, CLONE_PARENT_SETTID | SIGCHLD, 0, &word, 0, 0);
  if (child == 0) _exit(0);
  Record("same", word == child);
  Record("wait", WaitText(static_cast<pid_t>(child)));
}
CASE(clone_child_cleartid_in_shared_memory) {
  int* word = static_cast<int*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  *word = 77;
  const long child = syscall(SYS_clone, CLONE_CHILD_CLEARTID | SIGCHLD, 0, 0, word, 0);
  if (child == 0) _exit(0);
  Record("wait", WaitText(static_cast<pid_t>(child)));
  Record("word", *word == 0 || *word == 77);
}
CASE(clone_files_shared_close) {
  const int fd = open("/dev/null", O_RDONLY);
  const pid_t child = CloneChild(CLONE_FILES | SIGCHLD, [fd] { return close(fd); });
  Record("wait", WaitText(child));
  T(fcntl(fd, F_GETFD));
}
CASE(clone_files_exec_unshares) {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t child = CloneChild(CLONE_FILES | SIGCHLD, [] {
    execl("/bin/true", "true", nullptr);
    return 1;
  });
  Record("wait", WaitText(child));
  Record("still_open", fcntl(fd, F_GETFD));
}
CASE(clone_fs_shares_umask_and_cwd) {
  mkdir("below", 0755);
  const pid_t child = CloneChild(CLONE_FS | SIGCHLD, [] {
    umask(0123);
    return chdir("below");
  });
  Record("wait", WaitText(child));
  Record("umask", Octal(umask(0)));
  char buffer[4096];
  Record("cwd", strrchr(getcwd(buffer, sizeof buffer), '/'));
}
CASE(clone_vm_sighand_shares_handlers) {
  static char stack[64 << 10] __attribute__((aligned(16)));
  const int child = clone(
      [](void*) {
        Handle(SIGUSR2);
        return 0;
      },
      stack + sizeof stack, CLONE_VM | CLONE_SIGHAND | SIGCHLD, nullptr);
  Record("wait", WaitText(child));
  raise(SIGUSR2);
  Record("signals", g_signals);
}
CASE(clone_vm_shares_memory) {
  static char stack[64 << 10] __attribute__((aligned(16)));
  static int value = 0;
  const int child = clone(
      [](void*) {
        value = 55;
        return 0;
      },
      stack + sizeof stack, CLONE_VM | SIGCHLD, nullptr);
  Record("wait", WaitText(child));
  Record("value", value);
}

CASE(clone3_as_fork) {
  Clone3 args;
  args.exit_signal = SIGCHLD;
  const long child = DoClone3(args);
  if (child == 0) _exit(12);
  Record("wait", WaitText(static_cast<pid_t>(child)));
}
CASE(clone3_sizes) {
  Clone3 args;
  args.exit_signal = SIGCHLD;
  Refused("zero", args, 0);
  Refused("short", args, 56);
  Refused("ver0", args, 64);
  Refused("ver1", args, 80);
  Refused("between", args, 72);
  Refused("page_and_more", args, 4097);
}
CASE(clone3_future_fields) {
  struct {
    Clone3 args;
    uint64_t more = 0;
  } longer;
  longer.args.exit_signal = SIGCHLD;
  long child = syscall(SYS_clone3, &longer, sizeof longer);
  if (child == 0) _exit(0);
  Record("zeros", child > 0);
  if (child > 0) WaitText(static_cast<pid_t>(child));
  longer.more = 1;
  T(syscall(SYS_clone3, &longer, sizeof longer));
}
CASE(clone3_bad_address) {
  T(syscall(SYS_clone3, BadPointer(), 88));
  T(syscall(SYS_clone3, nullptr, 64));
}
CASE(clone3_unknown_flags) {
  Clone3 args;
  args.exit_signal = SIGCHLD;
  args.flags = CLONE_DETACHED;
  Refused("detached", args);
  args.flags = SIGCHLD;
  Refused("csignal", args);
  args.flags = uint64_t{1} << 60;
  Refused("high", args);
}
CASE(clone3_exit_signals) {
  Clone3 args;
  args.exit_signal = 65;
  Refused("too_large", args);
  args.exit_signal = 256;
  Refused("beyond_byte", args);
  args.exit_signal = uint64_t{1} << 32;
  Refused("beyond_word", args);
  args.exit_signal = 64;
  Refused("last", args);
  args.exit_signal = 0;
  Refused("none", args);
}
CASE(clone3_parent_with_exit_signal) {
  Clone3 args;
  args.exit_signal = SIGCHLD;
  args.flags = CLONE_PARENT;
  Refused("parent", args);
  args.flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
  Refused("thread", args);
}
CASE(clone3_stack_forms) {
  Clone3 args;
  args.exit_signal = SIGCHLD;
  args.stack_size = 4096;
  Refused("size_without_stack", args);
  args.stack = 0x10000;
  args.stack_size = 0;
  Refused("stack_without_size", args);
  args.stack = uint64_t{1} << 63;
  args.stack_size = 4096;
  Refused("kernel_address", args);
}
CASE(clone3_sighand_both_ways) {
  Clone3 args;
  args.exit_signal = SIGCHLD;
  args.flags = CLONE_SIGHAND | CLONE_VM | kClearSighand;
  Refused("both", args);
}
CASE(clone3_clear_sighand) {
  Handle(SIGUSR1);
  signal(SIGUSR2, SIG_IGN);
  Clone3 args;
  args.exit_signal = SIGCHLD;
  args.flags = kClearSighand;
  const long child = DoClone3(args);
  if (child == 0) {
    struct sigaction one, two;
    sigaction(SIGUSR1, nullptr, &one);
    sigaction(SIGUSR2, nullptr, &two);
    _exit((one.sa_handler == SIG_DFL ? 1 : 0) + (two.sa_handler == SIG_IGN ? 2 : 0));
  }
  Record("wait", WaitText(static_cast<pid_t>(child)));
}
CASE(clone3_set_tid_forms) {
  pid_t tids[40] = {};
  Clone3 args;
  args.exit_signal = SIGCHLD;
  args.set_tid_size = 1;
  Refused("null", args);
  args.set_tid = reinterpret_cast<uint64_t>(tids);
  args.set_tid_size = 0;
  Refused("no_size", args);
  args.set_tid_size = 33;
  Refused("deeper_than_any", args);
  args.set_tid_size = 1;
  tids[0] = -1;
  Refused("negative", args);
  tids[0] = 0;
  Refused("zero", args);
  args.set_tid = reinterpret_cast<uint64_t>(BadPointer());
  Refused("address", args);
}
CASE(clone3_set_tid_unprivileged) {
  BecomeUser(1000, 1000);
  pid_t tid = 31000;
  Clone3 args;
  args.exit_signal = SIGCHLD;
  args.set_tid = reinterpret_cast<uint64_t>(&tid);
  args.set_tid_size = 1;
  Refused("valid", args);
  tid = 0;
  Refused("zero", args);
}
CASE(clone3_into_cgroup_errors) {
  Clone3 args;
  args.exit_signal = SIGCHLD;
  args.flags = kIntoCgroup;
  args.cgroup = 500;
  Refused("closed", args);
  args.cgroup = static_cast<uint64_t>(open("/dev/null", O_RDONLY));
  Refused("other_file", args);
  args.cgroup = uint64_t{1} << 40;
  Refused("no_descriptor", args);
  args.cgroup = 3;
  Refused("short_struct", args, 80);
}
CASE(clone3_pidfd_and_parent_tid) {
  int pidfd = -1, tid = 0;
  Clone3 args;
  args.exit_signal = SIGCHLD;
  args.flags = CLONE_PIDFD | CLONE_PARENT_SETTID;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.parent_tid = reinterpret_cast<uint64_t>(&tid);
  const long child = DoClone3(args);
  if (child == 0) _exit(13);
  Record("pidfd", pidfd >= 0);
  Record("cloexec", fcntl(pidfd, F_GETFD));
  Record("tid", tid == child);
  pollfd ready = {pidfd, POLLIN, 0};
  T(poll(&ready, 1, 5000));
  Record("events", ready.revents);
  Record("wait", WaitText(static_cast<pid_t>(child)));
}
CASE(clone3_vfork_and_stack) {
  static char stack[64 << 10] __attribute__((aligned(16)));
  Clone3 args;
  args.exit_signal = SIGCHLD;
  args.flags = CLONE_VM | CLONE_VFORK;
  args.stack = reinterpret_cast<uint64_t>(stack);
  args.stack_size = sizeof stack;
  long child;
  // The child must not return into this frame: it has a stack of its own.
  asm volatile(
      "syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\tmov $60, %%eax\n\tmov $14, %%edi\n\tsyscall\n1:"
      : "=a"(child)
      : "a"(SYS_clone3), "D"(&args), "S"(sizeof args)
      : "rcx", "r11", "memory");
  Record("wait", WaitText(static_cast<pid_t>(child)));
}

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

CASE(execveat_empty_path_flag_order) {
  char* const arguments[] = {const_cast<char*>("true"), nullptr};
  const int fd = open("/bin/busybox", O_RDONLY);
  T(syscall(SYS_execveat, fd, "", arguments, environ, 0x40));
  T(syscall(SYS_execveat, fd, "", arguments, environ, 0x40 | AT_EMPTY_PATH));
  T(syscall(SYS_execveat, 500, "", arguments, environ, AT_EMPTY_PATH));
  T(syscall(SYS_execveat, 500, "true", arguments, environ, 0));
  T(syscall(SYS_execveat, fd, "true", arguments, environ, 0));
  T(syscall(SYS_execveat, fd, BadPointer(), arguments, environ, 0));
}
CASE(execveat_bad_arrays) {
  char* const arguments[] = {const_cast<char*>("true"), nullptr};
  char* const broken[] = {static_cast<char*>(BadPointer()), nullptr};
  const int bin = open("/bin", O_RDONLY);
  T(syscall(SYS_execveat, bin, "busybox", BadPointer(), environ, 0));
  T(syscall(SYS_execveat, bin, "busybox", broken, environ, 0));
  T(syscall(SYS_execveat, bin, "busybox", arguments, BadPointer(), 0));
  T(syscall(SYS_execveat, bin, "busybox", arguments, broken, 0));
  T(syscall(SYS_execveat, bin, "missing", BadPointer(), environ, 0));
}
CASE(execve_directories_and_devices) {
  char* const arguments[] = {const_cast<char*>("x"), nullptr};
  mkdir("dir", 0777);
  mkfifo("fifo", 0777);
  T(execve("dir", arguments, environ));
  T(execve("fifo", arguments, environ));
  T(execve("/dev/null", arguments, environ));
  T(execve("", arguments, environ));
  T(execve("dir/", arguments, environ));
}
CASE(execve_loops_and_names) {
  char* const arguments[] = {const_cast<char*>("x"), nullptr};
  MUST(symlink("loop", "loop"));
  T(execve("loop", arguments, environ));
  T(execve(std::string(300, 'x').c_str(), arguments, environ));
  T(execve(std::string(5000, 'x').c_str(), arguments, environ));
}
CASE(execve_not_a_program) {
  char* const arguments[] = {const_cast<char*>("x"), nullptr};
  Make("empty", "", 0755);
  Make("text", "hello\n", 0755);
  Make("half",
       "\x7f"
       "ELF",
       0755);
  Make("hash", "#", 0755);
  Make("blank", "#!   \n", 0755);
  Make("mode", "#!/bin/sh\nexit 0\n", 0644);
  T(execve("empty", arguments, environ));
  T(execve("text", arguments, environ));
  T(execve("half", arguments, environ));
  T(execve("hash", arguments, environ));
  T(execve("blank", arguments, environ));
  T(execve("mode", arguments, environ));
}
CASE(execve_too_much) {
  std::string big(140 << 10, 'a');
  char* const arguments[] = {const_cast<char*>("x"), big.data(), nullptr};
  T(execve("/bin/true", arguments, environ));
  std::string piece(100 << 10, 'b');
  std::vector<char*> many(40, piece.data());
  many.push_back(nullptr);
  T(execve("/bin/true", many.data(), environ));
}
CASE(execve_stack_limit_bounds_arguments) {
  rlimit limit = {1 << 20, RLIM_INFINITY};
  MUST(setrlimit(RLIMIT_STACK, &limit));
  std::string piece(100 << 10, 'b');
  std::vector<char*> many(4, piece.data());
  many.push_back(nullptr);
  T(execve("/bin/true", many.data(), environ));
}
CASE(execve_null_argv_becomes_empty_name) {
  Record("child", InChild([] {
                    syscall(SYS_execve, "/bin/true", nullptr, nullptr);
                    return errno;
                  }) != "");
}
CASE(exec_resets_handlers_keeps_ignored) {
  Handle(SIGUSR1);
  signal(SIGUSR2, SIG_IGN);
  Record("child", InChild([] {
           execl("/bin/sh", "sh", "-c",
                 "while read a b; do case $a in SigIgn:|SigCgt:) echo $b >> out;; esac; done "
                 "< /proc/self/status; exit 0",
                 nullptr);
           return 1;
         }));
  const std::string sets = Content("out");
  Record("usr2_ignored",
         sets.size() > 16 && (strtoull(sets.c_str(), nullptr, 16) >> (SIGUSR2 - 1) & 1));
}
CASE(exec_keeps_signal_mask_and_pending) {
  Record("child", InChild([] {
           sigset_t set;
           sigemptyset(&set);
           sigaddset(&set, SIGUSR1);
           sigprocmask(SIG_BLOCK, &set, nullptr);
           raise(SIGUSR1);
           execl("/bin/sh", "sh", "-c", "grep -E '^Sig(Blk|Pnd)|ShdPnd' /proc/self/status > out",
                 nullptr);
           return 1;
         }));
  Record("sets", Content("out"));
}
CASE(exec_clears_pending_alarm_not) {
  Record("child", InChild([] {
           alarm(1);
           execl("/bin/sh", "sh", "-c", "sleep 5", nullptr);
           return 1;
         }));
}
CASE(exec_keeps_nice_limits_groups) {
  Record("child", InChild([] {
           errno = 0;
           (void)!nice(3);
           rlimit limit = {111, 222};
           setrlimit(RLIMIT_NOFILE, &limit);
           setpgid(0, 0);
           char text[128];
           snprintf(text, sizeof text,
                    "test $(ulimit -n) = 111 && test \"$(cut -d' ' -f19 /proc/$$/stat)\" = 3 && "
                    "test \"$(cut -d' ' -f5 /proc/$$/stat)\" = %d",
                    getpid());
           execl("/bin/sh", "sh", "-c", text, nullptr);
           return 9;
         }));
}
