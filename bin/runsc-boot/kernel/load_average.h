// The load averages of proc_loadavg(5) and sysinfo(2): how many tasks run or
// want to, averaged over one, five and fifteen minutes, older samples weighing
// exponentially less, as on Linux.
#ifndef RUNSC_BOOT_KERNEL_LOAD_AVERAGE_H_
#define RUNSC_BOOT_KERNEL_LOAD_AVERAGE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/timer.h"

namespace runsc::boot {

class Kernel;
class Task;

// Thread-safe. Samples are taken every five seconds only while somebody reads
// the averages now and then and the sandbox is not idle: a sandbox that nobody
// asks pays nothing. What happened in a gap is told by the CPU time that was
// consumed in it, which leaves out who waited for a processor.
class LoadAverage {
 public:
  using Averages = std::array<double, 3>;

  explicit LoadAverage(Kernel& kernel);
  // `reader` runs only to ask, so it does not count; may be null.
  Averages Read(const Task* reader) ABSL_LOCKS_EXCLUDED(mutex_);
  // Tasks that run or want to, at this moment. Asks the host about each thread
  // that boot does not know to be blocked.
  size_t Running(const Task* reader) const;
  // CPU time of all processes since the start, those that were waited for
  // included.
  struct CpuTime {
    uint64_t user_ns = 0, system_ns = 0;
  };
  CpuTime TotalCpuTime() const;

 private:
  void OnTimer() ABSL_LOCKS_EXCLUDED(mutex_);
  // True: something ran since the last time.
  bool Update(const Task* reader) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Kernel& kernel_;
  absl::Mutex mutex_;  // before those of kernel.h
  Averages averages_ ABSL_GUARDED_BY(mutex_){};
  int64_t updated_ns_ ABSL_GUARDED_BY(mutex_);
  int64_t read_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t cpu_ns_ ABSL_GUARDED_BY(mutex_) = 0;  // consumed until updated_ns_
  bool sampling_ ABSL_GUARDED_BY(mutex_) = false;
  Timer timer_;  // last, so that it ends first
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_LOAD_AVERAGE_H_
