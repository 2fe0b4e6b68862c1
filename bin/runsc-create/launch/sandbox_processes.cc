#include "bin/runsc-create/launch/sandbox_processes.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <array>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bin/runsc-create/launch/requests.h"
#include "bin/runsc-create/launch/seccomp_profile.h"
#include "bin/runsc-create/process/host_process.h"
#include "ipc/boot.pb.h"
#include "ipc/gofer.pb.h"

namespace runsc::create {
namespace {

using Role = control::Descriptor;

constexpr absl::Duration kReadyTimeout = absl::Seconds(60);
// A process that has closed its connection is given this long to end.
constexpr absl::Duration kEndTimeout = absl::Seconds(1);
// When both processes fail, how long the gofer's reason is waited for.
constexpr absl::Duration kFirstCauseTimeout = absl::Milliseconds(200);

struct Started {
  Child child;
  Channel channel;
};

Result<Started> StartOne(const std::string& program, int clone_flags, Conversation conversation,
                         int log) {
  TRY_ASSIGN(auto ends, Channel::Pair());
  TRY_ASSIGN(Child child, StartChild({.program = program,
                                      .clone_flags = clone_flags,
                                      .channel = ends.second.get(),
                                      .error_output = log}));
  return Started{std::move(child), Channel(std::move(ends.first), conversation)};
}

// Why `child`, whose connection has ended, is not ready.
Error Death(Child& child) {
  if (AwaitEnd(child.pidfd(), kEndTimeout).ok()) {
    return Error(ECHILD, absl::StrCat(child.DescribeEnd(), " during its set-up"));
  }
  return Error(EPROTO, absl::StrCat(child.name(), " closed its connection during its set-up"));
}

template <typename Reply>
Status TakeReply(Child& child, Channel& channel) {
  auto reply = channel.Receive<Reply>();
  if (!reply.ok()) {
    if (reply.code() == ECONNRESET) return Death(child);
    return std::move(reply).error().WithContext(absl::StrCat("answer of ", child.name()));
  }
  if (reply->message.error().empty()) return Ok();
  return Error(EPROTO, absl::StrCat(child.name(), ": ", reply->message.error()));
}

bool Readable(int fd, absl::Duration timeout) {
  pollfd entry = {.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, static_cast<int>(absl::ToInt64Milliseconds(timeout))) > 0;
}

}  // namespace

Result<SandboxProcesses> SandboxProcesses::Start(const LaunchPlan& plan) {
  SandboxProcesses processes;
  int common = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
  TRY_ASSIGN(Started gofer, StartOne(plan.gofer_program, common | CLONE_NEWNET,
                                     Conversation::kGofer, plan.gofer_log));
  processes.gofer_ = std::move(gofer.child);
  processes.gofer_channel_ = std::move(gofer.channel);
  bool new_network =
      ChooseNetworkNamespace(*plan.options, *plan.spec).kind == NetworkNamespace::Kind::kNew;
  TRY_ASSIGN(Started boot, StartOne(plan.boot_program, common | (new_network ? CLONE_NEWNET : 0),
                                    Conversation::kBoot, plan.boot_log));
  processes.boot_ = std::move(boot.child);
  processes.boot_channel_ = std::move(boot.channel);
  return processes;
}

Status SandboxProcesses::SendRequests(const LaunchPlan& plan) {
  gofer::GoferRequest gofer_request = MakeGoferRequest(*plan.options, *plan.spec);
  control::BootRequest boot_request =
      MakeBootRequest(*plan.options, *plan.spec, plan.id, plan.attached);
  if (plan.spec->linux().has_seccomp()) {
    TRY_ASSIGN(*boot_request.mutable_seccomp_program(),
               CompileSeccompProfile(plan.spec->linux().seccomp()));
    boot_request.mutable_spec()->mutable_linux()->clear_seccomp();
  }
  std::vector<int> boot_fds;
  auto add = [&](int fd, Role::Role role) {
    if (fd < 0) return;
    boot_fds.push_back(fd);
    boot_request.add_fds()->set_role(role);
  };
  if (plan.terminal >= 0) {
    add(plan.terminal, Role::ROLE_TERMINAL);
  } else {
    add(plan.stdio[0], Role::ROLE_STDIN);
    add(plan.stdio[1], Role::ROLE_STDOUT);
    add(plan.stdio[2], Role::ROLE_STDERR);
  }
  add(plan.control_socket, Role::ROLE_CONTROL);
  add(plan.exit_file, Role::ROLE_EXIT);
  add(plan.boot_log, Role::ROLE_LOG);
  add(plan.user_log, Role::ROLE_USER_LOG);

  FileDescriptor network;
  NetworkNamespace choice = ChooseNetworkNamespace(*plan.options, *plan.spec);
  if (choice.kind == NetworkNamespace::Kind::kJoin) {
    Result<FileDescriptor> opened = OpenAt(AT_FDCWD, choice.path.c_str(), O_RDONLY);
    if (!opened.ok()) {
      return MakeError(opened.code(), "config.json: linux.namespaces: open", choice.path);
    }
    network = *std::move(opened);
    add(network.get(), Role::ROLE_NETWORK_NAMESPACE);
  }

  // The root's connection, then one for each mount.
  std::vector<FileDescriptor> ends;
  std::vector<int> gofer_fds;
  for (int i = 0; i < 1 + gofer_request.mounts_size(); ++i) {
    TRY_ASSIGN(auto pair, Channel::Pair());
    add(pair.first.get(), Role::ROLE_FS);
    gofer_fds.push_back(pair.second.get());
    ends.push_back(std::move(pair.first));
    ends.push_back(std::move(pair.second));
  }
  if (plan.gofer_log >= 0) gofer_fds.push_back(plan.gofer_log);
  if (boot_fds.size() > Channel::kMaxFds) {
    return Error(E2BIG, "config.json: mounts: too many bind mounts");
  }
  if (Status sent = gofer_channel_.Send(gofer_request, gofer_fds); !sent.ok()) {
    if (sent.code() == EPIPE || sent.code() == ECONNRESET) return Death(gofer_);
    return std::move(sent).error().WithContext("request to the gofer");
  }
  if (Status sent = boot_channel_.Send(boot_request, boot_fds); !sent.ok()) {
    if (sent.code() == EPIPE || sent.code() == ECONNRESET) return Death(boot_);
    return std::move(sent).error().WithContext("request to boot");
  }
  return Ok();
}

Status SandboxProcesses::AwaitReplies() {
  absl::Time deadline = absl::Now() + kReadyTimeout;
  while (!boot_ready_ || !gofer_ready_) {
    // A channel also becomes readable when its process dies.
    std::array<pollfd, 2> entries = {
        pollfd{.fd = gofer_ready_ ? -1 : gofer_channel_.fd(), .events = POLLIN},
        pollfd{.fd = boot_ready_ ? -1 : boot_channel_.fd(), .events = POLLIN}};
    int64_t left = absl::ToInt64Milliseconds(deadline - absl::Now());
    if (left <= 0) {
      return Error(ETIMEDOUT,
                   absl::StrCat((gofer_ready_ ? boot_ : gofer_).name(), " was not ready after ",
                                absl::FormatDuration(kReadyTimeout)));
    }
    int count = poll(entries.data(), entries.size(), static_cast<int>(left));
    if (count < 0 && errno != EINTR) return ErrnoError("poll");
    if (count <= 0) continue;
    if (entries[0].revents != 0) {
      TRY(TakeReply<gofer::GoferReply>(gofer_, gofer_channel_));
      gofer_ready_ = true;
    }
    if (entries[1].revents != 0) {
      Status reply = TakeReply<control::BootReply>(boot_, boot_channel_);
      // The gofer's end makes boot fail too: report the cause.
      if (!reply.ok() && !gofer_ready_ && Readable(gofer_channel_.fd(), kFirstCauseTimeout)) {
        TRY(TakeReply<gofer::GoferReply>(gofer_, gofer_channel_));
      }
      TRY(std::move(reply));
      boot_ready_ = true;
    }
  }
  return Ok();
}

Status SandboxProcesses::Configure(const LaunchPlan& plan) {
  TRY(SendRequests(plan));
  return AwaitReplies();
}

void SandboxProcesses::LetGo() {
  boot_.LetGo();
  gofer_.LetGo();
}

}  // namespace runsc::create
