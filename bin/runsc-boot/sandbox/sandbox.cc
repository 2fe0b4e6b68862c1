// The application kernel behind control::Sandbox: puts platform, kernel, file
// systems and system calls together for one container.
#include "bin/runsc-boot/control/sandbox.h"

#include <fcntl.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/held_init.h"
#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/namespaces/net_namespace.h"
#include "bin/runsc-boot/sandbox/descriptors.h"
#include "bin/runsc-boot/sandbox/executed_process.h"
#include "bin/runsc-boot/sandbox/filesystems.h"
#include "bin/runsc-boot/sandbox/home_directory.h"
#include "bin/runsc-boot/sandbox/mounts.h"
#include "bin/runsc-boot/sandbox/process.h"
#include "bin/runsc-boot/sandbox/process_list.h"
#include "bin/runsc-boot/sandbox/program_search.h"
#include "bin/runsc-boot/sandbox/terminals.h"
#include "bin/runsc-boot/seccomp/filter.h"
#include "bin/runsc-boot/socket/netlink/netlink_socket.h"
#include "bin/runsc-boot/socket/unix/unix_socket.h"
#include "bin/runsc-boot/strace/strace.h"
#include "bin/runsc-boot/syscalls/dispatch.h"
#include "common/log.h"

namespace runsc::boot {
namespace {

constexpr pid_t kInitPid = 1;
// Of the signals that are queued, unlike those before.
constexpr int kFirstRealTime = 32;
// How long the host may take for init's last output.
constexpr absl::Duration kLastOutput = absl::Seconds(2);

Result<ProcessOptions> ProcessOptionsOf(const oci::Process& process, uint64_t memory_total,
                                        const UserNamespaceRef& user_namespace) {
  ProcessOptions options;
  TRY_ASSIGN(options.credentials, CredentialsOf(process, user_namespace));
  options.args.assign(process.args().begin(), process.args().end());
  options.env.assign(process.env().begin(), process.env().end());
  options.cwd = process.cwd();
  options.limits = LimitsOf(process, memory_total);
  if (process.user().has_umask()) options.umask = process.user().umask() & 0777;
  options.oom_score_adj = process.oom_score_adj();
  return options;
}

// It becomes descriptors 0 to 2; the kernel makes a terminal there the
// controlling one.
Status UseTerminal(const AttachedTerminal& attached, FdTable& fds) {
  for (int i = 0; i < 3; ++i) TRY(fds.Replace(i, attached.file, false, 3));
  return Ok();
}

class KernelSandbox final : public control::Sandbox {
 public:
  KernelSandbox(std::unique_ptr<HostPoller> poller, std::unique_ptr<Kernel> kernel,
                std::unique_ptr<Terminals> terminals, InitOptions init,
                const runsc::control::BootRequest& request)
      : poller_(std::move(poller)),
        kernel_(std::move(kernel)),
        terminals_(std::move(terminals)),
        init_(std::move(init)),
        mounts_(init_.mounts),
        seccomp_(init_.seccomp),
        memory_total_(request.options().memory_total()),
        personality_(init_.personality),
        strace_(request.options().strace()) {}
  ~KernelSandbox() override { kernel_->platform().Shutdown(); }

  Status Prepare() override {
    absl::MutexLock lock(&start_mutex_);
    ProcessOptions init = init_;
    return FindProgramOf(init);
  }

  Status Start() override {
    absl::MutexLock start_lock(&start_mutex_);
    {
      absl::MutexLock lock(&mutex_);
      if (state_ != State::kCreated && state_ != State::kHeld) {
        return Error(EINVAL, "the container has been started already");
      }
    }
    TRY(FindProgramOf(init_));
    if (strace_) Trace("init", init_);
    if (held_init_ != nullptr) {
      TRY(held_init_->Start(std::move(init_)));
    } else {
      TRY(kernel_->StartInit(std::move(init_)));
    }
    Enter(State::kRunning);
    return Ok();
  }

  Result<int> Wait(pid_t pid) override {
    if (pid != 0 && pid != kInitPid) return AwaitProcess(*kernel_, pid);
    {
      absl::MutexLock lock(&mutex_);
      auto decided = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return state_ != State::kCreated;
      };
      mutex_.Await(absl::Condition(&decided));
      if (state_ == State::kDestroyed) return W_EXITCODE(0, SIGKILL);
    }
    const int status = kernel_->WaitForInit();
    terminals_->Drain(kLastOutput);
    return status;
  }

