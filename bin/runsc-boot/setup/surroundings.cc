#include "bin/runsc-boot/setup/surroundings.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "common/file_descriptor.h"

namespace runsc::boot::setup {
namespace {

// Every host has it, and its content is not needed any more.
constexpr char kNewRoot[] = "/proc";
constexpr char kNewProc[] = "/proc/proc";

}  // namespace

Status EnterEmptyRoot() {
  // Before anything else: no mount of ours may appear on the host.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return ErrnoError("make mounts private");
  }
  const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (mount("none", kNewRoot, "tmpfs", flags, "mode=555,size=4k") != 0) {
    return ErrnoError("mount the empty root");
  }
  if (mkdir(kNewProc, 0555) != 0) return ErrnoError("make /proc in the empty root");
  if (mount("proc", kNewProc, "proc", flags | MS_RDONLY, nullptr) != 0) {
    return ErrnoError("mount /proc in the empty root");
  }
  if (mount(nullptr, kNewRoot, nullptr, MS_REMOUNT | MS_BIND | flags | MS_RDONLY, nullptr) != 0) {
    return ErrnoError("make the empty root read-only");
  }
  if (chdir(kNewRoot) != 0) return ErrnoError("change to the empty root");
  // The old root ends up on top of the new one, where it is taken off.
  if (syscall(SYS_pivot_root, ".", ".") != 0) return ErrnoError("pivot to the empty root");
  if (umount2(".", MNT_DETACH) != 0) return ErrnoError("detach the host's root");
  if (chdir("/") != 0) return ErrnoError("change to the root");
  return Ok();
}

Status JoinNetworkNamespace(int fd) {
  if (setns(fd, CLONE_NEWNET) != 0) return ErrnoError("join the network namespace");
  return Ok();
}

Status BringUpLoopback() {
  FileDescriptor socket_fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket_fd.valid()) return ErrnoError("create socket for the loopback interface");
  ifreq request = {};
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (ioctl(socket_fd.get(), SIOCSIFFLAGS, &request) != 0) {
    return ErrnoError("bring up the loopback interface");
  }
  return Ok();
}

}  // namespace runsc::boot::setup
