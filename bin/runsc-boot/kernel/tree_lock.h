// Holds the kernel's tree mutex for an event that leads to signals, such as the
// end of a child. The signals are pending before the mutex is given up: nobody
// may see the event (wait(2)) who has not got the signal.
#ifndef RUNSC_BOOT_KERNEL_TREE_LOCK_H_
#define RUNSC_BOOT_KERNEL_TREE_LOCK_H_

#include "absl/base/thread_annotations.h"
#include "bin/runsc-boot/kernel/kernel.h"

namespace runsc::boot {

class ABSL_SCOPED_LOCKABLE Kernel::TreeLock {
 public:
  explicit TreeLock(Kernel& kernel) ABSL_EXCLUSIVE_LOCK_FUNCTION(kernel.tree_mutex_);
  ~TreeLock() ABSL_UNLOCK_FUNCTION();
  TreeLock(const TreeLock&) = delete;
  TreeLock& operator=(const TreeLock&) = delete;

  // Those to be sent.
  DeferredSignals& signals() { return signals_; }

 private:
  Kernel& kernel_;
  DeferredSignals signals_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_TREE_LOCK_H_
