// The processes that have no parent in the container: init, and those that the
// controller starts beside it.
#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/kernel/held_init.h"
#include "bin/runsc-boot/kernel/job_control.h"
#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/pending_exec.h"
#include "bin/runsc-boot/kernel/process_timers.h"

namespace runsc::boot {

namespace {

constexpr pid_t kInitPid = 1;
// What /proc/1/comm shows before there is a program.
constexpr const char* kHeldInitName = "runsc-init";

// The terminal of a process's standard input; null when it is something else.
ControllingTerminalRef TerminalOf(const FdTable& fds) {
  Result<FileRef> file = fds.Get(0);
  if (!file.ok()) return nullptr;
  const auto* terminal = dynamic_cast<const ControllingTerminalFile*>(file->get());
  return terminal == nullptr ? nullptr : terminal->controlling_terminal();
}

}  // namespace

TaskRef Kernel::MakeFirstTask(ProcessOptions& options) {
  auto group = std::make_shared<ThreadGroup>(ThreadGroup::Key(), *this);
  {
    absl::MutexLock lock(&group->limits_mutex_);
    group->limits_ = options.limits;
  }
  group->timers_->WatchCpuLimit();
  group->set_oom_score_adj(options.oom_score_adj);
  auto task = std::make_shared<Task>(Task::Key(), *this, group);
  task->set_credentials(options.credentials);
  task->set_personality(options.personality);
  task->StartWithSeccomp(std::move(options.seccomp));
  const Path root{options.mounts->root(), options.mounts->root()->root()};
  task->set_fds(options.fds);
  task->set_fs(std::make_shared<FsContext>(options.mounts, root, root, options.umask));
  return task;
}

Status Kernel::GiveProgram(Task& task, ProgramOptions program) {
  auto fail = [&](const Error& error, const std::string& what) {
    return Error(error.code(), absl::StrCat("cannot execute \"", program.program, "\": ", what,
                                            strerror(error.code())));
  };
  const WalkOptions from_root{.start = task.fs().root(), .directory = true};
  Result<Path> cwd = task.vfs().Walk(task.caller(), from_root, program.cwd);
  if (!cwd.ok()) {
    return fail(cwd.error(), absl::StrCat("working directory \"", program.cwd, "\": "));
  }
  task.fs().set_cwd(*cwd);

  ExecRequest request;
  request.walk.start = *cwd;
  request.path = request.filename = program.program;
  request.args = std::move(program.args);
  request.env = std::move(program.env);
  Result<std::shared_ptr<Task::PendingExec>> exec = task.PrepareExec(std::move(request));
  if (!exec.ok()) return fail(exec.error(), "");
  task.pending_exec_ = *std::move(exec);
  return Ok();
}

void Kernel::SetUpFor(const InitOptions& options) {
  cpu_count_.store(options.cpu_count);
  memory_total_.store(options.memory_total);
  namespaces_->uts->set_hostname(options.hostname);
  namespaces_->uts->set_domainname(options.domainname);
  options.mounts->SetFirstOwner(user_namespace_);
}

Status Kernel::StartInit(InitOptions options) {
  SetUpFor(options);
  ControllingTerminalRef terminal = std::move(options.terminal);
  TaskRef task = MakeFirstTask(options);
  TRY(GiveProgram(*task, std::move(options)));
  if (!Register(task, kInitPid)) return Error(EINVAL);
  if (terminal != nullptr) {
    absl::MutexLock lock(&tree_mutex_);
    JobControl::AdoptLocked(task->group(), std::move(terminal));
  }
  absl::MutexLock lock(&task->state_mutex_);
  TRY_ASSIGN(task->thread_, platform_->Start(task));
  return Ok();
}

Result<std::shared_ptr<HeldInit>> Kernel::HoldInit(InitOptions options) {
  SetUpFor(options);
  TaskRef task = MakeFirstTask(options);
  task->set_name(kHeldInitName);
  auto held = std::make_shared<HeldInit>(task);
  task->held_init_ = held;
  const ThreadGroupRef group = task->group_ref();
  group->terminal_ = std::move(options.terminal);
  {
    absl::MutexLock lock(&task->state_mutex_);
    TRY_ASSIGN(task->thread_, platform_->Start(task));
  }
  {
    absl::MutexLock lock(&group->signal_mutex_);
    group->process_ = task->thread_ref()->process();
  }
  if (!Register(task, kInitPid)) return Error(ESRCH, "init ended before it started");
  return held;
}

Result<ThreadGroupRef> Kernel::StartProcess(ProcessOptions options) {
  TaskRef task = MakeFirstTask(options);
  TRY(GiveProgram(*task, std::move(options)));
  const ThreadGroupRef group = task->group_ref();
  if (ControllingTerminalRef terminal = TerminalOf(task->fds()); terminal != nullptr) {
    // Adopted as soon as the group has its session.
    absl::MutexLock lock(&tree_mutex_);
    group->terminal_ = std::move(terminal);
  }
  pid_t pid = 0;
  {
    // Its first event waits until it has its thread.
    absl::MutexLock lock(&task->state_mutex_);
    Result<platform::ThreadRef> thread = platform_->Spawn(task);
    if (!thread.ok()) return Error(thread.code() == ENOMEM ? ESRCH : thread.code());
    task->thread_ = *std::move(thread);
    pid = task->thread_->tid();
  }
  {
    absl::MutexLock lock(&group->signal_mutex_);
    if (group->process_ == nullptr) group->process_ = task->thread_ref()->process();
  }
  if (!Register(task, pid)) return Error(ESRCH, "the process ended before it started");
  ThreadGroupRef init;
  {
    absl::MutexLock lock(&tree_mutex_);
    init = init_;
  }
  // Init may have ended everybody just before this one could be found.
  bool late = true;
  if (init != nullptr) {
    absl::MutexLock lock(&init->signal_mutex_);
    late = init->exiting_;
  }
  if (late) group->BeginExit(SIGKILL);
  return group;
}

}  // namespace runsc::boot
