#include "bin/runsc-create/commands/exec_wait.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "bin/runsc-create/privileges.h"
#include "common/log.h"

namespace runsc::create {
namespace {

constexpr int kKilled = 128 + SIGKILL;

int ExitCodeOf(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Lets go of everything that the caller gave us: its pipes must see their end
// when the container's process closes them.
void KeepOnly(int first, int second) {
  if (first > second) std::swap(first, second);
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= STDERR_FILENO; ++fd) dup2(null, fd);
  constexpr unsigned kLowest = STDERR_FILENO + 1;
  if (static_cast<unsigned>(first) > kLowest) {
    syscall(SYS_close_range, kLowest, static_cast<unsigned>(first) - 1, 0);
  }
  if (second > first + 1) {
    syscall(SYS_close_range, static_cast<unsigned>(first) + 1, static_cast<unsigned>(second) - 1,
            0);
  }
  syscall(SYS_close_range, static_cast<unsigned>(second) + 1, ~0U, 0);
}

[[noreturn]] void WaiterMain(ExecSession& session) {
  setsid();
  if (chdir("/") != 0) _exit(kKilled);
  prctl(PR_SET_NAME, "runsc-exec", 0, 0, 0);
  // Whatever comes is for the process that this one stands for.
  Result<SignalSource> signals = SignalSource::Open(EverySignal());
  if (!signals.ok()) _exit(kKilled);
  KeepOnly(session.fd(), signals->fd());
  if (!DropPrivilegesToWait().ok()) _exit(kKilled);
  Result<int> code = AwaitExecEnd(session, *signals);
  _exit(code.ok() ? *code : kKilled);
}

}  // namespace

Result<int> AwaitExecEnd(ExecSession& session, SignalSource& signals) {
  while (true) {
    std::array<pollfd, 2> entries = {pollfd{.fd = session.fd(), .events = POLLIN, .revents = 0},
                                     pollfd{.fd = signals.fd(), .events = POLLIN, .revents = 0}};
    if (poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return ErrnoError("poll");
    if (entries[0].revents != 0) {
      Result<int> status = session.TakeEnd();
      if (status.ok()) return ExitCodeOf(*status);
      // The end of the sandbox ends everything in it.
      LOG_DEBUG("exec: ", status.error().ToString());
      return kKilled;
    }
    if (entries[1].revents == 0) continue;
    while (int signo = signals.Take()) {
      // A failure means that the process is just ending.
      (void)session.Signal(signo).ok();
    }
  }
}

Result<pid_t> LeaveWaiter(ExecSession& session) {
  pid_t pid = fork();
  if (pid < 0) return ErrnoError("fork");
  if (pid == 0) WaiterMain(session);
  return pid;
}

}  // namespace runsc::create
