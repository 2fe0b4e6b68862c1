#include <poll.h>

#include <array>

#include "bin/runsc-create/commands/commands.h"
#include "bin/runsc-create/commands/destroy.h"
#include "bin/runsc-create/commands/start_container.h"
#include "bin/runsc-create/log_files.h"
#include "bin/runsc-create/privileges.h"
#include "bin/runsc-create/process/signal_source.h"
#include "common/log.h"

namespace runsc::create {
namespace {

// Until boot ends; its exit code is the container's.
Result<int> ForwardSignals(SignalSource& signals, BootClient& boot, Child& process) {
  while (true) {
    std::array<pollfd, 2> entries = {pollfd{.fd = process.pidfd(), .events = POLLIN},
                                     pollfd{.fd = signals.fd(), .events = POLLIN}};
    if (poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return ErrnoError("poll");
    if (entries[0].revents != 0) return process.Reap();
    if (entries[1].revents == 0) continue;
    while (int signo = signals.Take()) {
      // A failure means that the container is just ending.
      if (Status sent = boot.Signal(0, signo, false); !sent.ok()) {
        LOG_DEBUG("forward signal ", signo, ": ", sent.error().ToString());
      }
    }
  }
}

}  // namespace

Result<int> Run(const GlobalOptions& options, const RunOptions& run) {
  CreateOptions create = run.create;
  create.attached = !run.detach;
  TRY_ASSIGN(SignalSource signals, SignalSource::Open(ForwardedSignals()));
  int exit_code = 0;
  Result<CreatedContainer> creation = CreateContainer(options, create, exit_code);
  if (!creation.ok()) {
    ReportError(options, creation.error());
    return exit_code;
  }
  CreatedContainer& created = *creation;

  Status started = StartContainer(created.store, created.boot, created.container);
  if (!started.ok()) {
    ReportError(options, started.error());
    created.processes = SandboxProcesses();
    TRY(DestroyContainer(created.store, created.container));
    return ExitCodeOfStartError(started.error());
  }
  if (run.detach) {
    created.processes.LetGo();
    return 0;
  }
  created.store.Unlock();
  if (created.container.spec().hooks().poststop().empty()) TRY(DropPrivilegesToWait());
  Result<int> code = ForwardSignals(signals, created.boot, created.processes.boot());
  if (run.keep) {
    created.processes.LetGo();
    return code;
  }
  created.processes = SandboxProcesses();
  // Somebody may have deleted the container meanwhile.
  Result<ContainerStore> store = ContainerStore::Open(options.root, create.id);
  if (store.ok()) TRY(DestroyContainer(*store, created.container));
  return code;
}

}  // namespace runsc::create
