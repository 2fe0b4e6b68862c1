#include <sys/wait.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "bin/runsc-create/commands/commands.h"
#include "bin/runsc-create/json/writer.h"
#include "bin/runsc-create/launch/boot_client.h"
#include "bin/runsc-create/process/host_process.h"
#include "bin/runsc-create/state/exit_file.h"
#include "bin/runsc-create/state/state_json.h"

namespace runsc::create {
namespace {

// Of process `pid` (0: init), from boot if it is there; of init, otherwise, what
// boot recorded. Lets the container go.
Result<int> WaitStatus(ContainerStore& store, const state::Container& container, pid_t pid) {
  const bool stopped = StatusOf(container) == "stopped";
  if (!stopped) {
    Result<BootClient> boot = BootClient::Connect(store);
    store.Unlock();
    Result<int> status = boot.ok() ? boot->Wait(pid) : Result<int>(std::move(boot).error());
    // The container may just have ended.
    if (status.ok() || pid != 0 || IsAlive(container.boot())) return status;
  }
  if (pid != 0) return Error(ESRCH, "container not running");
  return ReadExitFile(store);
}

}  // namespace

Result<int> Wait(const GlobalOptions& options, const WaitOptions& wait) {
  TRY_ASSIGN(ContainerStore store, ContainerStore::Open(options.root, wait.id));
  TRY_ASSIGN(state::Container container, store.Load());
  Result<int> status = WaitStatus(store, container, wait.pid);
  if (!status.ok()) {
    return std::move(status).error().WithContext(absl::StrCat("wait for container ", wait.id));
  }
  int code = WIFSIGNALED(*status) ? 128 + WTERMSIG(*status) : WEXITSTATUS(*status);
  json::Writer out(/*indented=*/false);
  out.BeginObject();
  out.Name("id").String(wait.id);
  out.Name("exitStatus").Number(code);
  out.EndObject();
  puts(out.text().c_str());
  return 0;
}

}  // namespace runsc::create
