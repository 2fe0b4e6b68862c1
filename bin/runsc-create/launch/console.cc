#include "bin/runsc-create/launch/console.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "ipc/packet.h"

namespace runsc::create {
namespace {

Result<FileDescriptor> ConnectTo(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return MakeError(ENAMETOOLONG, "connect to console socket", path);
  }
  memcpy(address.sun_path, path.c_str(), path.size());
  FileDescriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoError("create socket");
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return ErrnoError("connect to console socket", path);
  }
  return fd;
}

}  // namespace

Result<Console> Console::Open(const oci::Process& process, const std::string& socket_path) {
  Console console;
  if (socket_path.empty()) return console;
  if (!process.terminal()) {
    return Error(EINVAL, "--console-socket needs process.terminal in config.json");
  }
  console.socket_path_ = socket_path;
  console.master_.Reset(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!console.master_.valid()) return ErrnoError("open a pseudo terminal");
  int unlock = 0;
  if (ioctl(console.master_.get(), TIOCSPTLCK, &unlock) != 0) {
    return ErrnoError("unlock the pseudo terminal");
  }
  console.terminal_.Reset(ioctl(console.master_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!console.terminal_.valid()) return ErrnoError("open the pseudo terminal's other end");
  if (process.has_console_size() && process.console_size().height() != 0) {
    winsize size = {};
    size.ws_row = static_cast<unsigned short>(process.console_size().height());
    size.ws_col = static_cast<unsigned short>(process.console_size().width());
    ioctl(console.master_.get(), TIOCSWINSZ, &size);
  }
  return console;
}

Status Console::SendMaster() {
  if (!master_.valid()) return Ok();
  TRY_ASSIGN(FileDescriptor socket, ConnectTo(socket_path_));
  const int fds[] = {master_.get()};
  return SendPacket(socket.get(), "/dev/ptmx", fds);
}

}  // namespace runsc::create
