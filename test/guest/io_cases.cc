// Reading and writing regular files: offsets, vectors, holes, truncation.
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "test/guest/cases.h"

using namespace guest;

CASE(io_read_to_end) {
  Make("f", "hello");
  const int fd = open("f", O_RDONLY);
  char buffer[16];
  T(read(fd, buffer, 3));
  T(read(fd, buffer, 16));
  T(read(fd, buffer, 16));
  T(read(fd, buffer, 0));
}
CASE(io_append_ignores_offset) {
  Make("f", "123");
  const int fd = open("f", O_RDWR | O_APPEND);
  T(lseek(fd, 0, SEEK_SET));
  T(write(fd, "4", 1));
  T(lseek(fd, 0, SEEK_CUR));
  Record("f", Content("f"));
}
CASE(io_append_pwrite_appends) {
  Make("f", "123");
  const int fd = open("f", O_RDWR | O_APPEND);
  T(pwrite(fd, "x", 1, 0));
  Record("f", Content("f"));
}
CASE(io_append_switched_on_by_fcntl) {
  Make("f", "123");
  const int fd = open("f", O_RDWR);
  T(fcntl(fd, F_SETFL, O_APPEND));
  T(write(fd, "4", 1));
  Record("f", Content("f"));
}
CASE(io_append_two_descriptors) {
  Make("f");
  const int a = open("f", O_WRONLY | O_APPEND);
  const int b = open("f", O_WRONLY | O_APPEND);
  T(write(a, "1", 1));
  T(write(b, "2", 1));
  T(write(a, "3", 1));
  Record("f", Content("f"));
}
CASE(io_pread_pwrite_keep_offset) {
  Make("f", "abcdef");
  const int fd = open("f", O_RDWR);
  char buffer[3] = {};
  T(pread(fd, buffer, 2, 3));
  Record("read", std::string_view(buffer, 2));
  T(pwrite(fd, "X", 1, 1));
  T(lseek(fd, 0, SEEK_CUR));
  Record("f", Content("f"));
  T(pread(fd, buffer, 1, -1));
  T(pwrite(fd, buffer, 1, -1));
  T(pread(fd, buffer, 1, 100));
}
CASE(io_lseek_forms) {
  Make("f", "0123456789");
  const int fd = open("f", O_RDWR);
  T(lseek(fd, 4, SEEK_SET));
  T(lseek(fd, 2, SEEK_CUR));
  T(lseek(fd, -1, SEEK_END));
  T(lseek(fd, -20, SEEK_CUR));
  T(lseek(fd, -1, SEEK_SET));
  T(lseek(fd, 100, SEEK_SET));
  T(lseek(fd, 0, 77));
  char c;
  T(read(fd, &c, 1));
}
CASE(io_write_past_end_makes_hole) {
  Make("f", "ab");
  const int fd = open("f", O_RDWR);
  T(pwrite(fd, "z", 1, 5));
  char buffer[8] = {'?', '?', '?', '?', '?', '?', '?', '?'};
  T(pread(fd, buffer, 8, 0));
  for (int i = 0; i < 6; i++) Record("b", buffer[i]);
}
CASE(io_sparse_file_size) {
  const int fd = open("f", O_CREAT | O_RDWR, 0644);
  T(pwrite(fd, "z", 1, 100 << 20));
  struct stat st;
  T(fstat(fd, &st));
  Record("size", st.st_size);
  Record("sparse", st.st_blocks * 512 < (1 << 20));
}
CASE(io_seek_data_hole) {
  const int fd = open("f", O_CREAT | O_RDWR, 0644);
  T(ftruncate(fd, 1 << 20));
  T(pwrite(fd, "x", 1, 512 << 10));
  T(lseek(fd, 0, SEEK_DATA));
  T(lseek(fd, 0, SEEK_HOLE));
  T(lseek(fd, 2 << 20, SEEK_DATA));
  T(lseek(fd, 768 << 10, SEEK_DATA));
}
CASE(io_ftruncate_grows_and_shrinks) {
  Make("f", "abcdef");
  const int fd = open("f", O_RDWR);
  T(ftruncate(fd, 3));
  Record("f", Content("f"));
  T(ftruncate(fd, 5));
  struct stat st;
  T(fstat(fd, &st));
  Record("size", st.st_size);
  T(ftruncate(fd, -1));
}
CASE(io_truncate_by_path) {
  Make("f", "abcdef");
  T(truncate("f", 2));
  Record("f", Content("f"));
  T(truncate("missing", 2));
  T(truncate(".", 2));
  T(truncate("f", -1));
}
CASE(io_truncate_below_offset) {
  Make("f", "abcdef");
  const int fd = open("f", O_RDWR);
  T(lseek(fd, 6, SEEK_SET));
  T(ftruncate(fd, 2));
  char c;
  T(read(fd, &c, 1));
  T(write(fd, "Z", 1));
  struct stat st;
  T(fstat(fd, &st));
  Record("size", st.st_size);
}
CASE(io_readv_writev) {
  const int fd = open("f", O_CREAT | O_RDWR, 0644);
  char one[] = "one", two[] = "two!", none[] = "";
  iovec out[] = {{one, 3}, {none, 0}, {two, 4}};
  T(writev(fd, out, 3));
  T(lseek(fd, 0, SEEK_SET));
  char a[2] = {}, b[10] = {};
  iovec in[] = {{a, 2}, {b, 10}};
  T(readv(fd, in, 2));
  Record("a", std::string_view(a, 2));
  Record("b", std::string_view(b, 5));
}
CASE(io_preadv_pwritev) {
  Make("f", "0123456789");
  const int fd = open("f", O_RDWR);
  char x[] = "xx", y[] = "yy";
  iovec out[] = {{x, 2}, {y, 2}};
  T(pwritev(fd, out, 2, 4));
  char a[3], b[3];
  iovec in[] = {{a, 3}, {b, 3}};
  T(preadv(fd, in, 2, 3));
  Record("a", std::string_view(a, 3));
  Record("b", std::string_view(b, 3));
  T(lseek(fd, 0, SEEK_CUR));
}
CASE(io_vector_limits) {
  const int fd = open("f", O_CREAT | O_RDWR, 0644);
  static iovec many[1025];
  char c = 'x';
  for (auto& entry : many) entry = {&c, 1};
  T(writev(fd, many, 1024));
  T(writev(fd, many, 1025));
  T(writev(fd, many, 0));
  T(syscall(SYS_writev, fd, many, -1));
  iovec huge[] = {{&c, 1}, {&c, static_cast<size_t>(-1)}};
  T(writev(fd, huge, 2));
}
CASE(io_large_write_and_read) {
  const int fd = open("f", O_CREAT | O_RDWR, 0644);
  std::string data(3 << 20, 0);
  for (size_t i = 0; i < data.size(); i++) data[i] = static_cast<char>(i * 31 + (i >> 12));
  T(write(fd, data.data(), data.size()));
  std::string back(data.size(), 0);
  T(pread(fd, back.data(), back.size(), 0));
  Record("equal", data == back);
}
CASE(io_many_small_writes) {
  const int fd = open("f", O_CREAT | O_RDWR, 0644);
  for (int i = 0; i < 2000; i++) {
    char text[16];
    const int length = snprintf(text, sizeof text, "%d\n", i);
    if (write(fd, text, length) != length) Broken("write");
  }
  struct stat st;
  T(fstat(fd, &st));
  Record("size", st.st_size);
}
CASE(io_shared_offset_after_dup_and_fork) {
  Make("f", "abcdef");
  const int fd = open("f", O_RDONLY);
  const int copy = dup(fd);
  char c;
  T(read(copy, &c, 1));
  T(lseek(fd, 0, SEEK_CUR));
  Record("child", InChild([&] { return read(fd, &c, 1) == 1 ? c : 1; }));
  T(lseek(fd, 0, SEEK_CUR));
}
CASE(io_sendfile_between_files) {
  Make("a", "0123456789");
  const int in = open("a", O_RDONLY);
  const int out = open("b", O_CREAT | O_RDWR, 0644);
  off_t offset = 2;
  T(sendfile(out, in, &offset, 5));
  Record("offset", offset);
  Record("b", Content("b"));
  T(sendfile(out, in, nullptr, 3));
  T(lseek(in, 0, SEEK_CUR));
  Record("b", Content("b"));
}
CASE(io_copy_file_range) {
  Make("a", "0123456789");
  const int in = open("a", O_RDONLY);
  const int out = open("b", O_CREAT | O_RDWR, 0644);
  off64_t from = 3;
  T(copy_file_range(in, &from, out, nullptr, 4, 0));
  Record("b", Content("b"));
  Record("from", from);
  T(copy_file_range(in, nullptr, out, nullptr, 1, 1));
}
CASE(io_splice_pipe_to_file) {
  int pipes[2];
  MUST(pipe(pipes));
  MUST(write(pipes[1], "spliced", 7));
  const int out = open("f", O_CREAT | O_RDWR, 0644);
  T(splice(pipes[0], nullptr, out, nullptr, 7, 0));
  Record("f", Content("f"));
  T(splice(out, nullptr, out, nullptr, 7, 0));
}
CASE(io_fallocate) {
  const int fd = open("f", O_CREAT | O_RDWR, 0644);
  T(fallocate(fd, 0, 0, 10000));
  struct stat st;
  T(fstat(fd, &st));
  Record("size", st.st_size);
  T(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 100000));
  T(fstat(fd, &st));
  Record("size", st.st_size);
  T(fallocate(fd, 0, -1, 10));
  T(fallocate(fd, 0, 0, 0));
}
CASE(io_fallocate_punches_hole) {
  Make("f", std::string(16384, 'x'));
  const int fd = open("f", O_RDWR);
  T(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096));
  char c = '?';
  T(pread(fd, &c, 1, 5000));
  Record("hole", c);
  T(pread(fd, &c, 1, 9000));
  Record("kept", c);
}
CASE(io_fsync_family) {
  Make("f", "1");
  const int fd = open("f", O_RDWR);
  T(fsync(fd));
  T(fdatasync(fd));
  T(syncfs(fd));
  T(fsync(99));
  int pipes[2];
  MUST(pipe(pipes));
  T(fsync(pipes[0]));
}
CASE(io_fadvise_readahead) {
  Make("f", "1");
  const int fd = open("f", O_RDWR);
  T(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
  T(posix_fadvise(fd, 0, 0, 99));
  T(readahead(fd, 0, 4096));
}
CASE(io_directory_read_write) {
  const int fd = open(".", O_RDONLY);
  char c;
  T(read(fd, &c, 1));
  T(write(fd, &c, 1));
  T(pread(fd, &c, 1, 0));
}
CASE(io_dev_null_zero_full) {
  char buffer[4] = {1, 1, 1, 1};
  const int null = open("/dev/null", O_RDWR);
  T(read(null, buffer, 4));
  T(write(null, buffer, 4));
  const int zero = open("/dev/zero", O_RDWR);
  T(read(zero, buffer, 4));
  Record("zeroed", buffer[0] + buffer[3]);
  T(write(zero, buffer, 4));
  const int full = open("/dev/full", O_RDWR);
  T(read(full, buffer, 4));
  T(write(full, buffer, 4));
}
CASE(io_dev_random) {
  unsigned char a[32] = {}, b[32] = {};
  const int fd = open("/dev/urandom", O_RDONLY);
  T(read(fd, a, sizeof a));
  T(read(fd, b, sizeof b));
  Record("differ", memcmp(a, b, sizeof a) != 0);
  T(syscall(SYS_getrandom, a, sizeof a, 0));
  T(syscall(SYS_getrandom, a, sizeof a, 0x100));
}
CASE(io_file_locks_between_processes) {
  Make("f", "0123456789");
  const int fd = open("f", O_RDWR);
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = 0;
  lock.l_len = 5;
  T(fcntl(fd, F_SETLK, &lock));
  Record("child", InChild([&] {
           const int other = open("f", O_RDWR);
           struct flock mine = lock;
           int result = fcntl(other, F_SETLK, &mine) < 0 && errno == EAGAIN ? 1 : 0;
           mine.l_start = 5;
           result |= fcntl(other, F_SETLK, &mine) == 0 ? 2 : 0;
           mine.l_start = 0;
           result |= fcntl(other, F_GETLK, &mine) == 0 && mine.l_type == F_WRLCK ? 4 : 0;
           result |= mine.l_pid == getppid() ? 8 : 0;
           return result;
         }));
}
CASE(io_locks_of_the_description_itself) {
  Make("f", "0123456789");
  const int fd = open("f", O_RDWR), other = open("f", O_RDWR);
  const auto ask = [](const char* key, int where, short type, off_t start, off_t length) {
    struct flock lock = {};
    lock.l_type = type;
    lock.l_start = start;
    lock.l_len = length;
    const int result = fcntl(where, F_OFD_GETLK, &lock);
    Record(key, result < 0
                    ? strerror(errno)
                    : std::to_string(lock.l_type) + " " + std::to_string(lock.l_start) + "+" +
                          std::to_string(lock.l_len) + " pid " + std::to_string(lock.l_pid));
  };
  struct flock lock = {};
  lock.l_type = F_RDLCK;
  lock.l_start = 5;
  lock.l_len = 3;
  T(fcntl(fd, F_OFD_SETLK, &lock));
  lock.l_type = F_WRLCK;
  lock.l_start = 2;
  lock.l_len = 1;
  T(fcntl(fd, F_OFD_SETLK, &lock));
  ask("middle", fd, F_UNLCK, 6, 1);
  ask("all", fd, F_UNLCK, 0, 0);
  ask("none", fd, F_UNLCK, 8, 0);
  ask("other", other, F_UNLCK, 0, 0);
  ask("conflict", other, F_WRLCK, 4, 0);
  ask("unknown", fd, 7, 0, 0);
  lock.l_type = F_UNLCK;
  T(fcntl(fd, F_GETLK, &lock));
}
CASE(io_locks_survive_closing_a_path_descriptor) {
  Make("f");
  const int fd = open("f", O_RDWR);
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  T(fcntl(fd, F_SETLK, &lock));
  const auto seen = [&] {
    return InChild([&] {
      struct flock mine = lock;
      MUST(fcntl(open("f", O_RDWR), F_GETLK, &mine));
      return mine.l_type;
    });
  };
  close(open("f", O_PATH));
  Record("path", seen());
  close(open("f", O_RDONLY));
  Record("file", seen());
}
CASE(io_flock_between_descriptions) {
  Make("f");
  const int a = open("f", O_RDWR);
  const int b = open("f", O_RDWR);
  T(flock(a, LOCK_EX));
  T(flock(b, LOCK_EX | LOCK_NB));
  T(flock(dup(a), LOCK_EX | LOCK_NB));
  T(flock(a, LOCK_UN));
  T(flock(b, LOCK_SH | LOCK_NB));
  T(flock(a, LOCK_SH | LOCK_NB));
  T(flock(a, 77));
}
CASE(io_rlimit_fsize) {
  Record("child", InChild([] {
           struct {
             unsigned long soft, hard;
           } limit = {10, 10};
           syscall(SYS_setrlimit, 1, &limit);
           signal(SIGXFSZ, SIG_IGN);
           const int fd = open("f", O_CREAT | O_RDWR, 0644);
           if (write(fd, "0123456789abcdef", 16) != 10) return 1;
           if (write(fd, "x", 1) != -1 || errno != EFBIG) return 2;
           return 0;
         }));
  Record("signal", InChild([] {
           struct {
             unsigned long soft, hard;
           } limit = {10, 10};
           syscall(SYS_setrlimit, 1, &limit);
           const int fd = open("g", O_CREAT | O_RDWR, 0644);
           return static_cast<int>(pwrite(fd, "x", 1, 20));
         }));
}
