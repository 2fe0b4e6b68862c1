// Answers the controller's commands on the listening socket that boot
// inherited, and decides when boot ends.
//
//   ControlServer server(std::move(socket), sandbox, owner_uid, record_the_end);
//   TRY(server.Start());
//   return server.WaitForEnd();  // the container's exit code
//
// Each connection has a thread of its own, since a command may wait for the
// end of a process. Only root and the owner are answered. Commands come from
// outside the sandbox; what they carry is checked all the same.
#ifndef RUNSC_BOOT_CONTROL_SERVER_H_
#define RUNSC_BOOT_CONTROL_SERVER_H_

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/control/sandbox.h"
#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/boot.pb.h"
#include "ipc/channel.h"

namespace runsc::boot::control {

// The life of the container's init as the commands see it. Thread-safe.
class Lifecycle {
 public:
  // `ended` gets the wait status when the container has ended, before anybody
  // else is told; it must not block.
  Lifecycle(Sandbox& sandbox, std::function<void(int)> ended)
      : sandbox_(sandbox), ended_(std::move(ended)) {}

  runsc::control::ControlReply Answer(const runsc::control::ControlRequest& request);

  // Starts what an ExecRequest asks for. EINVAL, EBADMSG: it is not as it should
  // be; ESRCH: the container does not run.
  Result<std::unique_ptr<ExecutedProcess>> Exec(runsc::control::ExecRequest request,
                                                std::vector<FileDescriptor> fds);

  // Blocks until the container has ended; its wait status.
  int WaitForEnd();
  // An answer is on its way: see WaitForAnswers.
  void BeginAnswer();
  void EndAnswer();
  // Until no answer is on its way, for a moment at most.
  void WaitForAnswers();

 private:
  enum class Phase { kCreated, kStarting, kRunning, kEnded };

  Status Prepare();
  Status Start();
  Result<int> Wait(pid_t pid);
  Status Signal(pid_t pid, int signo, bool all);
  Status Freeze(bool frozen);
  runsc::control::ControlReply Processes();
  // ESRCH: the container has ended.
  Status CheckAlive();
  void Destroy();
  // Once init may end: follows its end.
  void Watch() ABSL_LOCKS_EXCLUDED(mutex_);
  void End(int status);

  Sandbox& sandbox_;
  const std::function<void(int)> ended_;
  absl::Mutex mutex_;
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kCreated;
  bool watched_ ABSL_GUARDED_BY(mutex_) = false;
  int status_ ABSL_GUARDED_BY(mutex_) = 0;
  int answers_ ABSL_GUARDED_BY(mutex_) = 0;
};

class ControlServer {
 public:
  // `ended`: see Lifecycle.
  ControlServer(FileDescriptor socket, Sandbox& sandbox, uid_t owner,
                std::function<void(int)> ended);

  // Starts to accept connections.
  Status Start();
  // Blocks until the container has ended and the commands that wait for that
  // have been answered. The exit code: init's own, 128 + n when signal n ended
  // it, 127 or 126 when it could not be started.
  int WaitForEnd();

 private:
  // Shared with the threads, which may outlive the server's owner.
  struct Shared {
    Shared(Sandbox& sandbox, std::function<void(int)> ended)
        : lifecycle(sandbox, std::move(ended)) {}
    Lifecycle lifecycle;
    FileDescriptor socket;
    uid_t owner = 0;
    std::atomic<int> connections = 0;
  };
  static void AcceptLoop(const std::shared_ptr<Shared>& shared);
  static void Serve(Shared& shared, Channel channel);
  // The rest of a connection that has sent an ExecRequest.
  static void ServeExec(Shared& shared, Channel& channel, runsc::control::ExecRequest request,
                        std::vector<FileDescriptor> fds);

  std::shared_ptr<Shared> shared_;
};

}  // namespace runsc::boot::control

#endif  // RUNSC_BOOT_CONTROL_SERVER_H_
