#include "bin/runsc-create/commands/create_container.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bin/runsc-create/cgroup/cgroup.h"
#include "bin/runsc-create/commands/start_container.h"
#include "bin/runsc-create/hooks/hooks.h"
#include "bin/runsc-create/launch/boot_client.h"
#include "bin/runsc-create/log_files.h"
#include "bin/runsc-create/process/host_process.h"
#include "bin/runsc-create/process/pid_file.h"
#include "bin/runsc-create/spec/parse.h"
#include "bin/runsc-create/state/exit_file.h"
#include "bin/runsc-create/state/state_json.h"
#include "bin/runsc-create/version.h"
#include "common/log.h"

namespace runsc::create {
namespace {

constexpr int kFailure = 1;
constexpr int kOldestMajor = 6, kOldestMinor = 1;

Status CheckHostKernel() {
  utsname names;
  if (uname(&names) != 0) return ErrnoError("uname");
  int major = 0, minor = 0;
  if (sscanf(names.release, "%d.%d", &major, &minor) != 2) return Ok();
  if (major > kOldestMajor || (major == kOldestMajor && minor >= kOldestMinor)) return Ok();
  return Error(ENOSYS, absl::StrCat("host kernel ", names.release, " is too old: ", kOldestMajor,
                                    ".", kOldestMinor, " or newer is needed"));
}

Result<std::string> AbsoluteBundle(const std::string& bundle) {
  char resolved[PATH_MAX];
  if (realpath(bundle.c_str(), resolved) == nullptr) return ErrnoError("bundle", bundle);
  return std::string(resolved);
}

// The binary `name` beside this one, unless a flag names another.
Result<std::string> Program(const std::string& flag, const char* name) {
  std::string path = flag;
  if (path.empty()) {
    char self[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self));
    if (size < 0) return ErrnoError("read /proc/self/exe");
    path.assign(self, static_cast<size_t>(size));
    path = absl::StrCat(path.substr(0, path.rfind('/')), "/", name);
  }
  if (access(path.c_str(), X_OK) != 0) return ErrnoError("find program", path);
  return path;
}

// Takes back what creation has done so far, unless it succeeded. The processes
// are gone before: they are declared after it, and end with their owner.
class Rollback {
 public:
  explicit Rollback(ContainerStore& store) : store_(store) {}
  ~Rollback() {
    if (done_) return;
    RemoveCgroups(cgroups_);
    if (Status removed = store_.Remove(); !removed.ok()) {
      LOG_WARNING("clean up: ", removed.error().ToString());
    }
  }
  void AlsoRemove(std::vector<std::string> cgroups) { cgroups_ = std::move(cgroups); }
  void Done() { done_ = true; }

 private:
  ContainerStore& store_;
  std::vector<std::string> cgroups_;
  bool done_ = false;
};

Status SetOomScore(const oci::Process& process, pid_t pid) {
  if (!process.has_oom_score_adj()) return Ok();
  std::string path = absl::StrCat("/proc/", pid, "/oom_score_adj");
  TRY_ASSIGN(FileDescriptor file, OpenAt(AT_FDCWD, path.c_str(), O_WRONLY));
  std::string text = absl::StrCat(process.oom_score_adj());
  if (write(file.get(), text.data(), text.size()) < 0) {
    return ErrnoError("config.json: process.oomScoreAdj: write", path);
  }
  return Ok();
}

Status RunCreationHooks(const state::Container& container) {
  const oci::Hooks& hooks = container.spec().hooks();
  std::string state = HookStateJson(container, "creating");
  TRY(RunHooks("prestart", hooks.prestart(), state));
  TRY(RunHooks("createRuntime", hooks.create_runtime(), state));
  return RunHooks("createContainer", hooks.create_container(), state);
}

state::Container NewContainer(const CreateOptions& create, const std::string& bundle,
                              oci::Spec spec) {
  state::Container container;
  container.set_id(create.id);
  container.set_bundle(bundle);
  container.set_phase(state::Container::CREATING);
  container.set_created_unix_ns(absl::GetCurrentTimeNanos());
  container.set_owner_uid(geteuid());
  container.set_version(kVersion);
  *container.mutable_spec() = std::move(spec);
  return container;
}

// Puts both processes where the container's resources are counted.
Status Place(const std::vector<std::string>& cgroups, const oci::Spec& spec,
             SandboxProcesses& processes) {
  for (Child* child : {&processes.boot(), &processes.gofer()}) {
    TRY(JoinCgroups(cgroups, child->pid()));
    TRY(SetOomScore(spec.process(), child->pid()));
  }
  return Ok();
}

}  // namespace

