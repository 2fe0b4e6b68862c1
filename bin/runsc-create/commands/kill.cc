#include <signal.h>

#include "absl/strings/str_cat.h"
#include "bin/runsc-create/commands/commands.h"
#include "bin/runsc-create/launch/boot_client.h"
#include "bin/runsc-create/process/host_process.h"
#include "bin/runsc-create/process/signals.h"
#include "bin/runsc-create/state/state_json.h"

namespace runsc::create {
namespace {

// A sandbox that does not answer in this time is taken for broken.
constexpr absl::Duration kAnswerTimeout = absl::Seconds(5);

Status Deliver(const ContainerStore& store, const KillOptions& kill, int signo) {
  TRY_ASSIGN(BootClient boot, BootClient::Connect(store));
  TRY(boot.SetTimeout(kAnswerTimeout));
  return boot.Signal(kill.pid, signo, kill.all);
}

}  // namespace

Result<int> Kill(const GlobalOptions& options, const KillOptions& kill) {
  TRY_ASSIGN(int signo, ParseSignal(kill.signal));
  TRY_ASSIGN(ContainerStore store, ContainerStore::Open(options.root, kill.id));
  TRY_ASSIGN(state::Container container, store.Load());
  if (StatusOf(container) == "stopped") {
    // As runc: nobody is left, which is what engines want to make sure of.
    if (kill.all) return 0;
    return Error(ESRCH, absl::StrCat("container ", kill.id, ": container not running"));
  }
  Status delivered = Deliver(store, kill, signo);
  if (delivered.ok()) return 0;
  // SIGKILL must work, whatever state the sandbox is in.
  if (signo == SIGKILL && kill.pid == 0) {
    TRY(KillAndAwait(container.boot()));
    return 0;
  }
  return std::move(delivered).error().WithContext(absl::StrCat("kill container ", kill.id));
}

}  // namespace runsc::create
