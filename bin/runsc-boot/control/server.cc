#include "bin/runsc-boot/control/server.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <thread>
#include <utility>

#include "common/log.h"

namespace runsc::boot::control {
namespace {

// Each process that was started from outside has one until it ends.
constexpr int kMaxConnections = 1024;

bool MayCommand(int socket, uid_t owner) {
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == owner;
}

}  // namespace

ControlServer::ControlServer(FileDescriptor socket, Sandbox& sandbox, uid_t owner,
                             std::function<void(int)> ended)
    : shared_(std::make_shared<Shared>(sandbox, std::move(ended))) {
  shared_->socket = std::move(socket);
  shared_->owner = owner;
}

Status ControlServer::Start() {
  std::thread([shared = shared_] { AcceptLoop(shared); }).detach();
  return Ok();
}

void ControlServer::AcceptLoop(const std::shared_ptr<Shared>& shared) {
  while (true) {
    FileDescriptor socket(accept4(shared->socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket.valid()) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      LOG_ERROR(ErrnoError("accept a command").ToString());
      return;
    }
    if (!MayCommand(socket.get(), shared->owner)) {
      LOG_WARNING("a command of another user was refused");
      continue;
    }
    if (shared->connections.fetch_add(1) >= kMaxConnections) {
      shared->connections.fetch_sub(1);
      LOG_WARNING("more than ", kMaxConnections, " commands at once");
      continue;
    }
    std::thread([shared, channel = Channel(std::move(socket), Conversation::kControl)]() mutable {
      Serve(*shared, std::move(channel));
      shared->connections.fetch_sub(1);
    }).detach();
  }
}

void ControlServer::Serve(Shared& shared, Channel channel) {
  while (true) {
    auto request = channel.Receive<runsc::control::ControlRequest>(Channel::kMaxFds);
    if (!request.ok()) {
      if (request.code() != ECONNRESET) LOG_WARNING("command: ", request.error().ToString());
      return;
    }
    shared.lifecycle.BeginAnswer();
    if (request->message.has_exec()) {
      ServeExec(shared, channel, std::move(*request->message.mutable_exec()),
                std::move(request->fds));
      shared.lifecycle.EndAnswer();
      return;
    }
    request->fds.clear();
    Status sent = channel.Send(shared.lifecycle.Answer(request->message));
    shared.lifecycle.EndAnswer();
    if (!sent.ok()) return;
  }
}

int ControlServer::WaitForEnd() {
  int status = shared_->lifecycle.WaitForEnd();
  shared_->lifecycle.WaitForAnswers();
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace runsc::boot::control
