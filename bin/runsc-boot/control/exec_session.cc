// One process that was started from outside, from its start to its end, over the
// connection of the client that asked for it.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bin/runsc-boot/control/server.h"
#include "common/log.h"

namespace runsc::boot::control {
namespace {

using runsc::control::ControlReply;
using runsc::control::ControlRequest;

// How long the end of the container waits for a stand-in, and how often it
// looks whether the engine has reaped it.
constexpr absl::Duration kStandInTimeout = absl::Seconds(1);
constexpr absl::Duration kReapInterval = absl::Milliseconds(1);

int MillisecondsUntil(absl::Time deadline) {
  return static_cast<int>(
      std::max<int64_t>(0, absl::ToInt64Milliseconds(deadline - absl::Now()) + 1));
}

// False at `deadline`.
bool AwaitReadable(int fd, absl::Time deadline) {
  pollfd entry = {.fd = fd, .events = POLLIN, .revents = 0};
  while (true) {
    const int ready = poll(&entry, 1, MillisecondsUntil(deadline));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

// True once the parent of the process has waited for it, which fdinfo alone
// tells outside its pid namespace.
bool IsReaped(int pidfd) {
  const std::string path = absl::StrCat("/proc/self/fdinfo/", pidfd);
  auto file = OpenAt(AT_FDCWD, path.c_str(), O_RDONLY);
  if (!file.ok()) return true;
  std::array<char, 512> text;
  const ssize_t size = read(file->get(), text.data(), text.size());
  return size <= 0 || std::string_view(text.data(), static_cast<size_t>(size)).find("Pid:\t-1") !=
                          std::string_view::npos;
}

class Session {
 public:
  Session(Lifecycle& lifecycle, Channel& channel, ExecutedProcess& process)
      : lifecycle_(lifecycle), channel_(channel), process_(process) {}

  // Until the process has ended. False: the client was gone first.
  bool AwaitEnd() {
    while (true) {
      std::array<pollfd, 2> entries = {
          pollfd{.fd = process_.end_fd(), .events = POLLIN, .revents = 0},
          pollfd{.fd = channel_.fd(), .events = POLLIN, .revents = 0}};
      if (poll(entries.data(), entries.size(), -1) < 0) {
        if (errno == EINTR) continue;
        return false;
      }
      if (entries[0].revents != 0) return true;
      if (entries[1].revents != 0 && !HandleMessage()) return false;
    }
  }

  // Until the parent of the stand-in knows of its end.
  void AwaitStandIn() {
    const absl::Time deadline = absl::Now() + kStandInTimeout;
    while (!stand_in_.valid()) {
      if (!AwaitReadable(channel_.fd(), deadline) || !HandleMessage()) return;
    }
    if (!AwaitReadable(stand_in_.get(), deadline)) return;
    while (!IsReaped(stand_in_.get()) && absl::Now() < deadline) absl::SleepFor(kReapInterval);
  }

 private:
  // False: the client is gone.
  bool HandleMessage() {
    auto request = channel_.Receive<ControlRequest>(1);
    if (!request.ok()) {
      if (request.code() != ECONNRESET) LOG_WARNING("session: ", request.error().ToString());
      return false;
    }
    switch (request->message.body_case()) {
      case ControlRequest::kTerminalResized:
        (void)lifecycle_.Answer(request->message);
        return true;
      case ControlRequest::kSignal:
        // An error means that the process is just ending.
        (void)process_.Signal(request->message.signal().signal()).ok();
        return true;
      case ControlRequest::kStandIn:
        if (auto pidfd = request->TakeFd(0); pidfd.ok()) {
          stand_in_ = *std::move(pidfd);
          return true;
        }
        break;
      default:
        break;
    }
    LOG_WARNING("session: a command that does not belong there");
    return false;
  }

  Lifecycle& lifecycle_;
  Channel& channel_;
  ExecutedProcess& process_;
  FileDescriptor stand_in_;  // a pidfd
};

}  // namespace

void ControlServer::ServeExec(Shared& shared, Channel& channel, runsc::control::ExecRequest request,
                              std::vector<FileDescriptor> fds) {
  const bool detached = request.detached();
  auto process = shared.lifecycle.Exec(std::move(request), std::move(fds));
  ControlReply reply;
  if (!process.ok()) {
    reply.set_error(process.code());
    reply.set_message(process.error().message());
    (void)channel.Send(reply).ok();
    return;
  }
  reply.mutable_exec()->set_pid((*process)->pid());
  reply.mutable_exec()->set_boot_pid((*process)->boot_pid());
  Session session(shared.lifecycle, channel, **process);
  if (!channel.Send(reply).ok() || !session.AwaitEnd()) {
    if (detached) (void)(*process)->Signal(SIGKILL).ok();
    return;
  }
  (*process)->FinishOutput();
  ControlReply end;
  end.mutable_wait()->set_status((*process)->status());
  if (channel.Send(end).ok() && detached) session.AwaitStandIn();
}

}  // namespace runsc::boot::control
