// Ids and groups: set*id calls, access to files, what depends on them.
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>

#include <vector>

#include "test/guest/credentials.h"

using namespace guest;

CASE(setuid_keeps_saved_for_the_unprivileged) {
  MUST(setresuid(1000, 2000, 3000));
  T(setuid(3000));
  RecordUids();
  T(setuid(1000));
  RecordUids();
  T(setuid(2000));
  T(setuid(4000));
  T(setuid(-1));
}
CASE(seteuid_between_real_and_saved) {
  MUST(setresuid(1000, 1000, 2000));
  T(seteuid(2000));
  RecordUids();
  T(seteuid(1000));
  T(seteuid(0));
  RecordUids();
}
CASE(setreuid_rules) {
  MUST(setresuid(1000, 2000, 3000));
  T(setreuid(2000, -1));
  RecordUids();
  T(setreuid(3000, -1));
  T(setreuid(-1, 3000));
  RecordUids();
  T(setreuid(-1, -1));
  RecordUids();
}
CASE(setreuid_swaps) {
  MUST(setresuid(1000, 2000, 2000));
  T(setreuid(2000, 1000));
  RecordUids();
  T(setreuid(1000, 2000));
  RecordUids();
}
CASE(setreuid_same_real_keeps_saved) {
  MUST(setresuid(1000, 1000, 3000));
  T(setreuid(-1, 1000));
  RecordUids();
  T(setreuid(1000, -1));
  RecordUids();
}
CASE(setresuid_any_of_three) {
  MUST(setresuid(1000, 2000, 3000));
  T(setresuid(3000, 1000, 2000));
  RecordUids();
  T(setresuid(-1, 5, -1));
  T(setresuid(-1, -1, 5));
  RecordUids();
}
CASE(setgid_family) {
  MUST(setresgid(10, 20, 30));
  RecordGids();
  MUST(setresuid(1000, 1000, 1000));
  T(setgid(30));
  RecordGids();
  T(setgid(20));
  T(setregid(-1, 10));
  RecordGids();
  T(setresgid(10, 10, 99));
  T(setgid(-1));
}
CASE(setgid_with_capability_only) {
  MUST(prctl(PR_SET_KEEPCAPS, 1));
  MUST(setresuid(1000, 1000, 1000));
  T(setgid(5));
  T(setresgid(1, 2, 3));
  RecordGids();
}
CASE(fsuid_follows_and_leaves) {
  T(seteuid(1000));
  RecordUids();
  T(seteuid(0));
  T(setfsuid(1234));
  T(setfsuid(-1));
  T(setfsuid(0));
  RecordUids();
}
CASE(fsuid_unprivileged) {
  BecomeUser(1000, 1000);
  T(setfsuid(0));
  T(setfsuid(-1));
  T(setfsuid(1000));
  T(setfsgid(0));
  T(setfsgid(-1));
}
CASE(fsuid_drops_file_capabilities_only) {
  Make("f", "x", 0600);
  T(setfsuid(1000));
  Record("effective", StatusField("CapEff"));
  T(open("f", O_RDONLY));
  T(setfsuid(0));
  Record("effective", StatusField("CapEff"));
  T(open("f", O_RDONLY) >= 0);
}
CASE(fsgid_of_new_files) {
  T(setfsgid(77));
  Make("f");
  struct stat st;
  T(stat("f", &st));
  Record("gid", st.st_gid);
}
CASE(groups_at_the_limit) {
  std::vector<gid_t> groups(65536, 7);
  T(setgroups(65536, groups.data()));
  T(getgroups(0, nullptr));
  groups.push_back(7);
  T(setgroups(65537, groups.data()));
  T(syscall(SYS_setgroups, -1, groups.data()));
}
CASE(groups_bad_pointer_and_clear) {
  T(syscall(SYS_setgroups, 3, BadPointer()));
  const gid_t two[] = {9, 8};
  T(setgroups(2, two));
  gid_t out[2] = {};
  T(getgroups(2, out));
  Record("order", std::to_string(out[0]) + "," + std::to_string(out[1]));
  T(syscall(SYS_getgroups, 2, BadPointer()));
  T(setgroups(0, nullptr));
  T(getgroups(0, nullptr));
  Record("line", StatusField("Groups"));
}
CASE(groups_line_in_status) {
  const gid_t some[] = {3, 1, 2, 1};
  T(setgroups(4, some));
  Record("line", StatusField("Groups"));
}
CASE(groups_give_access) {
  Make("f", "x", 0640);
  MUST(chown("f", 0, 4000));
  Record("without", InChild([] {
           BecomeUser(1000, 1000);
           return open("f", O_RDONLY) < 0 ? errno : 0;
         }));
  Record("with", InChild([] {
           const gid_t group = 4000;
           if (setgroups(1, &group) < 0 || setresgid(1000, 1000, 1000) < 0 ||
               setresuid(1000, 1000, 1000) < 0) {
             return 99;
           }
           return open("f", O_RDONLY) < 0 ? errno : 0;
         }));
}
CASE(group_bits_shadow_others) {
  Make("f", "x", 0604);
  MUST(chown("f", 0, 1000));
  BecomeUser(1000, 1000);
  T(open("f", O_RDONLY));
}
CASE(owner_bits_shadow_group) {
  Make("f", "x", 0077);
  MUST(chown("f", 1000, 1000));
  BecomeUser(1000, 1000);
  T(open("f", O_RDONLY));
  T(access("f", R_OK));
}
CASE(access_uses_real_ids) {
  Make("f", "x", 0600);
  MUST(setresuid(1000, 0, 0));
  T(access("f", R_OK));
  T(faccessat(AT_FDCWD, "f", R_OK, AT_EACCESS));
}
CASE(chown_by_owner) {
  Make("f");
  MUST(chown("f", 1000, 1000));
  const gid_t groups[] = {1000, 4000};
  MUST(setgroups(2, groups));
  MUST(setresgid(1000, 1000, 1000));
  MUST(setresuid(1000, 1000, 1000));
  T(chown("f", -1, 4000));
  T(chown("f", -1, 5000));
  T(chown("f", 2000, -1));
  T(chown("f", 1000, -1));
  T(chown("f", -1, -1));
}
CASE(sticky_directory) {
  MUST(mkdir("d", 0777));
  MUST(chmod("d", 01777));
  Make("d/root");
  Make("d/mine");
  MUST(chown("d/mine", 1000, 1000));
  BecomeUser(1000, 1000);
  T(unlink("d/root"));
  T(rename("d/root", "d/other"));
  T(rename("d/mine", "d/root"));
  T(unlink("d/mine"));
}
CASE(sticky_directory_of_own) {
  MUST(mkdir("d", 0777));
  MUST(chmod("d", 01777));
  MUST(chown("d", 1000, 1000));
  Make("d/root");
  BecomeUser(1000, 1000);
  T(unlink("d/root"));
}
CASE(own_symlink_in_sticky_directory) {
  MUST(mkdir("d", 0777));
  MUST(chmod("d", 01777));
  Make("target", "x", 0644);
  MUST(symlink("../target", "d/l"));
  MUST(lchown("d/l", 1000, 1000));
  BecomeUser(1000, 1000);
  T(open("d/l", O_RDONLY) >= 0);
}
CASE(protected_hardlinks) {
  MUST(mkdir("d", 0777));
  MUST(chmod("d", 0777));
  Make("f", "x", 0644);
  Make("w", "x", 0666);
  MUST(chmod("w", 0666));
  BecomeUser(1000, 1000);
  T(link("f", "d/f"));
  T(link("w", "d/w"));
}
CASE(mknod_needs_capability) {
  T(mknod("c", S_IFCHR | 0600, makedev(1, 3)));
  BecomeUser(1000, 1000);
  T(mknod("d", S_IFCHR | 0600, makedev(1, 3)));
  T(mknod("p", S_IFIFO | 0600, 0));
}
CASE(kill_by_ids) {
  auto sleeper = [](uid_t uid) {
    const pid_t child = fork();
    if (child == 0) {
      BecomeUser(uid, uid);
      while (true) pause();
    }
    SleepMs(50);
    return child;
  };
  const pid_t mine = sleeper(1000), other = sleeper(2000);
  Record("as_user", InChild([&] {
           BecomeUser(1000, 1000);
           const int a = kill(mine, 0) < 0 ? errno : 0;
           const int b = kill(other, 0) < 0 ? errno : 0;
           const int c = kill(getppid(), 0) < 0 ? errno : 0;
           return a + b * 10 + c * 100;
         }));
  T(kill(mine, SIGKILL));
  T(kill(other, SIGKILL));
}
CASE(kill_with_saved_id) {
  const pid_t child = fork();
  if (child == 0) {
    MUST(setresuid(1000, 1000, 2000));
    while (true) pause();
  }
  SleepMs(50);
  Record("by_saved", InChild([&] {
           BecomeUser(2000, 2000);
           return kill(child, 0) < 0 ? errno : 0;
         }));
  kill(child, SIGKILL);
}
CASE(dumpable_after_id_changes) {
  T(prctl(PR_GET_DUMPABLE));
  T(seteuid(1000));
  T(prctl(PR_GET_DUMPABLE));
  T(prctl(PR_SET_DUMPABLE, 1));
  T(prctl(PR_GET_DUMPABLE));
  T(prctl(PR_SET_DUMPABLE, 2));
  T(prctl(PR_SET_DUMPABLE, 3));
}
CASE(dumpable_and_proc) {
  Record("undumpable", InChild([] {
           BecomeUser(1000, 1000);
           prctl(PR_SET_DUMPABLE, 0);
           struct stat st;
           if (stat("/proc/self/status", &st) < 0) return 99;
           return st.st_uid == 0 ? 1 : 0;
         }));
  Record("dumpable", InChild([] {
           BecomeUser(1000, 1000);
           prctl(PR_SET_DUMPABLE, 1);
           struct stat st;
           if (stat("/proc/self/status", &st) < 0) return 99;
           return st.st_uid == 1000 ? 2 : 3;
         }));
}
CASE(no_new_privs_arguments) {
  T(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  T(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
  T(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
  T(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0));
  T(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  T(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  Record("status", StatusField("NoNewPrivs"));
  Record("child", InChild([] { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); }));
}
CASE(set_gid_directory) {
  MUST(mkdir("d", 0777));
  MUST(chown("d", 0, 4000));
  MUST(chmod("d", 02777));
  Make("d/f");
  MUST(mkdir("d/sub", 0755));
  struct stat st;
  stat("d/f", &st);
  Record("file", st.st_gid);
  stat("d/sub", &st);
  Record("sub", Octal(st.st_mode) + "," + std::to_string(st.st_gid));
}
CASE(set_gid_directory_drops_bit_of_files) {
  MUST(mkdir("d", 0777));
  MUST(chown("d", 0, 4000));
  MUST(chmod("d", 02777));
  BecomeUser(1000, 1000);
  const int fd = open("d/f", O_CREAT | O_WRONLY, 02775);
  struct stat st;
  fstat(fd, &st);
  Record("mode", Octal(st.st_mode) + "," + std::to_string(st.st_gid));
}
CASE(utimes_by_others) {
  Make("f", "x", 0666);
  MUST(chmod("f", 0666));
  BecomeUser(1000, 1000);
  T(utimensat(AT_FDCWD, "f", nullptr, 0));
  const timespec times[2] = {{1, 0}, {1, 0}};
  T(utimensat(AT_FDCWD, "f", times, 0));
}
CASE(noatime_by_others) {
  Make("f", "x", 0644);
  BecomeUser(1000, 1000);
  T(open("f", O_RDONLY | O_NOATIME));
}
CASE(chroot_needs_capability) {
  MUST(mkdir("d", 0755));
  BecomeUser(1000, 1000);
  T(chroot("d"));
}
CASE(ids_in_status_of_child) {
  const pid_t child = fork();
  if (child == 0) {
    MUST(setresgid(4, 5, 6));
    MUST(setresuid(1, 2, 3));
    while (true) pause();
  }
  SleepMs(100);
  Record("uid", StatusField("Uid", std::to_string(child)));
  Record("gid", StatusField("Gid", std::to_string(child)));
  kill(child, SIGKILL);
}
CASE(credentials_are_per_thread_in_raw_calls) {
  T(syscall(SYS_setresuid, 1000, 1000, 0));
  RecordUids();
  Record("child", InChild([] { return static_cast<int>(getuid() & 0xff); }));
}
