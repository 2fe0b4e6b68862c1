// exec: another process in a container.
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "bin/runsc-create/cgroup/cgroup.h"
#include "bin/runsc-create/commands/commands.h"
#include "bin/runsc-create/commands/exec_process.h"
#include "bin/runsc-create/commands/exec_wait.h"
#include "bin/runsc-create/commands/start_container.h"
#include "bin/runsc-create/launch/boot_client.h"
#include "bin/runsc-create/launch/console.h"
#include "bin/runsc-create/launch/console_relay.h"
#include "bin/runsc-create/launch/exec_session.h"
#include "bin/runsc-create/launch/host_pids.h"
#include "bin/runsc-create/log_files.h"
#include "bin/runsc-create/privileges.h"
#include "bin/runsc-create/process/pid_file.h"
#include "bin/runsc-create/state/state_json.h"
#include "common/log.h"

namespace runsc::create {
namespace {

// As runc, for everything but a program that cannot be run.
constexpr int kExecFailure = 255;
constexpr int kMaxPreserved = 200;

int ExitCodeOfExecError(const Error& error) {
  int code = ExitCodeOfStartError(error);
  return code == 126 || code == 127 ? code : kExecFailure;
}

// Every error begins as runc's: engines and people look for that.
Error InExecsWords(Error error) { return std::move(error).WithContext("exec failed"); }

struct Prepared {
  state::Container container;
  ExecSession session;
  Console console;
};

Status CheckStatus(const ExecOptions& exec, const state::Container& container) {
  std::string_view status = StatusOf(container);
  if (status == "stopped") return Error(ESRCH, "cannot exec in a stopped container");
  if (status == "paused" && !exec.ignore_paused) {
    return Error(EBUSY, "cannot exec in a paused container (use --ignore-paused to override)");
  }
  if (status == "creating") return Error(EBUSY, "cannot exec in a container that is being created");
  return Ok();
}

// The caller's descriptors become the process's own, or a terminal does.
std::vector<ExecDescriptor> DescriptorsOf(const ExecOptions& exec, const Console& console) {
  std::vector<ExecDescriptor> fds = {{STDIN_FILENO, control::Descriptor::ROLE_STDIN},
                                     {STDOUT_FILENO, control::Descriptor::ROLE_STDOUT},
                                     {STDERR_FILENO, control::Descriptor::ROLE_STDERR}};
  if (console.terminal() >= 0) {
    fds = {{console.terminal(), control::Descriptor::ROLE_TERMINAL}};
  }
  for (int i = 0; i < exec.preserve_fds; ++i) {
    fds.push_back({STDERR_FILENO + 1 + i, control::Descriptor::ROLE_PRESERVED});
  }
  return fds;
}

Result<Prepared> Prepare(const GlobalOptions& options, const ExecOptions& exec, int& exit_code) {
  TRY_ASSIGN(ContainerStore store, ContainerStore::Open(options.root, exec.id));
  TRY_ASSIGN(state::Container container, store.Load());
  TRY(CheckStatus(exec, container));
  if (exec.preserve_fds < 0 || exec.preserve_fds > kMaxPreserved) {
    return Error(EINVAL, absl::StrCat("--preserve-fds: must be between 0 and ", kMaxPreserved));
  }
  TRY_ASSIGN(oci::Process process, MakeExecProcess(exec, container.spec().process()));
  TRY_ASSIGN(Console console, Console::Open(ConsoleOptionsOf(process, exec.console_socket)));
  if (console.foreground() && exec.detach) {
    return Error(EINVAL, "a detached process with a terminal needs --console-socket");
  }
  TRY_ASSIGN(BootClient boot, BootClient::Connect(store));
  store.Unlock();
  Result<ExecSession> session =
      std::move(boot).Exec(process, DescriptorsOf(exec, console), /*detached=*/exec.detach);
  if (session.ok()) {
    console.LetTerminalGo();
    return Prepared{std::move(container), *std::move(session), std::move(console)};
  }
  exit_code = ExitCodeOfExecError(session.error());
  return InGosSpelling(std::move(session).error()).WithContext("unable to start container process");
}

Status JoinCgroup(const ExecOptions& exec, const Prepared& prepared) {
  if (exec.cgroup.empty()) return Ok();
  TRY_ASSIGN(pid_t pid, HostPidOf(prepared.container, prepared.session.boot_pid()));
  return JoinSubCgroup(prepared.container.spec().linux().cgroups_path(), exec.cgroup, pid);
}

// The exit code, or why it is kExecFailure.
Result<int> Finish(const ExecOptions& exec, Prepared& prepared, SignalSource& signals) {
  ExecSession& session = prepared.session;
  if (Status joined = JoinCgroup(exec, prepared); !joined.ok()) {
    (void)session.Signal(SIGKILL).ok();
    return std::move(joined).error();
  }
  if (Status sent = prepared.console.SendMaster(); !sent.ok()) {
    (void)session.Signal(SIGKILL).ok();
    return std::move(sent).error();
  }
  pid_t pid = getpid();
  if (exec.detach) {
    TRY_ASSIGN(pid, LeaveWaiter(session));
  }
  if (!exec.pid_file.empty()) {
    if (Status written = WritePidFile(exec.pid_file, pid); !written.ok()) {
      (void)session.Signal(SIGKILL).ok();
      return std::move(written).error();
    }
  }
  if (exec.detach) return 0;
  std::optional<ConsoleRelay> relay;
  if (prepared.console.foreground()) {
    TRY_ASSIGN(ConsoleRelay opened, ConsoleRelay::Start(prepared.console.TakeMaster()));
    relay.emplace(std::move(opened));
  }
  TRY(DropPrivilegesToWait());
  TRY_ASSIGN(int status, AwaitExecEnd(session, signals, relay.has_value() ? &*relay : nullptr));
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Result<int> Exec(const GlobalOptions& options, const ExecOptions& exec) {
  TRY_ASSIGN(SignalSource signals, SignalSource::Open(ForwardedSignals()));
  int exit_code = kExecFailure;
  Result<Prepared> prepared = Prepare(options, exec, exit_code);
  if (!prepared.ok()) {
    ReportError(options, InExecsWords(std::move(prepared).error()));
    return exit_code;
  }
  Result<int> code = Finish(exec, *prepared, signals);
  if (code.ok()) return code;
  ReportError(options, InExecsWords(std::move(code).error()));
  return kExecFailure;
}

}  // namespace runsc::create
