// What a user namespace's root may mount.
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <sstream>

#include "test/guest/mounting.h"

using namespace guest;

CASE(user_namespace_mounts_tmpfs) {
  MUST(mkdir("d", 0755));
  EnterUser();
  T(mount("tmpfs", "d", "tmpfs", 0, nullptr));
  struct stat st;
  T(stat("d", &st));
  Record("owner", st.st_uid);
  Make("d/f");
  T(umount("d"));
}
CASE(user_namespace_mounts_with_unmapped_ids) {
  MUST(mkdir("d", 0755));
  EnterUser();
  MUST(mount("tmpfs", "d", "tmpfs", 0, "mode=777"));
  T(mount("tmpfs", "d", "tmpfs", 0, "uid=5"));
  MUST(unshare(CLONE_NEWUSER));
  T(mkdir("d/x", 0755));
}
CASE(user_namespace_types) {
  MUST(mkdir("d", 0755));
  EnterUser();
  T(mount("proc", "d", "proc", 0, nullptr));
  T(mount("devtmpfs", "d", "devtmpfs", 0, nullptr));
  T(mount("ramfs", "d", "ramfs", 0, nullptr));
}
CASE(user_namespace_cannot_uncover) {
  Own();
  Tmpfs("d");
  MUST(mkdir("d/sub", 0755));
  Tmpfs("d/sub");
  MUST(mkdir("e", 0755));
  EnterUser();
  T(umount("d/sub"));
  T(umount2("d/sub", MNT_DETACH));
  T(mount("d", "e", nullptr, MS_BIND, nullptr));
  T(mount("d", "e", nullptr, MS_BIND | MS_REC, nullptr));
  T(umount2("e", MNT_DETACH));
}
CASE(user_namespace_cannot_change_access_times) {
  Own();
  for (const unsigned long flags :
       {0UL, MS_NOATIME | 0UL, MS_STRICTATIME | 0UL, MS_NODIRATIME | 0UL}) {
    Tmpfs("d", flags);
    Record("options", Info("d"));
    Record("child", InChild([] {
             EnterUser();
             const unsigned long kinds[] = {0,
                                            MS_NOATIME,
                                            MS_RELATIME,
                                            MS_STRICTATIME,
                                            MS_NODIRATIME,
                                            MS_RELATIME | MS_NODIRATIME};
             int allowed = 0;
             for (const unsigned long kind : kinds) {
               const int result =
                   mount(nullptr, "d", nullptr, MS_REMOUNT | MS_BIND | kind, nullptr);
               allowed = allowed << 1 | (result == 0 ? 1 : 0);
             }
             return allowed;
           }));
    MUST(umount("d"));
  }
  EnterUser();
  Tmpfs("own", MS_NOATIME);
  T(mount(nullptr, "own", nullptr, MS_REMOUNT | MS_BIND | MS_STRICTATIME, nullptr));
  Record("options", Info("own"));
}
CASE(user_namespace_cannot_clear_flags) {
  Own();
  Tmpfs("d", MS_NOSUID | MS_RDONLY);
  EnterUser();
  T(mount(nullptr, "d", nullptr, MS_REMOUNT | MS_BIND, nullptr));
  T(mount(nullptr, "d", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr));
  T(mount(nullptr, "d", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, nullptr));
  T(mount(nullptr, "d", nullptr, MS_REMOUNT | MS_RDONLY | MS_NOSUID, nullptr));
}
CASE(user_namespace_devpts_gives_terminals) {
  MUST(mkdir("d", 0755));
  EnterUser();
  T(mount("devpts", "d", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620"));
  const int master = open("d/ptmx", O_RDWR | O_NOCTTY);
  Record("master", master >= 0 ? "open" : strerrorname_np(errno));
  int number = -1;
  T(ioctl(master, TIOCGPTN, &number));
  Record("number", number);
  int unlock = 0;
  T(ioctl(master, TIOCSPTLCK, &unlock));
  const int slave = open("d/0", O_RDWR | O_NOCTTY);
  T(write(slave, "hi", 2));
  char text[3] = {};
  T(read(master, text, 2));
  Record("text", text);
  MUST(mkdir("t", 0755));
  MUST(mount("tmpfs", "t", "tmpfs", 0, nullptr));
  T(mknod("t/null", S_IFCHR | 0666, makedev(1, 3)));
}
CASE(user_namespace_devices) {
  MUST(mkdir("d", 0755));
  EnterUser();
  MUST(mount("tmpfs", "d", "tmpfs", 0, nullptr));
  T(mknod("d/null", S_IFCHR | 0666, makedev(1, 3)));
  T(mknod("d/fifo", S_IFIFO | 0666, 0));
}
CASE(user_namespace_binds) {
  MUST(mkdir("a", 0755));
  MUST(mkdir("b", 0755));
  Make("a/f");
  EnterUser();
  T(mount("a", "b", nullptr, MS_BIND, nullptr));
  T(Exists("b/f"));
  T(mount(nullptr, "b", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr));
  T(open("b/g", O_CREAT | O_WRONLY, 0644));
  T(umount("b"));
}
CASE(user_namespace_pivots) {
  MUST(mkdir("new", 0755));
  EnterUser();
  MUST(mount("tmpfs", "new", "tmpfs", 0, nullptr));
  MUST(mkdir("new/old", 0755));
  T(syscall(SYS_pivot_root, "new", "new/old"));
  MUST(chdir("/"));
  T(umount2("/old", MNT_DETACH));
  Record("empty", !Exists("/old/bin"));
}
