// Learns of the end of host processes by their pidfds.
#ifndef RUNSC_BOOT_PLATFORM_REAPER_H_
#define RUNSC_BOOT_PLATFORM_REAPER_H_

#include <functional>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/platform/host_process.h"
#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::boot::platform {

class Reaper {
 public:
  using OnEnd = std::function<void(const std::shared_ptr<StubProcess>&)>;
  explicit Reaper(OnEnd on_end) : on_end_(std::move(on_end)) {}
  ~Reaper() { Stop(); }

  Status Start();
  // Calls OnEnd once, on the reaper's thread, after `process` has ended.
  Status Watch(std::shared_ptr<StubProcess> process);
  void Stop();

 private:
  void Main();

  const OnEnd on_end_;
  FileDescriptor epoll_;
  FileDescriptor stop_;
  std::thread thread_;
  absl::Mutex mutex_;
  absl::flat_hash_map<int, std::shared_ptr<StubProcess>> watched_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot::platform

#endif  // RUNSC_BOOT_PLATFORM_REAPER_H_
