// Numbers in /proc that the kernel counts: queued signals, timers, load.
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include <thread>

#include "test/guest/cases.h"

using namespace guest;

namespace {

// Nobody else on the machine has it.
constexpr uid_t kUser = 47113;

std::string Queued() {
  const std::string text = Content("/proc/self/status");
  const size_t at = text.find("SigQ:\t");
  return text.substr(at + 6, text.find('/', at) - at - 6);
}
// The text with this process's and thread's ids under names.
std::string Named(std::string text, const std::string& number, const std::string& name) {
  for (size_t at = 0; (at = text.find("." + number + "\n", at)) != std::string::npos;) {
    text.replace(at, number.size() + 1, "." + name);
  }
  return text;
}
sigevent Event(int notify, int signo, long value) {
  sigevent event = {};
  event.sigev_notify = notify;
  event.sigev_signo = signo;
  event.sigev_value.sival_ptr = reinterpret_cast<void*>(value);
  return event;
}
long MakeTimer(clockid_t clock, sigevent event) {
  int id = 0;
  return syscall(SYS_timer_create, clock, &event, &id);
}
struct Load {
  double one = 0, five = 0, fifteen = 0;
  int running = 0, total = 0, last = 0;
};
Load ReadLoad() {
  Load load;
  sscanf(Content("/proc/loadavg").c_str(), "%lf %lf %lf %d/%d %d", &load.one, &load.five,
         &load.fifteen, &load.running, &load.total, &load.last);
  return load;
}

}  // namespace

CASE(status_counts_queued_signals_of_the_user) {
  sigset_t set;
  sigfillset(&set);
  MUST(sigprocmask(SIG_BLOCK, &set, nullptr));
  BecomeUser(kUser, kUser);
  MUST(prctl(PR_SET_DUMPABLE, 1));
  Record("none", Queued());
  for (int i = 0; i < 3; ++i) MUST(sigqueue(getpid(), SIGRTMIN, {}));
  Record("queued", Queued());
  MUST(raise(SIGUSR1));
  MUST(raise(SIGUSR1));
  Record("standard", Queued());
  Record("child", InChild([] {
           sigqueue(getpid(), SIGRTMIN, {});
           return std::stoi(Queued());
         }));
  Record("after", Queued());
  MUST(sigwaitinfo(&set, nullptr));
  Record("taken", Queued());
  MUST(MakeTimer(CLOCK_MONOTONIC, Event(SIGEV_NONE, SIGUSR1, 0)));
  Record("timer", Queued());
}
CASE(timers_file_lists_the_newest_first) {
  Record("none", Content("/proc/self/timers"));
  MUST(MakeTimer(CLOCK_MONOTONIC, Event(SIGEV_SIGNAL, SIGRTMIN + 3, 0x1234567890)));
  MUST(MakeTimer(CLOCK_REALTIME, Event(SIGEV_NONE, SIGUSR1, -1)));
  MUST(MakeTimer(CLOCK_PROCESS_CPUTIME_ID, Event(SIGEV_THREAD, SIGUSR2, 7)));
  sigevent event = Event(SIGEV_THREAD_ID, SIGUSR1, 0);
  event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
  MUST(MakeTimer(CLOCK_BOOTTIME, event));
  int id = 0;
  MUST(syscall(SYS_timer_create, CLOCK_TAI, nullptr, &id));
  Record("all", Named(Content("/proc/self/timers"), std::to_string(getpid()), "SELF\n"));
  MUST(syscall(SYS_timer_delete, 1));
  Record("left", Named(Content("/proc/self/timers"), std::to_string(getpid()), "SELF\n"));
}
CASE(timers_file_names_the_thread) {
  std::thread([] {
    const auto tid = static_cast<pid_t>(syscall(SYS_gettid));
    sigevent event = Event(SIGEV_THREAD_ID, SIGUSR1, 0);
    event._sigev_un._tid = tid;
    MUST(MakeTimer(CLOCK_MONOTONIC, event));
    Record("file", Named(Content("/proc/self/timers"), std::to_string(tid), "THREAD\n"));
    clockid_t clock;
    MUST(-pthread_getcpuclockid(pthread_self(), &clock));
    MUST(MakeTimer(clock, Event(SIGEV_NONE, 0, 0)));
    const std::string text = Content("/proc/self/timers");
    Record("clock", text.find("ClockID: " + std::to_string(clock) + "\n") != std::string::npos);
  }).join();
  Record("child", InChild([] { return Content("/proc/self/timers").empty() ? 0 : 1; }));
}
CASE(timers_file_of_another_process) {
  const pid_t child = fork();
  if (child == 0) {
    MakeTimer(CLOCK_MONOTONIC, Event(SIGEV_SIGNAL, SIGUSR1, 5));
    pause();
    _exit(0);
  }
  SleepMs(100);
  const std::string path = "/proc/" + std::to_string(child) + "/timers";
  Record("file", Named(Content(path.c_str()), std::to_string(child), "CHILD\n"));
  MUST(kill(child, SIGKILL));
  MUST(waitpid(child, nullptr, 0));
  Record("ended", Content(path.c_str()));
}
CASE(stack_file_is_for_administrators) {
  const int fd = open("/proc/self/stack", O_RDONLY);
  char c;
  Record("opened", fd >= 0);
  Record("read", read(fd, &c, 1) < 0 ? strerrorname_np(errno) : "allowed");
  Record("user", InChild([] {
           BecomeUser(kUser, kUser);
           return open("/proc/1/stack", O_RDONLY) < 0 ? errno : 0;
         }));
}
CASE(loadavg_names_the_last_pid) {
  for (int i = 0; i < 2; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    MUST(waitpid(child, nullptr, 0));
    Record("process", ReadLoad().last == child);
  }
  pid_t tid = 0;
  std::thread([&] { tid = static_cast<pid_t>(syscall(SYS_gettid)); }).join();
  Record("thread", ReadLoad().last == tid);
}
CASE(loadavg_names_the_last_pid_of_the_readers_namespace) {
  const long child = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    const int first = ReadLoad().last;
    if (fork() == 0) _exit(0);
    wait(nullptr);
    _exit(first * 10 + ReadLoad().last);
  }
  MUST(child);
  int status;
  MUST(waitpid(static_cast<pid_t>(child), &status, 0));
  Record("child", StatusText(status));
}
CASE(loadavg_counts_tasks) {
  const Load load = ReadLoad();
  Record("running", load.running >= 1);
  Record("total", load.total >= load.running);
  std::thread([] { Record("threads", ReadLoad().total >= 2); }).join();
}
CASE(loadavg_rises_with_work) {
  const pid_t child = fork();
  if (child == 0) {
    while (true) {
    }
  }
  SleepMs(6000);
  struct sysinfo info;
  MUST(sysinfo(&info));
  const Load load = ReadLoad();
  MUST(kill(child, SIGKILL));
  Record("one", load.one > 0.04);
  Record("order", load.one < 100 && load.fifteen < 100);
  const double system = static_cast<double>(info.loads[0]) / (1 << SI_LOAD_SHIFT);
  Record("sysinfo", system > load.one - 0.2 && system < load.one + 0.2);
}