  void TerminalResized() override { terminals_->Resized(); }

  Status Signal(pid_t pid, int signo, bool all) override {
    if (signo < 0 || signo > kSignalCount) return Error(EINVAL);
    {
      absl::MutexLock lock(&mutex_);
      if (state_ == State::kDestroyed) return Error(ESRCH);
    }
    TRY(Hold());
    const OutsideSignal signal{pid == 0 ? kInitPid : pid, signo, all};
    // As Linux, who stands still does not even end by any other signal.
    if (signo != 0 && signo != SIGKILL) {
      absl::MutexLock lock(&freeze_mutex_);
      if (frozen_) {
        TRY(kernel_->SignalFromOutside(signal.pid, 0, all));
        return Postpone(signal);
      }
    }
    return kernel_->SignalFromOutside(signal.pid, signo, all);
  }

  Result<std::unique_ptr<control::ExecutedProcess>> Exec(control::ExecConfig config) override {
    TRY(Hold());
    TRY_ASSIGN(ProcessOptions options,
               ProcessOptionsOf(config.process, memory_total_, kernel_->user_namespace()));
    options.mounts = mounts_;
    options.seccomp = seccomp_;
    options.personality = personality_;
    TRY_ASSIGN(options.fds, ImportDescriptors(kernel_->vfs(), *poller_, options.credentials,
                                              std::move(config.fds)));
    TRY(FindProgramOf(options));
    std::shared_ptr<tty::HostRelay> relay;
    if (config.terminal.valid()) {
      TRY_ASSIGN(AttachedTerminal attached,
                 terminals_->Attach(mounts_, options.credentials, std::move(config.terminal),
                                    tty::HostRelay::Lifetime::kOpenSlave));
      TRY(UseTerminal(attached, *options.fds));
      relay = std::move(attached.relay);
    }
    if (strace_) Trace("exec", options);
    return Execute(*kernel_, std::move(options), std::move(relay));
  }

  std::vector<control::ProcessInfo> Processes() override {
    // Without it, there is none.
    (void)Hold().ok();
    return ListProcesses(*kernel_);
  }

  void Freeze(bool frozen) override {
    std::vector<OutsideSignal> due;
    {
      absl::MutexLock lock(&freeze_mutex_);
      frozen_ = frozen;
      kernel_->platform().Freeze(frozen);
      if (!frozen) due.swap(postponed_);
    }
    for (const OutsideSignal& signal : due) {
      // An error means that it has ended meanwhile.
      (void)kernel_->SignalFromOutside(signal.pid, signal.signo, signal.all).ok();
    }
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
  struct OutsideSignal {
    pid_t pid;
    int signo;
    bool all;
    bool operator==(const OutsideSignal&) const = default;
  };

  // Until the end of the pause. EAGAIN: too many.
  Status Postpone(const OutsideSignal& signal) ABSL_EXCLUSIVE_LOCKS_REQUIRED(freeze_mutex_) {
    constexpr size_t kMost = 1024;
    const bool known = std::find(postponed_.begin(), postponed_.end(), signal) != postponed_.end();
    if (known && signal.signo < kFirstRealTime) return Ok();
    if (postponed_.size() >= kMost) return Error(EAGAIN, "too many signals for a paused container");
    postponed_.push_back(signal);
    return Ok();
  }

  // kHeld: init is there and waits for its start.
  enum class State { kCreated, kHeld, kRunning, kDestroyed };

  // Before anything else happens in a container that has not been started: its
  // init gets pid 1. ESRCH: it has been destroyed; EAGAIN and others: the host
  // does not give the process, and the container is at its end.
  Status Hold() ABSL_LOCKS_EXCLUDED(start_mutex_, mutex_) {
    absl::MutexLock start_lock(&start_mutex_);
    {
      absl::MutexLock lock(&mutex_);
      if (state_ == State::kDestroyed) return Error(ESRCH, "container not running");
      if (state_ != State::kCreated) return Ok();
    }
    Result<std::shared_ptr<HeldInit>> held = kernel_->HoldInit(init_);
    if (held.ok()) held_init_ = *std::move(held);
    Enter(held.ok() ? State::kHeld : State::kDestroyed);
    return held.ok() ? Ok() : Status(std::move(held).error());
  }

  // Unless the container was destroyed before `next` came.
  void Enter(State next) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (state_ == State::kDestroyed) {
      kernel_->KillAll();
    } else {
      state_ = next;
    }
  }

