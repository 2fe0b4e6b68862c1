// Every flag of clone(2).
#include <linux/sched.h>
#include <sched.h>

#include "test/guest/cloning.h"

using namespace guest;

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
