// time_namespaces(7): who is in which, and what its clocks show.
#include <sys/sysinfo.h>

#include <thread>

#include "test/guest/time_namespaces.h"

using namespace guest;

namespace {

struct Clock {
  const char* name;
  clockid_t id;
};
constexpr Clock kClocks[] = {
    {"realtime", CLOCK_REALTIME},
    {"monotonic", CLOCK_MONOTONIC},
    {"raw", CLOCK_MONOTONIC_RAW},
    {"realtime_coarse", CLOCK_REALTIME_COARSE},
    {"monotonic_coarse", CLOCK_MONOTONIC_COARSE},
    {"boottime", CLOCK_BOOTTIME},
    {"realtime_alarm", CLOCK_REALTIME_ALARM},
    {"boottime_alarm", CLOCK_BOOTTIME_ALARM},
    {"tai", CLOCK_TAI},
};
// The monotonic and the boot-time clock, as the C library and the kernel have them.
struct Times {
  long monotonic = Seconds(CLOCK_MONOTONIC), boottime = Seconds(CLOCK_BOOTTIME);
  long called = CalledSeconds(CLOCK_MONOTONIC);
};
std::string Since(const Times& before) {
  const Times now;
  return Ahead(now.monotonic, before.monotonic) + " " + Ahead(now.boottime, before.boottime) + " " +
         Ahead(now.called, before.called);
}
double Uptime() { return atof(Content("/proc/uptime").c_str()); }
long StartTime() {
  const std::string stat = Content("/proc/self/stat");
  size_t at = stat.rfind(')') + 1;
  for (int field = 3; field < 22; ++field) at = stat.find(' ', at + 1);
  return atol(stat.c_str() + at);
}
long BootTime() {
  const std::string stat = Content("/proc/stat");
  return atol(stat.c_str() + stat.find("btime ") + 6);
}
std::string Own(const char* name) { return ReadLink(std::string("/proc/self/ns/") + name); }
// Prints the monotonic clock of a program that starts from here.
[[noreturn]] void ExecUptime() {
  execl("/bin/sh", "sh", "-c", "read up rest < /proc/uptime; echo ${up%.*}", nullptr);
  _exit(9);
}
std::string OutputOf(const std::function<void()>& body) {
  int pipe_fds[2];
  MUST(pipe(pipe_fds));
  const pid_t child = fork();
  if (child == 0) {
    dup2(pipe_fds[1], 1);
    body();
    _exit(0);
  }
  close(pipe_fds[1]);
  std::string text = Drain(pipe_fds[0]);
  close(pipe_fds[0]);
  waitpid(child, nullptr, 0);
  return text;
}

}  // namespace

