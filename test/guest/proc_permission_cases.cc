// /proc/PID: who may read and write its files.
#include <sys/inotify.h>
#include <sys/prctl.h>

#include "test/guest/proc_files.h"

using namespace guest;

CASE(files_of_other_user) {
  const pid_t child = Sleeper();
  BecomeUser(1000, 1000);
  for (const char* name : {"environ", "auxv", "maps", "smaps", "io", "mem", "fd", "syscall",
                           "stack", "personality", "cwd", "exe", "root"}) {
    const int fd = open(Of(child, name).c_str(), O_RDONLY);
    Record(name, fd >= 0 ? "ok" : strerrorname_np(errno));
  }
  for (const char* name : {"stat", "status", "statm", "cmdline", "comm", "limits", "oom_score_adj",
                           "mountinfo", "cgroup", "loginuid", "wchan", "sched", "schedstat"}) {
    const int fd = open(Of(child, name).c_str(), O_RDONLY);
    Record(name, fd >= 0 ? "ok" : strerrorname_np(errno));
  }
  Record("shown_addresses", Field(Content(Of(child, "stat").c_str()), 26) == "0");
  Record("wchan", Content(Of(child, "wchan").c_str()));
}
CASE(links_of_other_user) {
  const pid_t child = Sleeper();
  BecomeUser(1000, 1000);
  char target[64];
  T(readlink(Of(child, "exe").c_str(), target, sizeof target));
  T(readlink(Of(child, "cwd").c_str(), target, sizeof target));
  T(readlink(Of(child, "ns/mnt").c_str(), target, sizeof target));
  T(readlink(Of(child, "fd/1").c_str(), target, sizeof target));
}
CASE(files_of_undumpable_process) {
  const pid_t child = fork();
  if (child == 0) {
    BecomeUser(1000, 1000);
    prctl(PR_SET_DUMPABLE, 0);
    for (;;) pause();
  }
  SleepMs(50);
  BecomeUser(1000, 1000);
  prctl(PR_SET_DUMPABLE, 1);
  for (const char* name : {"environ", "maps", "mem", "fd", "stat"}) {
    const int fd = open(Of(child, name).c_str(), O_RDONLY);
    Record(name, fd >= 0 ? "ok" : strerrorname_np(errno));
  }
  struct stat status;
  stat(Of(child, "status").c_str(), &status);
  Record("owner", status.st_uid);
  stat(Of(child, ".").c_str(), &status);
  Record("directory", status.st_uid);
}
CASE(modes_of_files) {
  for (const char* name : {"auxv",
                           "clear_refs",
                           "cmdline",
                           "comm",
                           "coredump_filter",
                           "cwd",
                           "environ",
                           "exe",
                           "fd",
                           "fdinfo",
                           "io",
                           "limits",
                           "loginuid",
                           "map_files",
                           "maps",
                           "mem",
                           "mountinfo",
                           "mountstats",
                           "ns",
                           "oom_score",
                           "oom_score_adj",
                           "pagemap",
                           "personality",
                           "sched",
                           "sessionid",
                           "setgroups",
                           "smaps",
                           "stack",
                           "stat",
                           "syscall",
                           "task",
                           "timers",
                           "timerslack_ns",
                           "uid_map",
                           "wchan"}) {
    struct stat status;
    if (lstat((std::string("/proc/self/") + name).c_str(), &status) < 0) {
      Record(name, strerrorname_np(errno));
    } else {
      Record(name, Octal(status.st_mode));
    }
  }
}
