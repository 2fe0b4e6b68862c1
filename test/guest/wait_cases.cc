// wait4(2), waitid(2), children that change hands, zombies, SIGCHLD.
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/times.h>

#include <atomic>
#include <limits>
#include <thread>

#include "test/guest/cases.h"

using namespace guest;

namespace {

constexpr idtype_t kPidFd = static_cast<idtype_t>(3);

pid_t Child(int code, int delay_ms = 0) {
  const pid_t child = fork();
  if (child == 0) {
    if (delay_ms > 0) SleepMs(delay_ms);
    _exit(code);
  }
  return child;
}
pid_t Sleeper() {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  return child;
}
std::string WaitText(pid_t child, int options = 0) {
  int status = 0;
  const pid_t result = waitpid(child, &status, options);
  if (result < 0) return strerrorname_np(errno);
  return result == 0 ? "nothing" : StatusText(status);
}
void End(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, __WALL);
}
std::string Info(const siginfo_t& info, pid_t child) {
  return std::to_string(info.si_signo) + "/" + std::to_string(info.si_code) + "/" +
         std::to_string(info.si_status) + (info.si_pid == child ? "/child" : "/other");
}
std::string WaitInfo(idtype_t type, id_t id, int options, pid_t child) {
  siginfo_t info = {};
  if (waitid(type, id, &info, options) < 0) return strerrorname_np(errno);
  return Info(info, child);
}

