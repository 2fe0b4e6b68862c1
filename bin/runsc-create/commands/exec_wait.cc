#include "bin/runsc-create/commands/exec_wait.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "bin/runsc-create/privileges.h"
#include "common/file_descriptor.h"
#include "common/log.h"

namespace runsc::create {
namespace {

// Ends as the process did, so that its engine sees the same of it.
[[noreturn]] void EndAs(int status) {
  if (WIFSIGNALED(status)) {
    const int signo = WTERMSIG(status);
    signal(signo, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signo);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    raise(signo);
    _exit(128 + signo);
  }
  _exit(WEXITSTATUS(status));
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
  if (chdir("/") != 0) EndAs(SIGKILL);
  prctl(PR_SET_NAME, "runsc-exec", 0, 0, 0);
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  // Whatever comes is for the process that this one stands for.
  Result<SignalSource> signals = SignalSource::Open(EverySignal());
  if (!signals.ok()) EndAs(SIGKILL);
  KeepOnly(session.fd(), signals->fd());
  if (!DropPrivilegesToWait().ok()) EndAs(SIGKILL);
  Result<int> status = AwaitExecEnd(session, *signals, nullptr);
  EndAs(status.ok() ? *status : SIGKILL);
}

// A new window size is the terminal's business; all else is for the process. A
// failure means that it is just ending.
void Forward(int signo, ExecSession& session, ConsoleRelay* relay) {
  if (signo == SIGWINCH && relay != nullptr) {
    relay->Resize();
    (void)session.TerminalResized().ok();
  } else {
    (void)session.Signal(signo).ok();
  }
}

}  // namespace

Result<int> AwaitExecEnd(ExecSession& session, SignalSource& signals, ConsoleRelay* relay) {
  while (true) {
    ConsoleRelay::PollEntries console = {pollfd{.fd = -1}, pollfd{.fd = -1}};
    if (relay != nullptr) console = relay->Entries();
    std::array<pollfd, 4> entries = {pollfd{.fd = session.fd(), .events = POLLIN},
                                     pollfd{.fd = signals.fd(), .events = POLLIN}, console[0],
                                     console[1]};
    if (poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return ErrnoError("poll");
    if (relay != nullptr) relay->Handle({entries[2], entries[3]});
    if (entries[1].revents != 0) {
      while (int signo = signals.Take()) Forward(signo, session, relay);
    }
    if (entries[0].revents == 0) continue;
    if (relay != nullptr) relay->Finish();
    Result<int> status = session.TakeEnd();
    if (status.ok()) return *status;
    // The end of the sandbox ends everything in it.
    LOG_DEBUG("exec: ", status.error().ToString());
    return SIGKILL;
  }
}

Result<pid_t> LeaveWaiter(ExecSession& session) {
  pid_t pid = fork();
  if (pid < 0) return ErrnoError("fork");
  if (pid == 0) WaiterMain(session);
  FileDescriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid()) return ErrnoError("pidfd_open");
  // Boot may just be ending; the waiter learns of it.
  (void)session.NameStandIn(pidfd.get()).ok();
  return pid;
}

}  // namespace runsc::create
