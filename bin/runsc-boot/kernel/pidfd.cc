#include "bin/runsc-boot/kernel/pidfd.h"

#include "bin/runsc-boot/kernel/kernel.h"

namespace runsc::boot {

PollEvents PidFd::Poll() {
  if (!target_->zombie()) return 0;
  const PollEvents ended = EPOLLIN | EPOLLRDNORM;
  // Its leader is kept until somebody has waited for it.
  return target_->leader() == nullptr ? ended | EPOLLHUP : ended;
}

WaitQueue* PidFd::wait_queue() { return &target_->exit_queue(); }

Result<Attributes> PidFd::GetAttributes() {
  Attributes attributes;
  attributes.mode = 0600;
  return attributes;
}

FileRef MakePidFd(ThreadGroupRef target, int flags) {
  return std::make_shared<PidFd>(std::move(target), flags);
}

Result<FileRef> Kernel::OpenPidFd(pid_t pid, int flags) {
  if (pid < 0) return Error(EINVAL);
  ThreadGroupRef group = FindGroup(pid);
  if (group == nullptr) return Error(FindTask(pid) != nullptr ? EINVAL : ESRCH);
  return MakePidFd(std::move(group), flags & O_NONBLOCK);
}

Result<ThreadGroupRef> Kernel::PidFdTarget(File& file) {
  auto* pidfd = dynamic_cast<PidFd*>(&file);
  if (pidfd == nullptr) return Error(EBADF);
  return pidfd->target();
}

}  // namespace runsc::boot
