#include "bin/runsc-create/launch/console_relay.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace runsc::create {
namespace {

constexpr size_t kChunk = 4096;

// The caller's output may be non-blocking, by others that share it.
void WriteAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t count = write(fd, data, size);
    if (count > 0) {
      data += count;
      size -= static_cast<size_t>(count);
    } else if (count < 0 && errno == EAGAIN) {
      pollfd entry = {.fd = fd, .events = POLLOUT, .revents = 0};
      poll(&entry, 1, -1);
    } else if (count < 0 && errno != EINTR) {
      return;  // nobody looks any more; the container goes on
    }
  }
}

}  // namespace

Result<ConsoleRelay> ConsoleRelay::Start(FileDescriptor master) {
  const int flags = fcntl(master.get(), F_GETFL);
  if (flags < 0 || fcntl(master.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return ErrnoError("make the pseudo terminal non-blocking");
  }
  ConsoleRelay relay(std::move(master));
  relay.Resize();
  termios attributes;
  if (tcgetattr(STDIN_FILENO, &attributes) != 0) return relay;  // not a terminal
  auto saved = std::make_unique<termios>(attributes);
  cfmakeraw(&attributes);
  if (tcsetattr(STDIN_FILENO, TCSANOW, &attributes) != 0) {
    return ErrnoError("change the terminal to raw mode");
  }
  relay.saved_ = std::move(saved);
  return relay;
}

ConsoleRelay::~ConsoleRelay() { Restore(); }

void ConsoleRelay::Restore() {
  if (saved_ != nullptr) tcsetattr(STDIN_FILENO, TCSADRAIN, saved_.get());
  saved_.reset();
}

ConsoleRelay::PollEntries ConsoleRelay::Entries() const {
  const bool reads_input = !input_ended_ && typed_.empty();
  const short events = typed_.empty() ? POLLIN : POLLIN | POLLOUT;
  return {pollfd{.fd = reads_input ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0},
          pollfd{.fd = output_ended_ ? -1 : master_.get(), .events = events, .revents = 0}};
}

void ConsoleRelay::Handle(const PollEntries& entries) {
  if (entries[1].revents != 0) {
    CopyOutput();
    SendInput();
  }
  if (entries[0].revents != 0) CopyInput();
}

bool ConsoleRelay::CopyOutput() {
  char buffer[kChunk];
  const ssize_t count = read(master_.get(), buffer, sizeof(buffer));
  if (count > 0) {
    WriteAll(STDOUT_FILENO, buffer, static_cast<size_t>(count));
    return true;
  }
  if (count < 0 && errno == EINTR) return true;
  // EIO: the container has closed its end.
  if (count == 0 || errno != EAGAIN) output_ended_ = true;
  return false;
}

void ConsoleRelay::CopyInput() {
  char buffer[kChunk];
  const ssize_t count = read(STDIN_FILENO, buffer, sizeof(buffer));
  if (count > 0) {
    typed_.assign(buffer, static_cast<size_t>(count));
    SendInput();
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    input_ended_ = true;
  }
}

void ConsoleRelay::SendInput() {
  if (typed_.empty()) return;
  const ssize_t count = write(master_.get(), typed_.data(), typed_.size());
  if (count > 0) typed_.erase(0, static_cast<size_t>(count));
  if (count < 0 && errno != EAGAIN && errno != EINTR) typed_.clear();
}

void ConsoleRelay::Resize() {
  winsize size;
  if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) {
    return;
  }
  ioctl(master_.get(), TIOCSWINSZ, &size);
}

void ConsoleRelay::Finish() {
  while (!output_ended_ && CopyOutput()) {
  }
  Restore();
}

}  // namespace runsc::create
