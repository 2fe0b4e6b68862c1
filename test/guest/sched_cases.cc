// nice values, scheduling policies, affinity, getcpu, membarrier, rseq.
#include <linux/membarrier.h>
#include <linux/rseq.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <thread>

#include "test/guest/cases.h"

using namespace guest;

namespace {

struct Attr {
  uint32_t size = 48, policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0, deadline = 0, period = 0;
};
static_assert(sizeof(Attr) == 48);

constexpr int kSchedReset = 0x40000000;

long SetAttr(pid_t pid, Attr& attr, unsigned flags = 0) {
  return syscall(SYS_sched_setattr, pid, &attr, flags);
}
long GetAttr(pid_t pid, Attr& attr, unsigned size = 48, unsigned flags = 0) {
  return syscall(SYS_sched_getattr, pid, &attr, size, flags);
}
int SetPolicy(pid_t pid, int policy, int priority) {
  sched_param param = {};
  param.sched_priority = priority;
  return sched_setscheduler(pid, policy, &param);
}
int Priority(pid_t pid) {
  sched_param param = {};
  return sched_getparam(pid, &param) < 0 ? -errno : param.sched_priority;
}
long RawPriority(int which, int who) { return syscall(SYS_getpriority, which, who); }

}  // namespace

CASE(nice_values) {
  T(setpriority(PRIO_PROCESS, 0, 5));
  T(RawPriority(PRIO_PROCESS, 0));
  T(setpriority(PRIO_PROCESS, 0, 100));
  T(RawPriority(PRIO_PROCESS, 0));
  T(setpriority(PRIO_PROCESS, 0, -100));
  T(RawPriority(PRIO_PROCESS, 0));
}
CASE(nice_is_inherited) {
  T(setpriority(PRIO_PROCESS, 0, 7));
  Record("child", InChild([] { return static_cast<int>(RawPriority(PRIO_PROCESS, 0)); }));
}
CASE(nice_is_per_thread) {
  std::thread([] { setpriority(PRIO_PROCESS, 0, 9); }).join();
  T(RawPriority(PRIO_PROCESS, 0));
  long other = 0;
  setpriority(PRIO_PROCESS, 0, 4);
  std::thread([&] { other = RawPriority(PRIO_PROCESS, 0); }).join();
  Record("inherited", other);
}
CASE(nice_of_others) {
  const pid_t child = Sleeper();
  T(setpriority(PRIO_PROCESS, static_cast<id_t>(child), 3));
  T(RawPriority(PRIO_PROCESS, child));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  T(RawPriority(PRIO_PROCESS, child));
  T(setpriority(PRIO_PROCESS, static_cast<id_t>(child), 3));
}
CASE(nice_of_group) {
  MUST(setpgid(0, 0));
  const pid_t child = Sleeper();
  T(setpriority(PRIO_PGRP, 0, 6));
  T(RawPriority(PRIO_PROCESS, child));
  T(setpriority(PRIO_PROCESS, static_cast<id_t>(child), 2));
  T(RawPriority(PRIO_PGRP, 0));
  T(RawPriority(PRIO_PGRP, 99999));
  T(setpriority(PRIO_PGRP, 99999, 1));
  kill(child, SIGKILL);
}
CASE(nice_of_user) {
  const pid_t child = fork();
  if (child == 0) {
    BecomeUser(2345, 2345);
    for (;;) pause();
  }
  SleepMs(50);
  T(setpriority(PRIO_USER, 2345, 8));
  T(RawPriority(PRIO_PROCESS, child));
  T(RawPriority(PRIO_USER, 2345));
  T(RawPriority(PRIO_USER, 77777));
  T(setpriority(PRIO_USER, 77777, 1));
  kill(child, SIGKILL);
}
CASE(nice_errors) {
  T(setpriority(static_cast<__priority_which>(9), 0, 1));
  T(RawPriority(9, 0));
  T(RawPriority(-1, 0));
  T(RawPriority(PRIO_PROCESS, 99999));
}
CASE(nice_unprivileged) {
  const pid_t other = getppid();
  BecomeUser(1000, 1000);
  T(setpriority(PRIO_PROCESS, 0, 5));
  T(setpriority(PRIO_PROCESS, 0, 4));
  T(setpriority(PRIO_PROCESS, 0, 5));
  T(setpriority(PRIO_PROCESS, static_cast<id_t>(other), 5));
  T(setpriority(PRIO_USER, 0, 5));
}
CASE(nice_with_rlimit) {
  rlimit limit = {25, 25};
  MUST(setrlimit(RLIMIT_NICE, &limit));
  BecomeUser(1000, 1000);
  T(setpriority(PRIO_PROCESS, 0, -5));
  T(RawPriority(PRIO_PROCESS, 0));
  T(setpriority(PRIO_PROCESS, 0, -6));
  T(setpriority(PRIO_PROCESS, 0, 10));
  T(setpriority(PRIO_PROCESS, 0, -5));
}
CASE(nice_in_proc_stat) {
  T(setpriority(PRIO_PROCESS, 0, 11));
  const std::string stat = Content("/proc/self/stat");
  size_t at = stat.rfind(')') + 2;
  for (int field = 3; field < 18; field++) at = stat.find(' ', at) + 1;
  Record("priority_nice", stat.substr(at, stat.find(' ', stat.find(' ', at) + 1) - at));
}
CASE(policy_defaults) {
  T(sched_getscheduler(0));
  Record("priority", Priority(0));
  Attr attr;
  T(GetAttr(0, attr));
  Record("size", attr.size);
  Record("policy", attr.policy);
  Record("nice", attr.nice);
}
CASE(policy_set_and_read) {
  for (const int policy : {SCHED_BATCH, SCHED_IDLE, SCHED_OTHER}) {
    Record("set", SetPolicy(0, policy, 0));
    Record("get", sched_getscheduler(0));
  }
}
CASE(policy_parameter_errors) {
  T(SetPolicy(0, SCHED_OTHER, 1));
  T(SetPolicy(0, SCHED_BATCH, 5));
  T(SetPolicy(0, SCHED_FIFO, 0));
  T(SetPolicy(0, SCHED_RR, 100));
  T(SetPolicy(0, 4, 0));
  T(SetPolicy(0, 99, 0));
  T(SetPolicy(-1, SCHED_OTHER, 0));
  T(SetPolicy(99999, SCHED_OTHER, 0));
  T(syscall(SYS_sched_setscheduler, 0, -1, nullptr));
  T(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, nullptr));
  T(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, BadPointer()));
}
CASE(policy_getters_errors) {
  T(sched_getscheduler(-1));
  T(sched_getscheduler(99999));
  T(syscall(SYS_sched_getparam, -1, BadPointer()));
  T(syscall(SYS_sched_getparam, 0, nullptr));
  T(syscall(SYS_sched_getparam, 99999, BadPointer()));
  T(syscall(SYS_sched_getparam, 0, BadPointer()));
  T(syscall(SYS_sched_setparam, 0, nullptr));
  T(syscall(SYS_sched_setparam, 0, BadPointer()));
}
CASE(policy_realtime_unprivileged) {
  BecomeUser(1000, 1000);
  T(SetPolicy(0, SCHED_FIFO, 1));
  T(SetPolicy(0, SCHED_RR, 1));
  T(SetPolicy(0, SCHED_BATCH, 0));
  T(SetPolicy(0, SCHED_IDLE, 0));
  T(SetPolicy(0, SCHED_OTHER, 0));
  T(SetPolicy(1, SCHED_BATCH, 0));
}
CASE(policy_is_inherited) {
  SetPolicy(0, SCHED_BATCH, 0);
  Record("child", InChild([] { return sched_getscheduler(0); }));
  SetPolicy(0, SCHED_BATCH | kSchedReset, 0);
  Record("own", sched_getscheduler(0) & 0xff);
  Record("flagged", (sched_getscheduler(0) & kSchedReset) != 0);
  setpriority(PRIO_PROCESS, 0, -3);
  Record("reset", InChild([] { return sched_getscheduler(0); }));
  Record("reset_nice", InChild([] { return static_cast<int>(RawPriority(PRIO_PROCESS, 0)); }));
}
CASE(policy_reset_flag_needs_privilege_to_clear) {
  SetPolicy(0, SCHED_OTHER | kSchedReset, 0);
  BecomeUser(1000, 1000);
  T(SetPolicy(0, SCHED_OTHER, 0));
  T(SetPolicy(0, SCHED_OTHER | kSchedReset, 0));
}
CASE(policy_setparam_keeps_policy) {
  SetPolicy(0, SCHED_BATCH, 0);
  sched_param param = {};
  T(sched_setparam(0, &param));
  T(sched_getscheduler(0));
  param.sched_priority = 3;
  T(sched_setparam(0, &param));
}
CASE(attr_set_nice_and_policy) {
  Attr attr;
  attr.policy = SCHED_BATCH;
  attr.nice = 12;
  T(SetAttr(0, attr));
  Attr read;
  T(GetAttr(0, read));
  Record("policy", read.policy);
  Record("nice", read.nice);
  T(RawPriority(PRIO_PROCESS, 0));
}
CASE(attr_errors) {
  Attr attr;
  T(SetAttr(0, attr, 1));
  T(SetAttr(-1, attr));
  T(SetAttr(99999, attr));
  T(syscall(SYS_sched_setattr, 0, nullptr, 0));
  T(syscall(SYS_sched_setattr, 0, BadPointer(), 0));
  attr.policy = 99;
  T(SetAttr(0, attr));
  attr.policy = 0xffffffff;
  T(SetAttr(0, attr));
  attr = Attr();
  attr.flags = uint64_t{1} << 40;
  T(SetAttr(0, attr));
  attr = Attr();
  attr.size = 20;
  T(SetAttr(0, attr));
  Record("told", attr.size >= 48);
  attr = Attr();
  attr.size = 0;
  T(SetAttr(0, attr));
  attr.size = 5000;
  T(SetAttr(0, attr));
}
CASE(attr_get_errors) {
  Attr attr;
  T(GetAttr(0, attr, 47));
  T(GetAttr(0, attr, 5000));
  T(GetAttr(0, attr, 48, 1));
  T(GetAttr(-1, attr));
  T(GetAttr(99999, attr));
  T(syscall(SYS_sched_getattr, 0, nullptr, 48, 0));
  T(syscall(SYS_sched_getattr, 0, BadPointer(), 48, 0));
}
CASE(attr_deadline_parameters) {
  Attr attr;
  attr.policy = 6;
  T(SetAttr(0, attr));
  attr.runtime = 500;
  attr.deadline = attr.period = 100000;
  T(SetAttr(0, attr));
}
CASE(attr_keep_flags) {
  Attr attr;
  attr.policy = SCHED_BATCH;
  attr.nice = 3;
  SetAttr(0, attr);
  attr = Attr();
  attr.policy = SCHED_IDLE;
  attr.nice = 9;
  attr.flags = 0x08 | 0x10;  // keep policy and parameters
  T(SetAttr(0, attr));
  Attr read;
  GetAttr(0, read);
  Record("policy", read.policy);
  Record("nice", read.nice);
}
CASE(priority_ranges) {
  for (int policy = -1; policy <= 8; policy++) {
    if (policy == 7 || policy == 4) continue;
    Record(std::to_string(policy), std::to_string(sched_get_priority_min(policy)) + "-" +
                                       std::to_string(sched_get_priority_max(policy)));
  }
}
CASE(rr_interval_errors) {
  timespec time;
  T(sched_rr_get_interval(-1, &time));
  T(sched_rr_get_interval(99999, &time));
  T(sched_rr_get_interval(0, static_cast<timespec*>(BadPointer())));
  T(sched_rr_get_interval(0, &time));
  Record("sane", time.tv_sec == 0 && time.tv_nsec >= 0);
}
CASE(affinity_roundtrip) {
  cpu_set_t all, one, read;
  MUST(sched_getaffinity(0, sizeof all, &all));
  int first = 0;
  while (!CPU_ISSET(first, &all)) first++;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  T(sched_setaffinity(0, sizeof one, &one));
  T(sched_getaffinity(0, sizeof read, &read));
  Record("same", CPU_EQUAL(&one, &read));
  Record("runs_there", sched_getcpu() == first);
  unsigned raw = 9999;
  syscall(SYS_getcpu, &raw, nullptr, nullptr);
  Record("raw_too", static_cast<int>(raw) == first);
  Record("child", InChild([&] {
           sched_getaffinity(0, sizeof read, &read);
           return CPU_COUNT(&read);
         }));
  T(sched_setaffinity(0, sizeof all, &all));
}
CASE(affinity_of_threads_before_they_start) {
  cpu_set_t all, one;
  MUST(sched_getaffinity(0, sizeof all, &all));
  int last = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (CPU_ISSET(cpu, &all)) last = cpu;
  }
  CPU_ZERO(&one);
  CPU_SET(last, &one);
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setaffinity_np(&attr, sizeof one, &one);
  int misplaced = 0;
  for (int i = 0; i < 100; i++) {
    pthread_t thread;
    MUST(-pthread_create(
        &thread, &attr, [](void*) -> void* { return reinterpret_cast<void*>(sched_getcpu()); },
        nullptr));
    void* cpu;
    pthread_join(thread, &cpu);
    misplaced += reinterpret_cast<long>(cpu) != last;
  }
  Record("misplaced", misplaced);
}
CASE(affinity_shown_in_proc) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  if (sched_setaffinity(0, sizeof one, &one) < 0) return;
  const std::string status = Content("/proc/self/status");
  const size_t at = status.find("Cpus_allowed_list:");
  Record("list", status.substr(at, status.find('\n', at) - at));
}
CASE(affinity_of_thread_and_child) {
  cpu_set_t one, read;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  const pid_t child = Sleeper();
  T(sched_setaffinity(child, sizeof one, &one));
  T(sched_getaffinity(child, sizeof read, &read));
  Record("count", CPU_COUNT(&read));
  kill(child, SIGKILL);
}
CASE(affinity_errors) {
  cpu_set_t none, set;
  CPU_ZERO(&none);
  T(sched_setaffinity(0, sizeof none, &none));
  T(sched_setaffinity(99999, sizeof none, &none));
  T(syscall(SYS_sched_setaffinity, 0, 8, BadPointer()));
  T(syscall(SYS_sched_setaffinity, 0, 0, &none));
  T(syscall(SYS_sched_getaffinity, 0, 0, &set));
  T(syscall(SYS_sched_getaffinity, 0, 3, &set));
  T(syscall(SYS_sched_getaffinity, 99999, 128, &set));
  T(syscall(SYS_sched_getaffinity, -1, 128, &set));
  Record("bytes", syscall(SYS_sched_getaffinity, 0, 4096, &set) % 8);
  T(syscall(SYS_sched_getaffinity, 0, 128, BadPointer()));
}
CASE(affinity_unprivileged) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  const pid_t parent = getppid();
  BecomeUser(1000, 1000);
  T(sched_setaffinity(0, sizeof one, &one));
  T(sched_setaffinity(parent, sizeof one, &one));
}
CASE(getcpu_forms) {
  unsigned cpu = 9999, node = 9999;
  T(syscall(SYS_getcpu, &cpu, &node, nullptr));
  Record("sane", cpu < 4096 && node < 64);
  T(syscall(SYS_getcpu, nullptr, nullptr, nullptr));
  T(syscall(SYS_getcpu, BadPointer(), nullptr, nullptr));
}
CASE(yield) { T(sched_yield()); }
CASE(membarrier_commands) {
  const long query = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
  Record("private", query > 0 && (query & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0);
  T(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 1, 0));
  T(syscall(SYS_membarrier, 0x40000000, 0, 0));
  T(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
  T(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
  T(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
  T(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
}
CASE(membarrier_registration_is_for_the_memory) {
  syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
  long result = -1;
  std::thread([&] {
    result = syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  }).join();
  Record("thread", result);
  Record("fork", InChild([] {
           return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0 ? 0 : errno;
         }));
}
CASE(rseq_registered_by_the_c_library) {
  alignas(32) static struct rseq area = {};
  T(syscall(SYS_rseq, &area, 32, 0, 0x53053053));
}
CASE(rseq_errors) {
  alignas(32) static char area[64] = {};
  T(syscall(SYS_rseq, area + 1, 32, 0, 0));
  T(syscall(SYS_rseq, area, 32, 8, 0));
}
CASE(scheduling_of_ended_process) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  T(sched_getscheduler(child));
  T(RawPriority(PRIO_PROCESS, child));
  waitpid(child, nullptr, 0);
  T(sched_getscheduler(child));
}
CASE(attr_util_clamp) {
  struct {
    Attr attr;
    uint32_t util_min = 7, util_max = 8;
  } clamped;
  clamped.attr.size = sizeof clamped;
  T(GetAttr(0, clamped.attr, sizeof clamped));
  Record("clamp", std::to_string(clamped.util_min) + "-" + std::to_string(clamped.util_max));
  clamped.attr.flags = 0x20;
  clamped.util_min = 100;
  T(SetAttr(0, clamped.attr));
  clamped.attr.size = 48;
  T(SetAttr(0, clamped.attr));
}
