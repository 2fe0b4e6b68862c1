// tee(2), vmsplice(2).
#include <sys/uio.h>

#include "test/guest/cases.h"

using namespace guest;

CASE(tee_errors) {
  int a[2], b[2];
  MUST(pipe(a));
  MUST(pipe(b));
  Make("f");
  const int file = open("f", O_RDWR);
  T(tee(a[0], b[1], 1, 0x100));
  T(tee(a[0], b[1], 0, 0));
  T(tee(-1, b[1], 1, 0));
  T(tee(a[0], -1, 1, 0));
  T(tee(a[1], b[1], 1, 0));
  T(tee(a[0], b[0], 1, 0));
  T(tee(a[0], a[1], 1, 0));
  T(tee(file, b[1], 1, 0));
  T(tee(a[0], b[1], 1, SPLICE_F_NONBLOCK));
  close(a[1]);
  T(tee(a[0], b[1], 1, 0));
}
CASE(tee_keeps_the_data) {
  int a[2], b[2];
  MUST(pipe(a));
  MUST(pipe(b));
  MUST(write(a[1], "hello", 5));
  T(tee(a[0], b[1], 3, 0));
  T(tee(a[0], b[1], 100, 0));
  char buffer[32] = {};
  T(read(b[0], buffer, sizeof buffer));
  Record("b", buffer);
  char other[32] = {};
  T(read(a[0], other, sizeof other));
  Record("a", other);
}
CASE(tee_waits_for_data) {
  int a[2], b[2];
  MUST(pipe(a));
  MUST(pipe(b));
  const pid_t child = fork();
  if (child == 0) {
    SleepMs(50);
    write(a[1], "late", 4);
    _exit(0);
  }
  T(tee(a[0], b[1], 10, 0));
  MUST(waitpid(child, nullptr, 0));
}
CASE(tee_without_reader) {
  signal(SIGPIPE, SIG_IGN);
  int a[2], b[2];
  MUST(pipe(a));
  MUST(pipe(b));
  MUST(write(a[1], "x", 1));
  close(b[0]);
  T(tee(a[0], b[1], 1, 0));
}
CASE(vmsplice_forms) {
  int p[2];
  MUST(pipe(p));
  char text[] = "abc";
  iovec vector = {text, 3};
  T(vmsplice(p[1], &vector, 1, 0));
  char buffer[8] = {};
  iovec in = {buffer, 8};
  T(vmsplice(p[0], &in, 1, 0));
  Record("text", buffer);
  T(vmsplice(p[1], &vector, 1, 0x100));
  Make("f");
  T(vmsplice(open("f", O_RDWR), &vector, 1, 0));
  T(vmsplice(p[1], &vector, 0, 0));
}
