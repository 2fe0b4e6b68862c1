#include "bin/runsc-create/hooks/later_hooks.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "bin/runsc-create/hooks/hooks.h"

namespace runsc::create {
namespace {

constexpr size_t kMaxReport = 1024;

Result<std::pair<FileDescriptor, FileDescriptor>> Pipe() {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return ErrnoError("pipe2");
  return std::pair(FileDescriptor(ends[0]), FileDescriptor(ends[1]));
}

ssize_t ReadRetrying(int fd, void* buffer, size_t size) {
  ssize_t count = 0;
  do {
    count = read(fd, buffer, size);
  } while (count < 0 && errno == EINTR);
  return count;
}

// Closes everything but the standard streams and these two.
void KeepOnly(int first, int second) {
  const auto low = static_cast<unsigned>(std::min(first, second));
  const auto high = static_cast<unsigned>(std::max(first, second));
  if (low > 3) syscall(SYS_close_range, 3U, low - 1, 0);
  if (high > low + 1) syscall(SYS_close_range, low + 1, high - 1, 0);
  syscall(SYS_close_range, high + 1, ~0U, 0);
}

}  // namespace

Result<LaterHooks> LaterHooks::Prepare(std::string_view kind,
                                       const google::protobuf::RepeatedPtrField<oci::Hook>& hooks,
                                       const std::string& state) {
  TRY_ASSIGN(auto order, Pipe());
  TRY_ASSIGN(auto report, Pipe());
  pid_t pid = fork();
  if (pid < 0) return ErrnoError("fork");
  if (pid == 0) {
    // It outlives a signal that the terminal sends to its caller, too.
    setsid();
    KeepOnly(order.first.get(), report.second.get());
    char go = 0;
    if (ReadRetrying(order.first.get(), &go, 1) != 1) _exit(0);
    Status status = RunHooks(kind, hooks, state);
    std::string text = status.ok() ? "" : status.error().ToString().substr(0, kMaxReport);
    [[maybe_unused]] ssize_t written = write(report.second.get(), text.data(), text.size());
    _exit(0);
  }
  LaterHooks later;
  later.order_ = std::move(order.second);
  later.report_ = std::move(report.first);
  return later;
}

Status LaterHooks::Run() {
  const char go = 1;
  if (write(order_.get(), &go, 1) != 1) return ErrnoError("start hooks");
  std::string text(kMaxReport, '\0');
  ssize_t size = ReadRetrying(report_.get(), text.data(), text.size());
  order_.Reset();
  if (size < 0) return ErrnoError("wait for hooks");
  if (size == 0) return Ok();
  text.resize(static_cast<size_t>(size));
  return Error(EIO, std::move(text));
}

}  // namespace runsc::create
