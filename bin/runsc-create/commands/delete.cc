#include "absl/strings/str_cat.h"
#include "bin/runsc-create/commands/commands.h"
#include "bin/runsc-create/commands/destroy.h"
#include "bin/runsc-create/state/state_json.h"
#include "common/log.h"

namespace runsc::create {

Result<int> Delete(const GlobalOptions& options, const DeleteOptions& delete_options) {
  const std::string& id = delete_options.id;
  Result<ContainerStore> store = ContainerStore::Open(options.root, id);
  if (!store.ok()) {
    if (store.code() == ENOENT && delete_options.force) return 0;
    return std::move(store).error();
  }
  Result<state::Container> container = store->Load();
  if (!container.ok()) {
    if (!delete_options.force) return std::move(container).error();
    LOG_WARNING(container.error().ToString());
    container = state::Container();
  }
  std::string_view status = StatusOf(*container);
  // As with other runtimes, what has not been started may be deleted.
  if ((status == "running" || status == "paused") && !delete_options.force) {
    return Error(EBUSY, absl::StrCat("cannot delete container ", id,
                                     " that is not stopped: ", std::string(status)));
  }
  TRY(DestroyContainer(*store, *container));
  return 0;
}

}  // namespace runsc::create
