// Capability sets: capget, capset, prctl, exec and set*id transitions, file
// capabilities.
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

#include "test/guest/cases.h"

using namespace guest;

namespace {
using Header = __user_cap_header_struct;
using Data = __user_cap_data_struct;

std::string Field(const std::string& name) {
  const std::string text = "\n" + Content("/proc/self/status");
  const size_t at = text.find("\n" + name + ":\t");
  if (at == std::string::npos) return "absent";
  const size_t start = at + name.size() + 3;
  return text.substr(start, text.find('\n', start) - start);
}
std::string Sets() {
  return Field("CapInh") + "," + Field("CapPrm") + "," + Field("CapEff") + "," + Field("CapAmb");
}
int Get(Data* data, pid_t pid = 0, unsigned version = _LINUX_CAPABILITY_VERSION_3) {
  Header header = {version, pid};
  return static_cast<int>(syscall(SYS_capget, &header, data));
}
int Set(const Data* data, pid_t pid = 0, unsigned version = _LINUX_CAPABILITY_VERSION_3) {
  Header header = {version, pid};
  return static_cast<int>(syscall(SYS_capset, &header, data));
}
unsigned Bit(int capability) { return 1u << capability; }
// Sets all three sets to the low capabilities given.
void Only(unsigned permitted, unsigned effective, unsigned inheritable = 0) {
  Data data[2] = {};
  data[0].permitted = permitted;
  data[0].effective = effective;
  data[0].inheritable = inheritable;
  if (Set(data) < 0) Broken("capset");
}
struct FileCaps {
  unsigned magic, permitted, inheritable, permitted_high, inheritable_high, root;
};
void CopySelf(const char* path) {
  const int in = open("/proc/self/exe", O_RDONLY);
  const int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
  if (in < 0 || out < 0) Broken("copy");
  char buffer[65536];
  for (ssize_t n; (n = read(in, buffer, sizeof buffer)) > 0;) {
    if (write(out, buffer, n) != n) Broken("copy");
  }
  close(in);
  close(out);
  MUST(chmod(path, 0755));
}
void GiveFile(const char* path, unsigned permitted, unsigned inheritable, bool effective) {
  CopySelf(path);
  const FileCaps caps = {0x02000000u | (effective ? 1u : 0u), permitted, inheritable, 0, 0, 0};
  MUST(setxattr(path, "security.capability", &caps, 20, 0));
}
// The sets of a program that the body executes as "print-caps".
std::string After(const std::function<void()>& body) {
  int pipe_fds[2];
  MUST(pipe(pipe_fds));
  const pid_t child = fork();
  if (child == 0) {
    dup2(pipe_fds[1], 1);
    body();
    dprintf(1, "exec %s", strerrorname_np(errno));
    _exit(1);
  }
  close(pipe_fds[1]);
  std::string text = Drain(pipe_fds[0]);
  close(pipe_fds[0]);
  waitpid(child, nullptr, 0);
  return text;
}
void Run(const char* path) { execl(path, "print-caps", nullptr); }
void RunSelf() { Run("/proc/self/exe"); }

__attribute__((constructor)) void PrintCaps(int argc, char** argv, char**) {
  if (argc != 1 || strcmp(argv[0], "print-caps") != 0) return;
  printf("%s securebits=%d secure=%d dumpable=%d", Sets().c_str(), prctl(PR_GET_SECUREBITS),
         secure_getenv("PATH") == nullptr && getenv("PATH") != nullptr, prctl(PR_GET_DUMPABLE));
  fflush(stdout);
  _exit(0);
}
}  // namespace

