// wait4(2), waitid(2): options, zombies, resource usage.
#include <poll.h>
#include <sys/resource.h>
#include <sys/times.h>

#include <limits>
#include <thread>

#include "test/guest/children.h"

using namespace guest;

CASE(wait4_options) {
  T(wait4(-1, nullptr, 0x40, nullptr));
  T(wait4(-1, nullptr, WEXITED, nullptr));
  T(wait4(-1, nullptr, WNOWAIT, nullptr));
  T(wait4(-1, nullptr, WNOHANG | WUNTRACED | WCONTINUED, nullptr));
  T(wait4(-1, nullptr, static_cast<int>(__WALL), nullptr));
  T(wait4(-1, nullptr, static_cast<int>(__WCLONE), nullptr));
  T(wait4(-1, nullptr, __WNOTHREAD, nullptr));
}
CASE(wait4_ids) {
  T(wait4(std::numeric_limits<int>::min(), nullptr, 0, nullptr));
  T(wait4(std::numeric_limits<int>::min(), nullptr, 0x40, nullptr));
  T(wait4(0, nullptr, WNOHANG, nullptr));
  T(wait4(-99999, nullptr, WNOHANG, nullptr));
  T(wait4(99999, nullptr, WNOHANG, nullptr));
  T(wait4(getpid(), nullptr, WNOHANG, nullptr));
  T(wait4(1, nullptr, WNOHANG, nullptr));
}
CASE(wait4_bad_addresses_reap) {
  pid_t child = Child(1);
  T(wait4(child, static_cast<int*>(BadPointer()), 0, nullptr));
  T(wait4(child, nullptr, 0, nullptr));
  child = Child(2);
  int status = 0;
  T(wait4(child, &status, 0, static_cast<rusage*>(BadPointer())));
  Record("status", StatusText(status));
}
CASE(wait4_zero_pid_is_own_group) {
  const pid_t other = fork();
  if (other == 0) {
    setpgid(0, 0);
    _exit(3);
  }
  setpgid(other, other);
  T(waitpid(0, nullptr, WNOHANG));
  const pid_t own = Child(4);
  Record("own", WaitText(0));
  (void)own;
  Record("by_group", WaitText(-other));
}
CASE(wait_any_takes_all) {
  for (int i = 0; i < 5; i++) Child(i);
  int sum = 0, status;
  while (wait(&status) > 0) sum += WEXITSTATUS(status);
  Record("sum", sum);
  T(wait(nullptr));
}
CASE(waitid_option_errors) {
  siginfo_t info;
  T(waitid(P_ALL, 0, &info, 0));
  T(waitid(P_ALL, 0, &info, WNOHANG));
  T(waitid(P_ALL, 0, &info, 0x40 | WEXITED));
  T(waitid(static_cast<idtype_t>(9), 0, &info, WEXITED));
  T(waitid(static_cast<idtype_t>(9), 0, &info, 0));
  T(waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
}
CASE(waitid_id_errors) {
  siginfo_t info;
  T(waitid(P_PID, 0, &info, WEXITED));
  T(waitid(P_PID, static_cast<id_t>(-1), &info, WEXITED));
  T(waitid(P_PGID, static_cast<id_t>(-1), &info, WEXITED));
  T(waitid(P_PGID, 0, &info, WEXITED | WNOHANG));
  T(waitid(kPidFd, static_cast<id_t>(-1), &info, WEXITED));
  T(waitid(kPidFd, 500, &info, WEXITED));
  T(waitid(kPidFd, static_cast<id_t>(open("/dev/null", O_RDONLY)), &info, WEXITED));
}
CASE(waitid_info_of_exit) {
  const pid_t child = Child(42);
  Record("info", WaitInfo(P_PID, static_cast<id_t>(child), WEXITED, child));
}
CASE(waitid_info_of_kill) {
  const pid_t child = Sleeper();
  kill(child, SIGTERM);
  Record("info", WaitInfo(P_ALL, 0, WEXITED, child));
}
CASE(waitid_info_of_stop_and_continue) {
  const pid_t child = Sleeper();
  kill(child, SIGSTOP);
  Record("stop", WaitInfo(P_PID, static_cast<id_t>(child), WSTOPPED, child));
  Record("again", WaitInfo(P_PID, static_cast<id_t>(child), WSTOPPED | WNOHANG, 0));
  kill(child, SIGCONT);
  Record("continue", WaitInfo(P_PID, static_cast<id_t>(child), WCONTINUED, child));
  End(child);
}
CASE(waitid_nowait_of_stop) {
  const pid_t child = Sleeper();
  kill(child, SIGSTOP);
  Record("first", WaitInfo(P_PID, static_cast<id_t>(child), WSTOPPED | WNOWAIT, child));
  Record("second", WaitInfo(P_PID, static_cast<id_t>(child), WSTOPPED, child));
  End(child);
}
CASE(waitid_nohang_zeroes_info) {
  const pid_t child = Sleeper();
  siginfo_t info;
  memset(&info, 0x55, sizeof info);
  T(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG));
  Record("signo", info.si_signo);
  Record("pid", info.si_pid);
  Record("status", info.si_status);
  End(child);
}
CASE(waitid_exited_only_ignores_stop) {
  const pid_t child = Sleeper();
  kill(child, SIGSTOP);
  SleepMs(50);
  Record("exited", WaitInfo(P_PID, static_cast<id_t>(child), WEXITED | WNOHANG, 0));
  Record("wait4", WaitText(child, WNOHANG));
  Record("untraced", WaitText(child, WNOHANG | WUNTRACED));
  End(child);
}
CASE(waitid_without_info) {
  const pid_t child = Child(1);
  T(waitid(P_PID, static_cast<id_t>(child), nullptr, WEXITED));
  T(waitid(P_PID, static_cast<id_t>(child), nullptr, WEXITED));
}
CASE(waitid_bad_info_address) {
  const pid_t child = Child(1);
  T(syscall(SYS_waitid, P_PID, child, BadPointer(), WEXITED, nullptr));
  T(waitid(P_PID, static_cast<id_t>(child), nullptr, WEXITED));
}
CASE(waitid_usage) {
  const pid_t child = Child(1);
  rusage usage;
  memset(&usage, 0xff, sizeof usage);
  siginfo_t info;
  Record("waitid", syscall(SYS_waitid, P_PID, child, &info, WEXITED, &usage));
  Record("sane", usage.ru_utime.tv_sec == 0 && usage.ru_stime.tv_sec == 0);
}
CASE(waitid_pidfd) {
  const pid_t child = Child(19);
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  Record("info", WaitInfo(kPidFd, static_cast<id_t>(fd), WEXITED, child));
  Record("again", WaitInfo(kPidFd, static_cast<id_t>(fd), WEXITED, child));
}
CASE(waitid_pidfd_of_stranger) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, getppid(), 0));
  siginfo_t info;
  T(waitid(kPidFd, static_cast<id_t>(fd), &info, WEXITED | WNOHANG));
}
CASE(waitid_pidfd_nonblock) {
  const pid_t child = Sleeper();
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, child, O_NONBLOCK));
  siginfo_t info = {};
  T(waitid(kPidFd, static_cast<id_t>(fd), &info, WEXITED));
  T(waitid(kPidFd, static_cast<id_t>(fd), &info, WEXITED | WNOHANG));
  kill(child, SIGKILL);
  pollfd ready = {fd, POLLIN, 0};
  T(poll(&ready, 1, 5000));
  Record("info", WaitInfo(kPidFd, static_cast<id_t>(fd), WEXITED, child));
}
CASE(wclone_and_wall) {
  signal(SIGUSR1, SIG_IGN);
  const long child = syscall(SYS_clone, SIGUSR1, 0, 0, 0, 0);
  if (child == 0) _exit(6);
  const pid_t pid = static_cast<pid_t>(child);
  Record("plain", WaitText(pid, WNOHANG));
  Record("clone", WaitText(pid, static_cast<int>(__WCLONE)));
  const pid_t ordinary = Child(7);
  Record("ordinary_as_clone", WaitText(ordinary, static_cast<int>(__WCLONE) | WNOHANG));
  Record("all", WaitText(ordinary, static_cast<int>(__WALL)));
}
CASE(wnothread_sees_own_children_only) {
  const pid_t child = Child(8);
  std::string other, own;
  std::thread([&] {
    other = WaitText(child, __WNOTHREAD | WNOHANG);
    const pid_t mine = Child(9);
    own = WaitText(mine, __WNOTHREAD);
  }).join();
  Record("other", other);
  Record("own", own);
  Record("mine", WaitText(child, __WNOTHREAD));
}
CASE(children_of_ended_thread_pass_on) {
  pid_t child = 0;
  std::thread([&] { child = Child(10, 30); }).join();
  SleepMs(10);
  Record("wait", WaitText(child, __WNOTHREAD));
}
CASE(wait_restarts_after_handler) {
  OnChild(SA_RESTART);
  const pid_t slow = Child(11, 100);
  Child(12, 20);
  Record("slow", WaitText(slow));
  Record("signals", g_signals >= 1);
}
CASE(wait_interrupted_without_restart) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  sigaction(SIGALRM, &action, nullptr);
  const pid_t child = Sleeper();
  itimerval soon = {{0, 0}, {0, 30000}};
  setitimer(ITIMER_REAL, &soon, nullptr);
  T(waitpid(child, nullptr, 0));
  End(child);
}
CASE(zombie_keeps_its_group_and_session) {
  const pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    _exit(0);
  }
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  Record("pgid", getpgid(child) == child);
  Record("sid", getsid(child) == getsid(0));
  T(kill(child, SIGTERM));
  T(kill(-child, 0));
  T(waitpid(child, nullptr, 0) == child ? 0 : -1);
  T(kill(child, 0));
  T(getpgid(child));
}
CASE(zombie_in_proc) {
  const pid_t child = Child(0);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/stat", child);
  const std::string stat = Content(path);
  Record("state", stat.substr(stat.rfind(')') + 2, 1));
  snprintf(path, sizeof path, "/proc/%d/cmdline", child);
  Record("cmdline", Content(path));
  snprintf(path, sizeof path, "/proc/%d/exe", child);
  char target[64];
  T(readlink(path, target, sizeof target));
  snprintf(path, sizeof path, "/proc/%d/maps", child);
  Record("maps", Content(path));
  snprintf(path, sizeof path, "/proc/%d/fd", child);
  T(open(path, O_RDONLY));
  snprintf(path, sizeof path, "/proc/%d/cwd", child);
  T(readlink(path, target, sizeof target));
  snprintf(path, sizeof path, "/proc/%d/io", child);
  Record("io", Content(path).empty());
}
CASE(rusage_of_children_grows_by_wait) {
  auto burn = [] {
    volatile long x = 0;
    for (long i = 0; i < 40000000; i++) x = x + i;
    return 0;
  };
  rusage before, after;
  getrusage(RUSAGE_CHILDREN, &before);
  Record("child", InChild(burn));
  getrusage(RUSAGE_CHILDREN, &after);
  Record("grew", after.ru_utime.tv_sec * 1000000 + after.ru_utime.tv_usec >
                     before.ru_utime.tv_sec * 1000000 + before.ru_utime.tv_usec + 1000);
}
CASE(rusage_of_child_has_memory) {
  const pid_t child = fork();
  if (child == 0) {
    char* memory = static_cast<char*>(
        mmap(nullptr, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    memset(memory, 1, 64 << 20);
    munmap(memory, 64 << 20);
    _exit(0);
  }
  rusage usage;
  wait4(child, nullptr, 0, &usage);
  Record("maxrss", usage.ru_maxrss >= 60 << 10);
  rusage all;
  getrusage(RUSAGE_CHILDREN, &all);
  Record("children", all.ru_maxrss >= 60 << 10);
}
CASE(rusage_thread_is_own) {
  std::thread([] {
    volatile long x = 0;
    for (long i = 0; i < 80000000; i++) x = x + i;
  }).join();
  rusage thread, self;
  getrusage(RUSAGE_THREAD, &thread);
  getrusage(RUSAGE_SELF, &self);
  // The sum is exact; how it is divided is a guess by ticks.
  const auto microseconds = [](const rusage& usage) {
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
  };
  Record("less", microseconds(thread) + 20000 < microseconds(self));
  Record("maxrss", thread.ru_maxrss > 0);
  T(getrusage(RUSAGE_SELF, static_cast<rusage*>(BadPointer())));
  T(getrusage(-2, &self));
}
CASE(times_of_children) {
  tms before, after;
  times(&before);
  InChild([] {
    volatile long x = 0;
    for (long i = 0; i < 80000000; i++) x = x + i;
    return 0;
  });
  times(&after);
  Record("grew", after.tms_cutime > before.tms_cutime);
  Record("null", times(nullptr) > 0);
  T(syscall(SYS_times, BadPointer()));
}
