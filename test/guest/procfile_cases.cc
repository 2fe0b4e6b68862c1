// /proc/PID/*: what the files say, who may read and write them.
#include <dirent.h>
#include <elf.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "test/guest/cases.h"

using namespace guest;

namespace {

std::string Line(const std::string& text, const std::string& key) {
  size_t at = text.compare(0, key.size(), key) == 0 ? 0 : text.find("\n" + key);
  if (at == std::string::npos) return "none";
  if (text[at] == '\n') ++at;
  return text.substr(at, text.find('\n', at) - at);
}
std::string Field(const std::string& stat, int number) {
  size_t at = stat.rfind(')') + 2;
  for (int field = 3; field < number; field++) at = stat.find(' ', at) + 1;
  return stat.substr(at, stat.find_first_of(" \n", at) - at);
}
std::string Of(pid_t pid, const char* name) {
  char path[96];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  return path;
}
std::string FdInfo(int fd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  return Content(path);
}
std::string Keys(const std::string& text) {
  std::string keys;
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const size_t colon = text.find(':', at);
    keys += text.substr(at, std::min(colon, end) - at) + ",";
    at = end + 1;
  }
  return keys;
}
long WriteTo(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY);
  if (fd < 0) return -1;
  const long result = write(fd, text.data(), text.size());
  const int error = errno;
  close(fd);
  errno = error;
  return result;
}
std::vector<std::string> Names(const char* path) {
  std::vector<std::string> names;
  DIR* directory = opendir(path);
  if (directory == nullptr) return names;
  while (dirent* entry = readdir(directory)) names.push_back(entry->d_name);
  closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}
bool Has(const std::vector<std::string>& names, const char* name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}
pid_t Sleeper() {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  return child;
}

}  // namespace

