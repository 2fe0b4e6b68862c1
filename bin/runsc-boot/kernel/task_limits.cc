// How many tasks there may be: RLIMIT_NPROC.
#include <linux/capability.h>

#include "bin/runsc-boot/kernel/kernel.h"

namespace runsc::boot {

bool Kernel::MayMakeTask(const Task& parent) {
  const rlim_t limit = parent.group().limit(RLIMIT_NPROC).rlim_cur;
  const CredentialsRef credentials = parent.credentials();
  if (limit == RLIM_INFINITY || credentials->ruid == 0 || credentials->Has(CAP_SYS_RESOURCE) ||
      credentials->Has(CAP_SYS_ADMIN)) {
    return true;
  }
  absl::MutexLock lock(&tree_mutex_);
  if (tasks_.size() < limit) return true;
  // Zombies count until they are waited for, as on Linux.
  rlim_t count = 0;
  for (const auto& [tid, task] : tasks_) count += task->credentials()->ruid == credentials->ruid;
  return count < limit;
}

}  // namespace runsc::boot
