#include <sys/wait.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "bin/runsc-create/commands/commands.h"
#include "bin/runsc-create/json/writer.h"
#include "bin/runsc-create/launch/boot_client.h"
#include "bin/runsc-create/state/state_json.h"

namespace runsc::create {

Result<int> Wait(const GlobalOptions& options, const WaitOptions& wait) {
  TRY_ASSIGN(ContainerStore store, ContainerStore::Open(options.root, wait.id));
  TRY_ASSIGN(state::Container container, store.Load());
  if (StatusOf(container) == "stopped") {
    return Error(ESRCH, absl::StrCat("container ", wait.id, ": container not running"));
  }
  TRY_ASSIGN(BootClient boot, BootClient::Connect(store));
  store.Unlock();
  Result<int> status = boot.Wait(wait.pid);
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
