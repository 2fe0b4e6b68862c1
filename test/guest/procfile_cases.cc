// /proc/PID: names, descriptors, threads, limits and the rest.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>

#include <thread>

#include "test/guest/proc_files.h"

using namespace guest;

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
CASE(fdinfo_of_eventfd) {
  const std::string plain = FdInfo(eventfd(5, 0)), other = FdInfo(eventfd(5, EFD_SEMAPHORE));
  Record("keys", Line(plain, "eventfd-count:"));
  Record("plain", Line(plain, "eventfd-semaphore:"));
  Record("semaphore", Line(other, "eventfd-semaphore:"));
  Record("other_id", Line(plain, "eventfd-id:") != Line(other, "eventfd-id:"));
}
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
  Record("target", line.substr(0, line.find(" ino:")));
  struct stat st;
  MUST(fstat(fd, &st));
  char expected[64];
  snprintf(expected, sizeof expected, " ino:%lx sdev:%x", st.st_ino,
           major(st.st_dev) << 20 | minor(st.st_dev));
  Record("file", line.find(expected) != std::string::npos);
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
CASE(oom_score_follows_adjustment) {
  for (const char* adjustment : {"0", "500", "1000", "-1000"}) {
    T(WriteTo("/proc/self/oom_score_adj", adjustment));
    // Little memory adds some per mille at most.
    constexpr int kStep = 20;
    Record(adjustment, (atoi(Content("/proc/self/oom_score").c_str()) + kStep / 2) / kStep);
  }
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
