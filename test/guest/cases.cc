#include "test/guest/cases.h"

#include <grp.h>
#include <time.h>

#include <algorithm>
#include <vector>

namespace guest {
namespace {

struct Case {
  const char* name;
  void (*body)();
};

std::vector<Case>& Cases() {
  static std::vector<Case> cases;
  return cases;
}

std::string& Line() {
  static std::string line;
  return line;
}

constexpr int kCaseSeconds = 20;

// "open" of "open(path, O_RDONLY)"; the name of the call for syscall(SYS_x).
std::string_view CallName(std::string_view expression) {
  constexpr std::string_view kRaw = "syscall(SYS_";
  if (expression.substr(0, kRaw.size()) == kRaw) {
    expression.remove_prefix(kRaw.size());
    return expression.substr(0, expression.find_first_of(",)"));
  }
  return expression.substr(0, expression.find('('));
}

void WriteLine(std::string line) {
  std::replace(line.begin(), line.end(), '\n', '|');
  line += '\n';
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) _exit(99);
}

std::string ErrnoName(int code) {
  const char* name = strerrorname_np(code);
  return name ? name : "errno" + std::to_string(code);
}

void RunInChild(const Case& test, const std::string& directory) {
  Line() = std::string(test.name) + ":";
  if (mkdir(directory.c_str(), 0777) < 0 || chmod(directory.c_str(), 0777) < 0 ||
      chdir(directory.c_str()) < 0) {
    Broken("working directory");
  }
  umask(022);
  alarm(kCaseSeconds);
  test.body();
  WriteLine(Line());
  _exit(0);
}

void Run(const Case& test, const std::string& work) {
  const pid_t child = fork();
  if (child < 0) return WriteLine(std::string(test.name) + ": fork " + ErrnoName(errno));
  if (child == 0) RunInChild(test, work + "/" + test.name);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) WriteLine(std::string(test.name) + ": ended by " + StatusText(status));
}

}  // namespace

void Record(std::string_view key, std::string_view value) {
  Line().append(" ").append(key).append("=").append(value);
}

void Record(std::string_view key, long long value) { Record(key, std::to_string(value)); }

void RecordCall(std::string_view expression, long long result) {
  const int code = errno;
  Record(CallName(expression), result == -1 ? ErrnoName(code) : std::to_string(result));
}

void RecordPointer(std::string_view expression, const void* result) {
  const int code = errno;
  const bool failed = result == nullptr || result == MAP_FAILED;
  Record(CallName(expression), failed ? ErrnoName(code) : "ok");
}

Registration::Registration(const char* name, void (*body)()) { Cases().push_back({name, body}); }

void Make(const char* path, std::string_view content, mode_t mode) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  if (fd < 0) Broken(path);
  if (write(fd, content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
    Broken(path);
  }
  close(fd);
}

std::string Drain(int fd) {
  std::string content;
  char buffer[4096];
  while (content.size() < 65536) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0) return content + "!" + ErrnoName(errno);
    if (count == 0) break;
    content.append(buffer, count);
  }
  return content;
}

std::string Content(const char* path) {
  const int fd = open(path, O_RDONLY);
  if (fd < 0) return ErrnoName(errno);
  std::string content = Drain(fd);
  close(fd);
  return content;
}

std::string Octal(unsigned long value) {
  char text[32];
  snprintf(text, sizeof text, "%lo", value);
  return text;
}

std::string StatusText(int status) {
  if (WIFEXITED(status)) return "exit " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  if (WIFSTOPPED(status)) return "stopped " + std::to_string(WSTOPSIG(status));
  return "continued";
}

std::string StatusField(const std::string& name, const std::string& process) {
  const std::string text = "\n" + Content(("/proc/" + process + "/status").c_str());
  const size_t at = text.find("\n" + name + ":\t");
  if (at == std::string::npos) return "absent";
  const size_t start = at + name.size() + 3;
  return text.substr(start, text.find('\n', start) - start);
}

pid_t Sleeper() {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  return child;
}

void CopySelf(const char* path, mode_t mode) {
  const int in = open("/proc/self/exe", O_RDONLY);
  const int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
  if (in < 0 || out < 0) Broken("copy");
  char buffer[65536];
  for (ssize_t n; (n = read(in, buffer, sizeof buffer)) > 0;) {
    if (write(out, buffer, n) != n) Broken("copy");
  }
  close(in);
  close(out);
  MUST(chmod(path, mode));
}

std::string InChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child < 0) Broken("fork");
  if (child == 0) _exit(body());
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return "wait " + ErrnoName(errno);
  }
  return StatusText(status);
}

void BecomeUser(uid_t uid, gid_t gid) {
  MUST(setgroups(0, nullptr));
  MUST(setresgid(gid, gid, gid));
  MUST(setresuid(uid, uid, uid));
}

void Broken(const char* what) {
  WriteLine(Line() + " BROKEN " + what + " " + ErrnoName(errno));
  _exit(0);
}

void SleepMs(int milliseconds) {
  timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  while (nanosleep(&left, &left) < 0 && errno == EINTR) {
  }
}

long long NowMs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void* BadPointer() {
  // Volatile, so that the compiler does not see through it and warn.
  static volatile unsigned long address = 0x10;
  return reinterpret_cast<void*>(address);
}

}  // namespace guest

// Usage: PROGRAM DIRECTORY [CASE...]; or PROGRAM --list.
int main(int argc, char** argv) {
  using guest::Cases;
  if (argc < 2) return 2;
  if (std::string_view(argv[1]) == "--list") {
    for (const auto& test : Cases()) puts(test.name);
    return 0;
  }
  for (const auto& test : Cases()) {
    const bool wanted = argc == 2 || std::any_of(argv + 2, argv + argc, [&](const char* name) {
                          return std::string_view(name) == test.name;
                        });
    if (wanted) guest::Run(test, argv[1]);
  }
  return 0;
}
