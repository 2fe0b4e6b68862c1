// Boot's side of the file-system protocol (ipc/fs.proto): requests from any
// thread, over as many connections as threads wait at once.
//
//   FsRequest request;
//   request.mutable_stat_fs()->set_handle(root);
//   TRY_ASSIGN(GoferReply reply, client.Call(request));
#ifndef RUNSC_BOOT_FS_GOFER_GOFER_CLIENT_H_
#define RUNSC_BOOT_FS_GOFER_GOFER_CLIENT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/channel.h"
#include "ipc/fs.pb.h"

namespace runsc::boot {

// Thread-safe.
class GoferClient {
 public:
  struct Reply {
    fs::FsReply message;
    FileDescriptor fd;  // if the reply handed one over
  };

  explicit GoferClient(Channel first);

  // Sends `request` and waits for the reply. Handles that were let go travel
  // along. Errors: the reply's; EIO when the gofer is gone or broke the rules.
  Result<Reply> Call(fs::FsRequest& request);
  // The handle is no longer used. Told to the gofer with the next request.
  void LetGo(uint64_t handle);
  // Round trips so far.
  uint64_t calls() const { return calls_.load(std::memory_order_relaxed); }

 private:
  static constexpr int kMaxConnections = 8;

  Result<std::unique_ptr<Channel>> TakeChannel();
  void GiveBack(std::unique_ptr<Channel> channel);
  void Lost();
  static Result<Reply> Exchange(Channel& channel, const fs::FsRequest& request);
  // One more connection, asked for over `channel`; null when there is none.
  static std::unique_ptr<Channel> Connect(Channel& channel);
  bool MayTake() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !idle_.empty() || open_ == 0;
  }

  std::atomic<uint64_t> calls_{0};
  absl::Mutex mutex_;
  std::vector<std::unique_ptr<Channel>> idle_ ABSL_GUARDED_BY(mutex_);
  int open_ ABSL_GUARDED_BY(mutex_) = 0;          // idle or in use
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;       // threads without a channel
  bool may_grow_ ABSL_GUARDED_BY(mutex_) = true;  // false once the gofer refused
  std::vector<uint64_t> let_go_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_GOFER_GOFER_CLIENT_H_
