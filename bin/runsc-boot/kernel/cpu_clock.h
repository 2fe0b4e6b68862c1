// Clocks of CPU time: CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, and
// the ids that clock_getcpuclockid(3) makes of processes and threads.
#ifndef RUNSC_BOOT_KERNEL_CPU_CLOCK_H_
#define RUNSC_BOOT_KERNEL_CPU_CLOCK_H_

#include <cstdint>
#include <ctime>
#include <memory>

#include "bin/runsc-boot/kernel/task.h"
#include "common/result.h"

namespace runsc::boot {

class CpuClock {
 public:
  // By its number alone; the process may not exist.
  static bool IsCpuClock(clockid_t id);
  // EINVAL: not a CPU clock; no such process, or a thread of another one.
  static Result<CpuClock> Find(Task& caller, clockid_t id);
  // Nanoseconds consumed in the application so far; 0 once it has ended. Costs
  // a call of the host, for threads three.
  int64_t Now() const;

  // It counts the time of all of `group`.
  bool IsOfProcess(const ThreadGroup& group) const {
    return !of_thread_ && group_.lock().get() == &group;
  }
  // Whose time it counts; null: a process's, or it has ended.
  TaskRef thread() const { return task_.lock(); }

 private:
  std::weak_ptr<ThreadGroup> group_;
  std::weak_ptr<Task> task_;  // empty: the whole process
  bool of_thread_ = false;
  bool user_only_ = false;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_CPU_CLOCK_H_
