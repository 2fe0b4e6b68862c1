// Pipes and fifos.
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <string>

#include "test/guest/cases.h"

using namespace guest;

CASE(pipe_carries_bytes) {
  int p[2];
  T(pipe(p));
  T(write(p[1], "hello", 5));
  char buffer[16] = {};
  T(read(p[0], buffer, 3));
  T(read(p[0], buffer, 16));
  T(close(p[1]));
  T(read(p[0], buffer, 16));
}
CASE(pipe_wrong_ends) {
  int p[2];
  MUST(pipe(p));
  char c;
  T(read(p[1], &c, 1));
  T(write(p[0], &c, 1));
  T(lseek(p[0], 0, SEEK_SET));
  T(pread(p[0], &c, 1, 0));
  T(pwrite(p[1], &c, 1, 0));
  T(ftruncate(p[1], 0));
}
CASE(pipe2_flags) {
  int p[2];
  T(pipe2(p, O_CLOEXEC | O_NONBLOCK));
  Record("cloexec", fcntl(p[0], F_GETFD));
  Record("nonblock", (fcntl(p[1], F_GETFL) & O_NONBLOCK) != 0);
  T(pipe2(p, 0x40));
}
CASE(pipe_nonblocking_empty) {
  int p[2];
  MUST(pipe2(p, O_NONBLOCK));
  char c;
  T(read(p[0], &c, 1));
  T(close(p[1]));
  T(read(p[0], &c, 1));
}
CASE(pipe_capacity) {
  int p[2];
  MUST(pipe2(p, O_NONBLOCK));
  const std::string data(1 << 20, 'x');
  T(write(p[1], data.data(), data.size()));
  T(write(p[1], "y", 1));
  int queued = 0;
  T(ioctl(p[0], FIONREAD, &queued));
  Record("queued", queued);
  T(fcntl(p[1], F_GETPIPE_SZ));
}
CASE(pipe_set_size) {
  int p[2];
  MUST(pipe2(p, O_NONBLOCK));
  T(fcntl(p[1], F_SETPIPE_SZ, 100000));
  T(fcntl(p[1], F_GETPIPE_SZ));
  T(fcntl(p[1], F_SETPIPE_SZ, 1));
}
CASE(pipe_write_atomic_up_to_4096) {
  int p[2];
  MUST(pipe2(p, O_NONBLOCK));
  MUST(fcntl(p[1], F_SETPIPE_SZ, 4096));
  const std::string data(4096, 'x');
  T(write(p[1], data.data(), 10));
  T(write(p[1], data.data(), 4096));
  T(read(p[0], const_cast<char*>(data.data()), 10));
  T(write(p[1], data.data(), 4096));
}
CASE(pipe_no_reader_is_sigpipe) {
  Record("signal", InChild([] {
           int p[2];
           if (pipe(p) < 0) return 1;
           close(p[0]);
           return static_cast<int>(write(p[1], "x", 1));
         }));
  signal(SIGPIPE, SIG_IGN);
  int p[2];
  MUST(pipe(p));
  close(p[0]);
  T(write(p[1], "x", 1));
}
CASE(pipe_blocking_read_wakes) {
  int p[2];
  MUST(pipe(p));
  const pid_t child = fork();
  if (child == 0) {
    SleepMs(50);
    _exit(write(p[1], "late", 4) == 4 ? 0 : 1);
  }
  char buffer[8] = {};
  T(read(p[0], buffer, sizeof buffer));
  Record("text", buffer);
}
CASE(pipe_blocking_write_wakes) {
  int p[2];
  MUST(pipe(p));
  const pid_t child = fork();
  if (child == 0) {
    close(p[1]);
    SleepMs(50);
    long total = 0;
    char buffer[4096];
    for (ssize_t count; (count = read(p[0], buffer, sizeof buffer)) > 0;) total += count;
    _exit(total == 300000 ? 7 : 1);
  }
  close(p[0]);
  const std::string data(300000, 'z');
  T(write(p[1], data.data(), data.size()));
  close(p[1]);
  int status = 0;
  MUST(waitpid(child, &status, 0));
  Record("child", StatusText(status));
}
CASE(pipe_chain_of_processes) {
  int first[2];
  MUST(pipe(first));
  int in = first[0];
  for (int i = 0; i < 10; i++) {
    int next[2];
    MUST(pipe(next));
    if (fork() == 0) {
      close(first[1]);
      close(next[0]);
      char c;
      while (read(in, &c, 1) == 1) {
        c++;
        if (write(next[1], &c, 1) != 1) _exit(1);
      }
      _exit(0);
    }
    close(in);
    close(next[1]);
    in = next[0];
  }
  MUST(write(first[1], "abc", 3));
  close(first[1]);
  Record("out", Drain(in));
}
CASE(pipe_eof_only_when_all_writers_close) {
  int p[2];
  MUST(pipe2(p, O_NONBLOCK));
  const int copy = dup(p[1]);
  close(p[1]);
  char c;
  T(read(p[0], &c, 1));
  close(copy);
  T(read(p[0], &c, 1));
}
CASE(pipe_poll_states) {
  int p[2];
  MUST(pipe(p));
  pollfd fds[2] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}};
  T(poll(fds, 2, 0));
  Record("read_end", fds[0].revents);
  Record("write_end", fds[1].revents);
  MUST(write(p[1], "x", 1));
  T(poll(fds, 1, 0));
  Record("read_end", fds[0].revents);
  close(p[1]);
  T(poll(fds, 1, 0));
  Record("read_end", fds[0].revents);
  int q[2];
  MUST(pipe(q));
  close(q[0]);
  pollfd lone = {q[1], POLLOUT, 0};
  T(poll(&lone, 1, 0));
  Record("write_end", lone.revents);
}
CASE(pipe_fstat) {
  int p[2];
  MUST(pipe(p));
  struct stat st;
  T(fstat(p[0], &st));
  Record("fifo", S_ISFIFO(st.st_mode));
  Record("mode", Octal(st.st_mode));
  Record("size", st.st_size);
}
CASE(pipe_vectors) {
  int p[2];
  MUST(pipe(p));
  char a[] = "abc", b[] = "defg";
  iovec out[] = {{a, 3}, {b, 4}};
  T(writev(p[1], out, 2));
  char x[2], y[9];
  iovec in[] = {{x, 2}, {y, 9}};
  T(readv(p[0], in, 2));
  Record("rest", std::string_view(y, 5));
}
CASE(pipe_tee_and_splice) {
  int a[2], b[2];
  MUST(pipe(a));
  MUST(pipe(b));
  MUST(write(a[1], "data", 4));
  T(tee(a[0], b[1], 10, SPLICE_F_NONBLOCK));
  char buffer[8] = {};
  T(read(b[0], buffer, 8));
  T(splice(a[0], nullptr, b[1], nullptr, 2, 0));
  T(read(b[0], buffer, 8));
  T(read(a[0], buffer, 8));
}
CASE(pipe_zero_length) {
  int p[2];
  MUST(pipe(p));
  char c;
  T(write(p[1], &c, 0));
  T(read(p[0], &c, 0));
}
CASE(pipe_reopen_through_proc) {
  int p[2];
  MUST(pipe(p));
  const std::string path = "/proc/self/fd/" + std::to_string(p[0]);
  const int again = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  Record("opened", again >= 0);
  MUST(write(p[1], "x", 1));
  char c;
  T(read(again, &c, 1));
}
CASE(fifo_between_processes) {
  MUST(mkfifo("p", 0644));
  const pid_t child = fork();
  if (child == 0) {
    const int out = open("p", O_WRONLY);
    _exit(write(out, "through", 7) == 7 ? 0 : 1);
  }
  const int in = open("p", O_RDONLY);
  Record("text", Drain(in));
}
CASE(fifo_nonblocking_open) {
  MUST(mkfifo("p", 0644));
  T(open("p", O_WRONLY | O_NONBLOCK));
  T(open("p", O_RDONLY | O_NONBLOCK));
  T(open("p", O_WRONLY | O_NONBLOCK));
}
CASE(fifo_read_write_open_does_not_block) {
  MUST(mkfifo("p", 0644));
  const int fd = open("p", O_RDWR);
  Record("opened", fd >= 0);
  T(write(fd, "x", 1));
  char c;
  T(read(fd, &c, 1));
}
CASE(fifo_two_readers_of_one_name) {
  MUST(mkfifo("p", 0644));
  const int a = open("p", O_RDWR | O_NONBLOCK);
  const int b = open("p", O_RDONLY | O_NONBLOCK);
  MUST(write(a, "x", 1));
  char c;
  T(read(b, &c, 1));
  T(read(a, &c, 1));
}
