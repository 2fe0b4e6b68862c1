#include "bin/runsc-create/launch/console.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
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

// Every byte passes as it is, in both directions.
Status MakeRaw(int terminal) {
  termios attributes;
  if (tcgetattr(terminal, &attributes) != 0) return ErrnoError("attributes of a pseudo terminal");
  cfmakeraw(&attributes);
  if (tcsetattr(terminal, TCSANOW, &attributes) != 0) {
    return ErrnoError("change a pseudo terminal to raw mode");
  }
  return Ok();
}

}  // namespace

ConsoleOptions ConsoleOptionsOf(const oci::Process& process, std::string socket_path) {
  ConsoleOptions options;
  options.terminal = process.terminal();
  options.socket_path = std::move(socket_path);
  if (process.has_console_size()) {
    options.size.ws_row = static_cast<unsigned short>(process.console_size().height());
    options.size.ws_col = static_cast<unsigned short>(process.console_size().width());
  }
  return options;
}

Result<Console> Console::Open(const ConsoleOptions& options) {
  Console console;
  if (!options.terminal) {
    if (options.socket_path.empty()) return console;
    return Error(EINVAL, "--console-socket needs process.terminal in config.json");
  }
  console.socket_path_ = options.socket_path;
  console.master_.Reset(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!console.master_.valid()) return ErrnoError("open a pseudo terminal");
  int unlock = 0;
  if (ioctl(console.master_.get(), TIOCSPTLCK, &unlock) != 0) {
    return ErrnoError("unlock the pseudo terminal");
  }
  // Boot polls it; its description is shared with nobody.
  console.terminal_.Reset(
      ioctl(console.master_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!console.terminal_.valid()) return ErrnoError("open the pseudo terminal's other end");
  TRY(MakeRaw(console.terminal_.get()));
  if (options.size.ws_row != 0 || options.size.ws_col != 0) {
    ioctl(console.master_.get(), TIOCSWINSZ, &options.size);
  }
  return console;
}

Status Console::SendMaster() {
  if (!master_.valid() || socket_path_.empty()) return Ok();
  TRY_ASSIGN(FileDescriptor socket, ConnectTo(socket_path_));
  const int fds[] = {master_.get()};
  return SendPacket(socket.get(), "/dev/ptmx", fds);
}

}  // namespace runsc::create
