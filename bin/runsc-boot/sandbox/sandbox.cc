// The application kernel behind control::Sandbox: puts platform, kernel, file
// systems and system calls together for one container.
#include "bin/runsc-boot/control/sandbox.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/fs/host/host_file.h"
#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/sandbox/filesystems.h"
#include "bin/runsc-boot/sandbox/mounts.h"
#include "bin/runsc-boot/sandbox/process.h"
#include "bin/runsc-boot/sandbox/program_search.h"
#include "bin/runsc-boot/socket/unix/unix_socket.h"
#include "bin/runsc-boot/strace/strace.h"
#include "bin/runsc-boot/syscalls/dispatch.h"
#include "common/log.h"

namespace runsc::boot {
namespace {

constexpr pid_t kInitPid = 1;

class KernelSandbox final : public control::Sandbox {
 public:
  KernelSandbox(std::unique_ptr<HostPoller> poller, std::unique_ptr<Kernel> kernel,
                InitOptions init, const runsc::control::BootRequest& request)
      : poller_(std::move(poller)),
        kernel_(std::move(kernel)),
        init_(std::move(init)),
        strace_(request.options().strace()),
        oom_score_adj_(request.spec().process().oom_score_adj()) {}
  ~KernelSandbox() override { kernel_->platform().Shutdown(); }

  Status Prepare() override {
    TRY(FindInit());
    return Ok();
  }

  Status Start() override {
    {
      absl::MutexLock lock(&mutex_);
      if (state_ != State::kCreated) return Error(EINVAL, "the container has been started already");
    }
    TRY_ASSIGN(init_.program, FindInit());
    if (strace_) TraceInit();
    TRY(kernel_->StartInit(std::move(init_)));
    if (ThreadGroupRef init = kernel_->FindGroup(kInitPid); init != nullptr) {
      init->set_oom_score_adj(oom_score_adj_);
    }
    absl::MutexLock lock(&mutex_);
    if (state_ == State::kDestroyed) {
      kernel_->KillAll();
    } else {
      state_ = State::kRunning;
    }
    return Ok();
  }

  Result<int> Wait(pid_t pid) override {
    if (pid != 0 && pid != kInitPid) return Error(ESRCH);
    {
      absl::MutexLock lock(&mutex_);
      auto decided = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return state_ != State::kCreated;
      };
      mutex_.Await(absl::Condition(&decided));
      if (state_ == State::kDestroyed) return W_EXITCODE(0, SIGKILL);
    }
    return kernel_->WaitForInit();
  }

  Status Signal(pid_t pid, int signo, bool all) override {
    if (signo < 0 || signo > kSignalCount) return Error(EINVAL);
    {
      absl::MutexLock lock(&mutex_);
      if (state_ != State::kRunning) return Error(ESRCH);
    }
    return kernel_->SignalFromOutside(pid == 0 ? kInitPid : pid, signo, all);
  }

  std::vector<control::ProcessInfo> Processes() override {
    std::vector<control::ProcessInfo> result;
    for (const ThreadGroupRef& group : kernel_->Groups()) {
      TaskRef leader = group->leader();
      if (leader == nullptr || group->zombie()) continue;
      control::ProcessInfo info;
      info.pid = group->pid();
      info.parent = group->parent_pid();
      info.uid = leader->credentials()->euid;
      info.threads = static_cast<uint32_t>(group->task_count());
      info.command = leader->name();
      result.push_back(std::move(info));
    }
    return result;
  }

  void Destroy() override {
    {
      absl::MutexLock lock(&mutex_);
      if (state_ == State::kCreated) {
        state_ = State::kDestroyed;
        return;
      }
    }
    kernel_->KillAll();
  }

 private:
  enum class State { kCreated, kRunning, kDestroyed };

  // Init's program is executed without a system call.
  void TraceInit() const {
    LOG_INFO("[1] init execve(\"", init_.program, "\", [\"", absl::StrJoin(init_.args, "\", \""),
             "\"], /* ", init_.env.size(), " vars */) = ?");
  }

  // As the container's own user would find it.
  Result<std::string> FindInit() {
    KernelContext context(std::make_shared<Credentials>(init_.credentials));
    MountRef root = init_.mounts->root();
    Path top = init_.mounts->Descend({root, root->root()});
    FsContext fs(init_.mounts, top, top, 0);
    Caller caller{context, fs};
    WalkOptions walk;
    walk.start = top;
    walk.directory = true;
    auto cwd = kernel_->vfs().Walk(caller, walk, init_.cwd);
    if (!cwd.ok()) return MakeError(cwd.code(), "change to working directory", init_.cwd);
    fs.set_cwd(*cwd);
    return FindProgram(kernel_->vfs(), caller, init_.args.front(), init_.env);
  }

  const std::unique_ptr<HostPoller> poller_;
  const std::unique_ptr<Kernel> kernel_;
  InitOptions init_;
  const bool strace_;
  const int oom_score_adj_;
  absl::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kCreated;
};

// The container's user owns them: it may open /dev/stdout again.
Result<std::shared_ptr<FdTable>> ImportStdio(Vfs& vfs, HostPoller& poller, const Credentials& owner,
                                             FileDescriptor (&stdio)[3]) {
  KernelContext context(std::make_shared<Credentials>(owner));
  auto fds = std::make_shared<FdTable>();
  for (int i = 0; i < 3; ++i) {
    if (!stdio[i].valid()) continue;
    auto file = MakeHostFile(vfs, context, poller, std::move(stdio[i]));
    if (!file.ok()) return std::move(file).error().WithContext(absl::StrCat("descriptor ", i));
    TRY(fds->Replace(i, std::move(file).value(), false, 3));
  }
  return fds;
}

InitOptions InitOptionsOf(const runsc::control::BootRequest& request) {
  const oci::Process& process = request.spec().process();
  InitOptions init;
  init.args.assign(process.args().begin(), process.args().end());
  init.env.assign(process.env().begin(), process.env().end());
  init.cwd = process.cwd();
  init.credentials = CredentialsOf(process);
  init.limits = LimitsOf(process, request.options().memory_total());
  if (process.user().has_umask()) init.umask = process.user().umask() & 0777;
  init.hostname = request.spec().hostname();
  init.domainname = request.spec().domainname();
  init.cpu_count = std::max<int>(1, static_cast<int>(request.options().cpu_count()));
  init.memory_total = request.options().memory_total();
  return init;
}

}  // namespace

namespace control {

Result<std::unique_ptr<Sandbox>> CreateSandbox(SandboxConfig config) {
  const runsc::control::BootRequest& request = config.request;
  auto kernel = std::make_unique<Kernel>(std::move(config.platform), request.options().strace()
                                                                         ? TracedDispatchSyscall
                                                                         : DispatchSyscall);
  auto poller = std::make_unique<HostPoller>();
  kernel->sockets().Register(AF_UNIX, std::make_unique<UnixFamily>(kernel->vfs(), poller.get()));
  InitOptions init = InitOptionsOf(request);
  TRY_ASSIGN(init.mounts, MountEverything(*kernel, request, std::move(config.filesystems)));
  TRY_ASSIGN(init.fds, ImportStdio(kernel->vfs(), *poller, init.credentials, config.stdio));
  return std::unique_ptr<Sandbox>(std::make_unique<KernelSandbox>(
      std::move(poller), std::move(kernel), std::move(init), request));
}

}  // namespace control
}  // namespace runsc::boot
