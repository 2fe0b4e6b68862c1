#include "bin/runsc-create/privileges.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/capabilities.h"
#include "common/seccomp.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace runsc::create {
namespace {

constexpr CapabilityMask kWaitingCapabilities = CapabilityMaskOf({CAP_KILL, CAP_DAC_OVERRIDE});

void AllowWaiting(FilterBuilder& filter) {
  filter.Allow(SYS_poll, "wait for boot's end and for signals")
      .Allow(SYS_read,
             "signals that have arrived, what is typed and shown, state files, /proc/PID/stat")
      .Allow(SYS_sendmsg, {Arg(2).IsInt(MSG_NOSIGNAL)}, "forward a signal to boot")
      .Allow(SYS_recvmsg, "boot's answer")
      .Allow(SYS_waitid, {Arg(0).IsInt(P_PIDFD)}, "how boot and the gofer ended")
      .Allow(SYS_write, "log, error messages, the terminals of container and caller")
      .Allow(SYS_ioctl, {Arg(1).IsInt(TIOCGWINSZ)}, "size of the caller's terminal")
      .Allow(SYS_ioctl, {Arg(1).IsInt(TIOCSWINSZ)}, "size of the container's terminal")
      .Allow(SYS_ioctl, {Arg(1).IsInt(TCSETSW)}, "the caller's terminal as it was")
      .Allow(SYS_ioctl, {Arg(1).IsInt(TCGETS)}, "whether the C library could restore it");
}

void AllowCleaningUp(FilterBuilder& filter) {
  constexpr uint64_t kChanges = O_ACCMODE | O_CREAT | O_TRUNC;
  filter.Allow(SYS_openat, {Arg(2).MaskedIs(kChanges, O_RDONLY)}, "the state, /proc/PID/stat")
      .Allow(SYS_open, {Arg(1).MaskedIs(kChanges, O_RDONLY)}, "the state, /proc/PID/stat")
      .Allow(SYS_close, "let a descriptor go")
      .Allow(SYS_fcntl, {Arg(1).IsInt(F_GETFL)}, "list the state directory")
      .Allow(SYS_fcntl, {Arg(1).IsInt(F_SETFD)}, "list the state directory")
      .Allow(SYS_fstat, "whether the state directory is still the same")
      .Allow(SYS_stat, "whether the state directory is still the same")
      .Allow(SYS_newfstatat, "whether the state directory is still the same")
      .Allow(SYS_flock, "the container's lock")
      .Allow(SYS_getdents64, "list the state directory")
      .Allow(SYS_unlinkat, "remove the state")
      .Allow(SYS_rmdir, "remove the state directory and the cgroups")
      .Allow(SYS_pidfd_open, "hold a process before it is killed")
      .Allow(SYS_pidfd_send_signal, {Arg(1).IsInt(SIGKILL)}, "end boot and the gofer");
}

void AllowRunning(FilterBuilder& filter) {
  filter
      .Allow(
          SYS_mmap,
          {Arg(2).HasOnly(PROT_READ | PROT_WRITE), Arg(3).MaskedIs(MAP_ANONYMOUS, MAP_ANONYMOUS)},
          "memory")
      .Allow(SYS_munmap, "memory")
      .Allow(SYS_mremap, "memory")
      .Allow(SYS_madvise, "memory")
      .Allow(SYS_brk, "memory")
      .Allow(SYS_futex, "locks")
      .Allow(SYS_clock_gettime, "times, where the vDSO has no clock")
      .Allow(SYS_clock_nanosleep, "pause while the host lets go of a cgroup")
      .Allow(SYS_nanosleep, "pause while the host lets go of a cgroup")
      .Allow(SYS_getrandom, "seed of the allocator")
      .Allow(SYS_getpid, "log, abort")
      .Allow(SYS_gettid, "log, abort")
      .Allow(SYS_rt_sigprocmask, "abort")
      .Allow(SYS_rt_sigaction, "abort")
      .Allow(SYS_rt_sigreturn, "return from a signal")
      .Allow(SYS_tgkill, "abort")
      .Allow(SYS_restart_syscall, "go on after the process was stopped")
      .Allow(SYS_exit_group, "the end");
}

FilterBuilder WaitingFilter() {
  FilterBuilder filter;
  AllowWaiting(filter);
  AllowCleaningUp(filter);
  AllowRunning(filter);
  return filter;
}

}  // namespace

Status DropPrivilegesToWait() {
  // A caller without privileges has none to drop.
  if (geteuid() == 0) TRY(KeepOnlyCapabilities(kWaitingCapabilities));
  return WaitingFilter().Install();
}

std::string DescribePrivileges() {
  return absl::StrCat(
      "uid: the caller's\n"
      "namespaces: the caller's\n"
      "root directory: the caller's\n"
      "capabilities while a container is set up or deleted: the caller's, passed on to hooks\n"
      "capabilities while `run` and `exec` wait: ",
      DescribeCapabilities(kWaitingCapabilities),
      "\nno_new_privs while they wait: yes\n"
      "system calls while they wait (others kill the process):\n",
      WaitingFilter().Describe());
}

}  // namespace runsc::create
