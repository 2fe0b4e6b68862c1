// What each capability lets one do.
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

#include "test/guest/capability_sets.h"

using namespace guest;

CASE(dac_override_only) {
  Make("f", "x", 0000);
  MUST(chown("f", 5, 5));
  Only(Bit(CAP_DAC_OVERRIDE), Bit(CAP_DAC_OVERRIDE));
  T(open("f", O_RDWR) >= 0);
  T(access("f", X_OK));
  T(chmod("f", 0644));
}
CASE(dac_read_search_only) {
  Make("f", "x", 0000);
  MUST(chown("f", 5, 5));
  MUST(mkdir("d", 0000));
  MUST(chown("d", 5, 5));
  Only(Bit(CAP_DAC_READ_SEARCH), Bit(CAP_DAC_READ_SEARCH));
  T(open("f", O_RDONLY) >= 0);
  T(open("f", O_WRONLY));
  T(open("d", O_RDONLY | O_DIRECTORY) >= 0);
  T(mkdir("d/x", 0755));
}
CASE(no_dac_capabilities) {
  Make("f", "x", 0000);
  MUST(chown("f", 5, 5));
  Only(0, 0);
  T(open("f", O_RDONLY));
}
CASE(fowner_only) {
  Make("f", "x", 0600);
  MUST(chown("f", 5, 5));
  Only(Bit(CAP_FOWNER), Bit(CAP_FOWNER));
  T(chmod("f", 0666));
  const timespec times[2] = {{1, 0}, {1, 0}};
  T(utimensat(AT_FDCWD, "f", times, 0));
  T(chown("f", 0, 0));
}
CASE(fowner_and_sticky) {
  MUST(mkdir("d", 0777));
  MUST(chmod("d", 01777));
  MUST(chown("d", 5, 5));
  Make("d/f");
  Make("d/g");
  MUST(chown("d/f", 6, 6));
  MUST(chown("d/g", 6, 6));
  Record("with", InChild([] {
           Only(Bit(CAP_FOWNER), Bit(CAP_FOWNER));
           return unlink("d/f") < 0 ? errno : 0;
         }));
  Record("without", InChild([] {
           Only(Bit(CAP_DAC_OVERRIDE), Bit(CAP_DAC_OVERRIDE));
           return unlink("d/g") < 0 ? errno : 0;
         }));
}
CASE(chown_only) {
  Make("f");
  Only(Bit(CAP_CHOWN), Bit(CAP_CHOWN));
  T(chown("f", 1000, 1000));
  T(chmod("f", 0600));
}
CASE(fsetid_missing) {
  Make("f", "x", 0777);
  MUST(chmod("f", 06777));
  Only(0, 0);
  const int fd = open("f", O_WRONLY);
  T(write(fd, "y", 1));
  struct stat st;
  fstat(fd, &st);
  Record("mode", Octal(st.st_mode));
}
CASE(fsetid_present) {
  Make("f", "x", 0777);
  MUST(chmod("f", 06777));
  Only(Bit(CAP_FSETID), Bit(CAP_FSETID));
  const int fd = open("f", O_WRONLY);
  T(write(fd, "y", 1));
  struct stat st;
  fstat(fd, &st);
  Record("mode", Octal(st.st_mode));
}
CASE(setuid_capability_only) {
  MUST(prctl(PR_SET_KEEPCAPS, 1));
  MUST(setresuid(1000, 1000, 1000));
  Only(Bit(CAP_SETUID), Bit(CAP_SETUID));
  T(setresuid(5, 6, 7));
  T(setresgid(5, 6, 7));
  T(setgroups(0, nullptr));
}
CASE(setgid_capability_only) {
  Only(Bit(CAP_SETGID), Bit(CAP_SETGID));
  T(setresgid(5, 6, 7));
  T(setgroups(0, nullptr));
  T(setresuid(5, 6, 7));
}
CASE(kill_capability_only) {
  const pid_t child = fork();
  if (child == 0) {
    BecomeUser(1000, 1000);
    while (true) pause();
  }
  SleepMs(100);
  Record("with", InChild([&] {
           prctl(PR_SET_KEEPCAPS, 1);
           BecomeUser(2000, 2000);
           Only(Bit(CAP_KILL), Bit(CAP_KILL));
           return kill(child, 0) < 0 ? errno : 0;
         }));
  Record("without", InChild([&] {
           BecomeUser(2000, 2000);
           return kill(child, 0) < 0 ? errno : 0;
         }));
  kill(child, SIGKILL);
}
CASE(sys_admin_for_hostname) {
  Only(Bit(CAP_CHOWN), Bit(CAP_CHOWN));
  T(sethostname("x", 1));
  T(setdomainname("x", 1));
}
CASE(trusted_xattr_needs_sys_admin) {
  Make("f", "x", 0666);
  Only(Bit(CAP_CHOWN), Bit(CAP_CHOWN));
  T(setxattr("f", "trusted.x", "y", 1, 0));
  T(getxattr("f", "trusted.x", nullptr, 0));
}
