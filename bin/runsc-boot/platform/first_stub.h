// The first stub: pid 1 of the stubs' pid namespace, with the filter that all
// others inherit.
#ifndef RUNSC_BOOT_PLATFORM_FIRST_STUB_H_
#define RUNSC_BOOT_PLATFORM_FIRST_STUB_H_

#include <linux/filter.h>
#include <sys/types.h>

#include <vector>

#include "bin/runsc-boot/platform/stub/abi.h"
#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::boot::platform {

// The stub's image as an executable, read-only memory file.
Result<FileDescriptor> CreateStubImage();

class FirstStub {
 public:
  // Starts the stub in an empty root, as `uid` and `gid` without capabilities,
  // in a session of its own, without descriptors. It has installed `filter` and
  // waits when this returns. It dies with the calling thread.
  static Result<FirstStub> Launch(int image_fd, const std::vector<sock_filter>& filter, uid_t uid,
                                  gid_t gid);
  FirstStub(FirstStub&& other) noexcept;
  FirstStub& operator=(FirstStub&&) = delete;
  // Kills the stub if it has not been released.
  ~FirstStub();

  pid_t host_pid() const { return host_pid_; }
  // The notification listener, taken from the stub. EPERM: boot may not trace
  // it (it needs the stub's uid, or CAP_SYS_PTRACE).
  Result<FileDescriptor> TakeListener();
  // Lets it go on; returns its pidfd. The caller kills and reaps it.
  FileDescriptor Release();

 private:
  FirstStub(pid_t host_pid, FileDescriptor pidfd, stub::Bootstrap* page)
      : host_pid_(host_pid), pidfd_(std::move(pidfd)), page_(page) {}

  pid_t host_pid_ = 0;
  FileDescriptor pidfd_;
  stub::Bootstrap* page_ = nullptr;
};

}  // namespace runsc::boot::platform

#endif  // RUNSC_BOOT_PLATFORM_FIRST_STUB_H_
