// The commands, one function each. Each returns the exit code of the program;
// an error is one line for the user and makes the exit code 1.
#ifndef RUNSC_CREATE_COMMANDS_COMMANDS_H_
#define RUNSC_CREATE_COMMANDS_COMMANDS_H_

#include <string>
#include <vector>

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

struct ExecOptions {
  std::string id;
  std::vector<std::string> args;
  std::string process_file;    // empty: the flags say what to start
  std::string console_socket;  // empty: none
  std::string cwd;             // empty: the container's own
  std::vector<std::string> env;
  bool terminal = false;
  std::string user;  // UID[:GID]; empty: the container's own
  std::vector<std::string> additional_gids;
  std::vector<std::string> capabilities;
  bool no_new_privileges = false;
  bool detach = false;
  std::string pid_file;  // empty: none
  std::string process_label, apparmor;
  int preserve_fds = 0;
  std::string cgroup;  // empty: the container's own
  bool ignore_paused = false;
};
// The exit code is the process's; 127 when its program does not exist, 126
// when it cannot be executed, 255 for other errors.
Result<int> Exec(const GlobalOptions& options, const ExecOptions& exec);

struct PsOptions {
  std::string id;
  std::string format = "table";
  std::vector<std::string> arguments;  // of ps(1)
};
Result<int> Ps(const GlobalOptions& options, const PsOptions& ps);

// Stops every process of the container, or lets them go on.
Result<int> Pause(const GlobalOptions& options, const std::string& id);
Result<int> Resume(const GlobalOptions& options, const std::string& id);

struct SpecOptions {
  std::string bundle = ".";
};
Result<int> Spec(const SpecOptions& spec);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_COMMANDS_COMMANDS_H_
