#include <sys/wait.h>

#include <csignal>
#include <thread>
#include <utility>

#include "bin/runsc-boot/control/server.h"
#include "common/log.h"

namespace runsc::boot::control {
namespace {

using runsc::control::ControlReply;
using runsc::control::ControlRequest;

constexpr int kLastSignal = 64;
constexpr absl::Duration kAnswerTimeout = absl::Seconds(2);

// The wait status of a process that exited with `code`.
constexpr int Exited(int code) { return code << 8; }

// What shells and other runtimes report for a program that cannot be run.
int StatusOfStartError(int error) { return Exited(error == ENOENT ? 127 : 126); }

ControlReply Failure(const Error& error) {
  ControlReply reply;
  reply.set_error(error.code());
  reply.set_message(error.message());
  return reply;
}

ControlReply Reply(const Status& status) {
  return status.ok() ? ControlReply() : Failure(status.error());
}

}  // namespace

ControlReply Lifecycle::Answer(const ControlRequest& request) {
  switch (request.body_case()) {
    case ControlRequest::kPrepare:
      return Reply(Prepare());
    case ControlRequest::kStart:
      return Reply(Start());
    case ControlRequest::kSignal:
      return Reply(
          Signal(request.signal().pid(), request.signal().signal(), request.signal().all()));
    case ControlRequest::kWait: {
      Result<int> status = Wait(request.wait().pid());
      if (!status.ok()) return Failure(status.error());
      ControlReply reply;
      reply.mutable_wait()->set_status(*status);
      return reply;
    }
    case ControlRequest::kProcesses:
      return Processes();
    case ControlRequest::kFreeze:
      return Reply(Freeze(request.freeze().frozen()));
    case ControlRequest::kTerminalResized:
      sandbox_.TerminalResized();
      return ControlReply();
    case ControlRequest::kDestroy:
      Destroy();
      return ControlReply();
    case ControlRequest::kExec:     // has its connection to itself
    case ControlRequest::kStandIn:  // belongs to such a connection
    case ControlRequest::BODY_NOT_SET:
      break;
  }
  return Failure(Error(EBADMSG, "unknown command"));
}

Status Lifecycle::Prepare() {
  {
    absl::MutexLock lock(&mutex_);
    if (phase_ != Phase::kCreated) return Error(EBUSY, "the container has been started already");
  }
  return sandbox_.Prepare();
}

Status Lifecycle::Start() {
  {
    absl::MutexLock lock(&mutex_);
    if (phase_ != Phase::kCreated) return Error(EBUSY, "the container has been started already");
    phase_ = Phase::kStarting;
  }
  Status started = sandbox_.Start();
  if (!started.ok()) {
    LOG_WARNING("start: ", started.error().ToString());
    End(StatusOfStartError(started.error().code()));
    // What was started beside init.
    sandbox_.Destroy();
    return started;
  }
  {
    absl::MutexLock lock(&mutex_);
    if (phase_ == Phase::kStarting) phase_ = Phase::kRunning;
  }
  Watch();
  return Ok();
}

void Lifecycle::Watch() {
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(watched_, true)) return;
  }
  std::thread([this] {
    Result<int> status = sandbox_.Wait(0);
    End(status.ok() ? *status : SIGKILL);
  }).detach();
}

Result<int> Lifecycle::Wait(pid_t pid) {
  if (pid < 0) return Error(EINVAL, "invalid process id");
  if (pid != 0) return sandbox_.Wait(pid);
  return WaitForEnd();
}

Status Lifecycle::Signal(pid_t pid, int signo, bool all) {
  if (signo < 0 || signo > kLastSignal) return Error(EINVAL, "invalid signal");
  if (pid < 0) return Error(EINVAL, "invalid process id");
  TRY(CheckAlive());
  Watch();
  return sandbox_.Signal(pid, signo, all);
}

ControlReply Lifecycle::Processes() {
  Watch();
  ControlReply reply;
  runsc::control::ProcessesReply& list = *reply.mutable_processes();
  for (ProcessInfo& info : sandbox_.Processes()) {
    runsc::control::Process& process = *list.add_processes();
    process.set_pid(info.pid);
    process.set_parent_pid(info.parent);
    process.set_uid(info.uid);
    process.set_threads(info.threads);
    process.set_command(std::move(info.command));
    process.set_boot_pid(info.boot_pid);
    process.set_group(info.group);
    process.set_session(info.session);
    process.set_state(std::string(1, info.state));
    process.set_cpu_ns(info.cpu_ns);
    process.set_arguments(std::move(info.arguments));
  }
  absl::MutexLock lock(&mutex_);
  list.set_started(phase_ != Phase::kCreated);
  return reply;
}

Status Lifecycle::CheckAlive() {
  absl::MutexLock lock(&mutex_);
  if (phase_ == Phase::kEnded) return Error(ESRCH, "container not running");
  return Ok();
}

Status Lifecycle::Freeze(bool frozen) {
  TRY(CheckAlive());
  sandbox_.Freeze(frozen);
  return Ok();
}

Result<std::unique_ptr<ExecutedProcess>> Lifecycle::Exec(runsc::control::ExecRequest request,
                                                         std::vector<FileDescriptor> fds) {
  using Role = runsc::control::Descriptor;
  ExecConfig config;
  config.process = std::move(*request.mutable_process());
  if (config.process.args_size() == 0 || config.process.args(0).empty()) {
    return Error(EINVAL, "process.args is empty");
  }
  if (config.process.cwd().empty() || config.process.cwd()[0] != '/') {
    return Error(EINVAL, "process.cwd is not absolute");
  }
  if (static_cast<size_t>(request.fds_size()) != fds.size()) {
    return Error(EBADMSG, "descriptors were lost or added");
  }
  config.fds.resize(3);
  for (int i = 0; i < request.fds_size(); ++i) {
    const Role::Role role = request.fds(i).role();
    if (role >= Role::ROLE_STDIN && role <= Role::ROLE_STDERR) {
      config.fds[static_cast<size_t>(role - Role::ROLE_STDIN)] = std::move(fds[i]);
    } else if (role == Role::ROLE_TERMINAL) {
      config.terminal = std::move(fds[i]);
    } else if (role == Role::ROLE_PRESERVED) {
      config.fds.push_back(std::move(fds[i]));
    } else {
      return Error(EBADMSG, "a descriptor that no process can have");
    }
  }
  TRY(CheckAlive());
  Watch();
  return sandbox_.Exec(std::move(config));
}

void Lifecycle::Destroy() {
  sandbox_.Destroy();
  End(SIGKILL);
}

void Lifecycle::End(int status) {
  absl::MutexLock lock(&mutex_);
  if (phase_ == Phase::kEnded) return;
  phase_ = Phase::kEnded;
  status_ = status;
  ended_(status);
}

int Lifecycle::WaitForEnd() {
  absl::MutexLock lock(&mutex_);
  auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return phase_ == Phase::kEnded; };
  mutex_.Await(absl::Condition(&ended));
  return status_;
}

void Lifecycle::BeginAnswer() {
  absl::MutexLock lock(&mutex_);
  ++answers_;
}

void Lifecycle::EndAnswer() {
  absl::MutexLock lock(&mutex_);
  --answers_;
}

void Lifecycle::WaitForAnswers() {
  absl::MutexLock lock(&mutex_);
  auto none = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return answers_ == 0; };
  mutex_.AwaitWithTimeout(absl::Condition(&none), kAnswerTimeout);
}

}  // namespace runsc::boot::control
