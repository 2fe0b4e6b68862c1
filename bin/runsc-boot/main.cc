// runsc-boot: the application kernel of one sandbox.
//
// Started by runsc-create in new mount, pid, ipc, uts and (mostly) network
// namespaces, with the conversation of ipc/boot.proto as descriptor 3. Sets up
// its surroundings, drops its privileges, builds the kernel, and then obeys
// commands on its control socket until the container has ended. Its exit code
// is the container's.
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/control/sandbox.h"
#include "bin/runsc-boot/control/server.h"
#include "bin/runsc-boot/platform/platform.h"
#include "bin/runsc-boot/setup/exit_page.h"
#include "bin/runsc-boot/setup/privileges.h"
#include "bin/runsc-boot/setup/request.h"
#include "bin/runsc-boot/setup/surroundings.h"
#include "common/log.h"
#include "ipc/channel.h"

namespace runsc::boot {
namespace {

constexpr int kUsageError = 64;
constexpr int kSetUpError = 1;

void StartLog(const setup::Request& request) {
  const runsc::control::BootOptions& options = request.message.options();
  log::Sink sinks[2];
  int count = 0;
  log::Format format = options.json_log() ? log::Format::kJson : log::Format::kText;
  if (request.log.valid()) {
    log::Level level = options.debug()    ? log::Level::kDebug
                       : options.strace() ? log::Level::kInfo
                                          : log::Level::kWarning;
    sinks[count++] = {request.log.get(), format, level};
  }
  if (request.user_log.valid()) {
    sinks[count++] = {request.user_log.get(), format, log::Level::kWarning};
  }
  log::SetSinks(sinks, count);
  tzset();  // reads the host's time zone while it can
}

// In attached mode boot dies with its controller. To be called after the
// change of ids, which takes the death signal back.
Status AttachToParent(const Channel& controller) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return ErrnoError("set death signal");
  // It may have died before.
  pollfd entry = {.fd = controller.fd(), .events = 0, .revents = 0};
  if (poll(&entry, 1, 0) > 0 && (entry.revents & POLLHUP) != 0) {
    return Error(EPIPE, "the controller has ended");
  }
  return Ok();
}

// Everything that needs privileges, and the end of them.
Result<std::unique_ptr<platform::Platform>> SetUp(setup::Request& request,
                                                  const Channel& controller) {
  const runsc::control::BootOptions& options = request.message.options();
  if (getpid() != 1) {
    return Error(EINVAL, "runsc-boot must be started in its own namespaces, by runsc-create");
  }
  if (request.network_namespace.valid()) {
    TRY(setup::JoinNetworkNamespace(request.network_namespace.get()));
  }
  if (options.new_network_namespace()) TRY(setup::BringUpLoopback());
  TRY(setup::EnterEmptyRoot());
  setup::RaiseLimits();
  platform::Platform::Options platform_options;
  platform_options.native_calls = !options.all_calls_in_kernel();
  TRY_ASSIGN(auto platform,
             platform::Platform::Create(platform_options, setup::kBootUid, setup::kBootGid));
  // After the zygote was made: no stub has the page.
  TRY_ASSIGN(request.exit_page, setup::ExitPage::Map(std::move(request.exit)));
  TRY(setup::DropIdentity());
  if (options.attached()) TRY(AttachToParent(controller));
  setup::FilterOptions filter;
  filter.host_network = options.network() == runsc::control::NETWORK_HOST;
  TRY(setup::BootFilter(filter).Install());
  return platform;
}

Result<std::unique_ptr<control::Sandbox>> BuildSandbox(setup::Request& request,
                                                       const Channel& controller) {
  TRY_ASSIGN(auto platform, SetUp(request, controller));
  request.network_namespace.Reset();
  control::SandboxConfig config;
  config.request = std::move(request.message);
  config.platform = std::move(platform);
  for (int i = 0; i < 3; ++i) config.stdio[i] = std::move(request.stdio[i]);
  config.terminal = std::move(request.terminal);
  config.filesystems = std::move(request.filesystems);
  return control::CreateSandbox(std::move(config));
}

// The exit code. `sandbox` is never destroyed: threads of it may run until the
// process ends.
Result<int> Run(Channel& controller, std::unique_ptr<control::Sandbox>& sandbox,
                setup::Request& request) {
  TRY_ASSIGN(request, setup::ReceiveRequest(controller));
  StartLog(request);
  uid_t owner = request.message.owner_uid();
  Result<std::unique_ptr<control::Sandbox>> built = BuildSandbox(request, controller);
  runsc::control::BootReply reply;
  if (!built.ok()) {
    reply.set_error(built.error().ToString());
    TRY(controller.Send(reply));
    return std::move(built).error();
  }
  sandbox = *std::move(built);
  control::ControlServer server(std::move(request.control), *sandbox, owner,
                                [&request](int status) { request.exit_page.Record(status); });
  TRY(server.Start());
  TRY(controller.Send(reply));
  controller.Release().Reset();
  return server.WaitForEnd();
}

int Main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--print-privileges") {
    fputs(setup::DescribePrivileges().c_str(), stdout);
    return 0;
  }
  struct stat status;
  if (argc != 1 || fstat(kInheritedChannelFd, &status) != 0 || !S_ISSOCK(status.st_mode)) {
    fputs(
        "runsc-boot is the kernel of a container. It is started by runsc-create.\n"
        "usage: runsc-boot --print-privileges\n",
        stderr);
    return kUsageError;
  }
  // Debian's Abseil looks for deadlocks at every lock, which costs more than
  // the lock; tests leave it on.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Writes to a closed stream of the container give EPIPE.
  signal(SIGPIPE, SIG_IGN);
  Channel controller(FileDescriptor(kInheritedChannelFd), Conversation::kBoot);
  std::unique_ptr<control::Sandbox> sandbox;
  setup::Request request;
  Result<int> code = Run(controller, sandbox, request);
  if (!code.ok()) LOG_ERROR("boot: ", code.error().ToString());
  // Without destructors: other threads still use what they would destroy. The
  // kernel of the host ends the stubs, whose namespace goes with this process.
  fflush(nullptr);
  _exit(code.ok() ? *code : kSetUpError);
}

}  // namespace
}  // namespace runsc::boot

int main(int argc, char** argv) { return runsc::boot::Main(argc, argv); }
