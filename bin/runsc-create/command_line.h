// Parses the command line: what the engines pass to runc, and what users of
// runc and runsc type. CLI11 stays in command_line.cc, since it is slow to
// compile.
#ifndef RUNSC_CREATE_COMMAND_LINE_H_
#define RUNSC_CREATE_COMMAND_LINE_H_

#include <functional>
#include <string>

#include "bin/runsc-create/options.h"
#include "common/result.h"

namespace runsc::create {

struct CommandLine {
  GlobalOptions options;
  std::string command;  // empty when there is nothing to run
  std::string id;       // of the container, if the command takes one
  std::function<Result<int>()> run;
  // When `command` is empty: the text to print, and the exit code.
  std::string text;
  bool text_is_error = false;
  int exit_code = 0;
};

CommandLine ParseCommandLine(int argc, const char* const* argv);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_COMMAND_LINE_H_
