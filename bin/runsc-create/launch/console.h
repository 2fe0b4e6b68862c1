// The terminal of a process whose `terminal` is set: a new pseudo terminal of the
// host, in raw mode, whose slave end boot gets. The line discipline is that of
// the container's own terminal, which boot connects to it.
//
// The master end goes to the engine over the socket that it named
// (--console-socket), or else to a ConsoleRelay, which connects it to the
// caller's terminal.
#ifndef RUNSC_CREATE_LAUNCH_CONSOLE_H_
#define RUNSC_CREATE_LAUNCH_CONSOLE_H_

#include <sys/ioctl.h>

#include <string>

#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/oci.pb.h"

namespace runsc::create {

struct ConsoleOptions {
  bool terminal = false;    // process.terminal
  winsize size{};           // process.consoleSize; all 0: unknown
  std::string socket_path;  // --console-socket; empty: none
};
ConsoleOptions ConsoleOptionsOf(const oci::Process& process, std::string socket_path);

class Console {
 public:
  // Nothing is opened unless a terminal is wanted. EINVAL: a socket, but no
  // terminal is wanted.
  static Result<Console> Open(const ConsoleOptions& options);

  // The container's end, -1 when there is none.
  int terminal() const { return terminal_.get(); }
  // Boot has it: the master end must see when that is the last.
  void LetTerminalGo() { terminal_.Reset(); }
  // Hands the master end over to the socket; nothing to do when there is none.
  Status SendMaster();
  // A terminal without a socket: it is to be connected to the caller's.
  bool foreground() const { return master_.valid() && socket_path_.empty(); }
  FileDescriptor TakeMaster() { return std::move(master_); }

 private:
  std::string socket_path_;
  FileDescriptor master_, terminal_;
};

}  // namespace runsc::create

#endif  // RUNSC_CREATE_LAUNCH_CONSOLE_H_
