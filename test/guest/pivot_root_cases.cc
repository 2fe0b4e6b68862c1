// pivot_root(2), and chroot(2) among mounts.
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <sstream>

#include "test/guest/mounting.h"

using namespace guest;

CASE(pivot_root_into_tmpfs) {
  Own();
  Tmpfs("new");
  MUST(mkdir("new/old", 0755));
  Make("new/here");
  T(syscall(SYS_pivot_root, "new", "new/old"));
  MUST(chdir("/"));
  Record("new", Exists("/here"));
  Record("old", Exists("/old/bin"));
  T(umount2("/old", MNT_DETACH));
  Record("gone", !Exists("/old/bin"));
}
CASE(pivot_root_dot_dot) {
  Own();
  Tmpfs("new");
  Make("new/here");
  MUST(chdir("new"));
  T(syscall(SYS_pivot_root, ".", "."));
  T(umount2(".", MNT_DETACH));
  MUST(chdir("/"));
  Record("new", Exists("/here"));
  Record("gone", !Exists("/bin"));
}
CASE(pivot_root_errors) {
  Own();
  MUST(mkdir("plain", 0755));
  MUST(mkdir("plain/old", 0755));
  T(syscall(SYS_pivot_root, "plain", "plain/old"));
  T(syscall(SYS_pivot_root, "missing", "plain"));
  Make("file");
  T(syscall(SYS_pivot_root, "file", "plain"));
  Tmpfs("new");
  MUST(mkdir("new/old", 0755));
  T(syscall(SYS_pivot_root, "new", "plain"));
  T(syscall(SYS_pivot_root, "/", "/"));
  MUST(mount(nullptr, "new", nullptr, MS_SHARED, nullptr));
  T(syscall(SYS_pivot_root, "new", "new/old"));
}
CASE(pivot_root_moves_others) {
  Own();
  Tmpfs("new");
  MUST(mkdir("new/old", 0755));
  int go[2];
  MUST(pipe(go));
  const pid_t child = fork();
  if (child == 0) {
    MUST(chdir("/"));
    char byte;
    (void)!read(go[0], &byte, 1);
    _exit(Exists("/old/bin") ? 5 : 6);
  }
  SleepMs(100);
  MUST(syscall(SYS_pivot_root, "new", "new/old"));
  (void)!write(go[1], "x", 1);
  int status;
  waitpid(child, &status, 0);
  Record("child", StatusText(status));
}
CASE(chroot_and_mounts) {
  Own();
  Tmpfs("jail");
  MUST(mkdir("jail/proc", 0755));
  MUST(mount("proc", "jail/proc", "proc", 0, nullptr));
  MUST(chroot("jail"));
  MUST(chdir("/"));
  Record("info", Info("/proc"));
  Record("root", Info("/"));
  Record("lines", Count(" - "));
}
