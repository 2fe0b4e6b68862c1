// Mount namespaces: propagation.
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <sstream>

#include "test/guest/mounting.h"

using namespace guest;

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
