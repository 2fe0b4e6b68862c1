// What a task has asked for by sched_setscheduler(2), sched_setaffinity(2),
// setpriority(2) and ioprio_set(2). The host schedules all alike, but for the
// affinity; the rest is kept to be reported and inherited as on Linux.
#ifndef RUNSC_BOOT_KERNEL_SCHEDULING_H_
#define RUNSC_BOOT_KERNEL_SCHEDULING_H_

#include <sched.h>

#include <cstdint>
#include <vector>

namespace runsc::boot {

struct Scheduling {
  int policy = SCHED_OTHER;
  int priority = 0;  // of SCHED_FIFO and SCHED_RR
  int nice = 0;
  bool reset_on_fork = false;
  int io_priority = 0;            // as ioprio_get(2) returns it
  std::vector<uint8_t> affinity;  // a bit for each processor; empty: all

  // What a child starts with: sched(7), "The reset-on-fork flag".
  Scheduling ForChild() const;
};

inline Scheduling Scheduling::ForChild() const {
  Scheduling child = *this;
  if (!reset_on_fork) return child;
  child.reset_on_fork = false;
  if (policy == SCHED_FIFO || policy == SCHED_RR) {
    child.policy = SCHED_OTHER;
    child.priority = child.nice = 0;
  }
  if (child.nice < 0) child.nice = 0;
  return child;
}

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_SCHEDULING_H_
