// seccomp(2) of tasks: installing filters, and what their verdicts do.
#ifndef RUNSC_BOOT_KERNEL_SECCOMP_H_
#define RUNSC_BOOT_KERNEL_SECCOMP_H_

#include <linux/filter.h>

#include <memory>
#include <vector>

#include "bin/runsc-boot/kernel/seccomp_notifier.h"
#include "bin/runsc-boot/seccomp/filter.h"

namespace runsc::boot {

// SECCOMP_SET_MODE_STRICT or SECCOMP_SET_MODE_FILTER, everything copied in.
struct SeccompRequest {
  bool strict = false;
  std::vector<sock_filter> program;
  bool log = false;
  bool wait_killable = false;
  bool sync = false;        // SECCOMP_FILTER_FLAG_TSYNC
  bool sync_esrch = false;  // SECCOMP_FILTER_FLAG_TSYNC_ESRCH
  std::shared_ptr<SeccompNotifier> notifier;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_SECCOMP_H_
