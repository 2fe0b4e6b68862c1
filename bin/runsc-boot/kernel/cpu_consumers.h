// Whom the signals of a process's CPU timers are for.
//
// On Linux a thread's own tick finds such a timer expired, and the signal goes
// to that thread unless it blocks it. Profilers by setitimer(2) count on that:
// they take the handler's thread and place for what used up the time.
#ifndef RUNSC_BOOT_KERNEL_CPU_CONSUMERS_H_
#define RUNSC_BOOT_KERNEL_CPU_CONSUMERS_H_

#include <cstdint>
#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/task.h"

namespace runsc::boot {

// Thread-safe. Its mutex comes before the group's signal mutex. A look at the
// tasks costs three calls of the host for each, and none where there is one.
class CpuConsumers {
 public:
  explicit CpuConsumers(const ThreadGroup& group) : group_(group) {}

  // What has been consumed until now does not count.
  void Begin() ABSL_LOCKS_EXCLUDED(mutex_);
  // A task that has run since the last look; over time each as often as its
  // share of the CPU time says. Null: nobody in particular.
  TaskRef Pick() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Account {
    int64_t seen_ns = 0;    // CPU time at the last look
    int64_t credit_ns = 0;  // consumed, and not yet answered for by a pick
  };
  using Accounts = std::map<pid_t, Account>;
  // The accounts of the tasks that there are now, by their ids.
  Accounts Look(const std::vector<TaskRef>& tasks) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ThreadGroup& group_;
  absl::Mutex mutex_;
  Accounts accounts_ ABSL_GUARDED_BY(mutex_);
  pid_t picked_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_CPU_CONSUMERS_H_
