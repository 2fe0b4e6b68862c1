// Descriptor tables: dup, fcntl, limits, close_range, /proc/self/fd.
#include <sys/ioctl.h>
#include <sys/resource.h>

#include "test/guest/cases.h"

using namespace guest;

CASE(dup_takes_lowest) {
  T(dup(0));
  T(dup(0));
  close(3);
  T(dup(0));
  T(dup(99));
  T(dup(-1));
}
CASE(dup2_forms) {
  T(dup2(0, 10));
  T(dup2(10, 10));
  T(dup2(99, 11));
  T(dup2(99, 99));
  T(dup2(0, -1));
  T(dup2(0, 100000));
}
CASE(dup2_closes_target) {
  int p[2];
  MUST(pipe(p));
  T(dup2(0, p[1]));
  char c;
  T(read(p[0], &c, 1));
}
CASE(dup3_forms) {
  T(dup3(0, 10, O_CLOEXEC));
  T(fcntl(10, F_GETFD));
  T(dup3(0, 0, 0));
  T(dup3(0, 11, 0x40));
}
CASE(dup_does_not_copy_cloexec) {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  T(fcntl(fd, F_GETFD));
  T(fcntl(dup(fd), F_GETFD));
}
CASE(fcntl_dupfd) {
  T(fcntl(0, F_DUPFD, 20));
  T(fcntl(0, F_DUPFD, 20));
  T(fcntl(0, F_DUPFD_CLOEXEC, 30));
  T(fcntl(30, F_GETFD));
  T(fcntl(0, F_DUPFD, -1));
  T(fcntl(0, F_DUPFD, 1 << 20));
}
CASE(fcntl_duplicate_query) {
  constexpr int kDuplicateQuery = 1027;  // F_DUPFD_QUERY
  const int fd = open("/dev/null", O_RDONLY), other = open("/dev/null", O_RDONLY);
  const int by_path = open("/dev/null", O_PATH);
  T(fcntl(fd, kDuplicateQuery, dup(fd)));
  T(fcntl(fd, kDuplicateQuery, other));
  T(fcntl(fd, kDuplicateQuery, by_path));
  T(fcntl(by_path, kDuplicateQuery, dup(by_path)));
  T(fcntl(fd, kDuplicateQuery, -1));
  T(fcntl(-1, kDuplicateQuery, fd));
}
CASE(fcntl_created_query) {
  constexpr int kCreatedQuery = 1028;  // F_CREATED_QUERY
  const int made = open("f", O_RDWR | O_CREAT, 0600);
  T(fcntl(made, kCreatedQuery));
  T(fcntl(dup(made), kCreatedQuery));
  T(fcntl(open("f", O_RDWR | O_CREAT, 0600), kCreatedQuery));
  T(fcntl(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600), kCreatedQuery));
  T(fcntl(open("f", O_PATH), kCreatedQuery));
  T(fcntl(open("g", O_RDWR | O_CREAT | O_EXCL, 0600), kCreatedQuery));
  T(fcntl(open(".", O_RDWR | O_TMPFILE, 0600), kCreatedQuery));
}
CASE(fcntl_flags) {
  Make("f");
  const int fd = open("f", O_RDWR | O_APPEND);
  Record("flags", Octal(fcntl(fd, F_GETFL)));
  T(fcntl(fd, F_SETFL, O_NONBLOCK));
  Record("flags", Octal(fcntl(fd, F_GETFL)));
  T(fcntl(fd, F_SETFL, O_WRONLY | O_TRUNC | O_CREAT));
  Record("flags", Octal(fcntl(fd, F_GETFL)));
  T(fcntl(fd, F_SETFD, FD_CLOEXEC));
  T(fcntl(fd, F_GETFD));
  T(fcntl(fd, 9999, 0));
  T(fcntl(99, F_GETFD));
}
CASE(fcntl_flags_shared_by_dup) {
  Make("f");
  const int fd = open("f", O_RDWR);
  const int copy = dup(fd);
  MUST(fcntl(fd, F_SETFL, O_NONBLOCK));
  Record("copy", (fcntl(copy, F_GETFL) & O_NONBLOCK) != 0);
}
CASE(fcntl_owner) {
  int p[2];
  MUST(pipe(p));
  T(fcntl(p[0], F_GETOWN));
  T(fcntl(p[0], F_SETOWN, getpid()));
  Record("own", fcntl(p[0], F_GETOWN) == getpid());
  T(fcntl(p[0], F_GETSIG));
}
CASE(ioctl_flags) {
  int p[2];
  MUST(pipe(p));
  int on = 1;
  T(ioctl(p[0], FIONBIO, &on));
  Record("nonblock", (fcntl(p[0], F_GETFL) & O_NONBLOCK) != 0);
  T(ioctl(p[0], FIOCLEX));
  T(fcntl(p[0], F_GETFD));
  T(ioctl(p[0], FIONCLEX));
  T(fcntl(p[0], F_GETFD));
  T(ioctl(p[0], TCGETS, &on));
  T(ioctl(99, FIONBIO, &on));
}
CASE(ioctl_on_file) {
  Make("f", "12345");
  const int fd = open("f", O_RDONLY);
  int value = 0;
  MUST(lseek(fd, 2, SEEK_SET));
  T(ioctl(fd, FIONREAD, &value));
  Record("left", value);
  char buffer[128];
  T(ioctl(fd, TCGETS, buffer));
  T(ioctl(fd, TIOCGWINSZ, buffer));
}
CASE(descriptor_limit) {
  const rlimit limit = {10, 20};
  MUST(setrlimit(RLIMIT_NOFILE, &limit));
  int opened = 0;
  while (open("/dev/null", O_RDONLY) >= 0) opened++;
  Record("opened", opened);
  T(open("/dev/null", O_RDONLY));
  T(dup(0));
  int p[2];
  T(pipe(p));
  T(dup2(0, 15));
  T(fcntl(0, F_DUPFD, 10));
  close(5);
  T(open("/dev/null", O_RDONLY));
}
CASE(descriptor_limit_lowered_keeps_open_ones) {
  MUST(dup2(0, 50));
  const rlimit limit = {10, 1024};
  MUST(setrlimit(RLIMIT_NOFILE, &limit));
  T(fcntl(50, F_GETFD));
  T(dup2(50, 5));
  T(close(50));
}
CASE(close_range_closes) {
  for (int i = 3; i < 20; i++) MUST(dup2(0, i));
  T(syscall(SYS_close_range, 5, 10, 0));
  T(fcntl(4, F_GETFD));
  T(fcntl(5, F_GETFD));
  T(fcntl(10, F_GETFD));
  T(fcntl(11, F_GETFD));
  T(syscall(SYS_close_range, 11, ~0U, 4));
  T(fcntl(12, F_GETFD));
  T(syscall(SYS_close_range, 10, 5, 0));
  T(syscall(SYS_close_range, 3, 5, 0x80));
}
CASE(proc_self_fd_links) {
  Make("f");
  const int fd = open("f", O_RDONLY);
  char target[4096] = {}, here[4096];
  T(readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target, sizeof target - 1) > 0 ? 1
                                                                                             : -1);
  const std::string expected = std::string(getcwd(here, sizeof here)) + "/f";
  Record("same", expected == target);
  MUST(unlink("f"));
  memset(target, 0, sizeof target);
  MUST(readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target, sizeof target - 1));
  Record("deleted", std::string(target) == expected + " (deleted)");
  T(readlink("/proc/self/fd/99", target, sizeof target));
}
CASE(proc_self_fd_reopen) {
  Make("f", "abc");
  const int fd = open("f", O_RDONLY);
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const int again = open(path.c_str(), O_RDWR);
  T(write(again, "X", 1));
  Record("f", Content("f"));
  T(lseek(fd, 0, SEEK_CUR));
}
CASE(proc_self_fdinfo) {
  Make("f", "abcdef");
  const int fd = open("f", O_RDONLY);
  MUST(lseek(fd, 4, SEEK_SET));
  const std::string info = Content(("/proc/self/fdinfo/" + std::to_string(fd)).c_str());
  Record("position", info.substr(0, info.find('\n')));
}
CASE(dev_fd_and_stdin_links) {
  char target[64] = {};
  T(readlink("/dev/fd", target, 63));
  Record("target", target);
  memset(target, 0, 64);
  T(readlink("/dev/stdin", target, 63));
  Record("target", target);
}
CASE(table_is_copied_by_fork) {
  const int fd = open("/dev/null", O_RDONLY);
  Record("child", InChild([fd] { return close(fd); }));
  T(fcntl(fd, F_GETFD));
}
CASE(three_standard_descriptors_only) {
  for (int i = 0; i < 10; i++) {
    if (fcntl(i, F_GETFD) >= 0) Record("open", i);
  }
}
CASE(table_grows_to_limit) {
  int opened = 0;
  for (int i = 3; i < 1024; i++) opened += dup2(0, i) == i;
  Record("opened", opened);
  T(dup(0));
}
