// Who may look into whom: "Ptrace access mode checking" of ptrace(2), asked of
// every call and file that it rules.
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <linux/ptrace.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#include "test/guest/cases.h"
#include "test/guest/waiter.h"

using namespace guest;

namespace {

volatile char g_byte = 'x';

std::string Name(long result) { return result < 0 ? strerrorname_np(errno) : "ok"; }

// How far a reader of /proc/PID gets.
std::string Reading(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY);
  if (fd < 0) return "open:" + Name(fd);
  char bytes[64];
  const ssize_t got = read(fd, bytes, sizeof bytes);
  const std::string text = got < 0 ? "read:" + Name(got) : "ok";
  close(fd);
  return text;
}
std::string Opening(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY);
  const std::string text = Name(fd);
  if (fd >= 0) close(fd);
  return text;
}
std::string Link(const std::string& path) {
  char bytes[256];
  return Name(readlink(path.c_str(), bytes, sizeof bytes));
}
std::string ReadByte(pid_t pid) {
  char byte = 0;
  iovec here = {&byte, 1}, there = {const_cast<char*>(&g_byte), 1};
  return Name(process_vm_readv(pid, &here, 1, &there, 1, 0));
}
std::string RobustList(pid_t pid) {
  void* head = nullptr;
  size_t size = 0;
  return Name(syscall(SYS_get_robust_list, pid, &head, &size));
}
std::string TakeDescriptor(pid_t pid) {
  const auto pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return "open:" + Name(pidfd);
  return Name(syscall(SYS_pidfd_getfd, pidfd, 1, 0));
}

// What the caller may do to `pid`. Tracing comes last; it ends with the caller.
std::string Rights(pid_t pid) {
  const std::string proc = "/proc/" + std::to_string(pid) + "/";
  std::string text;
  auto add = [&](const char* key, const std::string& value) {
    text += std::string(text.empty() ? "" : " ") + key + "=" + value;
  };
  add("robust", RobustList(pid));
  add("kcmp", Name(syscall(SYS_kcmp, getpid(), pid, KCMP_VM, 0, 0)));
  add("getfd", TakeDescriptor(pid));
  add("vm", ReadByte(pid));
  add("exe", Link(proc + "exe"));
  add("cwd", Link(proc + "cwd"));
  add("ns", Link(proc + "ns/uts"));
  add("fd", Opening(proc + "fd"));
  add("mem", Opening(proc + "mem"));
  for (const char* name : {"maps", "environ", "auxv", "syscall", "personality", "io"}) {
    add(name, Reading(proc + name));
  }
  add("seize", Name(syscall(SYS_ptrace, PTRACE_SEIZE, pid, 0, 0)));
  return text;
}

// The same asked by a child that has done `setup`.
std::string RightsAfter(const std::function<void()>& setup, pid_t pid) {
  int answer[2];
  MUST(pipe(answer));
  const pid_t child = fork();
  if (child == 0) {
    setup();
    const std::string text = Rights(pid);
    (void)!write(answer[1], text.data(), text.size());
    _exit(0);
  }
  close(answer[1]);
  std::string text = Drain(answer[0]);
  close(answer[0]);
  waitpid(child, nullptr, 0);
  return text;
}

struct Sets {
  uint64_t permitted, effective;
};
Sets GetSets() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  MUST(syscall(SYS_capget, &header, data));
  return {data[0].permitted | uint64_t{data[1].permitted} << 32,
          data[0].effective | uint64_t{data[1].effective} << 32};
}
void SetSets(const Sets& sets) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (int i = 0; i < 2; ++i) {
    data[i].permitted = static_cast<unsigned>(sets.permitted >> (32 * i));
    data[i].effective = static_cast<unsigned>(sets.effective >> (32 * i));
  }
  MUST(syscall(SYS_capset, &header, data));
}
constexpr uint64_t Bit(int capability) { return uint64_t{1} << capability; }
// Of new kernels: who has it, or administers the machine, may read the maps of
// everybody. It goes along, so that the kernel's age does not matter.
constexpr uint64_t kTracing = Bit(CAP_SYS_PTRACE) | Bit(CAP_SYS_ADMIN) | Bit(38 /* CAP_PERFMON */);
void DropTracing() {
  const Sets sets = GetSets();
  SetSets({sets.permitted & ~kTracing, sets.effective & ~kTracing});
}
void DropAll() { SetSets({0, 0}); }
void MakeDumpable() { MUST(prctl(PR_SET_DUMPABLE, 1)); }
void BeUser() {
  BecomeUser(1000, 1000);
  MakeDumpable();
}

