// User namespaces: creation, maps, capabilities inside and outside.
#include <grp.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#include "test/guest/user_namespaces.h"

using namespace guest;

CASE(unshare_user_shows_overflow_ids) {
  T(unshare(CLONE_NEWUSER));
  Ids();
  Record("uid_map", Content("/proc/self/uid_map"));
  Record("gid_map", Content("/proc/self/gid_map"));
  Record("setgroups", Content("/proc/self/setgroups"));
}
CASE(unshare_user_gives_all_capabilities) {
  MUST(unshare(CLONE_NEWUSER));
  Record("prm", StatusField("CapPrm"));
  Record("eff", StatusField("CapEff"));
  Record("bnd", StatusField("CapBnd"));
  Record("inh", StatusField("CapInh"));
}
CASE(unshare_user_by_user) {
  BecomeUser(1000, 1000);
  T(unshare(CLONE_NEWUSER));
  Record("eff", StatusField("CapEff"));
  Ids();
}
CASE(map_by_user) {
  BecomeUser(1000, 1000);
  EnterMapped();
  Ids();
  Record("uid_map", Content("/proc/self/uid_map"));
  Record("gid_map", Content("/proc/self/gid_map"));
  Record("setgroups", Content("/proc/self/setgroups"));
}
CASE(map_written_twice) {
  EnterMapped();
  T(WriteFile("/proc/self/uid_map", "0 0 1"));
  T(WriteFile("/proc/self/gid_map", "0 0 1"));
}
CASE(map_of_undumpable) {
  BecomeUser(1000, 1000);
  MUST(unshare(CLONE_NEWUSER));
  T(WriteFile("/proc/self/setgroups", "deny"));
  T(WriteFile("/proc/self/uid_map", "0 1000 1"));
}
CASE(map_gid_without_deny) {
  BecomeUser(1000, 1000);
  MUST(prctl(PR_SET_DUMPABLE, 1));
  MUST(unshare(CLONE_NEWUSER));
  T(WriteFile("/proc/self/gid_map", "0 1000 1"));
  T(WriteFile("/proc/self/setgroups", "deny"));
  T(WriteFile("/proc/self/gid_map", "0 1000 1"));
}
CASE(map_other_id_by_user) {
  BecomeUser(1000, 1000);
  MUST(prctl(PR_SET_DUMPABLE, 1));
  MUST(unshare(CLONE_NEWUSER));
  T(WriteFile("/proc/self/uid_map", "0 1001 1"));
  T(WriteFile("/proc/self/uid_map", "0 1000 2"));
  T(WriteFile("/proc/self/uid_map", "5 1000 1"));
  Ids();
}
CASE(map_malformed) {
  MUST(unshare(CLONE_NEWUSER));
  T(WriteFile("/proc/self/uid_map", "0 0"));
  T(WriteFile("/proc/self/uid_map", "0 0 0"));
  T(WriteFile("/proc/self/uid_map", "x 0 1"));
  T(WriteFile("/proc/self/uid_map", "0 0 1 1"));
  T(WriteFile("/proc/self/uid_map", "0 0 1\n0 5 1"));
  T(WriteFile("/proc/self/uid_map", "0 0 2\n5 1 1"));
  T(WriteFile("/proc/self/uid_map", "4294967295 0 1"));
  T(WriteFile("/proc/self/uid_map", std::string(5000, ' ')));
}
CASE(map_of_initial_namespace) {
  T(WriteFile("/proc/self/setgroups", "allow"));
  T(WriteFile("/proc/self/setgroups", "junk"));
  T(WriteFile("/proc/self/setgroups", "deny   "));
}
CASE(map_many_lines_by_parent) {
  Waiter child([] { MUST(unshare(CLONE_NEWUSER)); });
  std::string map;
  for (int i = 0; i < 341; ++i) {
    map += std::to_string(i) + " " + std::to_string(1000 + i) + " 1\n";
  }
  T(WriteFile(child.Proc("uid_map"), map));
  map = map.substr(0, map.rfind("340 "));
  T(WriteFile(child.Proc("uid_map"), map.substr(0, 4000)));
}
CASE(map_range_by_parent) {
  Waiter child([] { MUST(unshare(CLONE_NEWUSER)); });
  T(WriteFile(child.Proc("uid_map"), "0 100000 65536\n"));
  T(WriteFile(child.Proc("gid_map"), "0 100000 65536\n"));
  Record("map", Content(child.Proc("uid_map").c_str()));
  Record("setgroups", Content(child.Proc("setgroups").c_str()));
}
CASE(map_by_stranger) {
  Waiter child([] {
    BecomeUser(1000, 1000);
    prctl(PR_SET_DUMPABLE, 1);
    MUST(unshare(CLONE_NEWUSER));
  });
  Record("stranger", InChild([&] {
           BecomeUser(2000, 2000);
           return WriteFile(child.Proc("uid_map"), "0 2000 1") < 0 ? errno : 0;
         }));
}
CASE(setgroups_deny_is_for_good) {
  MUST(unshare(CLONE_NEWUSER));
  T(WriteFile("/proc/self/setgroups", "deny"));
  T(WriteFile("/proc/self/setgroups", "allow"));
  T(WriteFile("/proc/self/setgroups", "deny"));
  Record("text", Content("/proc/self/setgroups"));
}
CASE(setgroups_deny_after_map) {
  EnterMapped();
  T(WriteFile("/proc/self/setgroups", "deny"));
  T(WriteFile("/proc/self/setgroups", "allow"));
  Record("text", Content("/proc/self/setgroups"));
}
CASE(setgroups_in_namespace) {
  EnterMapped();
  const gid_t group = 0;
  T(setgroups(1, &group));
  T(setgroups(0, nullptr));
}
CASE(set_ids_in_namespace) {
  EnterMapped();
  T(setuid(5));
  T(setresuid(0, 0, 0));
  T(setresgid(7, -1, -1));
  T(setreuid(-1, 9));
  T(setfsuid(5));
  Ids();
}
CASE(nested_map_is_relative) {
  EnterMapped();
  MUST(unshare(CLONE_NEWUSER));
  T(WriteFile("/proc/self/uid_map", "10 5 1"));
  T(WriteFile("/proc/self/uid_map", "10 0 1"));
  Ids();
  Record("map", Content("/proc/self/uid_map"));
}
CASE(nested_without_map_fails) {
  MUST(unshare(CLONE_NEWUSER));
  T(unshare(CLONE_NEWUSER));
}
CASE(nested_depth) {
  int depth = 0;
  int code = 0;
  while (depth < 40) {
    if (unshare(CLONE_NEWUSER) < 0) {
      code = errno;
      break;
    }
    WriteFile("/proc/self/setgroups", "deny");
    if (WriteFile("/proc/self/uid_map", "0 0 1") < 0) Broken("map");
    if (WriteFile("/proc/self/gid_map", "0 0 1") < 0) Broken("map");
    ++depth;
  }
  Record("depth", depth);
  Record("error", strerrorname_np(code));
}
CASE(unshare_user_after_chroot) {
  MUST(mkdir("d", 0755));
  MUST(chroot("d"));
  T(unshare(CLONE_NEWUSER));
}
CASE(file_owner_in_namespace) {
  Make("root", "x", 0600);
  Make("other", "x", 0600);
  MUST(chown("other", 1000, 1000));
  EnterMapped();
  struct stat st;
  stat("root", &st);
  Record("root", st.st_uid);
  stat("other", &st);
  Record("other", st.st_uid);
  T(open("root", O_RDONLY) >= 0);
  T(open("other", O_RDONLY));
  T(chown("root", 5, 5));
  T(chown("root", 0, 0));
  T(chown("other", 0, 0));
  T(chmod("other", 0644));
}
CASE(new_file_owner_in_namespace) {
  BecomeUser(1000, 1000);
  EnterMapped();
  Make("f");
  struct stat st;
  stat("f", &st);
  Record("inside", st.st_uid);
  T(chmod("f", 04755));
}
CASE(capabilities_do_not_reach_out) {
  EnterMapped();
  T(sethostname("x", 1));
  T(mount("none", "/tmp", "tmpfs", 0, nullptr));
  T(mknod("dev", S_IFCHR | 0600, 0x103));
  T(chroot("."));
}
CASE(kill_into_and_out_of_namespace) {
  Waiter inside([] { MUST(unshare(CLONE_NEWUSER)); });
  T(kill(inside.pid(), 0));
  BecomeUser(1000, 1000);
  T(kill(inside.pid(), 0));
}
CASE(user_namespace_with_others) {
  BecomeUser(1000, 1000);
  T(unshare(CLONE_NEWUTS));
  T(unshare(CLONE_NEWUSER | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWNET));
  T(sethostname("inner", 5));
  utsname name;
  uname(&name);
  Record("name", name.nodename);
}
CASE(unshare_flags) {
  T(unshare(0));
  T(unshare(1));
  T(unshare(CLONE_THREAD));
  T(unshare(CLONE_VM));
  T(unshare(CLONE_SIGHAND));
  T(unshare(CLONE_PARENT));
}
CASE(clone_flags_that_exclude_each_other) {
  T(syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  T(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  T(syscall(SYS_clone, CLONE_NEWPID | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, nullptr, nullptr,
            nullptr, nullptr));
  T(syscall(SYS_clone, CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}
CASE(clone_new_user) {
  const long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) _exit(getuid() == 65534 ? 3 : 4);
  int status;
  T(waitpid(pid, &status, 0) == pid);
  Record("end", StatusText(status));
}
CASE(clone_namespaces_without_capability) {
  BecomeUser(1000, 1000);
  for (int flag :
       {CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP}) {
    T(syscall(SYS_clone, flag | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  }
}
CASE(securebits_reset_by_user_namespace) {
  MUST(prctl(PR_SET_KEEPCAPS, 1));
  T(prctl(PR_SET_SECUREBITS, 1));
  MUST(unshare(CLONE_NEWUSER));
  T(prctl(PR_GET_SECUREBITS));
  T(prctl(PR_GET_KEEPCAPS));
}
CASE(exec_in_unmapped_namespace) {
  MUST(unshare(CLONE_NEWUSER));
  Record("end", InChild([] {
           execl("/bin/sh", "sh", "-c", "grep -q 'CapEff:.0000000000000000' /proc/self/status",
                 nullptr);
           return 9;
         }));
}
CASE(exec_as_mapped_root) {
  EnterMapped();
  Record("end", InChild([] {
           execl("/bin/sh", "sh", "-c", "grep -q 'CapEff:.0000000000000000' /proc/self/status",
                 nullptr);
           return 9;
         }));
}
CASE(setuid_program_of_unmapped_owner) {
  MUST(symlink("/bin/busybox", "b"));
  EnterMapped();
  Record("end", InChild([] {
           execl("/bin/sh", "sh", "-c", "id -u | grep -qx 0", nullptr);
           return 9;
         }));
}
CASE(time_offsets_file) {
  MUST(unshare(CLONE_NEWTIME));
  T(WriteFile("/proc/self/timens_offsets", "monotonic 1"));
  T(WriteFile("/proc/self/timens_offsets", "realtime 1 0"));
  T(WriteFile("/proc/self/timens_offsets", "monotonic 100 0\nboottime 50 5"));
  Record("text", Content("/proc/self/timens_offsets"));
  Record("child", InChild([] { return 0; }));
  T(WriteFile("/proc/self/timens_offsets", "monotonic 7 0"));
}