  // The program is executed without a system call.
  static void Trace(const char* what, const ProcessOptions& options) {
    LOG_INFO("[1] ", what, " execve(\"", options.program, "\", [\"",
             absl::StrJoin(options.args, "\", \""), "\"], /* ", options.env.size(),
             " vars */) = ?");
  }

  // Sets what depends on the container's files: the program, as its own user
  // would find it, and HOME.
  Status FindProgramOf(ProcessOptions& options) {
    KernelContext context(std::make_shared<Credentials>(options.credentials));
    MountRef root = mounts_->root();
    Path top = mounts_->Descend({root, root->root()});
    FsContext fs(mounts_, top, top, 0);
    Caller caller{context, fs};
    WalkOptions walk;
    walk.start = top;
    walk.directory = true;
    auto cwd = kernel_->vfs().Walk(caller, walk, options.cwd);
    if (!cwd.ok()) return MakeError(cwd.code(), "change to working directory", options.cwd);
    fs.set_cwd(*cwd);
    TRY_ASSIGN(options.program,
               FindProgram(kernel_->vfs(), caller, options.args.front(), options.env));
    KernelContext runtime;
    const Credentials& user = options.credentials;
    AddHome(kernel_->vfs(), {runtime, fs}, user.ShownUid(user.ruid), options.env);
    return Ok();
  }

