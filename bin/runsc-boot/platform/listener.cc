#include "bin/runsc-boot/platform/listener.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace runsc::boot::platform {
namespace {

// Newer than Debian 12's headers.
constexpr unsigned long kSetFlags = SECCOMP_IOW(4, uint64_t);
constexpr uint64_t kSyncWakeUp = 1;

// Signals wake receivers; they must not end the other requests, which the host
// also lets them interrupt.
int Retry(int fd, unsigned long request, void* argument) {
  for (;;) {
    int result = ioctl(fd, request, argument);
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace

void Listener::PreferSynchronousWakeUp() { (void)ioctl(fd_.get(), kSetFlags, kSyncWakeUp); }

Result<Notification> Listener::Receive() {
  seccomp_notif request{};
  if (ioctl(fd_.get(), SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) return Error(errno);
  Notification notification;
  notification.id = request.id;
  notification.host_tid = static_cast<pid_t>(request.pid);
  notification.call.number = static_cast<uint32_t>(request.data.nr);
  notification.call.instruction_pointer = request.data.instruction_pointer;
  std::copy(std::begin(request.data.args), std::end(request.data.args),
            notification.call.args.begin());
  return notification;
}

bool Listener::Answer(uint64_t id, int64_t value) {
  seccomp_notif_resp response{};
  response.id = id;
  response.val = value;
  return Retry(fd_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response) == 0;
}

bool Listener::Continue(uint64_t id) {
  seccomp_notif_resp response{};
  response.id = id;
  response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  return Retry(fd_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response) == 0;
}

bool Listener::StillValid(uint64_t id) {
  return Retry(fd_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

Status Listener::InstallFd(uint64_t id, int host_fd, int fd) {
  seccomp_notif_addfd request{};
  request.id = id;
  request.flags = SECCOMP_ADDFD_FLAG_SETFD;
  request.srcfd = static_cast<uint32_t>(host_fd);
  request.newfd = static_cast<uint32_t>(fd);
  request.newfd_flags = O_CLOEXEC;
  if (Retry(fd_.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &request) < 0) return Error(errno);
  return Ok();
}

}  // namespace runsc::boot::platform
