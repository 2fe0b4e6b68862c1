// runsc-create, the controller: the OCI command line. Starts the other two
// programs of a container and keeps its state; see DESIGN.md sections 2 and 3.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "bin/runsc-create/command_line.h"
#include "bin/runsc-create/log_files.h"

namespace runsc::create {
namespace {

constexpr int kFailure = 1;

// A caller may have closed some of them; then a file of ours must not take the
// place of the container's standard output.
void FillStandardDescriptors() {
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = open("/dev/null", O_RDWR);
  if (fd > STDERR_FILENO) close(fd);
}

int Main(int argc, const char* const* argv) {
  FillStandardDescriptors();
  umask(022);
  CommandLine line = ParseCommandLine(argc, argv);
  if (line.command.empty()) {
    fputs(line.text.c_str(), line.text_is_error ? stderr : stdout);
    return line.exit_code;
  }
  Result<ControllerLog> log = ControllerLog::Open(line.options, line.id, line.command);
  if (!log.ok()) {
    fprintf(stderr, "runsc-create: %s\n", log.error().ToString().c_str());
    return kFailure;
  }
  Result<int> code = line.run();
  if (code.ok()) return *code;
  ReportError(line.options, code.error());
  return kFailure;
}

}  // namespace
}  // namespace runsc::create

int main(int argc, char** argv) { return runsc::create::Main(argc, argv); }