CASE(clocks_of_children) {
  for (const Clock& clock : kClocks) {
    const long before = Seconds(clock.id), called = CalledSeconds(clock.id);
    Record(clock.name, InMovedTime([&] {
             return Ahead(Seconds(clock.id), before) + " " + Ahead(CalledSeconds(clock.id), called);
           }));
  }
}
CASE(clocks_of_the_caller_stay) {
  const Times before;
  MoveClocks();
  Record("after", Since(before));
  Record("child", Said([&] { return Since(before); }));
  Record("grandchild", Said([&] { return Said([&] { return Since(before); }); }));
}
CASE(clocks_of_threads) {
  const Times before;
  Record("thread", InMovedTime([&] {
           std::string text;
           std::thread([&] { text = Since(before); }).join();
           return text;
         }));
}
CASE(clocks_that_go_back) {
  const Times before;
  const long back = -std::min({before.monotonic, before.boottime, 50L});
  Record("child", Said([&] {
           MoveClocks(back, back);
           return Said([&] {
             const Times now;
             return std::to_string(now.monotonic < before.monotonic) +
                    std::to_string(now.boottime < before.boottime) +
                    std::to_string(now.called < before.called);
           });
         }));
}
CASE(clocks_nanoseconds) {
  MUST(unshare(CLONE_NEWTIME));
  MUST(WriteFile("/proc/self/timens_offsets", "monotonic 7 999999999"));
  timespec before;
  clock_gettime(CLOCK_MONOTONIC, &before);
  Record("child", Said([&] {
           timespec now;
           clock_gettime(CLOCK_MONOTONIC, &now);
           const long ahead =
               (now.tv_sec - before.tv_sec) * 1'000'000'000 + now.tv_nsec - before.tv_nsec;
           return std::to_string(ahead >= 7'999'999'999) +
                  std::to_string(now.tv_nsec >= 0 && now.tv_nsec < 1'000'000'000);
         }));
}
CASE(clocks_resolution_and_cpu_time) {
  Record("child", InMovedTime([] {
           timespec resolution, cpu;
           clock_getres(CLOCK_MONOTONIC, &resolution);
           clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
           return std::to_string(resolution.tv_nsec) + " " + std::to_string(cpu.tv_sec);
         }));
}
CASE(clocks_of_a_nested_namespace) {
  const Times before;
  Record("inherited", InMovedTime([&] {
           MUST(unshare(CLONE_NEWTIME));
           return Content("/proc/self/timens_offsets") + Said([&] { return Since(before); });
         }));
  Record("reset", InMovedTime([&] {
           MoveClocks(0, 0);
           return Said([&] { return Since(before); });
         }));
}
CASE(exec_enters) {
  const double before = Uptime();
  const std::string uptime = OutputOf([] {
    MoveClocks();
    ExecUptime();
  });
  Record("uptime", Ahead(atol(uptime.c_str()), static_cast<long>(before)));
}
CASE(vfork_enters_at_exec) {
  MoveClocks();
  const Times before;
  static std::string as_child, space;
  const double up = Uptime();
  const std::string own = Own("time");
  const std::string uptime = OutputOf([&] {
    MoveClocks();
    if (const pid_t child = vfork(); child == 0) {
      ExecUptime();
    } else {
      waitpid(child, nullptr, 0);
    }
  });
  const pid_t child = vfork();
  if (child == 0) {
    as_child = Since(before);
    space = std::to_string(Own("time") == own);
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  Record("before_exec", as_child + " " + space);
  Record("after_exec", Ahead(atol(uptime.c_str()), static_cast<long>(up)));
}
CASE(threads_after_unshare) {
  MoveClocks();
  const Times before;
  std::string text = "none";
  std::thread([&] { text = Since(before); }).join();
  Record("thread", text);
}
CASE(uptime_and_start_time) {
  const double uptime = Uptime();
  struct sysinfo before;
  sysinfo(&before);
  const long started = StartTime() / 100, booted = BootTime();
  Record("uptime", InMovedTime([&] {
           return Ahead(static_cast<long>(Uptime()), static_cast<long>(uptime));
         }));
  Record("sysinfo", InMovedTime([&] {
           struct sysinfo now;
           sysinfo(&now);
           return Ahead(now.uptime, before.uptime);
         }));
  Record("start", InMovedTime([&] { return Ahead(StartTime() / 100, started); }));
  Record("boot", InMovedTime([&] { return Ahead(BootTime(), booted); }));
}
CASE(setns_moves_clocks) {
  const Times before;
  const int own = OpenNs("/proc/self/ns/time");
  Record("child", Said([&] {
           MoveClocks();
           const int made = OpenNs("/proc/self/ns/time_for_children");
           const std::string start = Since(before);
           if (setns(made, CLONE_NEWTIME) < 0) return std::string(strerrorname_np(errno));
           const std::string inside = Since(before);
           if (setns(own, CLONE_NEWTIME) < 0) return std::string(strerrorname_np(errno));
           return start + ", " + inside + ", " + Since(before) + ", " +
                  Said([&] { return Since(before); });
         }));
}
CASE(setns_by_pidfd) {
  const Times before;
  Waiter child([] {});
  Record("inside", Said([&] {
           MoveClocks();
           Waiter member([] {});
           const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, member.pid(), 0));
           if (setns(pidfd, CLONE_NEWTIME) < 0) return std::string(strerrorname_np(errno));
           return Since(before) + " " +
                  std::to_string(Own("time") == ReadLink(member.Proc("ns/time")));
         }));
}
CASE(setns_refused_to_threads) {
  MoveClocks();
  const int made = OpenNs("/proc/self/ns/time_for_children");
  std::thread([&] { T(setns(made, CLONE_NEWTIME)); }).join();
}
CASE(setns_refused_where_memory_is_shared) {
  MoveClocks();
  const int made = OpenNs("/proc/self/ns/time_for_children");
  static int code;
  const pid_t child = vfork();
  if (child == 0) {
    code = setns(made, CLONE_NEWTIME) < 0 ? errno : 0;
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  Record("error", strerrorname_np(code));
}
CASE(offsets_of_the_first_namespace) { T(WriteFile("/proc/self/timens_offsets", "monotonic 1 0")); }
CASE(offsets_stay_once_entered) {
  MoveClocks();
  Record("setns", Said([] {
           MUST(setns(OpenNs("/proc/self/ns/time_for_children"), CLONE_NEWTIME));
           return WriteFile("/proc/self/timens_offsets", "monotonic 1 0") < 0
                      ? std::string(strerrorname_np(errno))
                      : "written";
         }));
}
