// Bad pointers: every call that takes one answers EFAULT and harms nothing.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "test/guest/cases.h"

using namespace guest;

namespace {
long Bad() { return reinterpret_cast<long>(BadPointer()); }
// The last bytes of a page with nothing behind it.
char* EndOfPage(size_t bytes) {
  char* map = static_cast<char*>(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  munmap(map + 4096, 4096);
  return map + 4096 - bytes;
}
char* ReadOnlyPage() {
  return static_cast<char*>(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
}  // namespace

CASE(fault_paths) {
  T(syscall(SYS_open, Bad(), O_RDONLY));
  T(syscall(SYS_stat, Bad(), Bad()));
  T(syscall(SYS_access, Bad(), 0));
  T(syscall(SYS_mkdir, Bad(), 0));
  T(syscall(SYS_rmdir, Bad()));
  T(syscall(SYS_unlink, Bad()));
  T(syscall(SYS_rename, Bad(), Bad()));
  T(syscall(SYS_link, Bad(), Bad()));
  T(syscall(SYS_symlink, Bad(), Bad()));
  T(syscall(SYS_readlink, Bad(), Bad(), 1));
  T(syscall(SYS_chmod, Bad(), 0));
  T(syscall(SYS_chown, Bad(), 0, 0));
  T(syscall(SYS_chdir, Bad()));
  T(syscall(SYS_chroot, Bad()));
  T(syscall(SYS_truncate, Bad(), 0));
  T(syscall(SYS_statfs, Bad(), Bad()));
  T(syscall(SYS_execve, Bad(), 0, 0));
  T(syscall(SYS_mknod, Bad(), 0600, 0));
  T(syscall(SYS_creat, Bad(), 0600));
}
CASE(fault_out_structs) {
  Make("f");
  T(syscall(SYS_stat, "f", Bad()));
  T(syscall(SYS_fstat, 0, Bad()));
  T(syscall(SYS_lstat, "f", Bad()));
  T(syscall(SYS_statfs, "f", Bad()));
  T(syscall(SYS_statx, AT_FDCWD, "f", 0, 0xfff, Bad()));
  T(syscall(SYS_getcwd, Bad(), 100));
  T(syscall(SYS_uname, Bad()));
  T(syscall(SYS_sysinfo, Bad()));
  T(syscall(SYS_getrlimit, 7, Bad()));
  T(syscall(SYS_getrusage, 0, Bad()));
  T(syscall(SYS_times, Bad()));
  T(syscall(SYS_pipe, Bad()));
  T(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, Bad()));
  T(syscall(SYS_getresuid, Bad(), Bad(), Bad()));
  T(syscall(SYS_getgroups, 10, Bad()) == -1 && errno == EFAULT ? -1 : 0);
  T(syscall(SYS_sched_getaffinity, 0, 128, Bad()));
  T(syscall(SYS_getrandom, Bad(), 10, 0));
}
CASE(fault_after_pipe_no_descriptor_stays) {
  T(syscall(SYS_pipe, Bad()));
  T(open("/dev/null", O_RDONLY));
}
CASE(fault_read_write) {
  Make("f", "content");
  const int fd = open("f", O_RDWR);
  T(syscall(SYS_read, fd, Bad(), 4));
  T(lseek(fd, 0, SEEK_CUR));
  T(syscall(SYS_write, fd, Bad(), 4));
  T(syscall(SYS_pread64, fd, Bad(), 4, 0));
  T(syscall(SYS_pwrite64, fd, Bad(), 4, 0));
  T(syscall(SYS_readv, fd, Bad(), 1));
  T(syscall(SYS_writev, fd, Bad(), 1));
  const iovec inner = {BadPointer(), 4};
  T(readv(fd, &inner, 1));
  T(writev(fd, &inner, 1));
  T(syscall(SYS_read, fd, Bad(), 0));
  Record("f", Content("f"));
}
CASE(fault_read_into_readonly_page) {
  Make("f", "content");
  const int fd = open("f", O_RDONLY);
  T(syscall(SYS_read, fd, ReadOnlyPage(), 4));
}
CASE(fault_partial_read_and_write) {
  int p[2];
  MUST(pipe(p));
  MUST(write(p[1], "0123456789", 10));
  char* end = EndOfPage(4);
  Record("first4", syscall(SYS_read, p[0], end, 4));
  T(syscall(SYS_write, p[1], end, 4));
}
CASE(fault_partial_write_to_file) {
  const int fd = open("f", O_CREAT | O_RDWR, 0644);
  char* end = EndOfPage(100);
  memset(end, 'w', 100);
  T(syscall(SYS_write, fd, end, 200));
  struct stat st;
  T(fstat(fd, &st));
  Record("size", st.st_size);
}
CASE(fault_string_at_end_of_page) {
  char* end = EndOfPage(2);
  end[0] = 'f';
  end[1] = 0;
  Make("f");
  T(syscall(SYS_access, end, 0));
  end[1] = 'x';
  T(syscall(SYS_access, end, 0));
}
CASE(fault_signals_and_time) {
  T(syscall(SYS_rt_sigaction, SIGUSR1, Bad(), 0, 8));
  T(syscall(SYS_rt_sigaction, SIGUSR1, 0, Bad(), 8));
  T(syscall(SYS_rt_sigprocmask, SIG_BLOCK, Bad(), 0, 8));
  T(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, Bad(), 8));
  T(syscall(SYS_rt_sigpending, Bad(), 8));
  T(syscall(SYS_rt_sigsuspend, Bad(), 8));
  T(syscall(SYS_rt_sigtimedwait, Bad(), 0, 0, 8));
  T(syscall(SYS_sigaltstack, Bad(), 0));
  T(syscall(SYS_nanosleep, Bad(), 0));
  T(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, Bad()));
  T(syscall(SYS_gettimeofday, Bad(), 0));
  T(syscall(SYS_setitimer, 0, Bad(), 0));
  T(syscall(SYS_timer_create, CLOCK_MONOTONIC, 0, Bad()));
  T(syscall(SYS_utimensat, AT_FDCWD, ".", Bad(), 0));
}
CASE(fault_poll_family) {
  T(syscall(SYS_poll, Bad(), 1, 0));
  T(syscall(SYS_select, 10, Bad(), 0, 0, 0));
  T(syscall(SYS_ppoll, 0, 0, Bad(), 0, 8));
  const int e = epoll_create1(0);
  int p[2];
  MUST(pipe(p));
  T(syscall(SYS_epoll_ctl, e, EPOLL_CTL_ADD, p[0], Bad()));
  epoll_event event = {EPOLLOUT, {}};
  MUST(epoll_ctl(e, EPOLL_CTL_ADD, p[1], &event));
  T(syscall(SYS_epoll_wait, e, Bad(), 1, 0));
}
CASE(fault_wait_and_limits) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  T(syscall(SYS_wait4, child, Bad(), 0, 0));
  T(syscall(SYS_setrlimit, 7, Bad()));
  T(syscall(SYS_prlimit64, 0, 7, Bad(), 0));
  T(syscall(SYS_setgroups, 1, Bad()));
  T(syscall(SYS_capget, Bad(), 0));
  T(syscall(SYS_prctl, 15, Bad()));
  T(syscall(SYS_prctl, 16, Bad()));
  T(syscall(SYS_sethostname, Bad(), 3));
}
CASE(fault_exec_arguments) {
  T(syscall(SYS_execve, "/bin/true", Bad(), 0));
  long arguments[] = {Bad(), 0};
  T(syscall(SYS_execve, "/bin/true", arguments, 0));
  T(syscall(SYS_execve, "/bin/true", 0, Bad()));
}
CASE(fault_sockets) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  T(syscall(SYS_sendmsg, s[0], Bad(), 0));
  T(syscall(SYS_recvmsg, s[0], Bad(), 0));
  T(syscall(SYS_sendto, s[0], Bad(), 4, 0, 0, 0));
  T(syscall(SYS_getsockopt, s[0], SOL_SOCKET, SO_TYPE, Bad(), Bad()));
  T(syscall(SYS_getsockname, s[0], Bad(), Bad()));
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  T(syscall(SYS_connect, fd, Bad(), 100));
  T(syscall(SYS_bind, fd, Bad(), 100));
}
CASE(fault_directory_and_xattr) {
  const int fd = open(".", O_RDONLY);
  T(syscall(SYS_getdents64, fd, Bad(), 1000));
  T(syscall(SYS_setxattr, ".", Bad(), Bad(), 1, 0));
  T(syscall(SYS_fcntl, fd, F_GETLK, Bad()));
  T(syscall(SYS_ioctl, fd, 0x541B, Bad()));
}
CASE(fault_kernel_addresses) {
  Make("f", "abc");
  const int fd = open("f", O_RDWR);
  for (const unsigned long address :
       {0xffffffffff600000UL, 0xffff888000000000UL, 0x800000000000UL, ~0UL, 0x7ffffffff000UL}) {
    T(syscall(SYS_read, fd, address, 3));
    T(syscall(SYS_open, address, O_RDONLY));
  }
}
CASE(fault_huge_counts) {
  Make("f", "abc");
  const int fd = open("f", O_RDWR);
  char buffer[8];
  T(syscall(SYS_read, fd, buffer, -1L));
  T(syscall(SYS_pread64, fd, buffer, 0x7fffffffffffffffL, 0));
  T(syscall(SYS_write, fd, buffer, -1L));
  T(syscall(SYS_getdents64, fd, buffer, -1L));
}
