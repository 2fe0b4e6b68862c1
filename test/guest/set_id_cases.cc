// Set-id bits: programs that have them, and what clears them.

#include "test/guest/credentials.h"

using namespace guest;

CASE(setuid_program) {
  GiveSelf("p", 04755, 2000, 0);
  Record("ids", IdsOf("./p", 1000, 1000));
}
CASE(setuid_root_program) {
  GiveSelf("p", 04755, 0, 0);
  Record("ids", IdsOf("./p", 1000, 1000));
}
CASE(setgid_program) {
  GiveSelf("p", 02755, 0, 3000);
  Record("ids", IdsOf("./p", 1000, 1000));
}
CASE(setgid_without_group_execute) {
  GiveSelf("p", 02745, 0, 3000);
  Record("ids", IdsOf("./p", 1000, 1000));
}
CASE(setuid_and_setgid_program) {
  GiveSelf("p", 06755, 2000, 3000);
  Record("ids", IdsOf("./p", 1000, 1000));
}
CASE(setuid_of_own_program) {
  GiveSelf("p", 04755, 1000, 0);
  Record("ids", IdsOf("./p", 1000, 1000));
}
CASE(setuid_with_no_new_privs) {
  GiveSelf("p", 06755, 0, 3000);
  Record("ids", IdsOf("./p", 1000, 1000, true));
}
CASE(setuid_program_by_root) {
  GiveSelf("p", 04755, 1000, 0);
  Record("ids", IdsOf("./p", 0, 0));
}
CASE(plain_program_by_user) {
  GiveSelf("p", 0755, 0, 0);
  Record("ids", IdsOf("./p", 1000, 1000));
}
CASE(setuid_script_is_ignored) {
  Make("s", "#!/bin/sh\ntest $(id -u) = 1000\n", 0755);
  MUST(chmod("s", 04755));
  Record("end", InChild([] {
           BecomeUser(1000, 1000);
           execl("./s", "s", nullptr);
           return errno;
         }));
}
CASE(chmod_setuid_needs_owner) {
  Make("f");
  BecomeUser(1000, 1000);
  T(chmod("f", 04755));
}
CASE(chmod_setgid_needs_group) {
  Make("f");
  MUST(chown("f", 1000, 2000));
  BecomeUser(1000, 1000);
  T(chmod("f", 02755));
  struct stat st;
  stat("f", &st);
  Record("mode", Octal(st.st_mode));
}
CASE(chown_clears_set_id_bits) {
  Make("f");
  MUST(chmod("f", 06777));
  T(chown("f", 1000, -1));
  struct stat st;
  stat("f", &st);
  Record("mode", Octal(st.st_mode));
  MUST(chmod("f", 06767));
  T(chown("f", -1, 1000));
  stat("f", &st);
  Record("mode", Octal(st.st_mode));
}
CASE(write_clears_set_id_bits) {
  Make("f", "x", 0666);
  MUST(chmod("f", 06777));
  BecomeUser(1000, 1000);
  const int fd = open("f", O_WRONLY);
  T(write(fd, "y", 1));
  struct stat st;
  fstat(fd, &st);
  Record("mode", Octal(st.st_mode));
}
CASE(write_by_root_keeps_set_id_bits) {
  Make("f", "x", 0666);
  MUST(chmod("f", 06777));
  const int fd = open("f", O_WRONLY);
  T(write(fd, "y", 1));
  struct stat st;
  fstat(fd, &st);
  Record("mode", Octal(st.st_mode));
}
CASE(truncate_clears_set_id_bits) {
  Make("f", "xyz", 0666);
  MUST(chmod("f", 06777));
  BecomeUser(1000, 1000);
  T(truncate("f", 1));
  struct stat st;
  stat("f", &st);
  Record("mode", Octal(st.st_mode));
}
