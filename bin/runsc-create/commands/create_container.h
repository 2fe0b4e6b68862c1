// What `create` and `run` have in common: from a bundle to a container whose
// sandbox is ready and waits for its start.
#ifndef RUNSC_CREATE_COMMANDS_CREATE_CONTAINER_H_
#define RUNSC_CREATE_COMMANDS_CREATE_CONTAINER_H_

#include <string>

#include "bin/runsc-create/launch/boot_client.h"
#include "bin/runsc-create/launch/console.h"
#include "bin/runsc-create/launch/sandbox_processes.h"
#include "bin/runsc-create/options.h"
#include "bin/runsc-create/state/container_store.h"
#include "common/result.h"
#include "ipc/state.pb.h"

namespace runsc::create {

struct CreateOptions {
  std::string id;
  std::string bundle = ".";
  std::string pid_file;        // empty: none
  std::string console_socket;  // empty: none
  std::string user_log;        // empty: none
  bool attached = false;       // the sandbox dies with this process
};

struct CreatedContainer {
  ContainerStore store;  // locked
  state::Container container;
  SandboxProcesses processes;  // end with this object, unless let go
  BootClient boot;
  Console console;
};

// On failure nothing is left. The error is one line for the user, and
// `exit_code` is what `run` exits with: init's program is looked for here
// already, since engines expect `create` to fail when there is none.
Result<CreatedContainer> CreateContainer(const GlobalOptions& options, const CreateOptions& create,
                                         int& exit_code);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_COMMANDS_CREATE_CONTAINER_H_
