#include "bin/runsc-create/process/child.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "ipc/channel.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace runsc::create {
namespace {

constexpr size_t kStackSize = 64 << 10;

struct Plan {
  const char* program;
  char* const* argv;
  char* const* envp;
  int channel, null, error_output;
  int error = 0;  // set by the child, which shares our memory until its exec
};

// Puts `from` at number `to`, without close-on-exec.
bool Place(int from, int to) {
  if (from == to) return fcntl(from, F_SETFD, 0) == 0;
  return dup2(from, to) == to;
}

void ResetSignals() {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  for (int signo = 1; signo < NSIG; ++signo) sigaction(signo, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Runs in the child, in the parent's memory (CLONE_VM, CLONE_VFORK): system
// calls only.
int ChildMain(void* argument) {
  Plan& plan = *static_cast<Plan*>(argument);
  ResetSignals();
  setsid();
  bool placed = Place(plan.error_output, 2) && Place(plan.null, 0) && Place(plan.null, 1) &&
                Place(plan.channel, kInheritedChannelFd) &&
                syscall(SYS_close_range, kInheritedChannelFd + 1, ~0U, 0) == 0;
  if (placed) execve(plan.program, plan.argv, plan.envp);
  plan.error = errno;
  _exit(127);
}

// Descriptors above those that the child places, so that placing one does not
// overwrite another.
Result<FileDescriptor> Above(int fd) {
  FileDescriptor copy(fcntl(fd, F_DUPFD_CLOEXEC, kInheritedChannelFd + 1));
  if (!copy.valid()) return ErrnoError("duplicate descriptor");
  return copy;
}

}  // namespace

void Child::Kill() {
  if (!pidfd_.valid()) return;
  syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
  (void)Reap();
}

Result<int> Child::Reap() {
  siginfo_t info = {};
  while (waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd_.get()), &info, WEXITED) !=
         0) {
    if (errno != EINTR) return ErrnoError("wait for", name_);
  }
  pidfd_.Reset();
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

std::string Child::DescribeEnd() {
  Result<int> code = Reap();
  if (!code.ok()) return absl::StrCat(name_, " has ended");
  if (*code <= 128) return absl::StrCat(name_, " exited with code ", *code);
  return absl::StrCat(name_, " was killed by signal ", *code - 128, " (", strsignal(*code - 128),
                      ")");
}

Result<Child> StartChild(const ChildOptions& options) {
  size_t slash = options.program.rfind('/');
  std::string name =
      slash == std::string::npos ? options.program : options.program.substr(slash + 1);
  FileDescriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid()) return ErrnoError("open /dev/null");
  TRY_ASSIGN(FileDescriptor high_null, Above(null.get()));
  TRY_ASSIGN(FileDescriptor channel, Above(options.channel));
  TRY_ASSIGN(FileDescriptor error_output,
             Above(options.error_output >= 0 ? options.error_output : null.get()));

  std::array<char*, 2> argv = {name.data(), nullptr};
  char no_locale[] = "LC_ALL=C";
  std::array<char*, 2> envp = {no_locale, nullptr};
  Plan plan = {.program = options.program.c_str(),
               .argv = argv.data(),
               .envp = envp.data(),
               .channel = channel.get(),
               .null = high_null.get(),
               .error_output = error_output.get()};

  // No signal may run a handler of ours in the child while it shares memory.
  sigset_t all, old;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &old);
  auto stack = std::make_unique<char[]>(kStackSize);
  int pidfd = -1;
  pid_t pid =
      clone(ChildMain, stack.get() + kStackSize,
            CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | options.clone_flags, &plan, &pidfd);
  int clone_error = errno;
  sigprocmask(SIG_SETMASK, &old, nullptr);
  if (pid < 0) return MakeError(clone_error, "clone for", options.program);
  Child child(name, pid, FileDescriptor(pidfd));
  if (plan.error != 0) return MakeError(plan.error, "execute", options.program);
  return child;
}

}  // namespace runsc::create
