// pause and resume: the container's processes stand still, the sandbox does not.
#include "absl/strings/str_cat.h"
#include "bin/runsc-create/commands/commands.h"
#include "bin/runsc-create/launch/boot_client.h"
#include "bin/runsc-create/state/state_json.h"

namespace runsc::create {
namespace {

constexpr absl::Duration kAnswerTimeout = absl::Seconds(5);

Status SetFrozen(const ContainerStore& store, state::Container& container, bool frozen) {
  TRY_ASSIGN(BootClient boot, BootClient::Connect(store));
  TRY(boot.SetTimeout(kAnswerTimeout));
  TRY(boot.Freeze(frozen));
  container.set_paused(frozen);
  return store.Save(container);
}

}  // namespace

Result<int> Pause(const GlobalOptions& options, const std::string& id) {
  TRY_ASSIGN(ContainerStore store, ContainerStore::Open(options.root, id));
  TRY_ASSIGN(state::Container container, store.Load());
  std::string_view status = StatusOf(container);
  if (status != "running" && status != "created") {
    return Error(EBUSY, absl::StrCat("container ", id, ": container not running"));
  }
  TRY(SetFrozen(store, container, true));
  return 0;
}

Result<int> Resume(const GlobalOptions& options, const std::string& id) {
  TRY_ASSIGN(ContainerStore store, ContainerStore::Open(options.root, id));
  TRY_ASSIGN(state::Container container, store.Load());
  if (StatusOf(container) != "paused") {
    return Error(EBUSY, absl::StrCat("container ", id, ": container not paused"));
  }
  TRY(SetFrozen(store, container, false));
  return 0;
}

}  // namespace runsc::create
