// Programs that are busy (ETXTBSY): running, or open for writing.
#include "test/guest/cases.h"

using namespace guest;

namespace {

void CopyProgram() { MUST(system("cp /bin/busybox prog") == 0 ? 0 : -1); }

// A child that sleeps in ./prog; it has started when this returns.
pid_t StartProgram() {
  int p[2];
  MUST(pipe2(p, O_CLOEXEC));
  const pid_t child = fork();
  if (child == 0) {
    execl("./prog", "sleep", "30", nullptr);
    _exit(99);
  }
  close(p[1]);
  Drain(p[0]);  // closed by exec
  close(p[0]);
  return child;
}

void End(pid_t child) {
  kill(child, SIGKILL);
  MUST(waitpid(child, nullptr, 0));
}

int ExecProgram() {
  execl("./prog", "true", nullptr);
  return errno;
}

}  // namespace

CASE(busy_open_for_writing_while_running) {
  CopyProgram();
  const pid_t child = StartProgram();
  T(open("prog", O_WRONLY));
  T(open("prog", O_RDWR));
  T(open("prog", O_RDONLY | O_TRUNC));
  T(truncate("prog", 1));
  Record("read_only", open("prog", O_RDONLY) >= 0);
  T(chmod("prog", 0700));
  End(child);
  Record("afterwards", open("prog", O_WRONLY) >= 0);
}
CASE(busy_unlink_and_rename_are_allowed) {
  CopyProgram();
  const pid_t child = StartProgram();
  T(rename("prog", "other"));
  T(unlink("other"));
  End(child);
}
CASE(busy_exec_while_writable) {
  CopyProgram();
  const int fd = open("prog", O_WRONLY);
  Record("writer", InChild(ExecProgram));
  close(fd);
  Record("closed", InChild(ExecProgram));
  const int reader = open("prog", O_RDONLY);
  Record("reader", InChild(ExecProgram));
  close(reader);
}
CASE(busy_two_writers) {
  CopyProgram();
  const int one = open("prog", O_WRONLY), two = open("prog", O_RDWR);
  close(one);
  Record("one_left", InChild(ExecProgram));
  close(two);
  Record("none_left", InChild(ExecProgram));
}
CASE(busy_fork_keeps_the_program) {
  CopyProgram();
  Record("child", InChild([] {
           const pid_t child = StartProgram();
           const int busy = open("prog", O_WRONLY) < 0 ? errno : 0;
           End(child);
           return busy;
         }));
}
CASE(busy_script_may_be_written) {
  MUST(chmod(".", 0755));
  Make("script", "#!/bin/sh\nread x\n", 0755);
  MUST(chmod("script", 0755));
  int p[2], done[2];
  MUST(pipe(p));
  MUST(pipe2(done, O_CLOEXEC));
  const pid_t child = fork();
  if (child == 0) {
    dup2(p[0], 0);
    execl("./script", "script", nullptr);
    _exit(99);
  }
  close(done[1]);
  Drain(done[0]);
  Record("opened", open("script", O_WRONLY) >= 0);
  End(child);
}
CASE(busy_memfd_is_not) {
  const int fd = memfd_create("prog", 0);
  const int from = open("/bin/busybox", O_RDONLY);
  static char buffer[1 << 16];
  ssize_t count;
  while ((count = read(from, buffer, sizeof buffer)) > 0) MUST(write(fd, buffer, count));
  Record("child", InChild([fd] {
           char* const arguments[] = {const_cast<char*>("true"), nullptr};
           char* const environment[] = {nullptr};
           syscall(SYS_execveat, fd, "", arguments, environment, AT_EMPTY_PATH);
           return errno;
         }));
}
