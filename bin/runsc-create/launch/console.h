// The terminal of a container whose process.terminal is set: a new pseudo
// terminal of the host, whose master end goes to the engine over the socket
// that it named (--console-socket).
#ifndef RUNSC_CREATE_LAUNCH_CONSOLE_H_
#define RUNSC_CREATE_LAUNCH_CONSOLE_H_

#include <string>

#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/oci.pb.h"

namespace runsc::create {

class Console {
 public:
  // Nothing is opened unless the process wants a terminal and there is a
  // socket to send it to. EINVAL: a socket, but no terminal is wanted.
  static Result<Console> Open(const oci::Process& process, const std::string& socket_path);

  // The container's end, -1 when there is none.
  int terminal() const { return terminal_.get(); }
  // Hands the master end over; nothing to do when there is none.
  Status SendMaster();

 private:
  std::string socket_path_;
  FileDescriptor master_, terminal_;
};

}  // namespace runsc::create

#endif  // RUNSC_CREATE_LAUNCH_CONSOLE_H_
