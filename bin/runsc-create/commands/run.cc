#include <poll.h>

#include <array>
#include <optional>

#include "bin/runsc-create/commands/commands.h"
#include "bin/runsc-create/commands/destroy.h"
#include "bin/runsc-create/commands/start_container.h"
#include "bin/runsc-create/hooks/later_hooks.h"
#include "bin/runsc-create/launch/console_relay.h"
#include "bin/runsc-create/log_files.h"
#include "bin/runsc-create/privileges.h"
#include "bin/runsc-create/process/signal_source.h"
#include "bin/runsc-create/state/state_json.h"
#include "common/log.h"

namespace runsc::create {
namespace {

// A new window size is the terminal's business; all else is for init.
void Forward(int signo, BootClient& boot, ConsoleRelay* relay) {
  Status sent;
  if (signo == SIGWINCH && relay != nullptr) {
    relay->Resize();
    sent = boot.TerminalResized();
  } else {
    sent = boot.Signal(0, signo, false);
  }
  // A failure means that the container is just ending.
  if (!sent.ok()) LOG_DEBUG("forward signal ", signo, ": ", sent.error().ToString());
}

// Until boot ends; its exit code is the container's. `relay` may be null.
Result<int> Attend(SignalSource& signals, BootClient& boot, Child& process, ConsoleRelay* relay) {
  while (true) {
    ConsoleRelay::PollEntries console = {pollfd{.fd = -1}, pollfd{.fd = -1}};
    if (relay != nullptr) console = relay->Entries();
    std::array<pollfd, 4> entries = {pollfd{.fd = process.pidfd(), .events = POLLIN},
                                     pollfd{.fd = signals.fd(), .events = POLLIN}, console[0],
                                     console[1]};
    if (poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return ErrnoError("poll");
    if (relay != nullptr) relay->Handle({entries[2], entries[3]});
    if (entries[1].revents != 0) {
      while (int signo = signals.Take()) Forward(signo, boot, relay);
    }
    if (entries[0].revents == 0) continue;
    if (relay != nullptr) relay->Finish();
    return process.Reap();
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

  std::optional<ConsoleRelay> relay;
  if (created.console.foreground()) {
    TRY_ASSIGN(ConsoleRelay opened, ConsoleRelay::Start(created.console.TakeMaster()));
    relay.emplace(std::move(opened));
  }
  Status started = StartContainer(created.store, created.boot, created.container);
  if (!started.ok()) {
    relay.reset();
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
  LaterHooks poststop;
  if (!created.container.spec().hooks().poststop().empty()) {
    TRY_ASSIGN(poststop,
               LaterHooks::Prepare("poststop", created.container.spec().hooks().poststop(),
                                   HookStateJson(created.container, "stopped")));
  }
  TRY(DropPrivilegesToWait());
  Result<int> code = Attend(signals, created.boot, created.processes.boot(),
                            relay.has_value() ? &*relay : nullptr);
  if (run.keep) {
    created.processes.LetGo();
    return code;
  }
  created.processes = SandboxProcesses();
  // Somebody may have deleted the container meanwhile.
  Result<ContainerStore> store = ContainerStore::Open(options.root, create.id);
  if (store.ok()) TRY(DestroyContainer(*store, created.container, &poststop));
  return code;
}

}  // namespace runsc::create
