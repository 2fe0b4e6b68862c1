// pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), kcmp(2).
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include <thread>

#include "test/guest/cases.h"

using namespace guest;

namespace {

int PidFdOpen(pid_t pid, unsigned flags = 0) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, flags));
}
long SendSignal(int fd, int signo, siginfo_t* info = nullptr, unsigned flags = 0) {
  return syscall(SYS_pidfd_send_signal, fd, signo, info, flags);
}
long GetFd(int pidfd, int fd, unsigned flags = 0) {
  return syscall(SYS_pidfd_getfd, pidfd, fd, flags);
}
std::string EndText(pid_t child) {
  int status = 0;
  return waitpid(child, &status, 0) == child ? StatusText(status) : strerrorname_np(errno);
}
short Poll(int fd, int ms) {
  pollfd entry = {fd, POLLIN, 0};
  poll(&entry, 1, ms);
  return entry.revents;
}

enum { kFile, kVm, kFiles, kFs, kSighand, kIo, kSysvsem, kEpollTarget };
std::string Kcmp(pid_t a, pid_t b, int type, unsigned long x = 0, unsigned long y = 0) {
  const long result = syscall(SYS_kcmp, a, b, type, x, y);
  if (result < 0) return strerrorname_np(errno);
  return result == 0 ? "same" : "differ";
}

}  // namespace

