// execve(2), execveat(2): arguments, errors, what stays.
#include <linux/sched.h>
#include <sys/resource.h>

#include <vector>

#include "test/guest/cloning.h"

using namespace guest;

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
