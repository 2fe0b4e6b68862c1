#include "bin/runsc-create/process/signal_source.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace runsc::create {

sigset_t ForwardedSignals() {
  sigset_t set = EverySignal();
  for (int signo : {SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT,
                    SIGTRAP, SIGSYS, SIGPIPE}) {
    sigdelset(&set, signo);
  }
  return set;
}

sigset_t EverySignal() {
  sigset_t set;
  sigfillset(&set);
  for (int signo : {SIGKILL, SIGSTOP, SIGCHLD}) sigdelset(&set, signo);
  return set;
}

Result<SignalSource> SignalSource::Open(const sigset_t& set) {
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return ErrnoError("block signals");
  SignalSource source;
  source.fd_.Reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!source.fd_.valid()) return ErrnoError("signalfd");
  return source;
}

int SignalSource::Take() {
  signalfd_siginfo info;
  if (read(fd_.get(), &info, sizeof(info)) != sizeof(info)) return 0;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace runsc::create