CASE(capget_version_1) {
  Data data[2] = {};
  data[1].effective = 0x1234;
  T(Get(data, 0, _LINUX_CAPABILITY_VERSION_1));
  Record("low", data[0].effective != 0);
  Record("high_untouched", data[1].effective == 0x1234);
}
CASE(capget_version_2) {
  Data data[2] = {};
  T(Get(data, 0, _LINUX_CAPABILITY_VERSION_2));
  Record("high", data[1].effective != 0);
}
CASE(capget_of_self_by_pid) {
  Data a[2] = {}, b[2] = {};
  T(Get(a));
  T(Get(b, getpid()));
  Record("same", memcmp(a, b, sizeof a) == 0);
}
CASE(capget_of_child) {
  const pid_t child = fork();
  if (child == 0) {
    BecomeUser(1000, 1000);
    while (true) pause();
  }
  SleepMs(100);
  Data data[2] = {};
  T(Get(data, child));
  Record("effective", data[0].effective);
  Record("permitted", data[0].permitted);
  T(Set(data, child));
  kill(child, SIGKILL);
}
CASE(capget_missing_and_bad) {
  Data data[2] = {};
  T(Get(data, 99999));
  T(Get(data, -5));
  T(Get(data, 0, 0x19980331));
  T(syscall(SYS_capget, BadPointer(), data));
  Header header = {_LINUX_CAPABILITY_VERSION_3, 0};
  T(syscall(SYS_capget, &header, BadPointer()));
  T(syscall(SYS_capget, &header, nullptr));
  header.version = 0;
  T(syscall(SYS_capget, &header, data));
  Record("told", header.version == _LINUX_CAPABILITY_VERSION_3);
}
CASE(capset_bad) {
  Header header = {0x77, 0};
  Data data[2] = {};
  T(syscall(SYS_capset, &header, data));
  header = {_LINUX_CAPABILITY_VERSION_3, 1};
  T(syscall(SYS_capset, &header, data));
  header = {_LINUX_CAPABILITY_VERSION_3, 0};
  T(syscall(SYS_capset, &header, BadPointer()));
  T(syscall(SYS_capset, BadPointer(), data));
}
CASE(capset_version_1_clears_the_rest) {
  Data data[2] = {};
  MUST(Get(data));
  T(Set(data, 0, _LINUX_CAPABILITY_VERSION_1));
  Record("sets", Sets());
}
CASE(capset_effective_within_permitted) {
  Only(Bit(CAP_CHOWN) | Bit(CAP_KILL), Bit(CAP_CHOWN));
  Record("sets", Sets());
  Data data[2] = {};
  data[0].permitted = Bit(CAP_CHOWN);
  data[0].effective = Bit(CAP_CHOWN) | Bit(CAP_KILL);
  T(Set(data));
  data[0].permitted = data[0].effective = Bit(CAP_CHOWN) | Bit(CAP_FOWNER);
  T(Set(data));
  data[0].permitted = data[0].effective = 0;
  T(Set(data));
  Record("sets", Sets());
}
CASE(capset_inheritable_without_setpcap) {
  Only(Bit(CAP_CHOWN), Bit(CAP_CHOWN));
  Data data[2] = {};
  data[0].permitted = Bit(CAP_CHOWN);
  data[0].inheritable = Bit(CAP_CHOWN);
  T(Set(data));
  data[0].inheritable = Bit(CAP_CHOWN) | Bit(CAP_KILL);
  T(Set(data));
  Record("sets", Sets());
}
CASE(capset_inheritable_beyond_bounding) {
  MUST(prctl(PR_CAPBSET_DROP, CAP_KILL));
  Data data[2] = {};
  MUST(Get(data));
  data[0].inheritable = Bit(CAP_KILL);
  T(Set(data));
  data[0].inheritable = Bit(CAP_CHOWN);
  T(Set(data));
}
CASE(capset_unknown_bits_are_dropped) {
  Data data[2] = {};
  MUST(Get(data));
  data[1].permitted |= 0xff000000u;
  T(Set(data));
}
CASE(capset_drops_ambient) {
  Data data[2] = {};
  MUST(Get(data));
  data[0].inheritable = Bit(CAP_CHOWN) | Bit(CAP_KILL);
  MUST(Set(data));
  MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
  MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
  Record("before", Field("CapAmb"));
  data[0].inheritable = Bit(CAP_KILL);
  T(Set(data));
  Record("after", Field("CapAmb"));
}
CASE(ambient_arguments) {
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 63, 0, 0));
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 1, 0));
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0));
  T(prctl(PR_CAP_AMBIENT, 9, CAP_CHOWN, 0, 0));
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_CHOWN, 0, 0));
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 63, 0, 0));
}
CASE(ambient_survives_exec_of_user) {
  Record("after", After([] {
           Data data[2] = {};
           Get(data);
           data[0].inheritable = Bit(CAP_CHOWN);
           Set(data);
           prctl(PR_SET_KEEPCAPS, 1);
           BecomeUser(1000, 1000);
           Get(data);
           data[0].inheritable = Bit(CAP_CHOWN);
           data[0].effective = data[0].permitted;
           Set(data);
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0);
           RunSelf();
         }));
}
CASE(ambient_forbidden_by_securebit) {
  Data data[2] = {};
  MUST(Get(data));
  data[0].inheritable = Bit(CAP_CHOWN);
  MUST(Set(data));
  T(prctl(PR_SET_SECUREBITS, SECBIT_NO_CAP_AMBIENT_RAISE));
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
}
CASE(bounding_set_arguments) {
  T(prctl(PR_CAPBSET_READ, CAP_LAST_CAP));
  T(prctl(PR_CAPBSET_READ, CAP_LAST_CAP + 1));
  T(prctl(PR_CAPBSET_DROP, CAP_LAST_CAP + 1));
  T(prctl(PR_CAPBSET_DROP, CAP_KILL));
  T(prctl(PR_CAPBSET_READ, CAP_KILL));
  Only(Bit(CAP_CHOWN), Bit(CAP_CHOWN));
  T(prctl(PR_CAPBSET_DROP, CAP_CHOWN));
}
CASE(bounding_set_limits_root_exec) {
  Record("after", After([] {
           prctl(PR_CAPBSET_DROP, CAP_CHOWN);
           prctl(PR_CAPBSET_DROP, CAP_KILL);
           RunSelf();
         }));
}
CASE(inheritable_survives_bounding) {
  Record("after", After([] {
           Data data[2] = {};
           Get(data);
           data[0].inheritable = Bit(CAP_CHOWN);
           Set(data);
           prctl(PR_CAPBSET_DROP, CAP_CHOWN);
           RunSelf();
         }));
}
CASE(securebits_read_and_set) {
  T(prctl(PR_GET_SECUREBITS));
  T(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT));
  T(prctl(PR_GET_SECUREBITS));
  T(prctl(PR_SET_SECUREBITS, 1 << 30));
  T(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED));
  T(prctl(PR_SET_SECUREBITS, 0));
  T(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT_LOCKED));
  T(prctl(PR_GET_SECUREBITS));
}
CASE(securebits_without_setpcap) {
  Only(Bit(CAP_CHOWN), Bit(CAP_CHOWN));
  T(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT));
  T(prctl(PR_SET_SECUREBITS, 0));
}
CASE(securebits_noroot_exec) {
  Record("after", After([] {
           prctl(PR_SET_SECUREBITS, SECBIT_NOROOT);
           RunSelf();
         }));
}
CASE(securebits_keepcaps_bit) {
  T(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS));
  T(prctl(PR_GET_KEEPCAPS));
  T(prctl(PR_SET_KEEPCAPS, 0));
  T(prctl(PR_GET_SECUREBITS));
  T(prctl(PR_SET_KEEPCAPS, 1));
  T(prctl(PR_GET_SECUREBITS));
  T(prctl(PR_SET_KEEPCAPS, 2));
  T(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS_LOCKED));
  T(prctl(PR_SET_KEEPCAPS, 1));
}
CASE(securebits_no_setuid_fixup) {
  MUST(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP));
  const std::string before = Sets();
  MUST(setresuid(1000, 1000, 1000));
  Record("same", Sets() == before);
}
CASE(keepcaps_is_lost_by_exec) {
  Record("after", After([] {
           prctl(PR_SET_KEEPCAPS, 1);
           RunSelf();
         }));
}
CASE(setuid_transitions_of_effective) {
  const std::string full = Field("CapEff");
  MUST(seteuid(1000));
  Record("lowered", Field("CapEff"));
  Record("permitted_same", Field("CapPrm") == full);
  MUST(seteuid(0));
  Record("back", Field("CapEff") == full);
}
CASE(setuid_transition_clears_permitted) {
  MUST(setresuid(1000, 1000, 0));
  Record("saved_root_keeps", Field("CapPrm") != "0000000000000000");
  MUST(setresuid(1000, 1000, 1000));
  Record("sets", Sets());
}
CASE(setuid_transition_clears_ambient) {
  Data data[2] = {};
  MUST(Get(data));
  data[0].inheritable = Bit(CAP_CHOWN);
  MUST(Set(data));
  MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
  MUST(prctl(PR_SET_KEEPCAPS, 1));
  MUST(setresuid(1000, 1000, 1000));
  Record("ambient", Field("CapAmb"));
  Record("inheritable", Field("CapInh"));
}
CASE(exec_by_user_loses_all) {
  Record("after", After([] {
           BecomeUser(1000, 1000);
           RunSelf();
         }));
}
CASE(exec_with_real_root_only) {
  Record("after", After([] {
           setresuid(0, 1000, 1000);
           RunSelf();
         }));
}
CASE(exec_with_effective_root_only) {
  Record("after", After([] {
           setresuid(1000, 0, 0);
           RunSelf();
         }));
}
CASE(dac_override_only) {
  Make("f", "x", 0000);
  MUST(chown("f", 5, 5));
  Only(Bit(CAP_DAC_OVERRIDE), Bit(CAP_DAC_OVERRIDE));
  T(open("f", O_RDWR) >= 0);
  T(access("f", X_OK));
  T(chmod("f", 0644));
}
CASE(dac_read_search_only) {
  Make("f", "x", 0000);
  MUST(chown("f", 5, 5));
  MUST(mkdir("d", 0000));
  MUST(chown("d", 5, 5));
  Only(Bit(CAP_DAC_READ_SEARCH), Bit(CAP_DAC_READ_SEARCH));
  T(open("f", O_RDONLY) >= 0);
  T(open("f", O_WRONLY));
  T(open("d", O_RDONLY | O_DIRECTORY) >= 0);
  T(mkdir("d/x", 0755));
}
CASE(no_dac_capabilities) {
  Make("f", "x", 0000);
  MUST(chown("f", 5, 5));
  Only(0, 0);
  T(open("f", O_RDONLY));
}
CASE(fowner_only) {
  Make("f", "x", 0600);
  MUST(chown("f", 5, 5));
  Only(Bit(CAP_FOWNER), Bit(CAP_FOWNER));
  T(chmod("f", 0666));
  const timespec times[2] = {{1, 0}, {1, 0}};
  T(utimensat(AT_FDCWD, "f", times, 0));
  T(chown("f", 0, 0));
}
CASE(fowner_and_sticky) {
  MUST(mkdir("d", 0777));
  MUST(chmod("d", 01777));
  MUST(chown("d", 5, 5));
  Make("d/f");
  Make("d/g");
  MUST(chown("d/f", 6, 6));
  MUST(chown("d/g", 6, 6));
  Record("with", InChild([] {
           Only(Bit(CAP_FOWNER), Bit(CAP_FOWNER));
           return unlink("d/f") < 0 ? errno : 0;
         }));
  Record("without", InChild([] {
           Only(Bit(CAP_DAC_OVERRIDE), Bit(CAP_DAC_OVERRIDE));
           return unlink("d/g") < 0 ? errno : 0;
         }));
}
CASE(chown_only) {
  Make("f");
  Only(Bit(CAP_CHOWN), Bit(CAP_CHOWN));
  T(chown("f", 1000, 1000));
  T(chmod("f", 0600));
}
CASE(fsetid_missing) {
  Make("f", "x", 0777);
  MUST(chmod("f", 06777));
  Only(0, 0);
  const int fd = open("f", O_WRONLY);
  T(write(fd, "y", 1));
  struct stat st;
  fstat(fd, &st);
  Record("mode", Octal(st.st_mode));
}
CASE(fsetid_present) {
  Make("f", "x", 0777);
  MUST(chmod("f", 06777));
  Only(Bit(CAP_FSETID), Bit(CAP_FSETID));
  const int fd = open("f", O_WRONLY);
  T(write(fd, "y", 1));
  struct stat st;
  fstat(fd, &st);
  Record("mode", Octal(st.st_mode));
}
CASE(setuid_capability_only) {
  MUST(prctl(PR_SET_KEEPCAPS, 1));
  MUST(setresuid(1000, 1000, 1000));
  Only(Bit(CAP_SETUID), Bit(CAP_SETUID));
  T(setresuid(5, 6, 7));
  T(setresgid(5, 6, 7));
  T(setgroups(0, nullptr));
}
CASE(setgid_capability_only) {
  Only(Bit(CAP_SETGID), Bit(CAP_SETGID));
  T(setresgid(5, 6, 7));
  T(setgroups(0, nullptr));
  T(setresuid(5, 6, 7));
}
CASE(kill_capability_only) {
  const pid_t child = fork();
  if (child == 0) {
    BecomeUser(1000, 1000);
    while (true) pause();
  }
  SleepMs(100);
  Record("with", InChild([&] {
           prctl(PR_SET_KEEPCAPS, 1);
           BecomeUser(2000, 2000);
           Only(Bit(CAP_KILL), Bit(CAP_KILL));
           return kill(child, 0) < 0 ? errno : 0;
         }));
  Record("without", InChild([&] {
           BecomeUser(2000, 2000);
           return kill(child, 0) < 0 ? errno : 0;
         }));
  kill(child, SIGKILL);
}
CASE(sys_admin_for_hostname) {
  Only(Bit(CAP_CHOWN), Bit(CAP_CHOWN));
  T(sethostname("x", 1));
  T(setdomainname("x", 1));
}
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
CASE(trusted_xattr_needs_sys_admin) {
  Make("f", "x", 0666);
  Only(Bit(CAP_CHOWN), Bit(CAP_CHOWN));
  T(setxattr("f", "trusted.x", "y", 1, 0));
  T(getxattr("f", "trusted.x", nullptr, 0));
}
