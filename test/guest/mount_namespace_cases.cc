// Mounts: flags per mount, bind, move, propagation, pivot_root, umount2, and
// mount namespaces with other owners.
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <sstream>
#include <vector>

#include "test/guest/cases.h"

using namespace guest;

namespace {
// Mounts of the case's own, in a namespace of its own.
void Own() {
  MUST(unshare(CLONE_NEWNS));
  MUST(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
}
void Tmpfs(const char* path, unsigned long flags = 0) {
  if (mkdir(path, 0755) < 0 && errno != EEXIST) Broken("mkdir");
  MUST(mount("tmpfs", path, "tmpfs", flags, "mode=755"));
}
bool Exists(const std::string& path) {
  struct stat st;
  return lstat(path.c_str(), &st) == 0;
}
std::string Cwd() {
  char text[512];
  return getcwd(text, sizeof text) == nullptr ? "" : text;
}
// Fields of mountinfo of the top-most mount on `path`: options and propagation.
std::string Info(const std::string& path) {
  const std::string wanted = path[0] == '/' ? path : Cwd() + "/" + path;
  std::istringstream lines(Content("/proc/self/mountinfo"));
  std::string line, result = "absent";
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::vector<std::string> fields;
    std::string word;
    while (words >> word && word != "-") fields.push_back(word);
    if (fields.size() < 6 || fields[4] != wanted) continue;
    result = fields[5];
    for (size_t i = 6; i < fields.size(); ++i) {
      result += " " + fields[i].substr(0, fields[i].find(':'));
    }
  }
  return result;
}
int Count(const std::string& name) {
  std::istringstream lines(Content("/proc/self/mountinfo"));
  std::string line;
  int n = 0;
  while (std::getline(lines, line)) n += line.find(name) != std::string::npos;
  return n;
}
void EnterUser() {
  MUST(unshare(CLONE_NEWUSER | CLONE_NEWNS));
  for (const char* path : {"/proc/self/uid_map", "/proc/self/gid_map"}) {
    const int fd = open(path, O_WRONLY);
    if (write(fd, "0 0 1", 5) < 0) Broken(path);
    close(fd);
  }
}
}  // namespace

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
CASE(propagation_arguments) {
  Own();
  MUST(mkdir("d", 0755));
  T(mount(nullptr, "d", nullptr, MS_SHARED, nullptr));
  Tmpfs("d");
  T(mount(nullptr, "d", nullptr, MS_SHARED | MS_PRIVATE, nullptr));
  T(mount(nullptr, "d", nullptr, MS_SHARED | MS_RDONLY, nullptr));
  T(mount(nullptr, "d", nullptr, MS_SHARED | MS_REC, nullptr));
  Record("info", Info("d"));
  T(mount(nullptr, "d", nullptr, MS_SLAVE, nullptr));
  Record("info", Info("d"));
  T(mount(nullptr, "d", nullptr, MS_UNBINDABLE, nullptr));
  Record("info", Info("d"));
  T(mount(nullptr, "d", nullptr, MS_PRIVATE, nullptr));
  Record("info", Info("d"));
}
CASE(shared_bind_propagates_both_ways) {
  Own();
  Tmpfs("a");
  MUST(mount(nullptr, "a", nullptr, MS_SHARED, nullptr));
  MUST(mkdir("a/x", 0755));
  MUST(mkdir("a/y", 0755));
  MUST(mkdir("b", 0755));
  MUST(mount("a", "b", nullptr, MS_BIND, nullptr));
  Record("info", Info("b"));
  Tmpfs("a/x");
  Make("a/x/f");
  Record("forward", Exists("b/x/f"));
  Tmpfs("b/y");
  Make("b/y/f");
  Record("back", Exists("a/y/f"));
  T(umount("b/x"));
  Record("unmounted", !Exists("a/x/f"));
  Record("child", Info("a/y"));
}
CASE(slave_receives_only) {
  Own();
  Tmpfs("a");
  MUST(mount(nullptr, "a", nullptr, MS_SHARED, nullptr));
  MUST(mkdir("a/x", 0755));
  MUST(mkdir("a/y", 0755));
  MUST(mkdir("b", 0755));
  MUST(mount("a", "b", nullptr, MS_BIND, nullptr));
  MUST(mount(nullptr, "b", nullptr, MS_SLAVE, nullptr));
  Record("info", Info("b"));
  Tmpfs("a/x");
  Make("a/x/f");
  Record("received", Exists("b/x/f"));
  Tmpfs("b/y");
  Make("b/y/f");
  Record("kept", !Exists("a/y/f"));
}
CASE(shared_slave) {
  Own();
  Tmpfs("a");
  MUST(mount(nullptr, "a", nullptr, MS_SHARED, nullptr));
  MUST(mkdir("a/x", 0755));
  MUST(mkdir("b", 0755));
  MUST(mount("a", "b", nullptr, MS_BIND, nullptr));
  MUST(mount(nullptr, "b", nullptr, MS_SLAVE, nullptr));
  MUST(mount(nullptr, "b", nullptr, MS_SHARED, nullptr));
  Record("info", Info("b"));
  MUST(mkdir("c", 0755));
  MUST(mount("b", "c", nullptr, MS_BIND, nullptr));
  Record("info", Info("c"));
  Tmpfs("a/x");
  Make("a/x/f");
  Record("through", Exists("b/x/f") && Exists("c/x/f"));
  Record("info", Info("c/x"));
}
CASE(private_does_not_propagate) {
  Own();
  Tmpfs("a");
  MUST(mkdir("a/x", 0755));
  MUST(mkdir("b", 0755));
  MUST(mount("a", "b", nullptr, MS_BIND, nullptr));
  Tmpfs("a/x");
  Make("a/x/f");
  Record("stayed", !Exists("b/x/f"));
}
CASE(unbindable_cannot_be_bound) {
  Own();
  Tmpfs("a");
  MUST(mkdir("a/u", 0755));
  Tmpfs("a/u");
  MUST(mount(nullptr, "a/u", nullptr, MS_UNBINDABLE, nullptr));
  MUST(mkdir("b", 0755));
  T(mount("a/u", "b", nullptr, MS_BIND, nullptr));
  T(mount("a", "b", nullptr, MS_BIND | MS_REC, nullptr));
  Record("skipped", Info("b/u"));
}
CASE(move_from_shared_parent) {
  Own();
  Tmpfs("a");
  MUST(mkdir("a/x", 0755));
  Tmpfs("a/x");
  MUST(mkdir("b", 0755));
  MUST(mount(nullptr, "a", nullptr, MS_SHARED, nullptr));
  T(mount("a/x", "b", nullptr, MS_MOVE, nullptr));
}
CASE(namespaces_are_peers) {
  Own();
  Tmpfs("a");
  MUST(mkdir("a/x", 0755));
  MUST(mount(nullptr, "a", nullptr, MS_SHARED, nullptr));
  int ready[2], go[2];
  MUST(pipe(ready));
  MUST(pipe(go));
  const pid_t child = fork();
  if (child == 0) {
    unshare(CLONE_NEWNS);
    (void)!write(ready[1], "x", 1);
    char byte;
    (void)!read(go[0], &byte, 1);
    _exit(Exists("a/x/f") ? 5 : 6);
  }
  char byte;
  (void)!read(ready[0], &byte, 1);
  Tmpfs("a/x");
  Make("a/x/f");
  (void)!write(go[1], "x", 1);
  int status;
  waitpid(child, &status, 0);
  Record("child", StatusText(status));
}
CASE(namespaces_of_users_are_slaves) {
  Own();
  Tmpfs("a");
  MUST(mount(nullptr, "a", nullptr, MS_SHARED, nullptr));
  EnterUser();
  Record("info", Info("a"));
}
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
CASE(user_namespace_cannot_clear_flags) {
  Own();
  Tmpfs("d", MS_NOSUID | MS_RDONLY);
  EnterUser();
  T(mount(nullptr, "d", nullptr, MS_REMOUNT | MS_BIND, nullptr));
  T(mount(nullptr, "d", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr));
  T(mount(nullptr, "d", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, nullptr));
  T(mount(nullptr, "d", nullptr, MS_REMOUNT | MS_RDONLY | MS_NOSUID, nullptr));
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
