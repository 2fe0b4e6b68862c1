// Mount namespaces: mount, umount, binds, flags.
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <sstream>

#include "test/guest/mounting.h"

using namespace guest;

CASE(unshare_mounts_is_a_copy) {
  MUST(mkdir("d", 0755));
  Record("child", InChild([] {
           Own();
           Tmpfs("d");
           Make("d/f");
           return Exists("d/f") ? 1 : 0;
         }));
  T(Exists("d/f"));
}
CASE(clone_new_mounts) {
  MUST(mkdir("d", 0755));
  const long pid = syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) {
    mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    _exit(mount("tmpfs", "d", "tmpfs", 0, nullptr) == 0 ? 4 : errno);
  }
  int status;
  waitpid(static_cast<pid_t>(pid), &status, 0);
  Record("end", StatusText(status));
  Record("mounted_here", Info("d"));
}
CASE(mount_arguments) {
  Own();
  MUST(mkdir("d", 0755));
  Make("f");
  T(mount("x", "missing", "tmpfs", 0, nullptr));
  T(mount("x", "d", "nosuchfs", 0, nullptr));
  T(mount("x", "d", nullptr, 0, nullptr));
  T(mount("x", "f", "tmpfs", 0, nullptr));
  T(mount("x", "d", "tmpfs", 0, "nonsense=1"));
  T(mount(nullptr, "d", nullptr, MS_BIND, nullptr));
  T(mount("", "d", nullptr, MS_BIND, nullptr));
  T(mount("missing", "d", nullptr, MS_BIND, nullptr));
  T(mount("f", "d", nullptr, MS_BIND, nullptr));
  T(mount("d", "f", nullptr, MS_BIND, nullptr));
  T(mount("d", "d", nullptr, MS_REMOUNT | MS_BIND, nullptr));
}
CASE(mount_without_capability) {
  MUST(mkdir("d", 0777));
  BecomeUser(1000, 1000);
  T(mount("x", "d", "tmpfs", 0, nullptr));
  T(mount("d", "d", nullptr, MS_BIND, nullptr));
  T(umount2("/tmp", 0));
  T(syscall(SYS_pivot_root, "d", "d"));
}
CASE(mount_hides_and_umount_reveals) {
  Own();
  MUST(mkdir("d", 0755));
  Make("d/below");
  Tmpfs("d");
  Record("hidden", !Exists("d/below"));
  T(umount("d"));
  Record("back", Exists("d/below"));
  T(umount("d"));
}
CASE(mounts_stack) {
  Own();
  Tmpfs("d");
  Make("d/first");
  Tmpfs("d");
  Make("d/second");
  Record("top", Exists("d/second") && !Exists("d/first"));
  T(umount("d"));
  Record("below", Exists("d/first"));
}
CASE(bind_directory) {
  Own();
  MUST(mkdir("a", 0755));
  MUST(mkdir("b", 0755));
  Make("a/f", "text");
  T(mount("a", "b", nullptr, MS_BIND, nullptr));
  Record("content", Content("b/f"));
  Make("b/g");
  Record("both", Exists("a/g"));
  T(rename("b/f", "a/h"));
  T(umount("b"));
}
CASE(bind_file) {
  Own();
  Make("a", "of a");
  Make("b", "of b");
  T(mount("a", "b", nullptr, MS_BIND, nullptr));
  Record("content", Content("b"));
  T(unlink("b"));
  T(umount("b"));
  Record("content", Content("b"));
}
CASE(bind_is_not_recursive) {
  Own();
  Tmpfs("a");
  MUST(mkdir("a/sub", 0755));
  Tmpfs("a/sub");
  Make("a/sub/f");
  MUST(mkdir("b", 0755));
  MUST(mkdir("c", 0755));
  T(mount("a", "b", nullptr, MS_BIND, nullptr));
  Record("plain", Exists("b/sub/f"));
  T(mount("a", "c", nullptr, MS_BIND | MS_REC, nullptr));
  Record("recursive", Exists("c/sub/f"));
  T(umount("c"));
  T(umount2("c", MNT_DETACH));
  Record("gone", !Exists("c/sub"));
}
CASE(bind_read_only_by_remount) {
  Own();
  MUST(mkdir("a", 0755));
  MUST(mkdir("b", 0755));
  T(mount("a", "b", nullptr, MS_BIND | MS_RDONLY, nullptr));
  T(mkdir("b/f", 0755));
  T(mount(nullptr, "b", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr));
  T(open("b/g", O_CREAT | O_WRONLY, 0644));
  T(open("a/g", O_CREAT | O_WRONLY, 0644) >= 0);
  T(mount(nullptr, "b", nullptr, MS_REMOUNT | MS_BIND, nullptr));
  T(open("b/h", O_CREAT | O_WRONLY, 0644) >= 0);
}
CASE(flags_are_per_mount) {
  Own();
  Tmpfs("a", MS_NOSUID | MS_NODEV);
  MUST(mkdir("b", 0755));
  MUST(mount("a", "b", nullptr, MS_BIND, nullptr));
  Record("a", Info("a"));
  Record("b", Info("b"));
  MUST(mount(nullptr, "b", nullptr, MS_REMOUNT | MS_BIND | MS_NOEXEC, nullptr));
  Record("a", Info("a"));
  Record("b", Info("b"));
}
CASE(flag_noexec) {
  Own();
  Tmpfs("d", MS_NOEXEC);
  Make("d/s", "#!/bin/sh\nexit 3\n", 0755);
  Record("end", InChild([] {
           execl("d/s", "s", nullptr);
           return errno;
         }));
  MUST(mount(nullptr, "d", nullptr, MS_REMOUNT | MS_BIND, nullptr));
  Record("end", InChild([] {
           execl("d/s", "s", nullptr);
           return errno;
         }));
}
CASE(flag_nosymfollow) {
  Own();
  Tmpfs("d");
  Make("d/f", "content");
  MUST(mkdir("d/sub", 0755));
  MUST(symlink("f", "d/link"));
  MUST(symlink("sub", "d/way"));
  T(mount(nullptr, "d", nullptr, MS_REMOUNT | MS_NOSYMFOLLOW, nullptr));
  Record("options", Info("d"));
  struct statfs fs;
  MUST(statfs("d", &fs));
  Record("flags", fs.f_flags);
  T(open("d/link", O_RDONLY));
  T(open("d/link", O_RDWR | O_CREAT, 0600));
  T(open("d/way/x", O_RDWR | O_CREAT, 0600));
  T(access("d/way/.", F_OK));
  char text[16];
  T(readlink("d/link", text, sizeof text));
  struct stat st;
  T(lstat("d/link", &st));
  T(symlink("d/f", "outside"));
  T(close(open("outside", O_RDONLY)));
  T(mount(nullptr, "d", nullptr, MS_REMOUNT, nullptr));
  Record("content", Drain(open("d/link", O_RDONLY)));
}
CASE(flags_in_statfs) {
  Own();
  const struct {
    const char* name;
    unsigned long flags;
  } kinds[] = {{"default", 0},
               {"ro", MS_RDONLY},
               {"nosuid", MS_NOSUID},
               {"nodev", MS_NODEV},
               {"noexec", MS_NOEXEC},
               {"noatime", MS_NOATIME},
               {"nodiratime", MS_NODIRATIME},
               {"strictatime", MS_STRICTATIME},
               {"both", MS_STRICTATIME | MS_NOATIME | MS_NODIRATIME}};
  for (const auto& kind : kinds) {
    Tmpfs("d", kind.flags);
    struct statfs fs;
    MUST(statfs("d", &fs));
    Record(kind.name, Info("d") + " " + Octal(static_cast<unsigned long>(fs.f_flags)));
    MUST(mount(nullptr, "d", nullptr, MS_REMOUNT | MS_BIND, nullptr));
    Record("later", Info("d"));
    MUST(umount("d"));
  }
  int p[2];
  MUST(pipe(p));
  struct statfs fs;
  MUST(fstatfs(p[0], &fs));
  Record("pipe", fs.f_flags);
}
CASE(flag_nodev) {
  Own();
  Tmpfs("d", MS_NODEV);
  MUST(mknod("d/null", S_IFCHR | 0666, makedev(1, 3)));
  T(open("d/null", O_RDWR));
  MUST(mount(nullptr, "d", nullptr, MS_REMOUNT | MS_BIND, nullptr));
  T(open("d/null", O_RDWR) >= 0);
}
CASE(remount_read_only_and_back) {
  Own();
  Tmpfs("d");
  T(mount(nullptr, "d", nullptr, MS_REMOUNT | MS_RDONLY, nullptr));
  T(mkdir("d/x", 0755));
  T(mount(nullptr, "d", nullptr, MS_REMOUNT, nullptr));
  T(mkdir("d/x", 0755));
  MUST(mkdir("d/y", 0755));
  T(mount(nullptr, "d/y", nullptr, MS_REMOUNT, nullptr));
}
CASE(umount_busy) {
  Own();
  Tmpfs("d");
  Make("d/f");
  const int fd = open("d/f", O_RDONLY);
  T(umount("d"));
  close(fd);
  MUST(chdir("d"));
  T(umount("../d"));
  MUST(chdir(".."));
  MUST(mkdir("d/sub", 0755));
  Tmpfs("d/sub");
  T(umount("d"));
  T(umount("d/sub"));
  T(umount("d"));
}
CASE(umount_lazily) {
  Own();
  Tmpfs("d");
  Make("d/f", "still");
  const int fd = open("d/f", O_RDONLY);
  T(umount2("d", MNT_DETACH));
  Record("gone", !Exists("d/f"));
  Record("content", Drain(fd));
}
CASE(umount_flags) {
  Own();
  Tmpfs("d");
  MUST(symlink("d", "l"));
  T(umount2("l", UMOUNT_NOFOLLOW));
  T(umount2("d", 0x100));
  T(umount2("d", MNT_EXPIRE | MNT_DETACH));
  T(umount2("d", MNT_EXPIRE));
  T(umount2("missing", 0));
  T(umount2("l", 0));
}
CASE(move_mount_by_flag) {
  Own();
  Tmpfs("a");
  Make("a/f");
  MUST(mkdir("b", 0755));
  T(mount("a", "b", nullptr, MS_MOVE, nullptr));
  Record("moved", Exists("b/f") && !Exists("a/f"));
  MUST(mkdir("b/sub", 0755));
  T(mount("b", "b/sub", nullptr, MS_MOVE, nullptr));
  T(mount("a", "b/sub", nullptr, MS_MOVE, nullptr));
  Make("file");
  T(mount("b", "file", nullptr, MS_MOVE, nullptr));
}
CASE(move_takes_children) {
  Own();
  Tmpfs("a");
  MUST(mkdir("a/sub", 0755));
  Tmpfs("a/sub");
  Make("a/sub/f");
  MUST(mkdir("b", 0755));
  T(mount("a", "b", nullptr, MS_MOVE, nullptr));
  Record("child", Exists("b/sub/f"));
}
CASE(bind_of_namespace_file) {
  Own();
  Make("ns");
  MUST(unshare(CLONE_NEWUTS));
  MUST(sethostname("bound", 5));
  T(mount("/proc/self/ns/uts", "ns", nullptr, MS_BIND, nullptr));
  MUST(unshare(CLONE_NEWUTS));
  MUST(sethostname("other", 5));
  const int fd = open("ns", O_RDONLY);
  T(setns(fd, CLONE_NEWUTS));
  char name[16] = {};
  gethostname(name, sizeof name - 1);
  Record("name", name);
  T(umount("ns"));
}
CASE(rename_across_binds) {
  Own();
  MUST(mkdir("a", 0755));
  MUST(mkdir("b", 0755));
  Make("a/f");
  MUST(mount("a", "b", nullptr, MS_BIND, nullptr));
  T(rename("a/f", "b/g"));
  T(link("a/f", "b/g"));
}
CASE(mount_point_cannot_be_removed) {
  Own();
  MUST(mkdir("d", 0755));
  Tmpfs("d");
  T(rmdir("d"));
  T(rename("d", "e"));
}
CASE(mount_point_of_other_namespace) {
  MUST(mkdir("d", 0755));
  int ready[2], go[2];
  MUST(pipe(ready));
  MUST(pipe(go));
  const pid_t child = fork();
  if (child == 0) {
    Own();
    Tmpfs("d");
    (void)!write(ready[1], "x", 1);
    char byte;
    (void)!read(go[0], &byte, 1);
    _exit(0);
  }
  char byte;
  (void)!read(ready[0], &byte, 1);
  T(rmdir("d"));
  (void)!write(go[1], "x", 1);
  waitpid(child, nullptr, 0);
}