Result<CreatedContainer> CreateContainer(const GlobalOptions& options, const CreateOptions& create,
                                         int& exit_code) {
  exit_code = kFailure;
  TRY(CheckContainerId(create.id));
  TRY(CheckHostKernel());
  TRY_ASSIGN(std::string bundle, AbsoluteBundle(create.bundle));
  TRY_ASSIGN(oci::Spec spec, spec::LoadSpec(bundle));
  LaunchPlan plan = {.options = &options, .id = create.id, .attached = create.attached};
  TRY_ASSIGN(plan.boot_program, Program(options.boot, "runsc-boot"));
  TRY_ASSIGN(plan.gofer_program, Program(options.gofer, "runsc-gofer"));
  TRY_ASSIGN(Console console,
             Console::Open(ConsoleOptionsOf(spec.process(), create.console_socket)));
  plan.terminal = console.terminal();
  if (console.foreground() && !create.attached) {
    return Error(EINVAL,
                 "config.json: process.terminal: a detached container with a terminal needs "
                 "--console-socket");
  }

  TRY_ASSIGN(ContainerStore store, ContainerStore::Create(options.root, create.id));
  Rollback rollback(store);
  state::Container container = NewContainer(create, bundle, std::move(spec));
  plan.spec = &container.spec();
  Cgroups cgroups;
  if (!plan.spec->linux().cgroups_path().empty() && !options.ignore_cgroups) {
    TRY_ASSIGN(cgroups, CreateCgroups(plan.spec->linux().cgroups_path()));
    rollback.AlsoRemove(cgroups.made);
    for (const std::string& made : cgroups.made) container.add_cgroup_directories(made);
  }
  TRY_ASSIGN(FileDescriptor control, MakeControlSocket(store));
  plan.control_socket = control.get();
  TRY_ASSIGN(FileDescriptor exit_file, MakeExitFile(store));
  plan.exit_file = exit_file.get();
  TRY_ASSIGN(LogFiles logs, LogFiles::Open(options, create.id, create.user_log));
  plan.boot_log = logs.boot();
  plan.gofer_log = logs.gofer();
  plan.user_log = logs.user();

  TRY_ASSIGN(SandboxProcesses processes, SandboxProcesses::Start(plan));
  // Stored before they get anything to do: whatever happens to us from here
  // on, `delete --force` finds them.
  TRY_ASSIGN(*container.mutable_boot(), Identify(processes.boot().pid()));
  TRY_ASSIGN(*container.mutable_gofer(), Identify(processes.gofer().pid()));
  TRY(store.Save(container));
  TRY(Place(cgroups.directories, *plan.spec, processes));
  TRY(processes.Configure(plan));
  console.LetTerminalGo();
  TRY(RunCreationHooks(container));
  TRY_ASSIGN(BootClient boot, BootClient::Connect(store));
  if (Status prepared = boot.Prepare(); !prepared.ok()) {
    exit_code = ExitCodeOfStartError(prepared.error());
    return InGosSpelling(std::move(prepared).error());
  }
  TRY(console.SendMaster());
  if (!create.pid_file.empty()) {
    TRY(WritePidFile(create.pid_file, processes.boot().pid()));
  }
  container.set_phase(state::Container::CREATED);
  TRY(store.Save(container));
  rollback.Done();
  return CreatedContainer{std::move(store), std::move(container), std::move(processes),
                          std::move(boot), std::move(console)};
}

}  // namespace runsc::create
