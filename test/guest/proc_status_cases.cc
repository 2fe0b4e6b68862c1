// /proc/PID/{stat,statm,status}.
#include <sys/inotify.h>
#include <sys/prctl.h>

#include <algorithm>
#include <thread>

#include "test/guest/proc_files.h"

using namespace guest;

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
CASE(status_blocked_while_suspended) {
  const pid_t child = fork();
  if (child == 0) {
    sigset_t blocked, while_waiting;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, nullptr);
    sigemptyset(&while_waiting);
    sigaddset(&while_waiting, SIGUSR2);
    for (;;) sigsuspend(&while_waiting);
  }
  SleepMs(60);
  Record("status", Line(Content(Of(child, "status").c_str()), "SigBlk:"));
  Record("stat", Field(Content(Of(child, "stat").c_str()), 32));
  kill(child, SIGKILL);
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
