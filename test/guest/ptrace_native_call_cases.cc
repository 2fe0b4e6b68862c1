// ptrace(2): calls of a tracee that the sandbox leaves to the host as long as
// nobody looks. They mean the same when somebody does.
#include <linux/rseq.h>
#include <sys/time.h>

#include "test/guest/ptracing.h"

using namespace guest;

namespace {

// Lets `pid` run from call to call until it ends, passing its signals on.
std::string FollowCalls(pid_t pid) {
  int signo = 0;
  while (true) {
    if (Ptrace(PTRACE_SYSCALL, pid, 0, static_cast<unsigned long>(signo)) != 0) return "lost";
    const int status = WaitStatus(pid);
    if (!WIFSTOPPED(status)) return StatusText(status);
    signo = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
  }
}

void Alarms(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;  // without SA_RESTART
  sigaction(SIGALRM, &action, nullptr);
  const itimerval often = {{0, 300}, {0, 300}};
  setitimer(ITIMER_REAL, &often, nullptr);
}

// How many calls that never sleep have failed, or done nothing, for a signal.
int Failures(int rounds) {
  int failures = 0;
  auto* const start = static_cast<char*>(sbrk(0));
  for (int i = 0; i < rounds; ++i) {
    char* wanted = start + 4096 * (1 + i % 2);
    failures += syscall(SYS_brk, wanted) != reinterpret_cast<long>(wanted);
    void* page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    failures += page == MAP_FAILED || mprotect(page, 4096, PROT_NONE) != 0;
    failures += munmap(page, 4096) != 0;
    failures += syscall(SYS_futex, &g_word, 1 /* FUTEX_WAKE */, 1, nullptr, nullptr, 0) != 0;
  }
  return failures;
}

}  // namespace

CASE(ptrace_rseq) {
  const pid_t pid = Traced([] {
    static struct rseq area;
    return syscall(SYS_rseq, &area, sizeof(area), 2, 0) == -1 ? errno : 0;
  });
  Record("end", FollowCalls(pid));
}
CASE(ptrace_rseq_of_a_new_process) {
  const pid_t pid = Traced([] {
    static struct rseq area;
    // The C library's own registration, if it has one, is not ours to know.
    const bool registered = syscall(SYS_rseq, &area, sizeof(area), 0, 0x53053053) == 0;
    const bool again = syscall(SYS_rseq, &area, sizeof(area), 0, 0x53053053) == 0;
    return (registered ? 1 : 2) + (again ? 10 : 20);
  });
  Record("end", FollowCalls(pid));
}
CASE(ptrace_calls_that_never_sleep_are_not_interrupted) {
  const pid_t pid = Traced([] {
    Alarms(Count);
    while (g_signals < 40) {
      if (Failures(10) != 0) return 1;
    }
    return 0;
  });
  Record("end", FollowCalls(pid));
}
