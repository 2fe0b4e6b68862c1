#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "bin/runsc-boot/setup/privileges.h"

// Newer than Debian 12's headers.
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

namespace runsc::boot::setup {
namespace {

// Boot's own memory is never executable.
void AllowMemory(FilterBuilder& filter) {
  filter
      .Allow(SYS_mmap, {Arg(2).HasOnly(PROT_READ | PROT_WRITE)},
             "own memory, and pages shared with stubs")
      .Allow(SYS_mprotect, {Arg(2).HasOnly(PROT_READ | PROT_WRITE)}, "thread stacks")
      .Allow(SYS_munmap, "own memory")
      .Allow(SYS_mremap, "own memory")
      .Allow(SYS_madvise, "give memory back")
      .Allow(SYS_brk, "own memory")
      .Allow(SYS_sysinfo, "half of the memory is the size of a tmpfs")
      .Allow(SYS_memfd_create, "memory of tmpfs files and pages shared with stubs");
}

void AllowThreads(FilterBuilder& filter) {
  constexpr uint64_t kThreadFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
                                    CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
                                    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  filter.Refuse(SYS_clone3, ENOSYS, "its flags cannot be checked; libc falls back to clone")
      .Allow(SYS_clone, {Arg(0).Is(kThreadFlags)}, "a thread, never a process")
      .Allow(SYS_set_robust_list, "start of a thread")
      .Allow(SYS_rseq, "start of a thread")
      .Allow(SYS_rt_sigprocmask, "start and end of a thread")
      .Allow(SYS_rt_sigaction, "abort, and signals that interrupt a wait")
      .Allow(SYS_rt_sigreturn, "return from a signal")
      .Allow(SYS_sigaltstack, "end of a thread")
      .Allow(SYS_futex, "locks, and wake-ups of stubs on shared pages")
      .Allow(SYS_sched_yield, "locks")
      .Allow(SYS_sched_getaffinity, "how many processors there are")
      .Allow(SYS_sched_getscheduler, "locks: order of those who wait")
      .Allow(SYS_sched_getparam, "locks: order of those who wait")
      .Allow(SYS_sched_setaffinity, "keep a worker near its stub")
      .Allow(SYS_sched_setscheduler, {Arg(1).IsInt(SCHED_IDLE)}, "pollers give way to everybody")
      .Allow(SYS_gettid, "locks, log")
      .Allow(SYS_getpid, "log, abort")
      .Allow(SYS_exit, "end of a thread")
      .Allow(SYS_exit_group, "end of the sandbox")
      .Allow(SYS_restart_syscall, "go on after the process was stopped")
      .Allow(SYS_prctl, {Arg(0).IsInt(PR_SET_NAME)}, "names of threads")
      .Allow(SYS_prctl, {Arg(0).IsInt(PR_SET_TIMERSLACK)}, "exact timers")
      .Allow(SYS_getrandom, "hash seeds, and the container's random numbers");
}

void AllowTime(FilterBuilder& filter) {
  filter.Allow(SYS_clock_gettime, "clocks that the vDSO does not serve")
      .Allow(SYS_clock_getres, "resolution of clocks")
      .Allow(SYS_nanosleep, "locks")
      .Allow(SYS_clock_nanosleep, "timers of the container")
      .Allow(SYS_timerfd_create, "timers of the container")
      .Allow(SYS_timerfd_settime, "timers of the container");
}

// Everything about stubs goes through the listener, pidfds and thread ids of
// boot's pid namespace, in which there is nobody else.
void AllowStubs(FilterBuilder& filter) {
  for (unsigned long request :
       {SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND, SECCOMP_IOCTL_NOTIF_ID_VALID,
        SECCOMP_IOCTL_NOTIF_ADDFD, SECCOMP_IOCTL_NOTIF_SET_FLAGS}) {
    filter.Allow(SYS_ioctl, {Arg(1).MaskedIs(0xffffffff, request)}, "system calls of stubs");
  }
  filter
      .Allow(SYS_ioctl, {Arg(1).MaskedIs(0xffffffff, _IOR(0xb7, 0x8, int))},
             "a stub's thread id in its own namespace")
      .Allow(SYS_process_vm_readv, "read the application's memory")
      .Allow(SYS_process_vm_writev, "write the application's memory")
      .Allow(SYS_pidfd_open, "hold a stub")
      .Allow(SYS_pidfd_getfd, "take the notification listener from the zygote")
      .Allow(SYS_pidfd_send_signal, "end a stub")
      .Allow(SYS_tgkill, "interrupt a thread of a stub, abort")
      .Allow(SYS_kill, "stop and end stubs")
      .Allow(SYS_waitid, "how a stub ended")
      .Allow(SYS_wait4, "how a stub ended")
      .Allow(SYS_prlimit64, "limits of boot itself, as it was started with")
      .Allow(SYS_getrusage, "processor time of the sandbox")
      .Allow(SYS_sysinfo, "how much memory a tmpfs may take");
}

void AllowFiles(FilterBuilder& filter) {
  filter.Allow(SYS_openat, "read-only /proc of its own pid namespace, the only files there are")
      .Allow(SYS_readlinkat, "the same")
      .Allow(SYS_readlink, "the same")
      .Allow(SYS_getdents64, "the same")
      .Allow(SYS_read, "donated descriptors")
      .Allow(SYS_readv, "donated descriptors")
      .Allow(SYS_pread64, "donated descriptors")
      .Allow(SYS_preadv, "donated descriptors")
      .Allow(SYS_preadv2, "donated descriptors")
      .Allow(SYS_write, "donated descriptors, log")
      .Allow(SYS_writev, "donated descriptors, log")
      .Allow(SYS_pwrite64, "donated descriptors")
      .Allow(SYS_pwritev, "donated descriptors")
      .Allow(SYS_pwritev2, "donated descriptors")
      .Allow(SYS_lseek, "donated descriptors: holes, and offsets of terminals and files")
      .Allow(SYS_fstat, "donated descriptors")
      .Allow(SYS_newfstatat, {Arg(3).MaskedIs(AT_EMPTY_PATH, AT_EMPTY_PATH)},
             "fstat, as libc makes it")
      .Allow(SYS_statx, {Arg(2).MaskedIs(AT_EMPTY_PATH, AT_EMPTY_PATH)},
             "attributes of donated descriptors")
      .Allow(SYS_fstatfs, "donated descriptors")
      .Allow(SYS_ftruncate, "donated descriptors, memory of tmpfs files")
      .Allow(SYS_fallocate, "donated descriptors, memory of tmpfs files")
      .Allow(SYS_fsync, "donated descriptors")
      .Allow(SYS_fdatasync, "donated descriptors")
      .Allow(SYS_sync_file_range, "donated descriptors")
      .Allow(SYS_fadvise64, "donated descriptors")
      .Allow(SYS_copy_file_range, "donated descriptors")
      .Allow(SYS_sendfile, "donated descriptors")
      .Allow(SYS_splice, "donated descriptors")
      .Allow(SYS_close, "let a descriptor go")
      .Allow(SYS_dup, "hold a descriptor twice")
      .Allow(SYS_fcntl, {Arg(1).IsInt(F_DUPFD_CLOEXEC)}, "hold a descriptor twice")
      .Allow(SYS_fcntl, {Arg(1).IsInt(F_GETFL)}, "access mode of a donated descriptor")
      .Allow(SYS_fcntl, {Arg(1).IsInt(F_SETFL)}, "non-blocking use of a donated descriptor")
      .Allow(SYS_fcntl, {Arg(1).IsInt(F_GETFD)}, "whether a descriptor is open")
      .Allow(SYS_fcntl, {Arg(1).IsInt(F_SETFD)}, "close-on-exec, as libc sets it")
      .Allow(SYS_fcntl, {Arg(1).IsInt(F_ADD_SEALS)}, "memory of the container's memfds")
      .Allow(SYS_fcntl, {Arg(1).IsInt(F_GETPIPE_SZ)}, "the container's standard streams")
      .Allow(SYS_flock, "locks on donated descriptors, shared with the host");
}

void AllowWaiting(FilterBuilder& filter) {
  filter.Allow(SYS_poll, "wait for descriptors")
      .Allow(SYS_ppoll, "wait for descriptors")
      .Allow(SYS_epoll_create1, "wait for descriptors")
      .Allow(SYS_epoll_ctl, "wait for descriptors")
      .Allow(SYS_epoll_wait, "wait for descriptors")
      .Allow(SYS_epoll_pwait, "wait for descriptors")
      .Allow(SYS_eventfd2, "wake a thread that waits for descriptors")
      .Allow(SYS_pipe2, "wake a thread that waits for descriptors");
}

// The container's standard streams may be a terminal of the host.
void AllowTerminals(FilterBuilder& filter) {
  for (unsigned long request :
       {TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ, TIOCSWINSZ, TIOCGPGRP, TIOCSPGRP, TIOCGSID,
        FIONREAD, FIONBIO, TIOCOUTQ, TCSBRK, TCFLSH, TCXONC}) {
    filter.Allow(SYS_ioctl, {Arg(1).MaskedIs(0xffffffff, request)}, "standard streams");
  }
}

void AllowConnections(FilterBuilder& filter) {
  filter.Allow(SYS_sendmsg, "the gofer and the controller's commands")
      .Allow(SYS_recvmsg, "the gofer and the controller's commands")
      .Allow(SYS_accept4, "commands of the controller")
      .Allow(SYS_getsockopt, {Arg(1).IsInt(SOL_SOCKET)}, "who sends a command, kind of a stream")
      .Allow(SYS_setsockopt, {Arg(1).IsInt(SOL_SOCKET)}, "time limits of connections")
      .Allow(SYS_getsockname, "kind of a standard stream")
      .Allow(SYS_sendto, {Arg(4).Is(0)}, "a standard stream that is a socket")
      .Allow(SYS_recvfrom, {Arg(4).Is(0)}, "a standard stream that is a socket")
      .Allow(SYS_shutdown, "end a connection")
      .Allow(SYS_socketpair, {Arg(0).Is(AF_UNIX)}, "connections inside the sandbox");
}

void AllowHostNetwork(FilterBuilder& filter) {
  for (int family : {AF_INET, AF_INET6}) {
    filter.Allow(SYS_socket, {Arg(0).Is(static_cast<uint64_t>(family))},
                 "a socket in the container's network namespace");
  }
  filter.Allow(SYS_socket, {Arg(0).Is(AF_NETLINK)}, "interfaces and routes of the namespace")
      .Allow(SYS_bind, "host sockets")
      .Allow(SYS_connect, "host sockets")
      .Allow(SYS_listen, "host sockets")
      .Allow(SYS_accept, "host sockets")
      .Allow(SYS_getpeername, "host sockets")
      .Allow(SYS_sendto, "host sockets")
      .Allow(SYS_recvfrom, "host sockets")
      .Allow(SYS_sendmmsg, "host sockets")
      .Allow(SYS_recvmmsg, "host sockets")
      .Allow(SYS_getsockopt, "host sockets")
      .Allow(SYS_setsockopt, "host sockets");
}

}  // namespace

FilterBuilder BootFilter(const FilterOptions& options) {
  FilterBuilder filter;
  AllowStubs(filter);
  AllowThreads(filter);
  AllowMemory(filter);
  AllowFiles(filter);
  AllowWaiting(filter);
  AllowTime(filter);
  AllowConnections(filter);
  AllowTerminals(filter);
  if (options.host_network) AllowHostNetwork(filter);
  return filter;
}

}  // namespace runsc::boot::setup