CASE(stat_ids) {
  const std::string stat = Content("/proc/self/stat");
  Record("pid", Field(stat, 4) == std::to_string(getppid()));
  Record("group", Field(stat, 5) == std::to_string(getpgrp()));
  Record("session", Field(stat, 6) == std::to_string(getsid(0)));
  Record("tty", Field(stat, 7));
  Record("foreground", Field(stat, 8));
  Record("threads", Field(stat, 20));
  Record("itreal", Field(stat, 21));
  Record("exit_signal", Field(stat, 38));
  Record("exit_code", Field(stat, 52));
}
CASE(stat_field_count) {
  const std::string stat = Content("/proc/self/stat");
  Record("spaces", std::count(stat.begin() + static_cast<long>(stat.rfind(')')), stat.end(), ' '));
}
CASE(stat_exit_signal_of_clone) {
  signal(SIGUSR1, SIG_IGN);
  const long child = syscall(SYS_clone, SIGUSR1, 0, 0, 0, 0);
  if (child == 0) {
    for (;;) pause();
  }
  Record("exit_signal", Field(Content(Of(static_cast<pid_t>(child), "stat").c_str()), 38));
  kill(static_cast<pid_t>(child), SIGKILL);
}
CASE(stat_states) {
  const pid_t child = Sleeper();
  SleepMs(50);
  Record("pausing", Field(Content(Of(child, "stat").c_str()), 3));
  kill(child, SIGSTOP);
  waitpid(child, nullptr, WUNTRACED);
  Record("stopped", Field(Content(Of(child, "stat").c_str()), 3));
  Record("status", Line(Content(Of(child, "status").c_str()), "State:"));
  kill(child, SIGKILL);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  Record("zombie", Field(Content(Of(child, "stat").c_str()), 3));
  Record("status", Line(Content(Of(child, "status").c_str()), "State:"));
}
CASE(stat_state_of_native_sleep) {
  const pid_t child = fork();
  if (child == 0) {
    timespec time = {20, 0};
    nanosleep(&time, nullptr);
    _exit(0);
  }
  SleepMs(60);
  Record("sleeping", Field(Content(Of(child, "stat").c_str()), 3));
  kill(child, SIGKILL);
}
CASE(stat_state_of_busy_process) {
  const pid_t child = fork();
  if (child == 0) {
    volatile long x = 0;
    for (;;) x = x + 1;
  }
  SleepMs(60);
  Record("busy", Field(Content(Of(child, "stat").c_str()), 3));
  kill(child, SIGKILL);
}
CASE(stat_start_time_orders) {
  const long own = atol(Field(Content("/proc/self/stat"), 22).c_str());
  SleepMs(30);
  const pid_t child = Sleeper();
  const long other = atol(Field(Content(Of(child, "stat").c_str()), 22).c_str());
  Record("later", other > own);
  kill(child, SIGKILL);
}
CASE(stat_times_grow) {
  const pid_t child = fork();
  if (child == 0) {
    volatile long x = 0;
    for (;;) x = x + 1;
  }
  SleepMs(300);
  Record("utime", atol(Field(Content(Of(child, "stat").c_str()), 14).c_str()) > 3);
  kill(child, SIGKILL);
}
CASE(stat_times_of_children) {
  Record("before", Field(Content("/proc/self/stat"), 16));
  InChild([] {
    volatile long x = 0;
    for (long i = 0; i < 100000000; i++) x = x + i;
    return 0;
  });
  Record("cutime", atol(Field(Content("/proc/self/stat"), 16).c_str()) > 0);
}
CASE(stat_name_with_parentheses) {
  prctl(PR_SET_NAME, "a) (b");
  const std::string stat = Content("/proc/self/stat");
  Record("name", stat.substr(stat.find('('), stat.rfind(')') - stat.find('(') + 1));
  Record("status", Line(Content("/proc/self/status"), "Name:"));
}
CASE(status_name_escapes) {
  prctl(PR_SET_NAME, "a\nb\\c");
  Record("status", Line(Content("/proc/self/status"), "Name:"));
  Record("comm", Content("/proc/self/comm"));
}
CASE(status_ids_lines) {
  MUST(setresgid(10, 20, 30));
  MUST(setresuid(1, 2, 3));
  const std::string status = Content("/proc/self/status");
  Record("uid", Line(status, "Uid:"));
  Record("gid", Line(status, "Gid:"));
  Record("umask", Line(status, "Umask:"));
  Record("tracer", Line(status, "TracerPid:"));
  Record("threads", Line(status, "Threads:"));
}
CASE(status_groups_line) {
  const gid_t groups[] = {5, 7, 6};
  MUST(syscall(SYS_setgroups, 3, groups));
  Record("groups", Line(Content("/proc/self/status"), "Groups:"));
}
CASE(status_tgid_of_thread) {
  std::thread([] {
    const std::string status = Content("/proc/thread-self/status");
    Record("tgid", Line(status, "Tgid:") == "Tgid:\t" + std::to_string(getpid()));
    Record("pid", Line(status, "Pid:") == "Pid:\t" + std::to_string(gettid()));
    Record("nspid", Line(status, "NSpid:") == "NSpid:\t" + std::to_string(gettid()));
    Record("threads", Line(status, "Threads:"));
  }).join();
}
CASE(status_signal_sets) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signal(SIGHUP, SIG_IGN);
  signal(SIGINT, [](int) {});
  kill(getpid(), SIGUSR1);
  syscall(SYS_tgkill, getpid(), gettid(), SIGUSR2);
  const std::string status = Content("/proc/self/status");
  for (const char* key : {"SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:"}) {
    Record(key, Line(status, key).substr(8));
  }
}
CASE(status_capabilities_and_seccomp) {
  const std::string status = Content("/proc/self/status");
  for (const char* key : {"CapInh:", "CapAmb:", "NoNewPrivs:", "Seccomp:"})
    Record(key, Line(status, key));
}
CASE(status_memory_lines_exist) {
  const std::string status = Content("/proc/self/status");
  for (const char* key :
       {"VmPeak:", "VmSize:", "VmHWM:", "VmRSS:", "VmData:", "VmStk:", "VmExe:", "VmSwap:"}) {
    Record(key, Line(status, key) != "none" && Line(status, key).find("kB") != std::string::npos);
  }
}
CASE(status_context_switches) {
  for (int i = 0; i < 20; i++) SleepMs(1);
  const std::string line = Line(Content("/proc/self/status"), "voluntary_ctxt_switches:");
  Record("some", atol(line.c_str() + line.find('\t') + 1) > 10);
}
CASE(status_of_zombie_has_no_memory) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  const std::string status = Content(Of(child, "status").c_str());
  Record("vmsize", Line(status, "VmSize:"));
  Record("threads", Line(status, "Threads:"));
  Record("fdsize", Line(status, "FDSize:"));
}
CASE(statm_of_zombie) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  Record("statm", Content(Of(child, "statm").c_str()));
  Record("limits", Content(Of(child, "limits").c_str()).size() > 100);
  Record("comm", !Content(Of(child, "comm").c_str()).empty());
}
CASE(comm_write_forms) {
  T(WriteTo("/proc/self/comm", "first\n"));
  Record("comm", Content("/proc/self/comm"));
  T(WriteTo("/proc/self/comm", "a much longer name than fits"));
  Record("comm", Content("/proc/self/comm"));
  std::thread([] {
    T(WriteTo("/proc/thread-self/comm", "thread"));
    Record("thread", Content("/proc/thread-self/comm"));
  }).join();
  Record("own", Content("/proc/self/comm"));
}
CASE(comm_write_of_other_process) {
  const pid_t child = Sleeper();
  T(WriteTo(Of(child, "comm").c_str(), "x"));
  kill(child, SIGKILL);
}
CASE(comm_write_by_sibling_thread) {
  char path[96];
  snprintf(path, sizeof path, "/proc/self/task/%d/comm", gettid());
  std::thread([&] { T(WriteTo(path, "by-other")); }).join();
  Record("comm", Content("/proc/self/comm"));
}
CASE(environ_and_cmdline_of_child) {
  const pid_t child = fork();
  if (child == 0) {
    char* const arguments[] = {const_cast<char*>("/bin/sleep"), const_cast<char*>("30"), nullptr};
    char* const environment[] = {const_cast<char*>("A=1"), const_cast<char*>("B=2"), nullptr};
    execve("/bin/sleep", arguments, environment);
    _exit(1);
  }
  SleepMs(100);
  std::string text = Content(Of(child, "environ").c_str());
  std::replace(text.begin(), text.end(), '\0', '~');
  Record("environ", text);
  text = Content(Of(child, "cmdline").c_str());
  std::replace(text.begin(), text.end(), '\0', '~');
  Record("cmdline", text);
  kill(child, SIGKILL);
}
CASE(cmdline_changed_in_memory) {
  Record("child", InChild([] {
           execl("/bin/sh", "sh", "-c", "tr '\\0' '~' < /proc/$$/cmdline > out", nullptr);
           return 1;
         }));
  Record("cmdline", Content("out"));
}
CASE(exe_of_deleted_program) {
  MUST(system("cp /bin/busybox prog") == 0 ? 0 : -1);
  const pid_t child = fork();
  if (child == 0) {
    execl("./prog", "sleep", "30", nullptr);
    _exit(1);
  }
  SleepMs(100);
  unlink("prog");
  char target[4096] = {};
  T(readlink(Of(child, "exe").c_str(), target, sizeof target - 1) > 0 ? 0 : -1);
  Record("deleted", strstr(target, "/prog (deleted)") != nullptr);
  Record("readable", open(Of(child, "exe").c_str(), O_RDONLY) >= 0);
  kill(child, SIGKILL);
}
CASE(cwd_of_removed_directory) {
  mkdir("gone", 0755);
  MUST(chdir("gone"));
  MUST(rmdir("../gone"));
  char target[4096] = {};
  T(readlink("/proc/self/cwd", target, sizeof target - 1) > 0 ? 0 : -1);
  Record("deleted", strstr(target, "/gone (deleted)") != nullptr);
}
CASE(root_and_cwd_of_child) {
  const pid_t child = fork();
  if (child == 0) {
    (void)!chdir("/tmp");
    for (;;) pause();
  }
  SleepMs(50);
  char target[64] = {};
  readlink(Of(child, "cwd").c_str(), target, sizeof target - 1);
  Record("cwd", target);
  memset(target, 0, sizeof target);
  readlink(Of(child, "root").c_str(), target, sizeof target - 1);
  Record("root", target);
  kill(child, SIGKILL);
}
CASE(fd_links) {
  Make("f", "content");
  const int fd = open("f", O_RDONLY);
  char path[64], target[4096] = {};
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  T(readlink(path, target, sizeof target - 1) > 0 ? 0 : -1);
  Record("name", strrchr(target, '/'));
  struct stat status;
  lstat(path, &status);
  Record("mode", Octal(status.st_mode));
  Record("reopened", Drain(open(path, O_RDONLY)));
  unlink("f");
  memset(target, 0, sizeof target);
  readlink(path, target, sizeof target - 1);
  Record("deleted", strrchr(target, '/'));
  Record("reopened", Drain(open(path, O_RDONLY)));
  T(open("/proc/self/fd/500", O_RDONLY));
  T(open("/proc/self/fd/x", O_RDONLY));
}
CASE(fd_link_names_of_special_files) {
  auto name = [](int fd) {
    char path[64], target[256] = {};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    readlink(path, target, sizeof target - 1);
    std::string text = target;
    const size_t bracket = text.find(":[");
    return bracket == std::string::npos || text[0] == 'a' ? text : text.substr(0, bracket);
  };
  int p[2];
  MUST(pipe(p));
  Record("pipe", name(p[0]));
  Record("eventfd", name(eventfd(0, 0)));
  Record("epoll", name(epoll_create1(0)));
  Record("timerfd", name(timerfd_create(CLOCK_MONOTONIC, 0)));
  sigset_t set;
  sigemptyset(&set);
  Record("signalfd", name(signalfd(-1, &set, 0)));
}
CASE(fdinfo_of_eventfd) { Record("keys", Line(FdInfo(eventfd(5, 0)), "eventfd-count:")); }
CASE(fdinfo_of_signalfd) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  Record("mask", Line(FdInfo(signalfd(-1, &set, 0)), "sigmask:"));
}
CASE(fdinfo_of_timerfd) {
  const int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  const std::string text = FdInfo(fd);
  Record("keys", Keys(text));
  Record("clock", Line(text, "clockid:"));
  Record("value", Line(text, "it_value:"));
}
CASE(fdinfo_of_epoll) {
  const int epoll = epoll_create1(0), fd = eventfd(0, 0);
  epoll_event event = {EPOLLIN, {.u64 = 0x1234}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  const std::string line = Line(FdInfo(epoll), "tfd:");
  Record("target", line.substr(0, line.find(" pos:")));
}
CASE(fdinfo_of_file) {
  Make("f", "0123456789");
  const int fd = open("f", O_RDWR | O_APPEND | O_CLOEXEC);
  lseek(fd, 4, SEEK_SET);
  const std::string text = FdInfo(fd);
  Record("keys", Keys(text));
  Record("pos", Line(text, "pos:"));
  Record("flags", Line(text, "flags:"));
}
CASE(fdinfo_of_inotify) {
  const int fd = inotify_init1(0);
  if (fd < 0) return Record("watch", "inotify wd:1");
  inotify_add_watch(fd, ".", IN_CREATE);
  const std::string line = Line(FdInfo(fd), "inotify wd");
  Record("watch", line.substr(0, line.find(" ino:")));
}
CASE(task_directory_lists_threads) {
  std::thread([] {
    Record("count", static_cast<long long>(Names("/proc/self/task").size()));
    struct stat status;
    stat("/proc/self/task", &status);
    Record("links", status.st_nlink);
  }).join();
}
CASE(task_directory_of_stranger) {
  T(open("/proc/self/task/1", O_RDONLY));
  T(open("/proc/self/task/99999", O_RDONLY));
}
CASE(task_children) {
  const pid_t child = Sleeper();
  char path[96];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", gettid());
  Record("children", Content(path) == std::to_string(child) + " ");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  Record("after", Content(path));
}
CASE(task_entries) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d", gettid());
  const auto names = Names(path);
  for (const char* name :
       {"children", "comm", "cwd", "fd", "fdinfo", "io", "maps", "mem", "ns", "sched", "stat",
        "status", "syscall", "wchan", "coredump_filter", "timerslack_ns", "task", "mountstats"}) {
    Record(name, Has(names, name));
  }
}
CASE(process_entries) {
  const auto names = Names("/proc/self");
  for (const char* name :
       {"auxv",          "cgroup",  "clear_refs",  "cmdline",   "comm",          "coredump_filter",
        "environ",       "limits",  "loginuid",    "map_files", "maps",          "mem",
        "oom_score_adj", "pagemap", "personality", "schedstat", "sessionid",     "setgroups",
        "smaps_rollup",  "stack",   "syscall",     "timers",    "timerslack_ns", "wchan"}) {
    Record(name, Has(names, name));
  }
}
CASE(limits_file) {
  rlimit limit = {100, 200};
  MUST(setrlimit(RLIMIT_NOFILE, &limit));
  Record("files", Line(Content("/proc/self/limits"), "Max open files"));
  limit = {5, RLIM_INFINITY};
  setrlimit(RLIMIT_CPU, &limit);
  Record("cpu", Line(Content("/proc/self/limits"), "Max cpu time"));
}
CASE(oom_score_adj_forms) {
  Record("start", Content("/proc/self/oom_score_adj"));
  T(WriteTo("/proc/self/oom_score_adj", "100"));
  Record("set", Content("/proc/self/oom_score_adj"));
  Record("child", InChild([] { return atoi(Content("/proc/self/oom_score_adj").c_str()); }));
  T(WriteTo("/proc/self/oom_score_adj", "1001"));
  T(WriteTo("/proc/self/oom_score_adj", "x"));
  T(WriteTo("/proc/self/oom_score_adj", "50\n"));
  Record("oom_adj", Content("/proc/self/oom_adj"));
}
CASE(oom_score_adj_unprivileged) {
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY);
  T(write(fd, "10", 2));
  BecomeUser(1000, 1000);
  prctl(PR_SET_DUMPABLE, 1);
  T(WriteTo("/proc/self/oom_score_adj", "20"));
  T(WriteTo("/proc/self/oom_score_adj", "5"));
}
CASE(auxv_matches) {
  const std::string text = Content("/proc/self/auxv");
  Record("pairs", text.size() % 16);
  bool entry = false, end = false;
  for (size_t at = 0; at + 16 <= text.size(); at += 16) {
    const auto* pair = reinterpret_cast<const unsigned long*>(text.data() + at);
    entry |= pair[0] == AT_ENTRY && pair[1] != 0;
    end |= pair[0] == AT_NULL;
  }
  Record("entry", entry);
  Record("end", end);
}
CASE(mem_read_and_write) {
  static volatile long word = 0x1234;
  const int fd = open("/proc/self/mem", O_RDWR);
  long value = 0;
  const off_t at = static_cast<off_t>(reinterpret_cast<uintptr_t>(&word));
  T(pread(fd, &value, sizeof value, at));
  Record("value", value);
  value = 0x5678;
  T(pwrite(fd, &value, sizeof value, at));
  Record("word", word);
  T(pread(fd, &value, sizeof value, 4096));
  T(lseek(fd, 0x1000, SEEK_SET));
  T(lseek(fd, 0x1000, SEEK_CUR));
}
CASE(mem_of_child) {
  static long word = 77;
  const pid_t child = Sleeper();
  const int fd = open(Of(child, "mem").c_str(), O_RDWR);
  long value = 0;
  T(pread(fd, &value, sizeof value, static_cast<off_t>(reinterpret_cast<uintptr_t>(&word))));
  Record("value", value);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  T(pread(fd, &value, sizeof value, static_cast<off_t>(reinterpret_cast<uintptr_t>(&word))));
}
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
CASE(io_counts_reads_and_writes) {
  const std::string before = Content("/proc/self/io");
  Make("f", std::string(5000, 'x'));
  Content("f");
  const std::string after = Content("/proc/self/io");
  auto value = [](const std::string& text, const char* key) {
    const std::string line = Line(text, key);
    return atol(line.c_str() + line.find(' ') + 1);
  };
  Record("keys", Keys(after));
  Record("wchar", value(after, "wchar:") - value(before, "wchar:") >= 5000);
  Record("rchar", value(after, "rchar:") - value(before, "rchar:") >= 5000);
  Record("syscr", value(after, "syscr:") > value(before, "syscr:"));
}
CASE(syscall_file_of_blocked_process) {
  int p[2];
  MUST(pipe(p));
  const pid_t child = fork();
  if (child == 0) {
    char c;
    (void)!read(p[0], &c, 1);
    _exit(0);
  }
  SleepMs(60);
  const std::string text = Content(Of(child, "syscall").c_str());
  char expected[32];
  snprintf(expected, sizeof expected, "%d 0x%x ", static_cast<int>(SYS_read), p[0]);
  Record("call", text.compare(0, strlen(expected), expected) == 0);
  kill(child, SIGKILL);
}
CASE(syscall_file_of_self) {
  const std::string text = Content("/proc/self/syscall");
  Record("call", text.substr(0, 2));
}
CASE(personality_and_sched_files) {
  Record("personality", Content("/proc/self/personality"));
  const std::string sched = Content("/proc/self/sched");
  Record("policy", sched.find("policy") != std::string::npos);
  Record("prio", sched.find("prio") != std::string::npos);
}
CASE(schedstat_counts) {
  volatile long x = 0;
  for (long i = 0; i < 20000000; i++) x = x + i;
  Record("ran", atoll(Content("/proc/self/schedstat").c_str()) > 1000000);
}
CASE(coredump_filter_forms) {
  Record("start", Content("/proc/self/coredump_filter"));
  T(WriteTo("/proc/self/coredump_filter", "0x7"));
  Record("set", Content("/proc/self/coredump_filter"));
  Record(
      "child", InChild([] {
        return static_cast<int>(strtol(Content("/proc/self/coredump_filter").c_str(), nullptr, 16));
      }));
  T(WriteTo("/proc/self/coredump_filter", "zz"));
}
CASE(timerslack_file) {
  Record("start", Content("/proc/self/timerslack_ns"));
  T(WriteTo("/proc/self/timerslack_ns", "4000"));
  Record("set", Content("/proc/self/timerslack_ns"));
  T(prctl(PR_GET_TIMERSLACK));
}
CASE(setgroups_and_maps_files) {
  Record("setgroups", Content("/proc/self/setgroups"));
  T(WriteTo("/proc/self/uid_map", "0 0 1\n"));
}
CASE(ns_links) {
  char one[64] = {}, two[64] = {};
  const pid_t child = Sleeper();
  for (const char* name : {"mnt", "net", "pid", "user", "uts", "ipc", "cgroup"}) {
    memset(one, 0, sizeof one);
    memset(two, 0, sizeof two);
    readlink((std::string("/proc/self/ns/") + name).c_str(), one, sizeof one - 1);
    readlink((Of(child, "ns/") + name).c_str(), two, sizeof two - 1);
    Record(name, strcmp(one, two) == 0 && strncmp(one, name, strlen(name)) == 0);
  }
  kill(child, SIGKILL);
}
CASE(clear_refs_and_pagemap) {
  T(WriteTo("/proc/self/clear_refs", "9"));
  T(WriteTo("/proc/self/clear_refs", "1"));
  const int fd = open("/proc/self/pagemap", O_RDONLY);
  static char page[8192];
  page[4096] = 1;
  uint64_t entry = 0;
  T(pread(fd, &entry, 8, static_cast<off_t>(reinterpret_cast<uintptr_t>(page + 4096) / 4096 * 8)));
  Record("present", static_cast<long long>(entry >> 63));
}
CASE(map_files_lead_to_files) {
  Make("f", std::string(4096, 'm'));
  const int fd = open("f", O_RDONLY);
  void* memory = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  const unsigned long start = reinterpret_cast<unsigned long>(memory);
  char path[128], target[4096] = {};
  snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", start, start + 4096);
  T(readlink(path, target, sizeof target - 1) > 0 ? 0 : -1);
  Record("name", strrchr(target, '/') == nullptr ? "none" : strrchr(target, '/'));
}
CASE(proc_root_of_thread_id) {
  std::thread([] {
    Record("directory", open(Of(gettid(), "status").c_str(), O_RDONLY) >= 0);
    Record("listed", Has(Names("/proc"), std::to_string(gettid()).c_str()));
  }).join();
}
CASE(proc_names_that_are_none) {
  T(open("/proc/0", O_RDONLY));
  T(open("/proc/-1", O_RDONLY));
  T(open("/proc/01", O_RDONLY));
  T(open("/proc/1x", O_RDONLY));
  T(open("/proc/99999", O_RDONLY));
  T(open("/proc/self/nothing", O_RDONLY));
  T(mkdir("/proc/new", 0755));
  T(unlink("/proc/version"));
  T(rmdir("/proc/self/task"));
}
CASE(directory_of_ended_process) {
  const pid_t child = Sleeper();
  const int directory = open(Of(child, "").c_str(), O_RDONLY | O_DIRECTORY);
  const int status = openat(directory, "status", O_RDONLY);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  char c;
  T(read(status, &c, 1));
  T(openat(directory, "stat", O_RDONLY));
  struct stat own;
  T(fstat(directory, &own));
}
CASE(global_stat_has_cpus_and_counters) {
  const std::string stat = Content("/proc/stat");
  for (const char* key : {"cpu ", "cpu0 ", "intr ", "ctxt ", "btime ", "processes ",
                          "procs_running ", "procs_blocked ", "softirq "}) {
    Record(key, Line(stat, key) != "none");
  }
  const long before = atol(Line(stat, "processes ").c_str() + 10);
  InChild([] { return 0; });
  Record("counts_forks", atol(Line(Content("/proc/stat"), "processes ").c_str() + 10) > before);
}
CASE(global_meminfo_keys) {
  const std::string text = Content("/proc/meminfo");
  for (const char* key :
       {"MemTotal:", "MemFree:", "MemAvailable:", "Buffers:", "Cached:", "SwapTotal:", "SwapFree:",
        "Shmem:", "Slab:", "SReclaimable:", "CommitLimit:", "HugePages_Total:"}) {
    Record(key, Line(text, key) != "none");
  }
}
CASE(global_files_exist) {
  for (const char* name :
       {"cgroups",     "cmdline",    "consoles",     "cpuinfo",     "devices",  "diskstats",
        "filesystems", "interrupts", "loadavg",      "locks",       "meminfo",  "misc",
        "mounts",     "net/dev",      "partitions",  "self",     "stat",
        "swaps",       "sys",        "sysvipc",      "thread-self", "uptime",   "version",
        "vmstat",      "softirqs", "buddyinfo"}) {
    Record(name, access((std::string("/proc/") + name).c_str(), F_OK));
  }
}
CASE(global_loadavg_and_uptime_form) {
  double a, b, c;
  int running, total, last;
  Record("loadavg", sscanf(Content("/proc/loadavg").c_str(), "%lf %lf %lf %d/%d %d", &a, &b, &c,
                           &running, &total, &last));
  Record("uptime", sscanf(Content("/proc/uptime").c_str(), "%lf %lf", &a, &b));
}
CASE(sysctl_values_are_numbers) {
  for (const char* name :
       {"kernel/pid_max", "kernel/threads-max", "kernel/ngroups_max", "kernel/cap_last_cap",
        "fs/file-max", "fs/nr_open", "vm/overcommit_memory", "kernel/random/entropy_avail",
        "vm/max_map_count", "kernel/sched_rt_runtime_us"}) {
    Record(name, atoll(Content((std::string("/proc/sys/") + name).c_str()).c_str()) >= 0);
    Record("there", access((std::string("/proc/sys/") + name).c_str(), F_OK));
  }
}
