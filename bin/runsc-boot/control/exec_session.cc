// One process that was started from outside, from its start to its end, over the
// connection of the client that asked for it.
#include <poll.h>

#include <array>
#include <csignal>

#include "bin/runsc-boot/control/server.h"
#include "common/log.h"

namespace runsc::boot::control {
namespace {

using runsc::control::ControlReply;
using runsc::control::ControlRequest;

// False: the client is gone.
bool HandleMessage(Lifecycle& lifecycle, Channel& channel, ExecutedProcess& process) {
  auto request = channel.Receive<ControlRequest>();
  if (!request.ok()) {
    if (request.code() != ECONNRESET) LOG_WARNING("session: ", request.error().ToString());
    return false;
  }
  if (request->message.has_terminal_resized()) {
    (void)lifecycle.Answer(request->message);
    return true;
  }
  if (!request->message.has_signal()) {
    LOG_WARNING("session: a command that does not belong there");
    return false;
  }
  // An error means that the process is just ending.
  (void)process.Signal(request->message.signal().signal()).ok();
  return true;
}

// False: the client was gone first.
bool AwaitEnd(Lifecycle& lifecycle, Channel& channel, ExecutedProcess& process) {
  while (true) {
    std::array<pollfd, 2> entries = {pollfd{.fd = process.end_fd(), .events = POLLIN, .revents = 0},
                                     pollfd{.fd = channel.fd(), .events = POLLIN, .revents = 0}};
    if (poll(entries.data(), entries.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    if (entries[0].revents != 0) return true;
    if (entries[1].revents != 0 && !HandleMessage(lifecycle, channel, process)) return false;
  }
}

}  // namespace

void ControlServer::ServeExec(Shared& shared, Channel& channel, runsc::control::ExecRequest request,
                              std::vector<FileDescriptor> fds) {
  const bool kill_on_hangup = request.kill_on_hangup();
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
  if (!channel.Send(reply).ok() || !AwaitEnd(shared.lifecycle, channel, **process)) {
    if (kill_on_hangup) (void)(*process)->Signal(SIGKILL).ok();
    return;
  }
  (*process)->FinishOutput();
  ControlReply end;
  end.mutable_wait()->set_status((*process)->status());
  (void)channel.Send(end).ok();
}

}  // namespace runsc::boot::control
