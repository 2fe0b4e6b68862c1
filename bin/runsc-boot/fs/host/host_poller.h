// Brings the readiness of host descriptors to wait queues: one thread with a
// host epoll instance, started when the first descriptor is watched.
//
// Lock order: the poller's lock, then a queue's.
#ifndef RUNSC_BOOT_FS_HOST_HOST_POLLER_H_
#define RUNSC_BOOT_FS_HOST_HOST_POLLER_H_

#include <cstdint>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/wait/wait_queue.h"
#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::boot {

class HostPoller {
 public:
  HostPoller() = default;
  HostPoller(const HostPoller&) = delete;
  HostPoller& operator=(const HostPoller&) = delete;
  // Nothing may be watched any more.
  ~HostPoller();

  // From now on `queue` is notified when `fd` becomes ready (edges of EPOLLIN,
  // EPOLLOUT, EPOLLRDHUP, EPOLLPRI, EPOLLERR, EPOLLHUP). The result is a token
  // for Forget; EPERM: `fd` is always ready (a regular file).
  Result<uint64_t> Watch(int fd, WaitQueue& queue);
  // No notification once this has returned.
  void Forget(uint64_t token);

 private:
  struct Watched {
    int fd;
    WaitQueue* queue;
  };
  Status StartLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run(int epoll);

  absl::Mutex mutex_;
  FileDescriptor epoll_ ABSL_GUARDED_BY(mutex_);
  FileDescriptor stop_ ABSL_GUARDED_BY(mutex_);  // an eventfd
  absl::flat_hash_map<uint64_t, Watched> watched_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_token_ ABSL_GUARDED_BY(mutex_) = 1;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_HOST_HOST_POLLER_H_
