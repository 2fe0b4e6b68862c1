// uts and other small namespaces; /proc/PID/ns, setns, nsfs.
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#include "test/guest/user_namespaces.h"

using namespace guest;

CASE(uts_namespace_is_a_copy) {
  T(unshare(CLONE_NEWUTS));
  utsname name;
  uname(&name);
  Record("copied", name.nodename);
  Record("child", InChild([] {
           sethostname("changed", 7);
           utsname mine;
           uname(&mine);
           return strcmp(mine.nodename, "changed") == 0 ? 1 : 0;
         }));
  uname(&name);
  Record("shared", name.nodename);
  Record("proc", Content("/proc/sys/kernel/hostname"));
}
CASE(uts_namespace_parent_unchanged) {
  Record("child", InChild([] {
           if (unshare(CLONE_NEWUTS) < 0) return errno;
           return sethostname("elsewhere", 9) < 0 ? errno : 0;
         }));
  utsname name;
  uname(&name);
  Record("parent", name.nodename);
}
CASE(hostname_by_proc) {
  MUST(unshare(CLONE_NEWUTS));
  T(WriteFile("/proc/sys/kernel/hostname", "written\n"));
  utsname name;
  uname(&name);
  Record("name", name.nodename);
  T(WriteFile("/proc/sys/kernel/domainname", "dom"));
  uname(&name);
  Record("domain", name.domainname);
}
CASE(links_change_with_unshare) {
  struct {
    const char* name;
    int flag;
  } const kinds[] = {{"uts", CLONE_NEWUTS}, {"ipc", CLONE_NEWIPC},   {"net", CLONE_NEWNET},
                     {"mnt", CLONE_NEWNS},  {"user", CLONE_NEWUSER}, {"cgroup", CLONE_NEWCGROUP}};
  for (const auto& kind : kinds) {
    const std::string path = std::string("/proc/self/ns/") + kind.name;
    const std::string before = ReadLink(path);
    MUST(unshare(kind.flag));
    Record(kind.name, ReadLink(path) != before);
    Record("form", ReadLink(path).substr(0, strlen(kind.name) + 2));
  }
}
CASE(links_for_children) {
  const std::string pid = ReadLink("/proc/self/ns/pid");
  const std::string time = ReadLink("/proc/self/ns/time");
  T(ReadLink("/proc/self/ns/pid_for_children") == pid);
  T(unshare(CLONE_NEWTIME));
  T(ReadLink("/proc/self/ns/time") == time);
  T(ReadLink("/proc/self/ns/time_for_children") == time);
}
CASE(links_are_shared_with_children) {
  const std::string mine = ReadLink("/proc/self/ns/uts");
  Waiter child([] {});
  T(ReadLink(child.Proc("ns/uts")) == mine);
  T(ReadLink(child.Proc("ns/user")) == ReadLink("/proc/self/ns/user"));
}
CASE(links_number_is_inode) {
  struct stat st;
  T(stat("/proc/self/ns/uts", &st));
  Record("same", "uts:[" + std::to_string(st.st_ino) + "]" == ReadLink("/proc/self/ns/uts"));
  Record("mode", Octal(st.st_mode));
  T(open("/proc/self/ns/uts", O_RDWR));
  T(open("/proc/self/ns/nothing", O_RDONLY));
  T(lstat("/proc/self/ns/uts", &st));
  Record("mode", Octal(st.st_mode));
}
CASE(links_of_strangers) {
  Waiter child([] {});
  BecomeUser(1000, 1000);
  Record("link", ReadLink(child.Proc("ns/uts")));
}
CASE(setns_back_and_forth) {
  const int fd = OpenNs("/proc/self/ns/uts");
  MUST(unshare(CLONE_NEWUTS));
  MUST(sethostname("inner", 5));
  T(setns(fd, CLONE_NEWUTS));
  utsname name;
  uname(&name);
  Record("name", name.nodename);
}
CASE(setns_arguments) {
  const int fd = OpenNs("/proc/self/ns/uts");
  T(setns(fd, 0));
  T(setns(fd, CLONE_NEWIPC));
  T(setns(fd, CLONE_NEWUTS | CLONE_NEWIPC));
  T(setns(fd, 1));
  T(setns(-1, 0));
  T(setns(1, 0));
  T(setns(open("/dev/null", O_RDONLY), 0));
}
CASE(setns_by_pidfd) {
  Waiter child([] {
    MUST(unshare(CLONE_NEWUTS | CLONE_NEWIPC));
    MUST(sethostname("child", 5));
  });
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, child.pid(), 0));
  T(setns(fd, 0));
  T(setns(fd, 1));
  T(setns(fd, CLONE_NEWUTS | CLONE_NEWIPC));
  utsname name;
  uname(&name);
  Record("name", name.nodename);
  Record("ipc", ReadLink("/proc/self/ns/ipc") == ReadLink(child.Proc("ns/ipc")));
}
CASE(setns_user) {
  Waiter child([] {
    BecomeUser(1000, 1000);
    prctl(PR_SET_DUMPABLE, 1);
    EnterMapped();
  });
  const int own = OpenNs("/proc/self/ns/user");
  T(setns(own, CLONE_NEWUSER));
  const int fd = OpenNs(child.Proc("ns/user"));
  T(setns(fd, CLONE_NEWUSER));
  Ids();
  Record("eff", StatusField("CapEff"));
  T(setns(own, CLONE_NEWUSER));
}
CASE(setns_without_capability) {
  const int fd = OpenNs("/proc/self/ns/uts");
  const int mnt = OpenNs("/proc/self/ns/mnt");
  BecomeUser(1000, 1000);
  T(setns(fd, CLONE_NEWUTS));
  T(setns(mnt, CLONE_NEWNS));
}
CASE(setns_mount_resets_root) {
  const int fd = OpenNs("/proc/self/ns/mnt");
  MUST(mkdir("d", 0755));
  MUST(chdir("d"));
  T(setns(fd, CLONE_NEWNS));
  char cwd[64];
  Record("cwd", getcwd(cwd, sizeof cwd) == nullptr ? "none" : cwd);
}
CASE(ioctl_nstype) {
  for (const char* name : {"uts", "ipc", "net", "mnt", "pid", "user", "cgroup", "time"}) {
    const int fd = OpenNs(std::string("/proc/self/ns/") + name);
    T(ioctl(fd, NS_GET_NSTYPE));
    close(fd);
  }
}
CASE(ioctl_owner) {
  MUST(unshare(CLONE_NEWUSER));
  MUST(WriteFile("/proc/self/uid_map", "0 0 1"));
  MUST(unshare(CLONE_NEWUTS));
  const int uts = OpenNs("/proc/self/ns/uts");
  const int owner = ioctl(uts, NS_GET_USERNS);
  T(owner >= 0);
  struct stat a, b;
  fstat(owner, &a);
  stat("/proc/self/ns/user", &b);
  Record("own", a.st_ino == b.st_ino);
  uid_t uid = 99;
  T(ioctl(owner, NS_GET_OWNER_UID, &uid));
  Record("uid", uid);
  T(ioctl(uts, NS_GET_OWNER_UID, &uid));
  T(ioctl(owner, NS_GET_PARENT));
  T(ioctl(uts, NS_GET_PARENT));
}
CASE(ioctl_parent_of_user) {
  Waiter child([] { MUST(unshare(CLONE_NEWUSER)); });
  const int fd = OpenNs(child.Proc("ns/user"));
  const int parent = ioctl(fd, NS_GET_PARENT);
  struct stat a, b;
  T(fstat(parent, &a));
  stat("/proc/self/ns/user", &b);
  Record("own", a.st_ino == b.st_ino);
  T(ioctl(fd, 0xb7ff));
}
CASE(nsfs_statistics) {
  const int fd = OpenNs("/proc/self/ns/uts");
  char byte;
  T(read(fd, &byte, 1));
  T(lseek(fd, 0, SEEK_SET));
  T(fcntl(fd, F_GETFD));
}
CASE(ns_file_keeps_namespace) {
  int fd;
  std::string link;
  {
    Waiter child([] {
      MUST(unshare(CLONE_NEWUTS));
      MUST(sethostname("kept", 4));
    });
    link = ReadLink(child.Proc("ns/uts"));
    fd = OpenNs(child.Proc("ns/uts"));
  }
  T(setns(fd, CLONE_NEWUTS));
  utsname name;
  uname(&name);
  Record("name", name.nodename);
  Record("same", ReadLink("/proc/self/ns/uts") == link);
}
