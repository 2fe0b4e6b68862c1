#include "absl/strings/str_cat.h"
#include "bin/runsc-create/commands/commands.h"
#include "bin/runsc-create/commands/start_container.h"
#include "bin/runsc-create/state/state_json.h"

namespace runsc::create {

Result<int> Start(const GlobalOptions& options, const std::string& id) {
  TRY_ASSIGN(ContainerStore store, ContainerStore::Open(options.root, id));
  TRY_ASSIGN(state::Container container, store.Load());
  std::string_view status = StatusOf(container);
  if (status == "running") return Error(EINVAL, "cannot start an already running container");
  if (status == "stopped") return Error(EINVAL, "cannot start a container that has stopped");
  if (status != "created") {
    return Error(EINVAL,
                 absl::StrCat("cannot start a container in the ", std::string(status), " state"));
  }
  TRY_ASSIGN(BootClient boot, BootClient::Connect(store));
  TRY(StartContainer(store, boot, container));
  return 0;
}

}  // namespace runsc::create
