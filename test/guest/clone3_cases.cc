// clone3(2).
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>

#include "test/guest/cloning.h"

using namespace guest;

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
CASE(clone3_into_cgroup_forms) {
  Clone3 args;
  args.exit_signal = SIGCHLD;
  args.flags = CLONE_INTO_CGROUP;
  args.cgroup = 9999;
  Refused("closed", args);
  args.cgroup = uint64_t{1} << 31;
  Refused("too_large", args);
  args.cgroup = ~uint64_t{0};
  Refused("negative", args);
  for (const char* path : {"/", "/proc", "/proc/self/status", "/dev/null"}) {
    args.cgroup = static_cast<uint64_t>(open(path, O_RDONLY));
    Refused(path, args);
  }
  args.cgroup = static_cast<uint64_t>(open("/", O_PATH));
  Refused("path", args);
  Refused("old_size", args, 80);
  int p[2];
  MUST(pipe(p));
  args.cgroup = static_cast<uint64_t>(p[0]);
  Refused("pipe", args);
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
