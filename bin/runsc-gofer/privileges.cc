#include "bin/runsc-gofer/privileges.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "absl/strings/str_cat.h"

namespace runsc::gofer {
namespace {

void AllowTree(FilterBuilder& filter, const TreeOptions& options) {
  filter.Allow(SYS_openat, "hold a file, open it for the client, make a regular file")
      .Allow(SYS_close, "let a file go")
      .Allow(SYS_statx, "attributes")
      .Allow(SYS_readlinkat, "target of a held symbolic link")
      .Allow(SYS_fstatfs, "statfs of the tree")
      .Allow(SYS_getdents64, "read a directory")
      .Allow(SYS_lseek, "go on in a directory")
      .Allow(SYS_ftruncate, "change a size")
      .Allow(SYS_fchownat, {Arg(4).IsInt(AT_EMPTY_PATH)}, "change the owner of a held file")
      .Allow(SYS_fchmodat, "change the mode of a held file")
      .Allow(SYS_utimensat, {Arg(3).IsInt(AT_EMPTY_PATH)}, "change the times of a held file")
      .Allow(SYS_mkdirat, "make a directory")
      .Allow(SYS_symlinkat, "make a symbolic link")
      .Allow(SYS_linkat, {Arg(4).IsInt(AT_SYMLINK_FOLLOW)}, "a further name for a held file")
      .Allow(SYS_unlinkat, "remove a name")
      .Allow(SYS_renameat2, {Arg(4).HasOnly(RENAME_NOREPLACE | RENAME_EXCHANGE)}, "rename")
      .Allow(SYS_fsync, "write a file back")
      .Allow(SYS_fdatasync, "write a file's data back");
  if (options.device_nodes) {
    filter.Allow(SYS_mknodat, "make a device node, FIFO or socket");
  } else {
    filter.Allow(SYS_mknodat, {Arg(2).MaskedIs(S_IFMT, S_IFIFO)}, "make a FIFO")
        .Allow(SYS_mknodat, {Arg(2).MaskedIs(S_IFMT, S_IFSOCK)}, "make a socket's name")
        .Allow(SYS_mknodat, {Arg(2).MaskedIs(S_IFMT, S_IFCHR), Arg(3).Is(0)},
               "make a whiteout of an overlay");
  }
  if (options.xattrs) {
    filter.Allow(SYS_fgetxattr, "read an extended attribute")
        .Allow(SYS_fsetxattr, "change an extended attribute")
        .Allow(SYS_flistxattr, "list extended attributes")
        .Allow(SYS_fremovexattr, "remove an extended attribute");
  }
  if (options.host_sockets) {
    filter.Allow(SYS_socket, {Arg(0).Is(AF_UNIX)}, "a socket to hand over")
        .Allow(SYS_connect, "connect it to a host's socket");
  }
}

void AllowConnections(FilterBuilder& filter) {
  filter.Allow(SYS_recvmsg, "take a request")
      .Allow(SYS_sendmsg, {Arg(2).IsInt(MSG_NOSIGNAL)}, "send a reply")
      .Allow(SYS_socketpair, {Arg(0).Is(AF_UNIX), Arg(1).Is(SOCK_SEQPACKET | SOCK_CLOEXEC)},
             "one more connection for the client")
      .Allow(SYS_shutdown, "end a connection that broke the rules")
      .Allow(SYS_write, "the log");
}

void AllowThreads(FilterBuilder& filter) {
  constexpr uint64_t kThreadFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
                                    CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
                                    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  filter.Refuse(SYS_clone3, ENOSYS, "its flags cannot be checked; libc falls back to clone")
      .Allow(SYS_clone, {Arg(0).Is(kThreadFlags)}, "a thread for a connection")
      .Allow(SYS_set_robust_list, "start of a thread")
      .Allow(SYS_rseq, "start of a thread")
      .Allow(SYS_rt_sigprocmask, "start and end of a thread")
      .Allow(SYS_futex, "locks")
      .Allow(SYS_sched_yield, "locks")
      .Allow(SYS_nanosleep, "locks")
      .Allow(SYS_sched_getaffinity, "locks: whether spinning can help")
      .Allow(SYS_sched_getscheduler, "locks: order of those who wait")
      .Allow(SYS_sched_getparam, "locks: order of those who wait")
      .Allow(SYS_clock_nanosleep, "locks")
      .Allow(SYS_gettid, "locks, log")
      .Allow(SYS_getpid, "log, abort")
      .Allow(SYS_clock_gettime, "log, where the vDSO has no clock")
      .Allow(SYS_getrandom, "seed of hash tables and the allocator")
      .Allow(SYS_exit, "end of a thread")
      .Allow(SYS_exit_group, "end of the process")
      .Allow(SYS_restart_syscall, "go on after the process was stopped")
      .Allow(SYS_rt_sigreturn, "return from a signal")
      .Allow(SYS_rt_sigaction, "abort")
      .Allow(SYS_tgkill, {Arg(0).Is(1)}, "abort");
}

void AllowMemory(FilterBuilder& filter) {
  filter
      .Allow(
          SYS_mmap,
          {Arg(2).HasOnly(PROT_READ | PROT_WRITE), Arg(3).MaskedIs(MAP_ANONYMOUS, MAP_ANONYMOUS)},
          "memory")
      .Allow(SYS_mprotect, {Arg(2).HasOnly(PROT_READ | PROT_WRITE)}, "memory")
      .Allow(SYS_munmap, "memory")
      .Allow(SYS_mremap, "memory")
      .Allow(SYS_madvise, "memory")
      .Allow(SYS_brk, "memory");
}

}  // namespace

CapabilityMask ServingCapabilities(const TreeOptions& options) {
  CapabilityMask mask =
      CapabilityMaskOf({CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID});
  // For "security.capability", the only attribute that takes a right.
  if (options.xattrs) mask |= CapabilityMaskOf({CAP_SETFCAP});
  if (options.device_nodes) mask |= CapabilityMaskOf({CAP_MKNOD});
  return mask;
}

FilterBuilder ServingFilter(const TreeOptions& options) {
  FilterBuilder filter;
  AllowTree(filter, options);
  AllowConnections(filter);
  AllowThreads(filter);
  AllowMemory(filter);
  return filter;
}

Status DropPrivileges(const TreeOptions& options) {
  TRY(KeepOnlyCapabilities(ServingCapabilities(options)));
  return ServingFilter(options).Install();
}

std::string DescribePrivileges() {
  TreeOptions none, all;
  all.host_sockets = all.xattrs = all.device_nodes = true;
  return absl::StrCat(
      "uid: root of the container's user namespace\n"
      "namespaces: own mount, pid, network (empty), ipc, uts\n"
      "root directory: the container's tree\n"
      "capabilities: ",
      DescribeCapabilities(ServingCapabilities(none)),
      "\ncapabilities with device nodes: ", DescribeCapabilities(ServingCapabilities(all)),
      "\nno_new_privs: yes\nsystem calls (others kill the process):\n",
      ServingFilter(none).Describe(),
      "system calls with extended attributes, host sockets and device nodes:\n",
      ServingFilter(all).Describe());
}

}  // namespace runsc::gofer
