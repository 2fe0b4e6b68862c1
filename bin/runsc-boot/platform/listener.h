// The host's seccomp notification descriptor.
#ifndef RUNSC_BOOT_PLATFORM_LISTENER_H_
#define RUNSC_BOOT_PLATFORM_LISTENER_H_

#include <linux/seccomp.h>
#include <sys/types.h>

#include <cstdint>

#include "bin/runsc-boot/platform/platform.h"
#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::boot::platform {

struct Notification {
  uint64_t id = 0;
  pid_t host_tid = 0;
  SyscallInfo call;
};

// Thread-safe; one thread at a time should receive.
class Listener {
 public:
  explicit Listener(FileDescriptor fd) : fd_(std::move(fd)) {}

  // Lets the host run the answered thread on the answering CPU. Hosts before
  // 6.6 do not know it; that costs speed only.
  void PreferSynchronousWakeUp();

  // Waits for a notification. ENOENT: one came and was withdrawn, or no
  // thread is left that could send one. EINTR: a signal.
  Result<Notification> Receive();

  // False: the thread is gone.
  bool Answer(uint64_t id, int64_t value);
  bool Continue(uint64_t id);
  bool StillValid(uint64_t id);
  // Installs a copy of `host_fd` at number `fd` of the waiting process,
  // close-on-exec. ENOENT or ESRCH: the thread is gone.
  Status InstallFd(uint64_t id, int host_fd, int fd);

 private:
  FileDescriptor fd_;
};

}  // namespace runsc::boot::platform

#endif  // RUNSC_BOOT_PLATFORM_LISTENER_H_
