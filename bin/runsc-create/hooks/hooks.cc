#include "bin/runsc-create/hooks/hooks.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/file_descriptor.h"

extern char** environ;

namespace runsc::create {
namespace {

constexpr size_t kMaxReport = 512;

Result<FileDescriptor> MemoryFile(std::string_view content) {
  FileDescriptor file(memfd_create("hook", MFD_CLOEXEC));
  if (!file.valid()) return ErrnoError("memfd_create");
  if (pwrite(file.get(), content.data(), content.size(), 0) !=
      static_cast<ssize_t>(content.size())) {
    return ErrnoError("write container state for the hook");
  }
  return file;
}

std::vector<char*> Pointers(const google::protobuf::RepeatedPtrField<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

struct Streams {
  int input, output, error;
};

[[noreturn]] void Execute(const oci::Hook& hook, char* const* argv, char* const* envp,
                          const Streams& streams) {
  if (dup2(streams.input, 0) == 0 && dup2(streams.output, 1) == 1 && dup2(streams.error, 2) == 2) {
    syscall(SYS_close_range, 3, ~0U, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execve(hook.path().c_str(), argv, envp);
  }
  const char* why = strerror(errno);
  [[maybe_unused]] ssize_t written = write(2, why, strlen(why));
  _exit(127);
}

// Waits for the end of `pid`; kills it when it takes longer than `seconds`
// (0: no limit). Its wait status, or ETIMEDOUT.
Result<int> Await(pid_t pid, uint32_t seconds) {
  FileDescriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid()) return ErrnoError("pidfd_open");
  bool timed_out = false;
  absl::Time deadline = absl::Now() + absl::Seconds(seconds);
  while (seconds != 0) {
    pollfd entry = {.fd = pidfd.get(), .events = POLLIN, .revents = 0};
    int64_t left = absl::ToInt64Milliseconds(deadline - absl::Now());
    int count = left < 0 ? 0 : poll(&entry, 1, static_cast<int>(left) + 1);
    if (count < 0 && errno == EINTR) continue;
    if (count > 0) break;
    timed_out = true;
    kill(pid, SIGKILL);
    break;
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return ErrnoError("wait for the hook");
  }
  if (timed_out) return Error(ETIMEDOUT, absl::StrCat("took longer than ", seconds, " s"));
  return status;
}

// What the hook wrote to its standard error, in one line.
std::string ReadReport(int file) {
  std::string text(kMaxReport, '\0');
  ssize_t size = pread(file, text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text.empty() ? text : absl::StrCat(": ", text);
}

Status RunHook(const oci::Hook& hook, const std::string& state) {
  TRY_ASSIGN(FileDescriptor input, MemoryFile(state));
  TRY_ASSIGN(FileDescriptor report, MemoryFile(""));
  TRY_ASSIGN(FileDescriptor null, OpenAt(AT_FDCWD, "/dev/null", O_WRONLY));
  std::vector<char*> argv = Pointers(hook.args());
  if (argv.size() == 1) argv.insert(argv.begin(), const_cast<char*>(hook.path().c_str()));
  std::vector<char*> envp = Pointers(hook.env());
  char* const* environment = hook.has_env() ? envp.data() : environ;
  pid_t pid = fork();
  if (pid < 0) return ErrnoError("fork");
  if (pid == 0) {
    Execute(hook, argv.data(), environment, {input.get(), null.get(), report.get()});
  }
  TRY_ASSIGN(int status, Await(pid, hook.timeout_seconds()));
  if (WIFSIGNALED(status)) {
    return Error(EIO, absl::StrCat("was killed by signal ", WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) != 0) {
    return Error(EIO,
                 absl::StrCat("exited with code ", WEXITSTATUS(status), ReadReport(report.get())));
  }
  return Ok();
}

}  // namespace

Status RunHooks(std::string_view kind, const google::protobuf::RepeatedPtrField<oci::Hook>& hooks,
                const std::string& state) {
  for (int i = 0; i < hooks.size(); ++i) {
    if (Status status = RunHook(hooks[i], state); !status.ok()) {
      return std::move(status).error().WithContext(
          absl::StrCat("hooks.", std::string(kind), "[", i, "] ", hooks[i].path()));
    }
  }
  return Ok();
}

}  // namespace runsc::create
