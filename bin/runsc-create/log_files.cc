#include "bin/runsc-create/log_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"

namespace runsc::create {
namespace {

Result<FileDescriptor> OpenLog(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash != std::string::npos && slash != 0) {
    // One level, for --debug-log=DIR/ on a fresh machine.
    mkdir(path.substr(0, slash).c_str(), 0755);
  }
  Result<FileDescriptor> file =
      OpenAt(AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, 0644);
  if (!file.ok()) return MakeError(file.code(), "open log", path);
  return file;
}

bool IsDirectory(const std::string& path) {
  struct stat status;
  return absl::EndsWith(path, "/") || (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode));
}

}  // namespace

std::string DebugLogPath(const std::string& pattern, const std::string& id,
                         const std::string& command) {
  std::string time = absl::FormatTime("%Y%m%d-%H%M%E6S", absl::Now(), absl::LocalTimeZone());
  std::string path =
      absl::StrReplaceAll(pattern, {{"%ID%", id}, {"%COMMAND%", command}, {"%TIMESTAMP%", time}});
  if (!IsDirectory(path)) return path;
  return absl::StrCat(path, absl::EndsWith(path, "/") ? "" : "/", "runsc.log.", time, ".", command);
}

Result<ControllerLog> ControllerLog::Open(const GlobalOptions& options, const std::string& id,
                                          const std::string& command) {
  ControllerLog opened;
  log::Sink sinks[2];
  int count = 0;
  log::Level level = log::Level::kWarning;
  if (!options.log.empty()) {
    TRY_ASSIGN(opened.log_, OpenLog(options.log));
  }
  if (!options.debug_log.empty()) {
    TRY_ASSIGN(opened.debug_, OpenLog(DebugLogPath(options.debug_log, id, command)));
    sinks[count++] = {opened.debug_.get(), options.log_format, log::Level::kDebug};
  } else if (options.debug) {
    level = log::Level::kDebug;
  }
  sinks[count++] = {opened.log_.valid() ? opened.log_.get() : STDERR_FILENO, options.log_format,
                    level};
  log::SetSinks(sinks, count);
  return opened;
}

void ReportError(const GlobalOptions& options, const Error& error) {
  fprintf(stderr, "runsc-create: %s\n", error.ToString().c_str());
  if (!options.log.empty()) LOG_ERROR(error.ToString());
}

Result<LogFiles> LogFiles::Open(const GlobalOptions& options, const std::string& id,
                                const std::string& user_log) {
  LogFiles files;
  if (!options.debug_log.empty()) {
    TRY_ASSIGN(files.boot_, OpenLog(DebugLogPath(options.debug_log, id, "boot")));
    TRY_ASSIGN(files.gofer_, OpenLog(DebugLogPath(options.debug_log, id, "gofer")));
  } else if (options.debug || options.strace) {
    files.boot_.Reset(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    files.gofer_.Reset(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  }
  if (!user_log.empty()) {
    TRY_ASSIGN(files.user_, OpenLog(user_log));
  }
  return files;
}

}  // namespace runsc::create
