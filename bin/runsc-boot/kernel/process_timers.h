// Timers of a process that send signals: setitimer(2), RLIMIT_CPU, and those of
// timer_create(2).
#ifndef RUNSC_BOOT_KERNEL_PROCESS_TIMERS_H_
#define RUNSC_BOOT_KERNEL_PROCESS_TIMERS_H_

#include <sys/time.h>

#include <array>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/cpu_consumers.h"
#include "bin/runsc-boot/kernel/posix_timers.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/kernel/timer.h"
#include "common/result.h"

namespace runsc::boot {

// Thread-safe. Its mutex comes before the group's signal mutex.
class ProcessTimers {
 public:
  ProcessTimers(ThreadGroup& group, TimerQueue& queue)
      : group_(group), queue_(queue), consumers_(group), posix_(group, queue, consumers_) {}
  ~ProcessTimers();

  // EINVAL: no such timer, or an impossible value.
  Result<itimerval> SetInterval(int which, const itimerval& value);
  Result<itimerval> GetInterval(int which) const;
  // RLIMIT_CPU has been set or inherited: from its soft limit on SIGXCPU comes
  // each second, at its hard limit SIGKILL.
  void WatchCpuLimit();
  PosixTimers& posix() { return posix_; }
  // The process has ended.
  void DisarmAll();

 private:
  // A deadline with a period, on CLOCK_MONOTONIC or the CPU time of the process.
  struct Interval {
    int64_t deadline_ns = 0;  // of its clock; 0: disarmed
    int64_t interval_ns = 0;
    std::unique_ptr<Timer> timer;
  };

  void OnInterval(int which);
  void OnCpuLimit();
  // Nanoseconds of the clock that `which` of setitimer(2) counts.
  int64_t IntervalNow(int which) const;
  // Arms boot's timer for the deadline of `interval`, not before `earliest` ns
  // from now.
  void Arm(int which, Interval& interval, int64_t earliest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  itimerval IntervalValue(int which) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  ThreadGroup& group_;
  TimerQueue& queue_;
  mutable absl::Mutex mutex_;
  std::array<Interval, 3> intervals_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Timer> cpu_limit_ ABSL_GUARDED_BY(mutex_);
  CpuConsumers consumers_;
  PosixTimers posix_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_PROCESS_TIMERS_H_
