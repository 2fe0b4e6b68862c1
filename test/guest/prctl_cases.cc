// prctl(2), personality(2), arch_prctl(2).
#include <asm/prctl.h>
#include <linux/prctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#include <thread>

#include "test/guest/cases.h"

using namespace guest;

CASE(prctl_unknown) {
  T(prctl(9999, 0, 0, 0, 0));
  T(prctl(0, 0, 0, 0, 0));
  T(prctl(-1, 0, 0, 0, 0));
}
CASE(prctl_name_forms) {
  char name[32];
  T(prctl(PR_SET_NAME, "a-name-that-is-too-long"));
  memset(name, 'z', sizeof name);
  T(prctl(PR_GET_NAME, name));
  Record("name", name);
  Record("untouched", name[16] == 'z');
  T(prctl(PR_SET_NAME, ""));
  T(prctl(PR_GET_NAME, name));
  Record("name", name);
  T(prctl(PR_SET_NAME, BadPointer()));
  T(prctl(PR_GET_NAME, BadPointer()));
}
CASE(prctl_name_is_per_thread) {
  prctl(PR_SET_NAME, "main");
  std::string seen;
  std::thread([&] {
    char name[16];
    prctl(PR_GET_NAME, name);
    seen = name;
    prctl(PR_SET_NAME, "other");
  }).join();
  Record("inherited", seen);
  char name[16];
  prctl(PR_GET_NAME, name);
  Record("own", name);
}
CASE(prctl_dumpable_forms) {
  T(prctl(PR_GET_DUMPABLE));
  T(prctl(PR_SET_DUMPABLE, 2));
  T(prctl(PR_SET_DUMPABLE, -1));
  T(prctl(PR_SET_DUMPABLE, 0));
  T(prctl(PR_GET_DUMPABLE));
  Record("child", InChild([] { return prctl(PR_GET_DUMPABLE); }));
}
CASE(prctl_dumpable_cleared_by_ids) {
  MUST(setresuid(1000, 1000, 0));
  T(prctl(PR_GET_DUMPABLE));
}
CASE(prctl_dumpable_kept_by_same_ids) {
  MUST(setresuid(0, 0, 0));
  T(prctl(PR_GET_DUMPABLE));
}
CASE(prctl_dumpable_owns_proc_files) {
  BecomeUser(1000, 1000);
  struct stat status;
  T(prctl(PR_GET_DUMPABLE));
  MUST(stat("/proc/self/stat", &status));
  Record("stat", status.st_uid);
  MUST(stat("/proc/self", &status));
  Record("directory", status.st_uid);
  T(open("/proc/self/environ", O_RDONLY));
  Record("fd_listed", open("/proc/self/fd", O_RDONLY) >= 0);
  Record("fd_followed",
         open("/proc/self/fd/1", O_WRONLY) >= 0 || errno == EACCES || errno == ENXIO);
  T(prctl(PR_SET_DUMPABLE, 1));
  MUST(stat("/proc/self/stat", &status));
  Record("stat", status.st_uid);
  Record("environ", open("/proc/self/environ", O_RDONLY) >= 0);
}
CASE(prctl_keepcaps_forms) {
  T(prctl(PR_GET_KEEPCAPS));
  T(prctl(PR_SET_KEEPCAPS, 2));
  T(prctl(PR_SET_KEEPCAPS, 1));
  T(prctl(PR_GET_KEEPCAPS));
  T(prctl(PR_GET_SECUREBITS));
  Record("child", InChild([] { return prctl(PR_GET_KEEPCAPS); }));
}
CASE(prctl_no_new_privs_forms) {
  T(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  T(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0));
  T(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
  T(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
  T(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
  T(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  T(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  Record("child", InChild([] { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); }));
}
CASE(prctl_timerslack_forms) {
  T(prctl(PR_GET_TIMERSLACK));
  T(prctl(PR_SET_TIMERSLACK, 12345));
  T(prctl(PR_GET_TIMERSLACK));
  Record("child", InChild([] { return prctl(PR_GET_TIMERSLACK) == 12345 ? 1 : 0; }));
  T(prctl(PR_SET_TIMERSLACK, 0));
  T(prctl(PR_GET_TIMERSLACK));
}
CASE(prctl_timerslack_default_is_inherited) {
  prctl(PR_SET_TIMERSLACK, 777);
  Record("child", InChild([] {
           prctl(PR_SET_TIMERSLACK, 0);
           return prctl(PR_GET_TIMERSLACK) == 777 ? 1 : 0;
         }));
}
CASE(prctl_tid_address) {
  int* address = nullptr;
  T(prctl(PR_GET_TID_ADDRESS, &address, 0, 0, 0));
  Record("set", address != nullptr);
  static int word;
  syscall(SYS_set_tid_address, &word);
  prctl(PR_GET_TID_ADDRESS, &address, 0, 0, 0);
  Record("own", address == &word);
}
CASE(prctl_thp_disable) {
  T(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  T(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
  T(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  Record("child", InChild([] { return prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0); }));
  T(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
  T(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0));
}
CASE(prctl_timing_and_unaligned) {
  T(prctl(PR_GET_TIMING));
  T(prctl(PR_SET_TIMING, PR_TIMING_STATISTICAL));
  T(prctl(PR_SET_TIMING, PR_TIMING_TIMESTAMP));
  int value;
  T(prctl(PR_GET_UNALIGN, &value));
  T(prctl(PR_GET_FPEMU, &value));
  T(prctl(PR_GET_ENDIAN, &value));
}
CASE(prctl_tsc) {
  int value = 0;
  T(prctl(PR_GET_TSC, &value));
  Record("value", value);
  T(prctl(PR_SET_TSC, PR_TSC_ENABLE));
  T(prctl(PR_SET_TSC, 7));
  T(prctl(PR_GET_TSC, BadPointer()));
}
CASE(prctl_mce_kill) {
  T(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
  T(prctl(PR_MCE_KILL_GET, 1, 0, 0, 0));
  T(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
  T(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
  T(prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0));
  T(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
  T(prctl(PR_MCE_KILL, 9, 0, 0, 0));
  T(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, 9, 0, 0));
}
CASE(prctl_child_subreaper_forms) {
  T(prctl(PR_SET_CHILD_SUBREAPER, 3));
  int value = 0;
  T(prctl(PR_GET_CHILD_SUBREAPER, &value));
  Record("value", value);
  T(prctl(PR_GET_CHILD_SUBREAPER, BadPointer()));
}
CASE(prctl_securebits_forms) {
  T(prctl(PR_GET_SECUREBITS));
  T(prctl(PR_SET_SECUREBITS, 1 << 20));
  T(prctl(PR_SET_SECUREBITS, 3));
  T(prctl(PR_GET_SECUREBITS));
  T(prctl(PR_SET_SECUREBITS, 0));
  T(prctl(PR_SET_SECUREBITS, 1 << 5 | 1 << 4));
  T(prctl(PR_GET_KEEPCAPS));
  T(prctl(PR_SET_KEEPCAPS, 0));
}
CASE(prctl_ambient_forms) {
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 99, 0, 0));
  T(prctl(PR_CAP_AMBIENT, 77, 0, 0, 0));
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0));
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 0, 1, 0));
}
CASE(prctl_capbset_forms) {
  T(prctl(PR_CAPBSET_READ, 0));
  T(prctl(PR_CAPBSET_READ, 99));
  T(prctl(PR_CAPBSET_DROP, 99));
  T(prctl(PR_CAPBSET_DROP, 5));
  T(prctl(PR_CAPBSET_READ, 5));
}
CASE(prctl_mm_needs_capability) {
  BecomeUser(1000, 1000);
  T(prctl(PR_SET_MM, PR_SET_MM_BRK, 0, 0, 0));
  T(prctl(PR_SET_MM, PR_SET_MM_ARG_START, 0, 0, 0));
}
CASE(prctl_mm_argument_range) {
  char* memory = static_cast<char*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  strcpy(memory, "renamed");
  const unsigned long start = reinterpret_cast<unsigned long>(memory);
  if (prctl(PR_SET_MM, PR_SET_MM_ARG_END, start + 8, 0, 0) < 0) {
    T(prctl(PR_SET_MM, PR_SET_MM_ARG_START, start, 0, 0));
    T(prctl(PR_SET_MM, PR_SET_MM_ARG_END, start + 8, 0, 0));
  } else {
    T(prctl(PR_SET_MM, PR_SET_MM_ARG_START, start, 0, 0));
    T(0);
  }
  Record("cmdline", Content("/proc/self/cmdline").c_str());
}
CASE(prctl_mm_errors) {
  T(prctl(PR_SET_MM, 99, 4096, 0, 0));
  T(prctl(PR_SET_MM, PR_SET_MM_ARG_START, 4096, 0, 0));
  T(prctl(PR_SET_MM, PR_SET_MM_ARG_START, -1, 0, 0));
  T(prctl(PR_SET_MM, PR_SET_MM_ARG_START, 0, 0, 1));
}
CASE(prctl_vma_name) {
  void* memory = mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const long named = prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, memory, 8192, "a name");
  if (named == 0) {
    Record("in_maps", Content("/proc/self/maps").find("[anon:a name]") != std::string::npos);
  } else {
    Record("in_maps", 1);
  }
  T(prctl(PR_SET_VMA, 9, memory, 8192, "x"));
}
CASE(prctl_speculation_arguments) {
  T(prctl(PR_GET_SPECULATION_CTRL, 99, 0, 0, 0));
  T(prctl(PR_GET_SPECULATION_CTRL, 0, 1, 0, 0));
  T(prctl(PR_SET_SPECULATION_CTRL, 99, 0, 0, 0));
}
CASE(prctl_io_flusher_and_perf) {
  T(prctl(PR_TASK_PERF_EVENTS_DISABLE));
  T(prctl(PR_GET_IO_FLUSHER, 1, 0, 0, 0));
}
CASE(personality_of_release_26) {
  utsname name;
  MUST(personality(UNAME26));
  MUST(uname(&name));
  Record("release", std::string(name.release).substr(0, 4));
  MUST(personality(PER_LINUX));
  MUST(uname(&name));
  Record("again", std::string(name.release).substr(0, 4) == "2.6.");
}
CASE(personality_set_and_read) {
  Record("start", personality(0xffffffff));
  T(personality(ADDR_NO_RANDOMIZE));
  T(personality(0xffffffff));
  Record("child", InChild([] { return personality(0xffffffff) == ADDR_NO_RANDOMIZE ? 1 : 0; }));
  Record("exec", InChild([] {
           execl("/bin/sh", "sh", "-c", "grep -q 00040000 /proc/self/personality", nullptr);
           return 9;
         }));
}
CASE(personality_bits) {
  for (const unsigned long bits :
       {0x0400000UL, 0x0020000UL, 0x4000000UL, 0x0100000UL, 0x2000000UL}) {
    personality(0);
    T(personality(bits));
    Record("reads", personality(0xffffffff) == static_cast<int>(bits));
  }
}
CASE(personality_no_randomize_fixes_addresses) {
  personality(ADDR_NO_RANDOMIZE);
  std::string maps[2];
  for (std::string& text : maps) {
    InChild([] {
      execl("/bin/sh", "sh", "-c", "grep -E 'stack|heap' /proc/$$/maps | cut -d- -f1 > out",
            nullptr);
      return 9;
    });
    text = Content("out");
  }
  Record("same", maps[0] == maps[1] && !maps[0].empty());
}
CASE(personality_linux32_changes_machine) {
  personality(PER_LINUX32);
  utsname name;
  uname(&name);
  Record("machine", name.machine);
}
CASE(arch_prctl_forms) {
  unsigned long value = 0;
  T(syscall(SYS_arch_prctl, ARCH_GET_FS, &value));
  Record("set", value != 0);
  T(syscall(SYS_arch_prctl, 0x9999, &value));
  T(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x1234));
  T(syscall(SYS_arch_prctl, ARCH_GET_GS, &value));
  Record("gs", static_cast<long long>(value));
}
