#include "bin/runsc-create/launch/boot_client.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "absl/strings/str_cat.h"

namespace runsc::create {
namespace {

constexpr int kBacklog = 64;

sockaddr_un AddressIn(const ContainerStore& store) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::string path = absl::StrCat("/proc/self/fd/", store.directory(), "/control");
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Result<FileDescriptor> MakeSocket() {
  FileDescriptor fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoError("create control socket");
  return fd;
}

}  // namespace

Result<FileDescriptor> MakeControlSocket(const ContainerStore& store) {
  TRY_ASSIGN(FileDescriptor fd, MakeSocket());
  sockaddr_un address = AddressIn(store);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return ErrnoError("bind control socket");
  }
  if (listen(fd.get(), kBacklog) != 0) return ErrnoError("listen on control socket");
  return fd;
}

Result<BootClient> BootClient::Connect(const ContainerStore& store) {
  TRY_ASSIGN(FileDescriptor fd, MakeSocket());
  sockaddr_un address = AddressIn(store);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return ErrnoError("connect to the sandbox of container", store.id());
  }
  return BootClient(Channel(std::move(fd), Conversation::kControl));
}

Result<control::ControlReply> BootClient::Ask(const control::ControlRequest& request,
                                              absl::Span<const int> fds) {
  TRY(channel_.Send(request, fds));
  TRY_ASSIGN(auto reply, channel_.Receive<control::ControlReply>());
  if (reply.message.error() != 0) {
    if (reply.message.message().empty()) return Error(reply.message.error());
    return Error(reply.message.error(), reply.message.message());
  }
  return std::move(reply.message);
}

Status BootClient::Prepare() {
  control::ControlRequest request;
  request.mutable_prepare();
  TRY(Ask(request));
  return Ok();
}

Status BootClient::StartInit() {
  control::ControlRequest request;
  request.mutable_start();
  TRY(Ask(request));
  return Ok();
}

Status BootClient::Signal(pid_t pid, int signo, bool all) {
  control::ControlRequest request;
  request.mutable_signal()->set_pid(pid);
  request.mutable_signal()->set_signal(signo);
  request.mutable_signal()->set_all(all);
  TRY(Ask(request));
  return Ok();
}

Status BootClient::TerminalResized() {
  control::ControlRequest request;
  request.mutable_terminal_resized();
  TRY(Ask(request));
  return Ok();
}

Status BootClient::Freeze(bool frozen) {
  control::ControlRequest request;
  request.mutable_freeze()->set_frozen(frozen);
  TRY(Ask(request));
  return Ok();
}

Result<control::ProcessesReply> BootClient::Processes() {
  control::ControlRequest request;
  request.mutable_processes();
  TRY_ASSIGN(control::ControlReply reply, Ask(request));
  return std::move(*reply.mutable_processes());
}

Result<ExecSession> BootClient::Exec(const oci::Process& process,
                                     const std::vector<ExecDescriptor>& fds, bool detached) && {
  control::ControlRequest request;
  control::ExecRequest& exec = *request.mutable_exec();
  *exec.mutable_process() = process;
  exec.set_detached(detached);
  std::vector<int> numbers;
  for (const ExecDescriptor& fd : fds) {
    numbers.push_back(fd.fd);
    exec.add_fds()->set_role(fd.role);
  }
  TRY_ASSIGN(control::ControlReply reply, Ask(request, numbers));
  if (!reply.has_exec()) return Error(EBADMSG, "boot did not answer what it was asked");
  return ExecSession(std::move(channel_), reply.exec());
}

Result<int> BootClient::Wait(pid_t pid) {
  control::ControlRequest request;
  request.mutable_wait()->set_pid(pid);
  TRY_ASSIGN(control::ControlReply reply, Ask(request));
  if (!reply.has_wait()) return Error(EBADMSG, "boot did not answer what it was asked");
  return reply.wait().status();
}

}  // namespace runsc::create