  const std::unique_ptr<HostPoller> poller_;
  const std::unique_ptr<Kernel> kernel_;
  const std::unique_ptr<Terminals> terminals_;
  absl::Mutex start_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  InitOptions init_ ABSL_GUARDED_BY(start_mutex_);
  std::shared_ptr<HeldInit> held_init_ ABSL_GUARDED_BY(start_mutex_);
  const std::shared_ptr<MountNamespace> mounts_;
  const seccomp::FilterRef seccomp_;
  const uint64_t memory_total_;
  const unsigned personality_;
  const bool strace_;
  absl::Mutex freeze_mutex_;
  bool frozen_ ABSL_GUARDED_BY(freeze_mutex_) = false;
  std::vector<OutsideSignal> postponed_ ABSL_GUARDED_BY(freeze_mutex_);
  absl::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kCreated;
};

// Init's terminal, which is /dev/console too.
Status AttachTerminal(Terminals& terminals, FileDescriptor host, InitOptions& init) {
  TRY_ASSIGN(AttachedTerminal attached,
             terminals.Attach(init.mounts, init.credentials, std::move(host),
                              tty::HostRelay::Lifetime::kSandbox));
  TRY(terminals.MountConsole(init.mounts, attached));
  init.fds = std::make_shared<FdTable>();
  TRY(UseTerminal(attached, *init.fds));
  init.terminal = std::move(attached.terminal);
  return Ok();
}

// The controller has compiled it; here it is as untrusted as an application's.
Result<seccomp::FilterRef> FilterOf(const runsc::control::BootRequest& request) {
  const std::string& bytes = request.seccomp_program();
  if (bytes.empty()) return seccomp::FilterRef();
  std::vector<sock_filter> program(bytes.size() / sizeof(sock_filter));
  if (bytes.size() % sizeof(sock_filter) != 0) return Error(EINVAL, "seccomp program cut off");
  memcpy(program.data(), bytes.data(), bytes.size());
  Result<seccomp::FilterRef> filter = seccomp::Filter::Create(std::move(program), nullptr, {});
  if (!filter.ok()) return Error(EINVAL, "seccomp program that Linux would refuse");
  return filter;
}

std::string MapText(const google::protobuf::RepeatedPtrField<oci::IdMapping>& mappings) {
  std::string text;
  for (const oci::IdMapping& mapping : mappings) {
    absl::StrAppend(&text, mapping.container_id(), " ", mapping.host_id(), " ", mapping.size(),
                    "\n");
  }
  return text;
}

// The container's: the one of the specification, or the first one.
Result<UserNamespaceRef> UserNamespaceOf(const oci::Linux& spec) {
  if (spec.uid_mappings().empty() && spec.gid_mappings().empty()) {
    return UserNamespace::MakeInitial();
  }
  auto made = UserNamespace::MakeMapped(MapText(spec.uid_mappings()), MapText(spec.gid_mappings()));
  if (!made.ok()) {
    return Error(EINVAL,
                 "config.json: linux.uidMappings, linux.gidMappings: Linux would refuse "
                 "them (missing, overlapping, or too many)");
  }
  return made;
}

// As the lines of /proc/PID/timens_offsets.
Status SetTimeOffsets(const oci::Linux& spec, TimeNamespace& time) {
  std::string text;
  for (const oci::TimeOffset& offset : spec.time_offsets()) {
    absl::StrAppend(&text, offset.clock() == oci::TimeOffset::BOOTTIME ? "boottime " : "monotonic ",
                    offset.seconds(), " ", offset.nanoseconds(), "\n");
  }
  if (!text.empty() && !time.SetOffsets(text).ok()) {
    return Error(ERANGE,
                 "config.json: linux.timeOffsets: Linux would refuse them (a clock would "
                 "be negative, or beyond 146 years)");
  }
  time.Freeze();
  return Ok();
}

Result<InitOptions> InitOptionsOf(const runsc::control::BootRequest& request,
                                  const UserNamespaceRef& user_namespace) {
  InitOptions init;
  TRY_ASSIGN(
      static_cast<ProcessOptions&>(init),
      ProcessOptionsOf(request.spec().process(), request.options().memory_total(), user_namespace));
  if (request.spec().linux().personality_linux32()) init.personality = PER_LINUX32;
  init.hostname = request.spec().hostname();
  init.domainname = request.spec().domainname();
  init.cpu_count = std::max<int>(1, static_cast<int>(request.options().cpu_count()));
  init.memory_total = request.options().memory_total();
  return init;
}

void RegisterSockets(Kernel& kernel, HostPoller& poller) {
  const auto space_of = [&kernel](Context& context) { return kernel.NamespacesOf(context)->net; };
  const auto names_of = [space_of](Context& context) {
    return space_of(context)->abstract_names();
  };
  kernel.sockets().Register(AF_UNIX, std::make_unique<UnixFamily>(kernel.vfs(), names_of, &poller));
  kernel.sockets().Register(AF_NETLINK, std::make_unique<NetlinkFamily>(kernel.vfs(), space_of));
}

}  // namespace

namespace control {

Result<std::unique_ptr<Sandbox>> CreateSandbox(SandboxConfig config) {
  const runsc::control::BootRequest& request = config.request;
  TRY_ASSIGN(UserNamespaceRef user_namespace, UserNamespaceOf(request.spec().linux()));
  auto kernel = std::make_unique<Kernel>(
      std::move(config.platform),
      request.options().strace() ? TracedDispatchSyscall : DispatchSyscall, user_namespace);
  TRY(SetTimeOffsets(request.spec().linux(), *kernel->namespaces()->time));
  auto poller = std::make_unique<HostPoller>();
  RegisterSockets(*kernel, *poller);
  TRY_ASSIGN(InitOptions init, InitOptionsOf(request, user_namespace));
  TRY_ASSIGN(init.seccomp, FilterOf(request));
  TRY_ASSIGN(init.mounts, MountEverything(*kernel, request, std::move(config.filesystems)));
  auto terminals = std::make_unique<Terminals>(*kernel);
  if (config.terminal.valid()) {
    TRY(AttachTerminal(*terminals, std::move(config.terminal), init));
  } else {
    std::vector<FileDescriptor> stdio(std::make_move_iterator(std::begin(config.stdio)),
                                      std::make_move_iterator(std::end(config.stdio)));
    TRY_ASSIGN(init.fds,
               ImportDescriptors(kernel->vfs(), *poller, init.credentials, std::move(stdio)));
  }
  return std::unique_ptr<Sandbox>(std::make_unique<KernelSandbox>(
      std::move(poller), std::move(kernel), std::move(terminals), std::move(init), request));
}

}  // namespace control
}  // namespace runsc::boot
