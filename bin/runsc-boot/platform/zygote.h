// The zygote: the process of ours from which every process of the container
// that has no parent there is made, init and those that the controller starts
// later.
//
// It has the stubs' filter, whose listener all its descendants share, and runs
// no application code. It lies in boot's pid namespace; its children make up
// the container's, the first as pid 1.
#ifndef RUNSC_BOOT_PLATFORM_ZYGOTE_H_
#define RUNSC_BOOT_PLATFORM_ZYGOTE_H_

#include <linux/filter.h>
#include <sys/types.h>

#include <vector>

#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/platform/stub/abi.h"
#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::boot::platform {

// The stub's image as an executable, read-only memory file.
Result<FileDescriptor> CreateStubImage();

class Zygote {
 public:
  // Starts it in an empty root, as `uid` and `gid` without capabilities, in a
  // session of its own, without descriptors. It has installed `filter` and
  // waits when this returns. It dies with the calling thread, and its children
  // with it.
  static Result<Zygote> Launch(int image_fd, const std::vector<sock_filter>& filter, uid_t uid,
                               gid_t gid);
  Zygote(Zygote&& other) noexcept;
  Zygote& operator=(Zygote&&) = delete;
  ~Zygote();

  pid_t host_pid() const { return host_pid_; }
  // The notification listener; before the first Spawn. EPERM: boot may not
  // trace the zygote (it needs its uid, or CAP_SYS_PTRACE).
  Result<FileDescriptor> TakeListener();
  // Makes a process, which reports to the listener by kSysEnter with `token`.
  // Its pid as boot sees it. EAGAIN: there are too many; ENOMEM: the
  // container's init has ended; ESRCH, ETIMEDOUT: so has the zygote.
  Result<pid_t> Spawn(uint32_t token) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  Zygote(pid_t host_pid, FileDescriptor pidfd, stub::Bootstrap* page)
      : host_pid_(host_pid), pidfd_(std::move(pidfd)), page_(page) {}

  pid_t host_pid_ = 0;
  FileDescriptor pidfd_;
  stub::Bootstrap* page_ = nullptr;
  absl::Mutex mutex_;  // one request at a time
};

}  // namespace runsc::boot::platform

#endif  // RUNSC_BOOT_PLATFORM_ZYGOTE_H_
