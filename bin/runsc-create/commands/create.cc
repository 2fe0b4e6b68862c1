#include "bin/runsc-create/commands/commands.h"

namespace runsc::create {

Result<int> Create(const GlobalOptions& options, const CreateOptions& create) {
  TRY_ASSIGN(CreatedContainer created, CreateContainer(options, create));
  created.processes.LetGo();
  return 0;
}

}  // namespace runsc::create
