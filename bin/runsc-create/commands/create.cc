#include "bin/runsc-create/commands/commands.h"

namespace runsc::create {

Result<int> Create(const GlobalOptions& options, const CreateOptions& create) {
  int exit_code = 0;  // of interest to `run` only
  TRY_ASSIGN(CreatedContainer created, CreateContainer(options, create, exit_code));
  created.processes.LetGo();
  return 0;
}

}  // namespace runsc::create
