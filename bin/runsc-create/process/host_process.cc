#include "bin/runsc-create/process/host_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

namespace runsc::create {
namespace {

constexpr absl::Duration kKillTimeout = absl::Seconds(10);

struct StatLine {
  char state = 0;
  uint64_t start_time = 0;
};

Result<StatLine> ReadStat(pid_t pid) {
  std::string path = absl::StrCat("/proc/", pid, "/stat");
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return MakeError(errno == ENOENT ? ESRCH : errno, "open", path);
  char buffer[1024];
  ssize_t size = read(fd.get(), buffer, sizeof(buffer));
  if (size < 0) return ErrnoError("read", path);
  std::string_view text(buffer, static_cast<size_t>(size));
  // The name in parentheses may contain anything.
  size_t name_end = text.rfind(')');
  if (name_end == text.npos) return MakeError(EINVAL, "parse", path);
  text.remove_prefix(name_end + 2);
  std::vector<absl::string_view> fields =
      absl::StrSplit(absl::string_view(text.data(), text.size()), ' ');
  StatLine line;
  // The state is field 3, the start time field 22 of proc(5).
  if (fields.size() < 20 || !absl::SimpleAtoi(fields[19], &line.start_time)) {
    return MakeError(EINVAL, "parse", path);
  }
  line.state = fields[0].empty() ? '?' : fields[0][0];
  return line;
}

}  // namespace

Result<state::HostProcess> Identify(pid_t pid) {
  TRY_ASSIGN(StatLine line, ReadStat(pid));
  state::HostProcess process;
  process.set_pid(pid);
  process.set_start_time(line.start_time);
  return process;
}

Result<FileDescriptor> OpenProcess(const state::HostProcess& process) {
  if (process.pid() <= 0) return Error(ESRCH);
  FileDescriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, process.pid(), 0)));
  if (!pidfd.valid()) return MakeError(errno, "pidfd_open", absl::StrCat(process.pid()));
  // Compared after the pidfd is there: from now on the number cannot change hands.
  TRY_ASSIGN(StatLine line, ReadStat(process.pid()));
  if (line.start_time != process.start_time() || line.state == 'Z' || line.state == 'X') {
    return Error(ESRCH);
  }
  return pidfd;
}

bool IsAlive(const state::HostProcess& process) { return OpenProcess(process).ok(); }

Status AwaitEnd(int pidfd, absl::Duration timeout) {
  absl::Time deadline = absl::Now() + timeout;
  while (true) {
    absl::Duration left = deadline - absl::Now();
    if (left < absl::ZeroDuration()) return MakeError(ETIMEDOUT, "wait for the end of a process");
    pollfd entry = {.fd = pidfd, .events = POLLIN, .revents = 0};
    int count = poll(&entry, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
    if (count > 0) return Ok();
    if (count < 0 && errno != EINTR) return ErrnoError("poll");
  }
}

Status KillAndAwait(const state::HostProcess& process) {
  Result<FileDescriptor> pidfd = OpenProcess(process);
  if (!pidfd.ok()) {
    if (pidfd.code() == ESRCH) return Ok();
    return std::move(pidfd).error();
  }
  if (syscall(SYS_pidfd_send_signal, pidfd->get(), SIGKILL, nullptr, 0) != 0 && errno != ESRCH) {
    return ErrnoError("kill process", absl::StrCat(process.pid()));
  }
  return AwaitEnd(pidfd->get(), kKillTimeout);
}

}  // namespace runsc::create
