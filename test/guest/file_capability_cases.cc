// Capabilities of files.
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

#include "test/guest/capability_sets.h"

using namespace guest;

CASE(file_caps_set_and_get) {
  Make("f", "x", 0755);
  const FileCaps caps = {0x02000001u, Bit(CAP_CHOWN), 0, 0, 0, 0};
  T(setxattr("f", "security.capability", &caps, 20, 0));
  FileCaps out = {};
  T(getxattr("f", "security.capability", &out, sizeof out));
  Record("same", memcmp(&caps, &out, 20) == 0);
  T(getxattr("f", "security.capability", nullptr, 0));
  T(getxattr("f", "security.capability", &out, 4));
  T(setxattr("f", "security.capability", &caps, 20, XATTR_CREATE));
  T(removexattr("f", "security.capability"));
  T(getxattr("f", "security.capability", &out, sizeof out));
  T(removexattr("f", "security.capability"));
}
CASE(file_caps_malformed) {
  Make("f", "x", 0755);
  FileCaps caps = {0x05000001u, Bit(CAP_CHOWN), 0, 0, 0, 0};
  T(setxattr("f", "security.capability", &caps, 20, 0));
  caps.magic = 0x02000001u;
  T(setxattr("f", "security.capability", &caps, 12, 0));
  T(setxattr("f", "security.capability", &caps, 24, 0));
  T(setxattr("f", "security.capability", "x", 0, 0));
}
CASE(file_caps_need_setfcap) {
  Make("f", "x", 0755);
  MUST(chown("f", 1000, 1000));
  BecomeUser(1000, 1000);
  const FileCaps caps = {0x02000001u, Bit(CAP_CHOWN), 0, 0, 0, 0};
  T(setxattr("f", "security.capability", &caps, 20, 0));
  T(removexattr("f", "security.capability"));
}
CASE(file_caps_listed) {
  Make("f", "x", 0755);
  const FileCaps caps = {0x02000001u, Bit(CAP_CHOWN), 0, 0, 0, 0};
  MUST(setxattr("f", "security.capability", &caps, 20, 0));
  char names[256] = {};
  T(listxattr("f", names, sizeof names));
  Record("name", names);
}
CASE(file_caps_exec_effective) {
  GiveFile("p", Bit(CAP_CHOWN) | Bit(CAP_KILL), 0, true);
  Record("after", After([] {
           BecomeUser(1000, 1000);
           Run("./p");
         }));
}
CASE(file_caps_exec_permitted_only) {
  GiveFile("p", Bit(CAP_CHOWN), 0, false);
  Record("after", After([] {
           BecomeUser(1000, 1000);
           Run("./p");
         }));
}
CASE(file_caps_exec_inheritable) {
  GiveFile("p", 0, Bit(CAP_CHOWN), true);
  Record("without", After([] {
           BecomeUser(1000, 1000);
           Run("./p");
         }));
  Record("with", After([] {
           Data data[2] = {};
           Get(data);
           data[0].inheritable = Bit(CAP_CHOWN);
           Set(data);
           BecomeUser(1000, 1000);
           Run("./p");
         }));
}
CASE(file_caps_exec_no_new_privs) {
  GiveFile("p", Bit(CAP_CHOWN), 0, true);
  Record("after", After([] {
           BecomeUser(1000, 1000);
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
           Run("./p");
         }));
}
CASE(file_caps_exec_bounded) {
  GiveFile("p", Bit(CAP_CHOWN), 0, true);
  Record("effective", After([] {
           prctl(PR_CAPBSET_DROP, CAP_CHOWN);
           BecomeUser(1000, 1000);
           Run("./p");
         }));
  GiveFile("q", Bit(CAP_CHOWN), 0, false);
  Record("permitted", After([] {
           prctl(PR_CAPBSET_DROP, CAP_CHOWN);
           BecomeUser(1000, 1000);
           Run("./q");
         }));
}
CASE(file_caps_exec_by_root) {
  GiveFile("p", Bit(CAP_CHOWN), 0, true);
  Record("after", After([] { Run("./p"); }));
}
CASE(file_caps_exec_setuid_root) {
  GiveFile("p", Bit(CAP_CHOWN), 0, true);
  MUST(chmod("p", 04755));
  Record("after", After([] {
           BecomeUser(1000, 1000);
           Run("./p");
         }));
}
CASE(file_caps_clear_ambient) {
  GiveFile("p", Bit(CAP_KILL), 0, true);
  Record("after", After([] {
           Data data[2] = {};
           prctl(PR_SET_KEEPCAPS, 1);
           BecomeUser(1000, 1000);
           Get(data);
           data[0].inheritable = Bit(CAP_CHOWN);
           data[0].effective = data[0].permitted;
           Set(data);
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0);
           Run("./p");
         }));
}
CASE(file_caps_lost_by_write) {
  Make("f", "x", 0777);
  const FileCaps caps = {0x02000001u, Bit(CAP_CHOWN), 0, 0, 0, 0};
  MUST(setxattr("f", "security.capability", &caps, 20, 0));
  const int fd = open("f", O_WRONLY);
  T(write(fd, "y", 1));
  T(getxattr("f", "security.capability", nullptr, 0));
}
CASE(file_caps_lost_by_chown) {
  Make("f", "x", 0755);
  const FileCaps caps = {0x02000001u, Bit(CAP_CHOWN), 0, 0, 0, 0};
  MUST(setxattr("f", "security.capability", &caps, 20, 0));
  T(chown("f", 1000, 1000));
  T(getxattr("f", "security.capability", nullptr, 0));
}
CASE(file_caps_lost_by_truncate) {
  Make("f", "xyz", 0777);
  const FileCaps caps = {0x02000001u, Bit(CAP_CHOWN), 0, 0, 0, 0};
  MUST(setxattr("f", "security.capability", &caps, 20, 0));
  T(truncate("f", 1));
  T(getxattr("f", "security.capability", nullptr, 0));
}
CASE(file_caps_kept_by_rename_and_link) {
  Make("f", "x", 0755);
  const FileCaps caps = {0x02000001u, Bit(CAP_CHOWN), 0, 0, 0, 0};
  MUST(setxattr("f", "security.capability", &caps, 20, 0));
  MUST(rename("f", "g"));
  T(getxattr("g", "security.capability", nullptr, 0));
  MUST(link("g", "h"));
  T(getxattr("h", "security.capability", nullptr, 0));
}
