#include "bin/runsc-create/command_line.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <sstream>

#include "bin/runsc-create/commands/commands.h"
#include "bin/runsc-create/privileges.h"
#include "bin/runsc-create/version.h"

namespace runsc::create {
namespace {

constexpr int kUsageError = 1;

// Everything that flags are bound to. Lives until the command has run.
struct Parsed {
  GlobalOptions global;
  std::string log_format = "text", network = "none", native_calls = "default", ignored;
  bool ignored_flag = false, print_privileges = false;
  CreateOptions create;
  RunOptions run;
  KillOptions kill;
  DeleteOptions delete_options;
  ListOptions list;
  WaitOptions wait;
  ExecOptions exec;
  PsOptions ps;
  SpecOptions spec;
  std::string id, help_topic;
};

void AddGlobalFlags(CLI::App& app, Parsed& parsed) {
  GlobalOptions& options = parsed.global;
  app.add_option("--root", options.root, "directory for the containers' state");
  app.add_option("--log", options.log, "file for warnings and errors (default: standard error)");
  app.add_option("--log-format", parsed.log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_flag("--debug", options.debug, "log everything");
  app.add_option("--debug-log", options.debug_log,
                 "file or directory/ for the debug logs of all processes; %ID%, %COMMAND% and "
                 "%TIMESTAMP% are replaced");
  app.add_option("--network", parsed.network, "none or host")
      ->check(CLI::IsMember({"none", "host"}));
  app.add_flag("--overlay", options.overlay, "keep changes of the root file system in memory");
  app.add_flag("--strace", options.strace, "log system calls");
  app.add_option("--native-calls", parsed.native_calls,
                 "default, or none to send memory calls through the kernel too")
      ->check(CLI::IsMember({"default", "none"}));
  app.add_flag("--host-uds", options.host_sockets, "allow connections to the host's Unix sockets");
  app.add_flag("--ignore-cgroups", options.ignore_cgroups, "do not join cgroups");
  app.add_flag("--systemd-cgroup", options.systemd_cgroup, "accept paths of the systemd driver");
  app.add_option("--boot", options.boot, "path of runsc-boot");
  app.add_option("--gofer", options.gofer, "path of runsc-gofer");
  app.add_flag("--print-privileges", parsed.print_privileges,
               "print what this program may do, and exit");
  // Of runc and runsc; without a meaning here.
  for (const char* name : {"--criu", "--rootless", "--platform"}) {
    app.add_option(name, parsed.ignored, "accepted and ignored");
  }
  app.add_flag("--alsologtostderr", parsed.ignored_flag, "accepted and ignored");
}

void AddCreateFlags(CLI::App& command, CreateOptions& create, Parsed& parsed) {
  command.add_option("-b,--bundle", create.bundle, "directory with config.json");
  command.add_option("--pid-file", create.pid_file, "file for the sandbox's process id");
  command.add_option("--console-socket", create.console_socket,
                     "socket that gets the terminal's master end");
  command.add_option("--user-log", create.user_log, "file for messages to the container's user");
  command.add_option("--preserve-fds", parsed.ignored, "accepted and ignored");
  command.add_flag("--no-pivot", parsed.ignored_flag, "accepted and ignored");
  command.add_flag("--no-new-keyring", parsed.ignored_flag, "accepted and ignored");
  command.add_option("id", create.id, "name of the container")->required();
}

void AddLifecycleCommands(CLI::App& app, Parsed& parsed) {
  CLI::App* create = app.add_subcommand("create", "create a container");
  AddCreateFlags(*create, parsed.create, parsed);

  CLI::App* run = app.add_subcommand("run", "create and start a container, and wait for its end");
  AddCreateFlags(*run, parsed.run.create, parsed);
  run->add_flag("-d,--detach", parsed.run.detach, "do not wait");
  run->add_flag("--keep", parsed.run.keep, "do not delete the container at its end");
  run->add_flag("--no-subreaper", parsed.ignored_flag, "accepted and ignored");

  CLI::App* start = app.add_subcommand("start", "start a created container");
  start->add_option("id", parsed.id, "name of the container")->required();

  CLI::App* kill = app.add_subcommand("kill", "send a signal to a container's processes");
  kill->add_flag("-a,--all", parsed.kill.all, "to all processes");
  kill->add_option("--pid", parsed.kill.pid, "to this process of the container");
  kill->add_option("id", parsed.kill.id, "name of the container")->required();
  kill->add_option("signal", parsed.kill.signal, "name or number (default: SIGTERM)");

  CLI::App* remove = app.add_subcommand("delete", "delete a container");
  remove->add_flag("-f,--force", parsed.delete_options.force, "kill it if it runs");
  remove->add_option("id", parsed.delete_options.id, "name of the container")->required();
}

// Their flags end at the container's name: what follows is for the program that
// they start.
CLI::App* AddPrefixCommand(CLI::App& app, const char* name, const char* description,
                           const char* usage) {
  CLI::App* command = app.add_subcommand(name, description);
  command->prefix_command();
  command->footer(usage);
  return command;
}

void AddExecCommands(CLI::App& app, Parsed& parsed) {
  ExecOptions& exec = parsed.exec;
  CLI::App* command = AddPrefixCommand(app, "exec", "start a process in a running container",
                                       "exec [OPTIONS] ID COMMAND [ARG...]\n"
                                       "exec [OPTIONS] --process FILE ID");
  auto one_each = [&](const char* flags, std::vector<std::string>& values, const char* text) {
    command->add_option(flags, values, text)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  command->add_option("-p,--process", exec.process_file, "file that says what to start");
  command->add_option("--console-socket", exec.console_socket,
                      "socket that gets the terminal's master end");
  command->add_option("--cwd", exec.cwd, "working directory");
  one_each("-e,--env", exec.env, "NAME=value, also several times");
  command->add_flag("-t,--tty", exec.terminal, "give it a terminal");
  command->add_option("-u,--user", exec.user, "UID[:GID]");
  one_each("-g,--additional-gids", exec.additional_gids, "a further group, also several times");
  command->add_flag("-d,--detach", exec.detach, "do not wait for its end");
  command->add_option("--pid-file", exec.pid_file,
                      "file for the id of a process that stands for it");
  command->add_option("--process-label", exec.process_label, "refused: SELinux");
  command->add_option("--apparmor", exec.apparmor, "accepted and ignored");
  command->add_flag("--no-new-privs", exec.no_new_privileges, "set no_new_privs");
  one_each("-c,--cap", exec.capabilities, "a further capability, also several times");
  command->add_option("--preserve-fds", exec.preserve_fds, "descriptors to pass on besides 0 to 2");
  command->add_option("--cgroup", exec.cgroup, "[CONTROLLER:]PATH of an existing sub-cgroup");
  command->add_flag("--ignore-paused", exec.ignore_paused, "also in a paused container");

  CLI::App* ps = AddPrefixCommand(app, "ps", "list the processes of a container",
                                  "ps [OPTIONS] ID [OPTIONS OF ps(1)]");
  ps->add_option("-f,--format", parsed.ps.format, "table or json");

  CLI::App* pause = app.add_subcommand("pause", "stop all processes of a container");
  pause->add_option("id", parsed.id, "name of the container")->required();
  CLI::App* resume = app.add_subcommand("resume", "let a paused container go on");
  resume->add_option("id", parsed.id, "name of the container")->required();
}

// The value of `flag` (as it stands on the command line) is the next argument.
bool TakesNextArgument(const CLI::App& app, const std::string& flag) {
  auto takes_value = [&](const std::string& name) {
    const CLI::Option* option = app.get_option_no_throw(name);
    return option != nullptr && option->get_items_expected_max() > 0;
  };
  if (flag[1] == '-') return takes_value(flag);
  for (size_t i = 1; i < flag.size(); ++i) {
    if (takes_value(std::string("-") + flag[i])) return i + 1 == flag.size();
  }
  return false;
}

// The library knows no "--" before what a prefix command leaves over: it goes,
// unless it comes after the container's name and is the program's.
std::vector<const char*> WithoutMark(const CLI::App& app, int argc, const char* const* argv) {
  std::vector<const char*> args(argv, argv + argc);
  const CLI::App* command = nullptr;
  for (size_t i = 1; i < args.size(); ++i) {
    const std::string arg = args[i];
    if (arg == "--") {
      if (command != nullptr) args.erase(args.begin() + static_cast<ptrdiff_t>(i));
      return args;
    }
    if (arg.size() > 1 && arg[0] == '-') {
      if (TakesNextArgument(command == nullptr ? app : *command, arg)) ++i;
      continue;
    }
    if (command != nullptr) return args;
    auto found = app.get_subcommands([&](const CLI::App* sub) { return sub->get_name() == arg; });
    if (found.empty() || !found[0]->get_prefix_command()) return args;
    command = found[0];
  }
  return args;
}

// What stands behind the flags of `exec` and `ps`: the name, then the rest.
Status TakeRemaining(std::vector<std::string> rest, std::string& id,
                     std::vector<std::string>& arguments) {
  if (rest.empty()) return Error(EINVAL, "id is required");
  if (rest[0].size() > 1 && rest[0][0] == '-') return Error(EINVAL, "unknown flag " + rest[0]);
  id = rest[0];
  arguments.assign(rest.begin() + 1, rest.end());
  return Ok();
}

void AddInspectionCommands(CLI::App& app, Parsed& parsed) {
  CLI::App* state = app.add_subcommand("state", "print a container's state");
  state->add_option("id", parsed.id, "name of the container")->required();

  CLI::App* list = app.add_subcommand("list", "list the containers");
  list->add_option("-f,--format", parsed.list.format, "table or json");
  list->add_flag("-q,--quiet", parsed.list.quiet, "names only");

  CLI::App* wait = app.add_subcommand("wait", "wait for the end of a container");
  wait->add_option("--pid", parsed.wait.pid, "of this process of the container");
  wait->add_option("id", parsed.wait.id, "name of the container")->required();

  CLI::App* spec = app.add_subcommand("spec", "write a config.json");
  spec->add_option("-b,--bundle", parsed.spec.bundle, "directory for it");

  CLI::App* help = app.add_subcommand("help", "explain a command");
  help->add_option("command", parsed.help_topic, "name of the command");
}

std::function<Result<int>()> CommandFunction(const std::string& name,
                                             const std::shared_ptr<Parsed>& parsed) {
  if (name == "create") return [parsed] { return Create(parsed->global, parsed->create); };
  if (name == "run") return [parsed] { return Run(parsed->global, parsed->run); };
  if (name == "start") return [parsed] { return Start(parsed->global, parsed->id); };
  if (name == "kill") return [parsed] { return Kill(parsed->global, parsed->kill); };
  if (name == "delete") return [parsed] { return Delete(parsed->global, parsed->delete_options); };
  if (name == "state") return [parsed] { return State(parsed->global, parsed->id); };
  if (name == "list") return [parsed] { return List(parsed->global, parsed->list); };
  if (name == "wait") return [parsed] { return Wait(parsed->global, parsed->wait); };
  if (name == "exec") return [parsed] { return Exec(parsed->global, parsed->exec); };
  if (name == "ps") return [parsed] { return Ps(parsed->global, parsed->ps); };
  if (name == "pause") return [parsed] { return Pause(parsed->global, parsed->id); };
  if (name == "resume") return [parsed] { return Resume(parsed->global, parsed->id); };
  return [parsed] { return Spec(parsed->spec); };
}

std::string IdOf(const std::string& name, const Parsed& parsed) {
  if (name == "create") return parsed.create.id;
  if (name == "run") return parsed.run.create.id;
  if (name == "kill") return parsed.kill.id;
  if (name == "delete") return parsed.delete_options.id;
  if (name == "wait") return parsed.wait.id;
  if (name == "exec") return parsed.exec.id;
  if (name == "ps") return parsed.ps.id;
  return parsed.id;
}

CommandLine Text(std::string text, int exit_code = 0) {
  CommandLine line;
  line.text = std::move(text);
  line.text_is_error = exit_code != 0;
  line.exit_code = exit_code;
  return line;
}

// `overview`: the help of the whole program.
CommandLine Help(const CLI::App& app, const std::string& overview, const std::string& topic) {
  if (topic.empty()) return Text(overview);
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == topic) return Text(command->help());
  }
  return Text("runsc-create: unknown command \"" + topic + "\"\n", kUsageError);
}

}  // namespace

CommandLine ParseCommandLine(int argc, const char* const* argv) {
  auto parsed = std::make_shared<Parsed>();
  CLI::App app("Runs OCI containers on an application kernel of their own.", "runsc-create");
  app.set_version_flag("-v,--version",
                       std::string("runsc-create version ") + kVersion + "\nspec: " + kOciVersion);
  // As with runc, the last of several wins; the commands inherit it.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  AddGlobalFlags(app, *parsed);
  AddLifecycleCommands(app, *parsed);
  AddExecCommands(app, *parsed);
  AddInspectionCommands(app, *parsed);
  app.require_subcommand(0, 1);
  // After parsing, the library answers with the chosen command's help.
  const std::string overview = app.help();
  const std::vector<const char*> args = WithoutMark(app, argc, argv);
  try {
    app.parse(static_cast<int>(args.size()), args.data());
  } catch (const CLI::ParseError& error) {  // the library knows no other way
    std::ostringstream out, problems;
    int code = app.exit(error, out, problems);
    if (code == 0) return Text(out.str());
    return Text("runsc-create: " + std::string(error.what()) +
                    "\nTry runsc-create --help for more information.\n",
                kUsageError);
  }
  if (parsed->print_privileges) return Text(DescribePrivileges());
  auto chosen = app.get_subcommands();
  if (chosen.empty()) return Text(overview);
  std::string name = chosen[0]->get_name();
  if (name == "help") return Help(app, overview, parsed->help_topic);
  Status rest = Ok();
  if (name == "exec") {
    rest = TakeRemaining(chosen[0]->remaining(), parsed->exec.id, parsed->exec.args);
  } else if (name == "ps") {
    rest = TakeRemaining(chosen[0]->remaining(), parsed->ps.id, parsed->ps.arguments);
  }
  if (!rest.ok()) {
    return Text("runsc-create: " + name + ": " + rest.error().ToString() + "\n", kUsageError);
  }

  parsed->global.log_format =
      parsed->log_format == "json" ? log::Format::kJson : log::Format::kText;
  parsed->global.network =
      parsed->network == "host" ? control::NETWORK_HOST : control::NETWORK_NONE;
  parsed->global.native_calls = parsed->native_calls != "none";
  CommandLine line;
  line.options = parsed->global;
  line.command = name;
  line.id = IdOf(name, *parsed);
  line.run = CommandFunction(name, parsed);
  return line;
}

}  // namespace runsc::create