bool WriteFile(const std::string& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY);
  const bool written = fd >= 0 && write(fd, text.data(), text.size()) > 0;
  if (fd >= 0) close(fd);
  return written;
}
void EnterUserNamespace() {
  const std::string uid = "0 " + std::to_string(geteuid()) + " 1";
  const std::string gid = "0 " + std::to_string(getegid()) + " 1";
  MUST(unshare(CLONE_NEWUSER));
  if (!WriteFile("/proc/self/setgroups", "deny") || !WriteFile("/proc/self/uid_map", uid) ||
      !WriteFile("/proc/self/gid_map", gid)) {
    Broken("map");
  }
}
void Join(const Waiter& other) {
  const int fd = open(other.Proc("ns/user").c_str(), O_RDONLY);
  if (fd < 0) Broken("open ns");
  MUST(setns(fd, CLONE_NEWUSER));
  close(fd);
}

}  // namespace

// --- Ids
CASE(access_by_root_to_anybody) {
  Waiter target(BeUser);
  Record("rights", RightsAfter([] {}, target.pid()));
}
CASE(access_by_the_same_user) {
  Waiter target(BeUser);
  Record("rights", RightsAfter(BeUser, target.pid()));
}
CASE(access_by_another_user) {
  Waiter target(BeUser);
  Record("rights", RightsAfter(
                       [] {
                         BecomeUser(1001, 1000);
                         MakeDumpable();
                       },
                       target.pid()));
}
CASE(access_by_another_group) {
  Waiter target(BeUser);
  Record("rights", RightsAfter(
                       [] {
                         BecomeUser(1000, 1001);
                         MakeDumpable();
                       },
                       target.pid()));
}
CASE(access_to_another_saved_id) {
  Waiter target([] {
    MUST(setresuid(1000, 1000, 0));
    MakeDumpable();
  });
  Record("rights", RightsAfter(
                       [] {
                         BecomeUser(1000, 0);
                         MakeDumpable();
                       },
                       target.pid()));
}
CASE(access_to_another_effective_group) {
  Waiter target([] {
    MUST(setresgid(1000, 1001, 1000));
    MUST(setresuid(1000, 1000, 1000));
    MakeDumpable();
  });
  Record("rights", RightsAfter(BeUser, target.pid()));
}
// Files ask for the file-system ids, calls for the real ones.
CASE(access_by_real_ids_only) {
  Waiter target(BeUser);
  Record("rights", RightsAfter(
                       [] {
                         MUST(setresgid(1000, 1001, 1001));
                         MUST(setresuid(1000, 1001, 1001));
                         DropAll();
                       },
                       target.pid()));
}
CASE(access_by_file_system_ids_only) {
  Waiter target(BeUser);
  Record("rights", RightsAfter(
                       [] {
                         MUST(setresgid(1001, 1000, 1001));
                         MUST(setresuid(1001, 1000, 1001));
                         DropAll();
                       },
                       target.pid()));
}
CASE(access_by_setfsuid_only) {
  Waiter target(BeUser);
  Record("rights", RightsAfter(
                       [] {
                         setfsgid(1000);
                         setfsuid(1000);
                         DropAll();
                       },
                       target.pid()));
}

