// Users, groups, capabilities, limits, names of the system.
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "test/guest/cases.h"

using namespace guest;

namespace {
void RecordIds() {
  uid_t r, e, s;
  getresuid(&r, &e, &s);
  Record("uid", std::to_string(r) + "," + std::to_string(e) + "," + std::to_string(s));
  gid_t gr, ge, gs;
  getresgid(&gr, &ge, &gs);
  Record("gid", std::to_string(gr) + "," + std::to_string(ge) + "," + std::to_string(gs));
}
std::string Field(const char* path, const std::string& name) {
  const std::string text = "\n" + Content(path);
  const size_t at = text.find("\n" + name);
  if (at == std::string::npos) return "absent";
  return text.substr(at + 1, text.find('\n', at + 1) - at - 1);
}
}  // namespace

CASE(ids_at_start) { RecordIds(); }
CASE(ids_setuid_as_root_sets_all) {
  T(setgid(100));
  T(setuid(200));
  RecordIds();
  T(setuid(0));
  T(setgid(0));
}
CASE(ids_seteuid_can_go_back) {
  T(seteuid(1000));
  RecordIds();
  T(seteuid(0));
  RecordIds();
}
CASE(ids_setreuid_and_setresuid) {
  T(setreuid(1000, 2000));
  RecordIds();
  T(setresuid(-1, 1000, -1));
  RecordIds();
  T(setresuid(3000, -1, -1));
  T(setreuid(-1, 2000));
  RecordIds();
}
CASE(ids_setregid_unprivileged) {
  BecomeUser(1000, 1000);
  T(setregid(1000, 1000));
  T(setregid(0, -1));
  T(setresgid(1, 1, 1));
  RecordIds();
}
CASE(groups_set_and_get) {
  const gid_t some[] = {5, 6, 7};
  T(setgroups(3, some));
  gid_t out[8] = {};
  T(getgroups(0, nullptr));
  T(getgroups(8, out));
  Record("first", out[0]);
  T(getgroups(1, out));
  T(syscall(SYS_getgroups, -1, out));
  BecomeUser(1000, 1000);
  T(setgroups(1, some));
}
CASE(capabilities_lost_with_root) {
  const std::string before = Field("/proc/self/status", "CapEff");
  BecomeUser(1000, 1000);
  Record("effective", Field("/proc/self/status", "CapEff"));
  Record("permitted", Field("/proc/self/status", "CapPrm"));
  Record("changed", before != Field("/proc/self/status", "CapEff"));
}
CASE(capabilities_kept_by_keepcaps) {
  T(prctl(PR_SET_KEEPCAPS, 1));
  MUST(setresuid(1000, 1000, 1000));
  Record("effective", Field("/proc/self/status", "CapEff"));
  Record("permitted_some", Field("/proc/self/status", "CapPrm").find_first_of("123456789abcdef") !=
                               std::string::npos);
}
CASE(capget_and_capset) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  T(syscall(SYS_capget, &header, data));
  Record("some", data[0].effective != 0);
  data[0].effective &= ~(1U << CAP_CHOWN);
  T(syscall(SYS_capset, &header, data));
  Make("f");
  T(chown("f", 5, 5));
  data[0].permitted &= ~(1U << CAP_CHOWN);
  T(syscall(SYS_capset, &header, data));
  data[0].permitted |= 1U << CAP_CHOWN;
  T(syscall(SYS_capset, &header, data));
  header.version = 0x1234;
  T(syscall(SYS_capget, &header, nullptr));
  Record("version", header.version == _LINUX_CAPABILITY_VERSION_3);
  header.pid = -1;
  T(syscall(SYS_capget, &header, data));
}
CASE(capability_bounding_set) {
  T(prctl(PR_CAPBSET_READ, CAP_CHOWN));
  T(prctl(PR_CAPBSET_DROP, CAP_CHOWN));
  T(prctl(PR_CAPBSET_READ, CAP_CHOWN));
  T(prctl(PR_CAPBSET_READ, 200));
}
CASE(capability_ambient) {
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0));
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
}
CASE(limits_read) {
  rlimit limit;
  T(getrlimit(RLIMIT_NOFILE, &limit));
  Record("soft", limit.rlim_cur);
  Record("hard", limit.rlim_max);
  T(getrlimit(RLIMIT_STACK, &limit));
  T(getrlimit(static_cast<__rlimit_resource>(99), &limit));
}
CASE(limits_lower_and_raise) {
  rlimit limit = {100, 200};
  T(setrlimit(RLIMIT_NOFILE, &limit));
  limit = {300, 200};
  T(setrlimit(RLIMIT_NOFILE, &limit));
  limit = {200, 200};
  T(setrlimit(RLIMIT_NOFILE, &limit));
  BecomeUser(1000, 1000);
  limit = {10, 400};
  T(setrlimit(RLIMIT_NOFILE, &limit));
  T(getrlimit(RLIMIT_NOFILE, &limit));
  Record("soft", limit.rlim_cur);
}
CASE(limits_inherited) {
  const rlimit limit = {77, 88};
  MUST(setrlimit(RLIMIT_NOFILE, &limit));
  Record("child", InChild([] {
           rlimit mine;
           getrlimit(RLIMIT_NOFILE, &mine);
           return static_cast<int>(mine.rlim_cur);
         }));
  Record("exec", InChild([] {
           execl("/bin/sh", "sh", "-c", "exit $(ulimit -n)", nullptr);
           return 1;
         }));
}
CASE(limits_prlimit_of_child) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  rlimit limit = {50, 60}, old;
  T(prlimit(child, RLIMIT_NOFILE, &limit, &old));
  Record("old", old.rlim_cur);
  T(prlimit(child, RLIMIT_NOFILE, nullptr, &limit));
  Record("new", limit.rlim_cur);
  T(prlimit(99999, RLIMIT_NOFILE, nullptr, &limit));
  kill(child, SIGKILL);
}
CASE(uname_fields) {
  utsname name;
  T(uname(&name));
  Record("system", name.sysname);
  Record("node", name.nodename);
  Record("machine", name.machine);
  Record("release_given", name.release[0] >= '3');
}
CASE(hostname_set) {
  T(sethostname("changed", 7));
  char text[64] = {};
  T(gethostname(text, sizeof text));
  Record("name", text);
  T(sethostname("sandbox", 7));
  T(syscall(SYS_sethostname, "x", -1L));
  BecomeUser(1000, 1000);
  T(sethostname("x", 1));
}
CASE(sysinfo_sanity) {
  struct sysinfo info;
  T(sysinfo(&info));
  Record("memory", info.totalram > 0);
  Record("unit", info.mem_unit);
  Record("processes", info.procs > 0);
}
CASE(umask_returns_old) {
  T(umask(077));
  T(umask(07777));
  T(umask(0));
}
CASE(personality_read) { T(syscall(SYS_personality, 0xffffffffUL)); }
CASE(getcpu_in_range) {
  unsigned cpu = 9999;
  T(syscall(SYS_getcpu, &cpu, nullptr, nullptr));
  Record("given", cpu < 4096);
}
CASE(unknown_calls) {
  T(syscall(999));
  T(syscall(1000000));
  T(syscall(-1));
  T(syscall(SYS_afs_syscall));
}
