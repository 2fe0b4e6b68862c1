// What boot's main program needs of the application kernel: one container that
// can be started, signalled, looked at and waited for. The kernel implements
// it; main.cc and the control server know nothing else of the kernel.
#ifndef RUNSC_BOOT_CONTROL_SANDBOX_H_
#define RUNSC_BOOT_CONTROL_SANDBOX_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bin/runsc-boot/platform/platform.h"
#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/boot.pb.h"

namespace runsc::boot::control {

// What a sandbox is made of. Everything is validated as far as one message
// can be: the descriptors are there, args and cwd are not empty.
struct SandboxConfig {
  runsc::control::BootRequest request;
  std::unique_ptr<platform::Platform> platform;
  // The container's descriptors 0, 1 and 2; an invalid one is closed there.
  FileDescriptor stdio[3];
  // Instead of these, the host's end of the container's terminal.
  FileDescriptor terminal;
  // The file-system connections: the root's, then one for each of
  // request.served_mounts.
  std::vector<FileDescriptor> filesystems;
};

struct ProcessInfo {
  pid_t pid = 0;
  pid_t parent = 0;
  uid_t uid = 0;
  uint32_t threads = 0;
  std::string command;
  pid_t boot_pid = 0;  // in boot's pid namespace; 0: not known
  pid_t group = 0, session = 0;
  char state = 'S';
  uint64_t cpu_ns = 0;
  std::string arguments;
};

// A process to be started beside init. Checked as far as one message can be.
struct ExecConfig {
  oci::Process process;
  // Its descriptors 0, 1, 2, 3, ...; an invalid one is closed there.
  std::vector<FileDescriptor> fds;
  // Instead of 0, 1 and 2, the host's end of the process's terminal.
  FileDescriptor terminal;
};

// A process that was started from outside; it may have ended. Thread-safe.
class ExecutedProcess {
 public:
  virtual ~ExecutedProcess() = default;
  virtual pid_t pid() const = 0;
  virtual pid_t boot_pid() const = 0;  // in boot's pid namespace
  // Readable once the process has ended.
  virtual int end_fd() const = 0;
  // As wait(2) has it; once it has ended.
  virtual int status() const = 0;
  // After its end: until what it wrote to its terminal has reached the host.
  virtual void FinishOutput() {}
  // kill(2) from outside. ESRCH once it has ended, EINVAL.
  virtual Status Signal(int signo) = 0;
};

// Thread-safe.
class Sandbox {
 public:
  virtual ~Sandbox() = default;

  // Whether Start will find its program, as far as can be told before. The
  // errors are those of Start.
  virtual Status Prepare() = 0;
  // Loads the container's init and lets it run; called once. The error's code
  // tells why the program cannot be executed (ENOENT, EACCES, ENOEXEC, ...),
  // its message names the program.
  virtual Status Start() = 0;
  // Starts a process beside init, also before Start: init has pid 1 then, and
  // waits. Errors as those of Start; ESRCH: init has ended.
  virtual Result<std::unique_ptr<ExecutedProcess>> Exec(ExecConfig config) = 0;
  // Blocks until `pid` (0: init) has ended; its status as wait(2) has it. Init may
  // also end before its start.
  // ESRCH: no such process, or it has ended before.
  virtual Result<int> Wait(pid_t pid) = 0;
  // kill(2) from outside: to `pid` (0: init) or, with `all`, to every process. An
  // init that has not been started has no handlers.
  // ESRCH when there is none; EINVAL for a signal out of range.
  virtual Status Signal(pid_t pid, int signo, bool all) = 0;
  virtual std::vector<ProcessInfo> Processes() = 0;
  // Stops every process, also those that come, or lets them go on. SIGKILL
  // works on them all the same.
  virtual void Freeze(bool frozen) = 0;
  // The size of one of the host's terminals may have changed.
  virtual void TerminalResized() {}
  // Ends every process. Wait for init returns afterwards (128 + SIGKILL when
  // it had not ended before). Idempotent.
  virtual void Destroy() = 0;
};

// Builds the kernel: file systems are attached and mounted, descriptors
// imported; nothing runs yet. Called after boot has dropped its privileges and
// installed its filter. Errors have a message for the user.
Result<std::unique_ptr<Sandbox>> CreateSandbox(SandboxConfig config);

}  // namespace runsc::boot::control

#endif  // RUNSC_BOOT_CONTROL_SANDBOX_H_
