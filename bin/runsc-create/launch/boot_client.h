// The commands' connection to a running boot, over the socket in the
// container's state directory.
#ifndef RUNSC_CREATE_LAUNCH_BOOT_CLIENT_H_
#define RUNSC_CREATE_LAUNCH_BOOT_CLIENT_H_

#include <sys/types.h>

#include <vector>

#include "absl/time/time.h"
#include "bin/runsc-create/launch/exec_session.h"
#include "bin/runsc-create/state/container_store.h"
#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/boot.pb.h"
#include "ipc/channel.h"

namespace runsc::create {

// The socket that boot will listen on, bound in the container's folder.
Result<FileDescriptor> MakeControlSocket(const ContainerStore& store);

class BootClient {
 public:
  // ECONNREFUSED or ENOENT: boot is gone.
  static Result<BootClient> Connect(const ContainerStore& store);

  // A later answer than this gives ETIMEDOUT. Without it, calls wait for ever.
  Status SetTimeout(absl::Duration timeout) { return channel_.SetReceiveTimeout(timeout); }

  // The errors are those that boot answers with; see control/sandbox.h.
  Status Prepare();
  Status StartInit();
  Status Signal(pid_t pid, int signo, bool all);
  // The size of the container's terminal may have changed.
  Status TerminalResized();
  Status Freeze(bool frozen);
  Result<control::ProcessesReply> Processes();
  // Starts a process; the connection is its session from then on.
  Result<ExecSession> Exec(const oci::Process& process, const std::vector<ExecDescriptor>& fds,
                           bool detached) &&;
  // The wait status of `pid`. ECONNRESET: boot ended before it could answer.
  Result<int> Wait(pid_t pid);

 private:
  explicit BootClient(Channel channel) : channel_(std::move(channel)) {}
  Result<control::ControlReply> Ask(const control::ControlRequest& request,
                                    absl::Span<const int> fds = {});

  Channel channel_;
};

}  // namespace runsc::create

#endif  // RUNSC_CREATE_LAUNCH_BOOT_CLIENT_H_
