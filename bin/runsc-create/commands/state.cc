#include <cstdio>

#include "bin/runsc-create/commands/commands.h"
#include "bin/runsc-create/state/state_json.h"

namespace runsc::create {

Result<int> State(const GlobalOptions& options, const std::string& id) {
  TRY_ASSIGN(ContainerStore store, ContainerStore::Open(options.root, id));
  TRY_ASSIGN(state::Container container, store.Load());
  fputs(StateJson(container).c_str(), stdout);
  return 0;
}

}  // namespace runsc::create
