// The connection to a process that boot has been asked to start.
#ifndef RUNSC_CREATE_LAUNCH_EXEC_SESSION_H_
#define RUNSC_CREATE_LAUNCH_EXEC_SESSION_H_

#include <sys/types.h>

#include "common/result.h"
#include "ipc/boot.pb.h"
#include "ipc/channel.h"

namespace runsc::create {

// A descriptor of ours that becomes one of the process's.
struct ExecDescriptor {
  int fd;
  control::Descriptor::Role role;
};

class ExecSession {
 public:
  ExecSession(Channel channel, const control::ExecReply& reply)
      : channel_(std::move(channel)), pid_(reply.pid()), boot_pid_(reply.boot_pid()) {}

  pid_t pid() const { return pid_; }            // in the container
  pid_t boot_pid() const { return boot_pid_; }  // in boot's pid namespace
  // Readable when the process has ended.
  int fd() const { return channel_.fd(); }
  Status Signal(int signo);
  Status TerminalResized();
  // `pidfd` is that of the process that is left behind for this one.
  Status NameStandIn(int pidfd);
  // Its wait status. ECONNRESET: the whole sandbox has ended.
  Result<int> TakeEnd();

 private:
  Channel channel_;
  pid_t pid_, boot_pid_;
};

}  // namespace runsc::create

#endif  // RUNSC_CREATE_LAUNCH_EXEC_SESSION_H_
