// Descriptors of pidfd_open(2) and CLONE_PIDFD.
#ifndef RUNSC_BOOT_KERNEL_PIDFD_H_
#define RUNSC_BOOT_KERNEL_PIDFD_H_

#include "bin/runsc-boot/kernel/thread_group.h"
#include "bin/runsc-boot/vfs/file.h"

namespace runsc::boot {

class PidFd final : public File {
 public:
  PidFd(ThreadGroupRef target, int flags)
      : File(Path(), O_RDWR | flags), target_(std::move(target)) {}

  const ThreadGroupRef& target() const { return target_; }

  PollEvents Poll() override;
  WaitQueue* wait_queue() override;
  Result<Attributes> GetAttributes() override;
  std::string Describe() const override { return "anon_inode:[pidfd]"; }

 private:
  const ThreadGroupRef target_;
};

// `flags`: O_NONBLOCK or 0.
FileRef MakePidFd(ThreadGroupRef target, int flags);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_PIDFD_H_
