// The commands, one function each. Each returns the exit code of the program;
// an error is one line for the user and makes the exit code 1.
#ifndef RUNSC_CREATE_COMMANDS_COMMANDS_H_
#define RUNSC_CREATE_COMMANDS_COMMANDS_H_

#include <string>

#include "bin/runsc-create/commands/create_container.h"
#include "bin/runsc-create/options.h"
#include "common/result.h"

namespace runsc::create {

Result<int> Create(const GlobalOptions& options, const CreateOptions& create);

struct RunOptions {
  CreateOptions create;
  bool detach = false;
  bool keep = false;  // do not delete the container afterwards
};
// The exit code is the container's; 127 when its program does not exist, 126
// when it cannot be executed.
Result<int> Run(const GlobalOptions& options, const RunOptions& run);

Result<int> Start(const GlobalOptions& options, const std::string& id);
Result<int> State(const GlobalOptions& options, const std::string& id);

struct KillOptions {
  std::string id;
  std::string signal = "SIGTERM";
  int pid = 0;
  bool all = false;
};
Result<int> Kill(const GlobalOptions& options, const KillOptions& kill);

struct DeleteOptions {
  std::string id;
  bool force = false;
};
Result<int> Delete(const GlobalOptions& options, const DeleteOptions& delete_options);

struct ListOptions {
  std::string format = "table";
  bool quiet = false;
};
Result<int> List(const GlobalOptions& options, const ListOptions& list);

struct WaitOptions {
  std::string id;
  int pid = 0;
};
Result<int> Wait(const GlobalOptions& options, const WaitOptions& wait);

struct SpecOptions {
  std::string bundle = ".";
};
Result<int> Spec(const SpecOptions& spec);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_COMMANDS_COMMANDS_H_