CASE(pidfd_open_errors) {
  T(PidFdOpen(0));
  T(PidFdOpen(-1));
  T(PidFdOpen(99999));
  T(PidFdOpen(getpid(), 1));
  T(PidFdOpen(99999, 1));
}
CASE(pidfd_open_flags) {
  int fd = PidFdOpen(getpid());
  Record("cloexec", fcntl(fd, F_GETFD));
  Record("flags", fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
  fd = PidFdOpen(getpid(), O_NONBLOCK);
  Record("nonblock", fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
}
CASE(pidfd_is_no_file) {
  const int fd = PidFdOpen(getpid());
  char buffer[4];
  T(read(fd, buffer, sizeof buffer));
  T(write(fd, buffer, sizeof buffer));
  T(lseek(fd, 0, SEEK_SET));
}
CASE(pidfd_of_zombie) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  const int fd = PidFdOpen(child);
  Record("opened", fd >= 0);
  Record("poll", Poll(fd, 0) & POLLIN);
  T(SendSignal(fd, 0));
  T(SendSignal(fd, SIGTERM));
  waitpid(child, nullptr, 0);
  T(SendSignal(fd, 0));
  Record("poll", Poll(fd, 0) & POLLIN);
  T(PidFdOpen(child));
}
CASE(pidfd_poll_waits_for_end) {
  const pid_t child = fork();
  if (child == 0) {
    SleepMs(60);
    _exit(0);
  }
  const int fd = PidFdOpen(child);
  Record("before", Poll(fd, 0));
  Record("after", Poll(fd, 5000) & POLLIN);
  Record("end", EndText(child));
}
CASE(pidfd_poll_not_by_stop) {
  const pid_t child = Sleeper();
  const int fd = PidFdOpen(child);
  kill(child, SIGSTOP);
  waitpid(child, nullptr, WUNTRACED);
  Record("stopped", Poll(fd, 20));
  kill(child, SIGKILL);
  Record("killed", Poll(fd, 5000) & POLLIN);
}
CASE(pidfd_in_epoll) {
  const pid_t child = Sleeper();
  const int fd = PidFdOpen(child);
  const int epoll = epoll_create1(0);
  epoll_event event = {EPOLLIN, {.u64 = 7}};
  T(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
  T(epoll_wait(epoll, &event, 1, 0));
  kill(child, SIGKILL);
  T(epoll_wait(epoll, &event, 1, 5000));
  Record("data", static_cast<long long>(event.data.u64));
  Record("events", static_cast<long long>(event.events & EPOLLIN));
}
CASE(pidfd_waits_for_last_thread) {
  const pid_t child = fork();
  if (child == 0) {
    std::thread([] {
      SleepMs(120);
      _exit(0);
    }).detach();
    syscall(SYS_exit, 0);
  }
  const int fd = PidFdOpen(child);
  SleepMs(40);
  Record("leader_gone", Poll(fd, 0));
  Record("all_gone", Poll(fd, 5000) & POLLIN);
}
CASE(pidfd_send_signal_works) {
  const pid_t child = Sleeper();
  const int fd = PidFdOpen(child);
  T(SendSignal(fd, 0));
  T(SendSignal(fd, SIGUSR1));
  Record("end", EndText(child));
}
CASE(pidfd_send_signal_errors) {
  const int fd = PidFdOpen(getpid());
  T(SendSignal(fd, 65));
  T(SendSignal(fd, -1));
  T(SendSignal(fd, 0, nullptr, 0x100));
  T(SendSignal(500, 0));
  T(SendSignal(open("/dev/null", O_RDONLY), 0));
  T(SendSignal(fd, 0, static_cast<siginfo_t*>(BadPointer())));
}
CASE(pidfd_send_signal_through_proc) {
  const pid_t child = Sleeper();
  const std::string path = "/proc/" + std::to_string(child);
  T(SendSignal(open((path + "/task/" + std::to_string(child)).c_str(), O_DIRECTORY), 0));
  T(SendSignal(open((path + "/fd").c_str(), O_DIRECTORY), 0));
  T(SendSignal(open(path.c_str(), O_PATH), 0));
  const int fd = open(path.c_str(), O_DIRECTORY);
  T(SendSignal(fd, 0));
  T(SendSignal(fd, SIGUSR1));
  Record("end", EndText(child));
  T(SendSignal(fd, 0));
}
CASE(pidfd_send_signal_info) {
  const pid_t child = Sleeper();
  const int fd = PidFdOpen(child);
  siginfo_t info = {};
  info.si_signo = SIGUSR1;
  info.si_code = SI_QUEUE;
  T(SendSignal(fd, SIGUSR2, &info));
  info.si_code = SI_USER;
  T(SendSignal(fd, SIGUSR1, &info));
  info.si_code = SI_TKILL;
  T(SendSignal(fd, SIGUSR1, &info));
  info.si_code = SI_QUEUE;
  T(SendSignal(fd, SIGUSR1, &info));
  Record("end", EndText(child));
}
CASE(pidfd_send_signal_permission) {
  const pid_t child = Sleeper();
  const int fd = PidFdOpen(child);
  BecomeUser(1000, 1000);
  T(SendSignal(fd, 0));
  T(SendSignal(fd, SIGTERM));
}
CASE(pidfd_survives_pid_reuse) {
  const pid_t child = Sleeper();
  const int fd = PidFdOpen(child);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  T(SendSignal(fd, SIGKILL));
}
CASE(pidfd_passed_to_child) {
  const pid_t child = Sleeper();
  const int fd = PidFdOpen(child);
  Record("killer", InChild([fd] { return SendSignal(fd, SIGINT) == 0 ? 0 : errno; }));
  Record("end", EndText(child));
}
CASE(pidfd_getfd_shares_the_file) {
  int p[2];
  MUST(pipe(p));
  Make("f", "hello");
  const pid_t child = fork();
  if (child == 0) {
    const int fd = open("f", O_RDONLY);
    dup2(fd, 77);
    (void)!write(p[1], "x", 1);
    for (;;) pause();
  }
  char c;
  MUST(read(p[0], &c, 1));
  const int fd = PidFdOpen(child);
  const int copy = static_cast<int>(GetFd(fd, 77));
  Record("got", copy >= 0);
  Record("cloexec", fcntl(copy, F_GETFD));
  Record("content", Drain(copy));
  Record("kcmp", Kcmp(getpid(), child, kFile, static_cast<unsigned long>(copy), 77));
  kill(child, SIGKILL);
}
CASE(pidfd_getfd_errors) {
  const pid_t child = Sleeper();
  const int fd = PidFdOpen(child);
  T(GetFd(fd, 500));
  T(GetFd(fd, -1));
  T(GetFd(fd, 0, 1));
  T(GetFd(500, 0));
  T(GetFd(open("/dev/null", O_RDONLY), 0));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  T(GetFd(fd, 0));
}
CASE(pidfd_getfd_permission) {
  const pid_t child = Sleeper();
  const int fd = PidFdOpen(child);
  BecomeUser(1000, 1000);
  T(GetFd(fd, 0));
}
CASE(pidfd_getfd_of_self) {
  const int fd = PidFdOpen(getpid());
  const int null = open("/dev/null", O_RDWR);
  const long copy = GetFd(fd, null);
  Record("got", copy > null);
  Record("kcmp", Kcmp(getpid(), getpid(), kFile, static_cast<unsigned long>(null),
                      static_cast<unsigned long>(copy)));
}
CASE(pidfd_fdinfo) {
  const int fd = PidFdOpen(getpid());
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  const std::string text = Content(path);
  char expected[64];
  snprintf(expected, sizeof expected, "Pid:\t%d\n", getpid());
  Record("pid", text.find(expected) != std::string::npos);
  Record("nspid", text.find("NSpid:\t") != std::string::npos);
}
CASE(pidfd_fdinfo_until_somebody_waits) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  const std::string path = "/proc/self/fdinfo/" + std::to_string(PidFdOpen(child));
  const auto shows = [&](const std::string& pid) {
    return Content(path.c_str()).find("Pid:\t" + pid + "\nNSpid:\t" + pid + "\n") !=
           std::string::npos;
  };
  Record("zombie", shows(std::to_string(child)));
  waitpid(child, nullptr, 0);
  Record("gone", shows("-1"));
}
CASE(pidfd_fdinfo_in_namespaces) {
  MUST(unshare(CLONE_NEWPID));
  const pid_t child = Sleeper();
  const std::string path = "/proc/self/fdinfo/" + std::to_string(PidFdOpen(child));
  const std::string number = std::to_string(child);
  Record("both", Content(path.c_str()).find("Pid:\t" + number + "\nNSpid:\t" + number + "\t1\n") !=
                     std::string::npos);
  kill(child, SIGKILL);
}
CASE(pidfd_gives_namespaces) {
  const char* const names[] = {
      "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children",
      "user",   "uts"};
  const pid_t child = Sleeper();
  const int pidfd = PidFdOpen(child);
  unsigned command = 0xff01;
  for (const char* name : names) {
    const int fd = ioctl(pidfd, command++, 0);
    const std::string link = "/proc/" + std::to_string(child) + "/ns/" + name;
    struct stat one = {}, other = {};
    const bool same = fstat(fd, &one) == 0 && stat(link.c_str(), &other) == 0 &&
                      one.st_ino == other.st_ino && one.st_dev == other.st_dev;
    Record(name, std::string(same ? "same" : "differs") +
                     (fcntl(fd, F_GETFD) == FD_CLOEXEC ? " cloexec" : ""));
  }
  T(ioctl(pidfd, 0xff01, 1));
  T(ioctl(pidfd, 0xff00, 0));
  T(ioctl(pidfd, FIONREAD, &command));
  const int uts = ioctl(pidfd, 0xff0a, 0);
  T(setns(uts, CLONE_NEWUTS));
  Record("user", InChild([&] {
           BecomeUser(1000, 1000);
           return ioctl(pidfd, 0xff0a, 0) < 0 ? errno : 0;
         }));
  kill(child, SIGKILL);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  T(ioctl(pidfd, 0xff0a, 0));
  T(ioctl(pidfd, 0xff09, 0));
  waitpid(child, nullptr, 0);
  T(ioctl(pidfd, 0xff0a, 0));
}
CASE(pidfd_tells_who_it_is) {
  struct Info {
    uint64_t mask, cgroup;
    uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    int32_t exit_code;
    uint64_t later[4];
  };
  constexpr unsigned long kGetInfo = _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, 64);
  constexpr unsigned long kLarger = _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, sizeof(Info));
  constexpr uint64_t kPid = 1, kIds = 2, kExit = 8;
  const pid_t child = fork();
  if (child == 0) {
    MUST(setresgid(5, 6, 7));
    MUST(setresuid(1, 2, 3));
    MUST(prctl(PR_SET_NAME, "changed"));
    pause();
  }
  const std::string comm = "/proc/" + std::to_string(child) + "/comm";
  while (Content(comm.c_str()) != "changed\n") SleepMs(1);
  const int pidfd = PidFdOpen(child);
  Info info = {};
  info.later[0] = 9;
  T(ioctl(pidfd, kGetInfo, &info));
  Record("mask", static_cast<long long>(info.mask & (kPid | kIds | kExit)));
  Record("pids", info.pid == static_cast<uint32_t>(child) && info.tgid == info.pid &&
                     info.ppid == static_cast<uint32_t>(getpid()));
  for (const uint32_t id :
       {info.ruid, info.euid, info.suid, info.fsuid, info.rgid, info.egid, info.sgid, info.fsgid}) {
    Record("id", id);
  }
  Record("untouched", static_cast<long long>(info.later[0]));
  T(ioctl(pidfd, kLarger, &info));
  Record("unknown", static_cast<long long>(info.later[3]));
  T(ioctl(pidfd, _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, 56), &info));
  T(ioctl(pidfd, kGetInfo, nullptr));
  T(ioctl(pidfd, kGetInfo, BadPointer()));
  kill(child, SIGTERM);
  waitpid(child, nullptr, 0);
  info.mask = kPid;
  T(ioctl(pidfd, kGetInfo, &info));
  info.mask = kExit;
  T(ioctl(pidfd, kGetInfo, &info));
  Record("mask", static_cast<long long>(info.mask & (kPid | kIds | kExit)));
  Record("end", StatusText(info.exit_code));
}
CASE(kcmp_self) {
  const pid_t self = getpid();
  for (int type = kVm; type <= kSysvsem; type++)
    Record(std::to_string(type), Kcmp(self, self, type));
}
CASE(kcmp_with_child) {
  const pid_t child = Sleeper();
  for (int type = kVm; type <= kSighand; type++)
    Record(std::to_string(type), Kcmp(getpid(), child, type));
  kill(child, SIGKILL);
}
CASE(kcmp_with_sharing_child) {
  static char stack[16384] __attribute__((aligned(16)));
  const int child = clone([](void*) { return pause(); }, stack + sizeof stack,
                          CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD, nullptr);
  for (int type = kVm; type <= kSighand; type++)
    Record(std::to_string(type), Kcmp(getpid(), child, type));
  kill(child, SIGKILL);
}
CASE(kcmp_files) {
  const pid_t self = getpid();
  Make("f", "x");
  const int one = open("f", O_RDONLY), two = open("f", O_RDONLY), three = dup(one);
  auto index = [](int fd) { return static_cast<unsigned long>(fd); };
  Record("dup", Kcmp(self, self, kFile, index(one), index(three)));
  Record("reopened", Kcmp(self, self, kFile, index(one), index(two)));
  Record("closed", Kcmp(self, self, kFile, index(one), 500));
}
CASE(kcmp_epoll_target) {
  struct Slot {
    uint32_t epoll, fd, offset;
  };
  const int epoll = epoll_create1(0), null = open("/dev/null", O_RDONLY);
  int p[2], other[2];
  MUST(pipe(p));
  MUST(pipe(other));
  epoll_event event = {EPOLLIN, {}};
  const int number = dup(p[0]);
  MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, number, &event));
  const auto compare = [&](int fd, int instance, int watched, uint32_t offset) {
    Slot slot = {static_cast<uint32_t>(instance), static_cast<uint32_t>(watched), offset};
    return Kcmp(getpid(), getpid(), kEpollTarget, static_cast<unsigned long>(fd),
                reinterpret_cast<unsigned long>(&slot));
  };
  Record("same", compare(p[0], epoll, number, 0));
  Record("other", compare(null, epoll, number, 0));
  Record("beyond", compare(p[0], epoll, number, 1));
  Record("unwatched", compare(p[0], epoll, null, 0));
  Record("not_epoll", compare(p[0], null, number, 0));
  Record("closed", compare(500, epoll, number, 0));
  Record("no_instance", compare(p[0], 500, number, 0));
  Record("address", Kcmp(getpid(), getpid(), kEpollTarget, 0, 8));
  MUST(dup2(other[0], number));
  MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, number, &event));
  Record("second",
         compare(p[0], epoll, number, 0) == "same" || compare(p[0], epoll, number, 1) == "same");
  Record("beyond", compare(p[0], epoll, number, 2));
}
CASE(kcmp_errors) {
  Record("type", Kcmp(getpid(), getpid(), 99));
  Record("first", Kcmp(99999, getpid(), kVm));
  Record("second", Kcmp(getpid(), 99999, kVm));
  Record("zero", Kcmp(0, getpid(), kVm));
}
CASE(kcmp_permission) {
  const pid_t parent = getppid();
  BecomeUser(1000, 1000);
  Record("parent", Kcmp(getpid(), parent, kVm));
}
