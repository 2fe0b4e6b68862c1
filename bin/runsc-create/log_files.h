// Where the messages of the three processes go: --log, --debug-log, --user-log.
#ifndef RUNSC_CREATE_LOG_FILES_H_
#define RUNSC_CREATE_LOG_FILES_H_

#include <string>

#include "bin/runsc-create/options.h"
#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::create {

// The file for `command` that a --debug-log of `pattern` means. %ID%,
// %COMMAND% and %TIMESTAMP% are replaced; a directory (with a slash at the end,
// or there already) gets a file runsc.log.<yyyymmdd-hhmmss.uuuuuu>.<command>.
std::string DebugLogPath(const std::string& pattern, const std::string& id,
                         const std::string& command);

// The controller's own log, for as long as the object lives: warnings and
// errors to --log (else standard error), everything to --debug-log.
class ControllerLog {
 public:
  ControllerLog() = default;
  ControllerLog(ControllerLog&&) = default;
  ControllerLog& operator=(ControllerLog&&) = default;
  static Result<ControllerLog> Open(const GlobalOptions& options, const std::string& id,
                                    const std::string& command);

 private:
  FileDescriptor log_, debug_;
};

// Tells the user on standard error, in one line, and the log if there is one.
void ReportError(const GlobalOptions& options, const Error& error);

// The descriptors that boot and the gofer log to; -1 for none.
class LogFiles {
 public:
  static Result<LogFiles> Open(const GlobalOptions& options, const std::string& id,
                               const std::string& user_log);
  int boot() const { return boot_.get(); }
  int gofer() const { return gofer_.get(); }
  int user() const { return user_.get(); }

 private:
  FileDescriptor boot_, gofer_, user_;
};

}  // namespace runsc::create

#endif  // RUNSC_CREATE_LOG_FILES_H_