// --- Capabilities
CASE(access_to_more_capabilities) {
  Waiter target([] {});
  Record("rights", RightsAfter(DropTracing, target.pid()));
}
CASE(access_to_the_same_capabilities) {
  Waiter target(DropTracing);
  Record("rights", RightsAfter(DropTracing, target.pid()));
}
CASE(access_to_no_capabilities) {
  Waiter target([] {
    DropAll();
    MakeDumpable();
  });
  Record("rights", RightsAfter(DropAll, target.pid()));
}
// Calls look at what the caller is permitted, files at what is in effect.
CASE(access_by_permitted_capabilities) {
  Waiter target([] { SetSets({Bit(CAP_CHOWN), 0}); });
  Record("rights", RightsAfter([] { SetSets({Bit(CAP_CHOWN), 0}); }, target.pid()));
}
CASE(access_by_tracing_capability_out_of_effect) {
  Waiter target([] {});
  Record("rights", RightsAfter(
                       [] {
                         const Sets sets = GetSets();
                         SetSets({sets.permitted, sets.effective & ~kTracing});
                       },
                       target.pid()));
}
CASE(access_by_tracing_capability_alone) {
  Waiter target(BeUser);
  Record("rights",
         RightsAfter([] { SetSets({Bit(CAP_SYS_PTRACE), Bit(CAP_SYS_PTRACE)}); }, target.pid()));
}

