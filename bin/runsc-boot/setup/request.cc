#include "bin/runsc-boot/setup/request.h"

#include <utility>

namespace runsc::boot::setup {
namespace {

using Role = runsc::control::Descriptor;

// The place of a descriptor that may be there once; null for other roles.
FileDescriptor* SinglePlace(Request& request, Role::Role role) {
  switch (role) {
    case Role::ROLE_STDIN:
      return &request.stdio[0];
    case Role::ROLE_STDOUT:
      return &request.stdio[1];
    case Role::ROLE_STDERR:
      return &request.stdio[2];
    case Role::ROLE_TERMINAL:
      return &request.terminal;
    case Role::ROLE_CONTROL:
      return &request.control;
    case Role::ROLE_LOG:
      return &request.log;
    case Role::ROLE_USER_LOG:
      return &request.user_log;
    case Role::ROLE_NETWORK_NAMESPACE:
      return &request.network_namespace;
    case Role::ROLE_EXIT:
      return &request.exit;
    default:
      return nullptr;
  }
}

Status CheckMessage(const runsc::control::BootRequest& message) {
  const runsc::oci::Process& process = message.spec().process();
  if (process.args().empty() || process.args(0).empty()) {
    return Error(EINVAL, "boot request without a program");
  }
  if (process.cwd().empty() || process.cwd()[0] != '/') {
    return Error(EINVAL, "boot request without a working directory");
  }
  for (uint32_t index : message.served_mounts()) {
    if (index >= static_cast<uint32_t>(message.spec().mounts_size())) {
      return Error(EINVAL, "boot request names a mount that is not there");
    }
  }
  return Ok();
}

}  // namespace

Result<Request> SortDescriptors(runsc::control::BootRequest message,
                                std::vector<FileDescriptor> fds) {
  TRY(CheckMessage(message));
  if (fds.size() != static_cast<size_t>(message.fds_size())) {
    return Error(EINVAL, "boot request with another number of descriptors than it names");
  }
  Request request;
  for (size_t i = 0; i < fds.size(); ++i) {
    Role::Role role = message.fds(static_cast<int>(i)).role();
    if (role == Role::ROLE_FS) {
      request.filesystems.push_back(std::move(fds[i]));
      continue;
    }
    FileDescriptor* place = SinglePlace(request, role);
    if (place == nullptr) return Error(EINVAL, "boot request with an unknown descriptor");
    if (place->valid()) return Error(EINVAL, "boot request with a descriptor twice");
    *place = std::move(fds[i]);
  }
  if (request.terminal.valid() &&
      (request.stdio[0].valid() || request.stdio[1].valid() || request.stdio[2].valid())) {
    return Error(EINVAL, "boot request with a terminal and other standard streams");
  }
  if (!request.control.valid()) return Error(EINVAL, "boot request without a control socket");
  if (!request.exit.valid()) return Error(EINVAL, "boot request without a place for its end");
  if (request.filesystems.size() != 1 + static_cast<size_t>(message.served_mounts_size())) {
    return Error(EINVAL, "boot request with another number of connections than file systems");
  }
  request.message = std::move(message);
  return request;
}

Result<Request> ReceiveRequest(Channel& controller) {
  TRY_ASSIGN(auto received, controller.Receive<runsc::control::BootRequest>(Channel::kMaxFds));
  return SortDescriptors(std::move(received.message), std::move(received.fds));
}

}  // namespace runsc::boot::setup
