// A running runsc-gofer for tests, started as the controller starts it.
#ifndef RUNSC_GOFER_GOFER_PROCESS_H_
#define RUNSC_GOFER_GOFER_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/channel.h"
#include "ipc/fs.pb.h"
#include "ipc/gofer.pb.h"

namespace runsc::gofer {

class GoferProcess {
 public:
  // Starts `binary` and hands it `request`. Fails with the gofer's own message.
  static Result<std::unique_ptr<GoferProcess>> Start(const std::string& binary,
                                                     const GoferRequest& request);
  // Kills it if it still runs.
  ~GoferProcess();

  pid_t pid() const { return pid_; }
  // The client's end of the connection of tree `index`: raw, or as a channel.
  FileDescriptor TakeConnection(size_t index) { return std::move(connections_[index]); }
  Channel TakeChannel(size_t index) { return Channel(TakeConnection(index), Conversation::kFs); }
  // Waits for it to end; the status of waitpid(2).
  int Wait();

 private:
  GoferProcess() = default;
  pid_t pid_ = -1;
  std::vector<FileDescriptor> connections_;
};

// One request and its reply; the reply's error is an error.
Result<Received<fs::FsReply>> Call(Channel& channel, const fs::FsRequest& request);

}  // namespace runsc::gofer

#endif  // RUNSC_GOFER_GOFER_PROCESS_H_