// --- Dumpable
CASE(access_to_undumpable) {
  Waiter target([] {
    BeUser();
    MUST(prctl(PR_SET_DUMPABLE, 0));
  });
  Record("rights", RightsAfter(BeUser, target.pid()));
}
CASE(access_to_undumpable_by_root) {
  Waiter target([] {
    BeUser();
    MUST(prctl(PR_SET_DUMPABLE, 0));
  });
  Record("rights", RightsAfter([] {}, target.pid()));
}
CASE(access_to_undumpable_without_tracing) {
  Waiter target([] {
    DropTracing();
    MUST(prctl(PR_SET_DUMPABLE, 0));
  });
  Record("rights", RightsAfter(DropTracing, target.pid()));
}
CASE(access_to_oneself_undumpable) {
  BeUser();
  MUST(prctl(PR_SET_DUMPABLE, 0));
  Record("rights", Rights(getpid()));
}
CASE(access_by_undumpable) {
  Waiter target(BeUser);
  Record("rights", RightsAfter(
                       [] {
                         BeUser();
                         MUST(prctl(PR_SET_DUMPABLE, 0));
                       },
                       target.pid()));
}
CASE(access_to_shared_memory_of_undumpable) {
  // A process on the caller's own memory shows nothing that it has not.
  BeUser();
  alignas(16) static char stack[65536];
  static int stop[2];
  MUST(pipe(stop));
  const pid_t pid = clone(
      [](void*) {
        char byte;
        (void)!read(stop[0], &byte, 1);
        return 0;
      },
      stack + sizeof stack, CLONE_VM | SIGCHLD, nullptr);
  MUST(pid);
  MUST(prctl(PR_SET_DUMPABLE, 0));
  Record("rights", Rights(pid));
  (void)!write(stop[1], "x", 1);
  waitpid(pid, nullptr, __WALL);
}
CASE(access_to_a_program_that_may_not_be_read) {
  // Nobody who may only execute it learns what is in it.
  CopySelf("program", 0711);
  MUST(chmod(".", 0755));
  int done[2];
  MUST(pipe(done));
  const pid_t pid = fork();
  if (pid == 0) {
    BecomeUser(1000, 1000);
    dup2(done[1], 1);
    execl("program", "wait-for-end", nullptr);
    _exit(1);
  }
  char text[32] = {};
  MUST(read(done[0], text, sizeof text - 1));
  Record("dumpable", text);
  Record("rights", RightsAfter(BeUser, pid));
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

// --- User namespaces
CASE(access_into_a_user_namespace_by_its_maker) {
  BeUser();
  Waiter target(EnterUserNamespace);
  Record("rights", RightsAfter([] {}, target.pid()));
}
CASE(access_into_a_user_namespace_by_another_user) {
  Waiter target([] {
    BeUser();
    EnterUserNamespace();
  });
  Record("rights", RightsAfter(
                       [] {
                         BecomeUser(1001, 1001);
                         MakeDumpable();
                       },
                       target.pid()));
}
CASE(access_out_of_a_user_namespace) {
  BeUser();
  Waiter target([] {});
  Record("rights", RightsAfter(EnterUserNamespace, target.pid()));
}
CASE(access_between_user_namespaces) {
  BeUser();
  Waiter target(EnterUserNamespace);
  Record("rights", RightsAfter(EnterUserNamespace, target.pid()));
}
CASE(access_within_a_user_namespace) {
  BeUser();
  Waiter target(EnterUserNamespace);
  Record("rights", RightsAfter([&] { Join(target); }, target.pid()));
}
// Its memory is still that of a program of the outer namespace.
CASE(access_to_undumpable_within_a_user_namespace) {
  BeUser();
  Waiter door(EnterUserNamespace);
  Waiter target([&] {
    Join(door);
    MUST(prctl(PR_SET_DUMPABLE, 0));
  });
  Record("rights", RightsAfter([&] { Join(door); }, target.pid()));
}
CASE(access_to_undumpable_program_of_a_user_namespace) {
  BeUser();
  int done[2];
  MUST(pipe(done));
  const pid_t pid = fork();
  if (pid == 0) {
    EnterUserNamespace();
    dup2(done[1], 1);
    execl("/proc/self/exe", "wait-undumpable", nullptr);
    _exit(1);
  }
  char text[32] = {};
  MUST(read(done[0], text, sizeof text - 1));
  Record("dumpable", text);
  Record("rights", RightsAfter(
                       [&] {
                         const int fd =
                             open(("/proc/" + std::to_string(pid) + "/ns/user").c_str(), O_RDONLY);
                         if (fd < 0 || setns(fd, CLONE_NEWUSER) != 0) _exit(1);
                       },
                       pid));
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

// --- Zombies
namespace {

// Only what does not depend on the age of the kernel.
void AskOfZombie(int dumpable) {
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_DUMPABLE, dumpable);
    _exit(0);
  }
  siginfo_t info;
  MUST(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
  const std::string proc = "/proc/" + std::to_string(pid) + "/";
  Record("robust", RobustList(pid));
  Record("kcmp", Name(syscall(SYS_kcmp, pid, pid, KCMP_VM, 0, 0)));
  Record("getfd", TakeDescriptor(pid));
  Record("vm", ReadByte(pid));
  for (const char* name : {"exe", "cwd", "ns/uts", "ns/mnt", "ns/user", "ns/pid"}) {
    Record(name, Link(proc + name));
  }
  Record("fd", Opening(proc + "fd"));
  Record("mem", Opening(proc + "mem"));
  Record("seize", Name(syscall(SYS_ptrace, PTRACE_SEIZE, pid, 0, 0)));
  waitpid(pid, nullptr, 0);
}

}  // namespace
CASE(access_to_a_zombie) {
  BeUser();
  AskOfZombie(1);
}
CASE(access_to_a_zombie_by_root) { AskOfZombie(1); }
CASE(access_to_an_undumpable_zombie_by_root) { AskOfZombie(0); }

namespace {

// The programs that cases execute.
__attribute__((constructor)) void WaitForEnd(int argc, char** argv, char**) {
  if (argc != 1) return;
  const bool undumpable = strcmp(argv[0], "wait-undumpable") == 0;
  if (!undumpable && strcmp(argv[0], "wait-for-end") != 0) return;
  if (undumpable) prctl(PR_SET_DUMPABLE, 0);
  dprintf(1, "%d", prctl(PR_GET_DUMPABLE));
  while (true) pause();
}

}  // namespace
