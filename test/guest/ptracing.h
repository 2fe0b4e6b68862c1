// What the programs about ptrace(2) have in common.
#ifndef RUNSC_TEST_GUEST_PTRACING_H_
#define RUNSC_TEST_GUEST_PTRACING_H_

#include <linux/ptrace.h>
#include <sys/user.h>

#include "test/guest/cases.h"

namespace guest {

inline long Ptrace(int request, pid_t pid, unsigned long address = 0, unsigned long data = 0) {
  return syscall(SYS_ptrace, request, pid, address, data);
}
template <typename T>
unsigned long At(T* object) {
  return reinterpret_cast<unsigned long>(object);
}

// "stopped 19", "event 3 stopped 5", "exit 0"...; nothing for no change.
inline std::string WaitText(pid_t pid, int options = __WALL) {
  int status = 0;
  const pid_t got = waitpid(pid, &status, options);
  if (got < 0) return strerrorname_np(errno);
  if (got == 0) return "none";
  if (WIFSTOPPED(status)) {
    std::string text = "stopped " + std::to_string(WSTOPSIG(status));
    const int event = status >> 16;
    return event == 0 ? text : "event " + std::to_string(event) + " " + text;
  }
  return StatusText(status);
}
inline int WaitStatus(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, __WALL) != pid) Broken("waitpid");
  return status;
}

// A child that is traced and has stopped by SIGSTOP.
inline pid_t Traced(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (Ptrace(PTRACE_TRACEME, 0) != 0) _exit(99);
    raise(SIGSTOP);
    _exit(body());
  }
  WaitStatus(pid);
  return pid;
}
// A child that runs until it is killed or told by a byte.
struct Runner {
  pid_t pid;
  int pipe[2];
};
inline Runner Running(const std::function<int()>& body = [] { return 0; }) {
  Runner runner = {};
  MUST(pipe(runner.pipe));
  runner.pid = fork();
  if (runner.pid == 0) {
    close(runner.pipe[1]);
    char byte;
    while (read(runner.pipe[0], &byte, 1) < 0) {
    }
    _exit(body());
  }
  SleepMs(20);
  return runner;
}
inline void Tell(const Runner& runner) { MUST(write(runner.pipe[1], "x", 1)); }
inline void Kill(pid_t pid) {
  kill(pid, SIGKILL);
  Record("end", WaitText(pid));
}
inline user_regs_struct Registers(pid_t pid) {
  user_regs_struct registers = {};
  if (Ptrace(PTRACE_GETREGS, pid, 0, At(&registers)) != 0) Broken("GETREGS");
  return registers;
}
// Returns 42, with space for other instructions.
__attribute__((noinline)) inline int Answer() {
  asm volatile("nop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop");
  return 42;
}
inline volatile long g_word = 0x1122334455667788;
inline volatile sig_atomic_t g_signals;
inline void Count(int) { g_signals = g_signals + 1; }

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_PTRACING_H_
