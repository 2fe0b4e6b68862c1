// Timers of a process that send signals: setitimer(2), timer_create(2).
#ifndef RUNSC_BOOT_KERNEL_PROCESS_TIMERS_H_
#define RUNSC_BOOT_KERNEL_PROCESS_TIMERS_H_

#include <sys/time.h>

#include <array>
#include <csignal>
#include <ctime>
#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/kernel/timer.h"
#include "common/result.h"

namespace runsc::boot {

// Thread-safe. Its mutex comes before the group's signal mutex.
class ProcessTimers {
 public:
  ProcessTimers(ThreadGroup& group, TimerQueue& queue) : group_(group), queue_(queue) {}
  ~ProcessTimers();

  Result<itimerval> SetInterval(int which, const itimerval& value);
  Result<itimerval> GetInterval(int which) const;
  Result<int> Create(Task& caller, clockid_t clock, const sigevent& event);
  Result<itimerspec> Set(int id, bool absolute, const itimerspec& value);
  Result<itimerspec> Get(int id) const;
  Result<int> Overrun(int id) const;
  Status Delete(int id);
  // exec(2) deletes timer_create's timers and keeps setitimer's.
  void DeletePosixTimers();
  // The process has ended.
  void DisarmAll();

 private:
  // A deadline with a period, on a clock that runs with CLOCK_MONOTONIC or with
  // the CPU time of the process.
  struct State {
    int64_t deadline_ns = 0;  // of its clock; 0: disarmed
    int64_t interval_ns = 0;
  };
  struct Interval {
    State state;
    std::unique_ptr<Timer> timer;
  };
  struct Posix {
    State state;
    clockid_t clock = CLOCK_MONOTONIC;
    sigevent event{};
    std::weak_ptr<Task> target;  // SIGEV_THREAD_ID
    int overrun = 0;             // since the last signal
    int last_overrun = 0;        // of the last signal
    std::shared_ptr<Timer> timer;
  };

  void OnInterval(int which);
  void OnPosix(int id);
  // Nanoseconds of the clock that `which` of setitimer(2) counts.
  int64_t IntervalNow(int which) const;
  // Arms the host timer for the deadline of `interval`.
  void Arm(int which, Interval& interval) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  itimerval IntervalValue(int which) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ArmPosix(Posix& posix) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  ThreadGroup& group_;
  TimerQueue& queue_;
  mutable absl::Mutex mutex_;
  std::array<Interval, 3> intervals_ ABSL_GUARDED_BY(mutex_);
  std::map<int, Posix> posix_ ABSL_GUARDED_BY(mutex_);
  int next_id_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_PROCESS_TIMERS_H_