volatile sig_atomic_t g_signals = 0;
siginfo_t g_info;
void Note(int, siginfo_t* info, void*) {
  g_signals = g_signals + 1;
  g_info = *info;
}
void OnChild(int flags) {
  struct sigaction action = {};
  action.sa_sigaction = Note;
  action.sa_flags = SA_SIGINFO | flags;
  sigaction(SIGCHLD, &action, nullptr);
}

}  // namespace

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
CASE(sigchld_ignored_wait_blocks_until_all_ended) {
  signal(SIGCHLD, SIG_IGN);
  Child(1, 40);
  Child(2, 80);
  const long long start = NowMs();
  T(wait(nullptr));
  Record("waited", NowMs() - start >= 60);
}
CASE(sigchld_nocldwait_reaps_and_signals) {
  OnChild(SA_NOCLDWAIT);
  const pid_t child = Child(1);
  while (g_signals == 0) SleepMs(1);
  T(waitpid(child, nullptr, 0));
  Record("signals", g_signals);
  Record("code", g_info.si_code);
}
CASE(sigchld_nocldstop) {
  OnChild(SA_NOCLDSTOP);
  const pid_t child = Sleeper();
  kill(child, SIGSTOP);
  Record("stop", WaitText(child, WUNTRACED));
  kill(child, SIGCONT);
  Record("continue", WaitText(child, WCONTINUED));
  Record("signals", g_signals);
  End(child);
}
CASE(sigchld_of_stop_has_details) {
  OnChild(0);
  const pid_t child = Sleeper();
  kill(child, SIGSTOP);
  while (waitpid(child, nullptr, WUNTRACED) < 0 && errno == EINTR) {
  }
  while (g_signals == 0) SleepMs(1);
  Record("info", Info(g_info, child));
  Record("uid", g_info.si_uid);
  End(child);
}
CASE(sigchld_set_ignored_while_zombie_waits) {
  const pid_t child = Child(14);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  signal(SIGCHLD, SIG_IGN);
  Record("wait", WaitText(child));
}
CASE(exit_signal_other_than_sigchld_not_autoreaped) {
  signal(SIGCHLD, SIG_IGN);
  signal(SIGUSR1, SIG_IGN);
  const long child = syscall(SYS_clone, SIGUSR1, 0, 0, 0, 0);
  if (child == 0) _exit(15);
  SleepMs(50);
  Record("wait", WaitText(static_cast<pid_t>(child), static_cast<int>(__WALL)));
}
CASE(orphan_goes_to_init) {
  int p[2];
  MUST(pipe(p));
  Record("middle", InChild([&] {
           const pid_t self = getpid();
           if (fork() == 0) {
             while (getppid() == self) SleepMs(1);
             const char c = getppid() == 1 ? 'i' : 'o';
             (void)!write(p[1], &c, 1);
             _exit(0);
           }
           return 0;
         }));
  char c = 0;
  T(read(p[0], &c, 1));
  Record("parent", std::string(1, c));
}
CASE(orphan_zombie_is_gone_after_parent) {
  int p[2];
  MUST(pipe(p));
  Record("middle", InChild([&] {
           const pid_t grandchild = Child(1);
           siginfo_t info;
           waitid(P_PID, static_cast<id_t>(grandchild), &info, WEXITED | WNOWAIT);
           (void)!write(p[1], &grandchild, sizeof grandchild);
           return 0;
         }));
  pid_t grandchild;
  T(read(p[0], &grandchild, sizeof grandchild));
}
CASE(subreaper_gets_orphan_and_waits) {
  T(prctl(PR_SET_CHILD_SUBREAPER, 1));
  int value = 0;
  T(prctl(PR_GET_CHILD_SUBREAPER, &value));
  Record("value", value);
  Record("middle", InChild([] {
           if (fork() == 0) {
             SleepMs(60);
             _exit(16);
           }
           return 0;
         }));
  Record("adopted", WaitText(-1));
}
CASE(subreaper_is_not_inherited) {
  prctl(PR_SET_CHILD_SUBREAPER, 5);
  int value = -1;
  prctl(PR_GET_CHILD_SUBREAPER, &value);
  Record("own", value);
  Record("child", InChild([] {
           int inherited = -1;
           prctl(PR_GET_CHILD_SUBREAPER, &inherited);
           return inherited;
         }));
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  prctl(PR_GET_CHILD_SUBREAPER, &value);
  Record("off", value);
}
CASE(subreaper_nearest_wins) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  Record("inner", InChild([] {
           prctl(PR_SET_CHILD_SUBREAPER, 1);
           const pid_t middle = fork();
           if (middle == 0) {
             if (fork() == 0) {
               SleepMs(50);
               _exit(17);
             }
             _exit(0);
           }
           waitpid(middle, nullptr, 0);
           int status = 0;
           return waitpid(-1, &status, 0) > 0 ? WEXITSTATUS(status) : 1;
         }));
  T(waitpid(-1, nullptr, WNOHANG));
}
CASE(pdeathsig_by_end_of_thread) {
  Record("child", InChild([] {
           int p[2];
           MUST(pipe(p));
           pid_t child = 0;
           std::atomic<bool> go{false};
           std::thread parent([&] {
             child = fork();
             if (child == 0) {
               prctl(PR_SET_PDEATHSIG, SIGTERM);
               (void)!write(p[1], "x", 1);
               pause();
               _exit(1);
             }
             while (!go) SleepMs(1);
           });
           char c;
           (void)!read(p[0], &c, 1);
           go = true;
           parent.join();
           int status = 0;
           waitpid(child, &status, 0);
           return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
         }));
}
CASE(pdeathsig_cleared_by_fork) {
  T(prctl(PR_SET_PDEATHSIG, SIGUSR1));
  Record("child", InChild([] {
           int value = -1;
           prctl(PR_GET_PDEATHSIG, &value);
           return value;
         }));
}
CASE(pdeathsig_survives_exec) {
  int p[2];
  MUST(pipe(p));
  Record("middle", InChild([&] {
           if (fork() == 0) {
             prctl(PR_SET_PDEATHSIG, SIGKILL);
             close(p[0]);
             execl("/bin/sleep", "sleep", "20", nullptr);
             _exit(1);
           }
           SleepMs(100);
           return 0;
         }));
  close(p[1]);
  char c;
  T(read(p[0], &c, 1));
}
CASE(pdeathsig_cleared_by_setuid) {
  T(prctl(PR_SET_PDEATHSIG, SIGUSR1));
  MUST(setresuid(1000, 1000, 1000));
  int value = -1;
  prctl(PR_GET_PDEATHSIG, &value);
  Record("value", value);
}
CASE(pdeathsig_kept_by_same_ids) {
  T(prctl(PR_SET_PDEATHSIG, SIGUSR1));
  MUST(setresuid(0, 0, 0));
  int value = -1;
  prctl(PR_GET_PDEATHSIG, &value);
  Record("value", value);
  T(prctl(PR_SET_PDEATHSIG, 65));
  T(prctl(PR_SET_PDEATHSIG, -1));
  T(prctl(PR_GET_PDEATHSIG, BadPointer()));
}
CASE(orphaned_group_gets_hup_and_cont) {
  int p[2];
  MUST(pipe(p));
  Record("middle", InChild([&] {
           // Init is to be in another session, or it would keep the group from
           // being orphaned.
           setsid();
           const pid_t child = fork();
           if (child == 0) {
             setpgid(0, 0);
             static int fd;
             fd = p[1];
             signal(SIGHUP, [](int) {
               (void)!write(fd, "h", 1);
               _exit(0);
             });
             raise(SIGSTOP);
             _exit(1);
           }
           waitpid(child, nullptr, WUNTRACED);
           return 0;
         }));
  char c = 0;
  T(read(p[0], &c, 1));
  Record("got", std::string(1, c));
}
CASE(orphaned_group_ignores_tstp) {
  Record("middle", InChild([] {
           setsid();
           raise(SIGTSTP);
           return 20;
         }));
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
  const long own = thread.ru_utime.tv_sec * 1000000 + thread.ru_utime.tv_usec;
  const long all = self.ru_utime.tv_sec * 1000000 + self.ru_utime.tv_usec;
  Record("less", own + 20000 < all);
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
