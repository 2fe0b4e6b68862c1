// Learns of the end of host processes by their pidfds.
#ifndef RUNSC_BOOT_PLATFORM_REAPER_H_
#define RUNSC_BOOT_PLATFORM_REAPER_H_

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

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
  // Runs `action` after a second. Only from OnEnd.
  void RunLater(std::function<void()> action);

 private:
  void Main();

  using Clock = std::chrono::steady_clock;
  void RunDue();

  const OnEnd on_end_;
  // The reaper's thread's own, in the order of their times.
  std::deque<std::pair<Clock::time_point, std::function<void()>>> later_;
  FileDescriptor epoll_;
  FileDescriptor stop_;
  std::thread thread_;
  absl::Mutex mutex_;
  absl::flat_hash_map<int, std::shared_ptr<StubProcess>> watched_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot::platform

#endif  // RUNSC_BOOT_PLATFORM_REAPER_H_
