// POSIX timers of a process: timer_create(2) and friends.
#ifndef RUNSC_BOOT_KERNEL_POSIX_TIMERS_H_
#define RUNSC_BOOT_KERNEL_POSIX_TIMERS_H_

#include <csignal>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/cpu_clock.h"
#include "bin/runsc-boot/kernel/cpu_consumers.h"
#include "bin/runsc-boot/kernel/signal_quota.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/kernel/thread_group.h"
#include "bin/runsc-boot/kernel/timer.h"
#include "common/result.h"

namespace runsc::boot {

// Thread-safe. Its mutex comes before the group's signal mutex.
//
// As on Linux, a timer has at most one signal queued; what expires meanwhile is
// counted as overruns when the signal is taken, and only then does a periodic
// timer run on. So the shortest period costs no more than its handlers do.
class PosixTimers {
 public:
  PosixTimers(ThreadGroup& group, TimerQueue& queue, CpuConsumers& consumers)
      : group_(group), queue_(queue), consumers_(consumers) {}
  ~PosixTimers() { DisarmAll(); }

  // EINVAL: clock or event; EOPNOTSUPP: a clock without timers; EPERM: an alarm
  // clock without CAP_WAKE_ALARM; EAGAIN: RLIMIT_SIGPENDING. Without `event`,
  // SIGALRM that carries the id.
  Result<int> Create(Task& caller, clockid_t clock, const std::optional<sigevent>& event);
  // EINVAL: unknown id; also for the following ones.
  Result<itimerspec> Set(int id, bool absolute, const itimerspec& value, const TimeNamespace& time);
  Result<itimerspec> Get(int id) const;
  Result<int> Overrun(int id) const;
  Status Delete(int id);
  // The newest first.
  std::vector<PosixTimerInfo> List() const;
  void DeleteAll();
  // The process has ended.
  void DisarmAll();

  // To be asked, without the signal mutex, of each signal that has been taken
  // from a queue. False: its timer has been set anew or deleted; no signal.
  bool OnTaken(SigInfo& info);

 private:
  struct Timer {
    clockid_t clock = CLOCK_MONOTONIC;
    std::optional<CpuClock> cpu;
    sigevent event{};
    std::weak_ptr<Task> target;  // SIGEV_THREAD_ID
    int64_t deadline_ns = 0;     // the next expiry; 0: disarmed
    int64_t interval_ns = 0;
    bool queued = false;  // its signal is
    bool stale = false;   // ... from before it was set anew
    int overrun = 0;      // of the last signal taken
    std::optional<SignalQuota::Charge> charge;
    std::shared_ptr<boot::Timer> alarm;

    int64_t Now() const;
  };

  void OnExpiry(int id);
  // The signal of the timer at `now`; nothing: not yet, or none is to be sent.
  std::optional<SigInfo> Expire(int id, TaskRef* target) ABSL_LOCKS_EXCLUDED(mutex_);
  // Its signal is for one of those that consume its process's own time.
  bool CountsProcess(const Timer& timer) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Who gets the signal of a timer without SIGEV_THREAD_ID, if it wants it; null: anybody.
  TaskRef Preferred(int id) ABSL_LOCKS_EXCLUDED(mutex_);
  // Moves a periodic deadline beyond `now`; the number of periods skipped.
  static int64_t Forward(Timer& timer, int64_t now);
  bool IsQueued(const Timer& timer, int id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Arm(Timer& timer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  ThreadGroup& group_;
  TimerQueue& queue_;
  CpuConsumers& consumers_;
  mutable absl::Mutex mutex_;
  std::map<int, Timer> timers_ ABSL_GUARDED_BY(mutex_);
  int next_id_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_POSIX_TIMERS_H_
