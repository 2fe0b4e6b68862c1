// The gofer's connections: one thread each, which reads a request, lets the
// tree answer it and sends the reply.
#ifndef RUNSC_GOFER_SERVER_H_
#define RUNSC_GOFER_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-gofer/tree.h"
#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/channel.h"

namespace runsc::gofer {

// Thread-safe.
class Server {
 public:
  // Connections of one tree, the first included.
  static constexpr int kMaxConnectionsPerTree = 16;
  // Requests are short; the longest has an extended attribute of 64 KiB.
  static constexpr size_t kMaxRequest = 256 << 10;

  Server() = default;
  // Waits as Wait does.
  ~Server();

  // Starts to serve `tree` on `connection`.
  void Serve(std::unique_ptr<Tree> tree, FileDescriptor connection);
  // Waits until the last connection has ended.
  void Wait();

 private:
  struct Served {
    std::unique_ptr<Tree> tree;
    int connections = 0;  // open ones, guarded by mutex_
    int started = 0;      // ever, guarded by mutex_
  };

  // Starts a thread, which ends with its connection. EMFILE.
  Status StartConnection(Served& served, FileDescriptor connection);
  void RunConnection(Served& served, FileDescriptor connection, int number);
  // One request, one reply. An error ends the connection.
  Status AnswerOne(Served& served, Channel& channel);
  Answer Connect(Served& served);
  bool AllEnded() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return active_ == 0; }

  absl::Mutex mutex_;
  std::vector<std::unique_ptr<Served>> trees_ ABSL_GUARDED_BY(mutex_);
  int active_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace runsc::gofer

#endif  // RUNSC_GOFER_SERVER_H_
