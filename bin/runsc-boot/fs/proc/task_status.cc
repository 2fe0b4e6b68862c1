// stat, status, statm, limits and sched of a process or thread: proc_pid_stat(5),
// proc_pid_status(5), in the host kernel's own format.
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "bin/runsc-boot/fs/proc/task_files.h"
#include "bin/runsc-boot/kernel/job_control.h"
#include "bin/runsc-boot/kernel/ptrace.h"
#include "bin/runsc-boot/loader/load.h"
#include "bin/runsc-boot/seccomp/filter.h"

namespace runsc::boot::proc {
namespace {

// What the stub reserves in every process: the region of its slots, its image and
// its stacks (docs/platform.md). It is no memory of the application's.
constexpr uint64_t kStubStacks = 256 << 10;
constexpr uint64_t kStubBytes = (uint64_t{1} << 30) + (64 << 10) + kStubStacks;

uint64_t Without(uint64_t bytes, uint64_t hidden) {
  return bytes > hidden ? bytes - hidden : bytes;
}

// What Linux counts of the `bytes` that the host has mapped: not the stub, nor
// the part of the stack that no program has asked for yet.
uint64_t WithoutStub(uint64_t bytes, const ThreadGroup& group) {
  return Without(bytes, kStubBytes + UnusedStack(group.stack_bytes()));
}

// Of memory that is private and writable: the host takes the stack for that, too.
uint64_t DataBytes(uint64_t bytes, const ThreadGroup& group) {
  return Without(bytes, kStubStacks + group.stack_bytes());
}
uint64_t UsedStack(const ThreadGroup& group) {
  return group.stack_bytes() - UnusedStack(group.stack_bytes());
}

// The host's view, with defaults when the stub is gone already.
HostStat HostView(const TaskView& view) {
  auto stat = view.process ? view.filesystem.host().ProcessStat(view.host_pid())
                           : view.filesystem.host().ThreadStat(view.host_pid(), view.host_tid());
  return stat.ok() ? *stat : HostStat{};
}

// A task that reads about itself runs, though it waits for boot as the host sees
// it. What executes application code may sleep in a call that the host runs.
char StateOf(const TaskView& view, const HostStat& host) {
  const TraceeRef tracee = view.task.tracee();
  if (tracee != nullptr && tracee->stopped()) return 't';
  if (view.task.tid() == view.context.caller_tid()) return 'R';
  const char state = view.task.run_state();
  if (state != 'R' || !view.task.in_application()) return state;
  return host.state == 'S' || host.state == 'D' ? host.state : 'R';
}

// Linux writes a name's line feeds and backslashes as escapes.
std::string EscapedName(const Task& task) {
  return absl::StrReplaceAll(task.name(), {{"\n", "\\n"}, {"\\", "\\\\"}});
}

const char* StateName(char state) {
  switch (state) {
    case 'R':
      return "R (running)";
    case 'T':
      return "T (stopped)";
    case 'D':
      return "D (disk sleep)";
    case 't':
      return "t (tracing stop)";
    case 'Z':
      return "Z (zombie)";
    default:
      return "S (sleeping)";
  }
}

mode_t Umask(const Task& task) {
  std::shared_ptr<FsContext> fs = task.fs_ref();
  return fs == nullptr ? 0 : fs->umask();
}

struct SignalSets {
  SignalSet ignored = 0, caught = 0;
};

SignalSets ActionsOf(const ThreadGroup& group) {
  SignalSets sets;
  for (int signo = 1; signo <= kSignalCount; ++signo) {
    uint64_t handler = group.action(signo).handler;
    if (handler == reinterpret_cast<uint64_t>(SIG_IGN)) {
      sets.ignored |= SignalBit(signo);
    } else if (handler != reinterpret_cast<uint64_t>(SIG_DFL)) {
      sets.caught |= SignalBit(signo);
    }
  }
  return sets;
}

MemoryManager::Image ImageOf(const Task& task) {
  std::shared_ptr<MemoryManager> memory = task.memory_ref();
  return memory == nullptr ? MemoryManager::Image{} : memory->image();
}

// The processors that a task may use, a bit for each.
std::vector<bool> CpusOf(const TaskView& view) {
  const int count = std::max(view.filesystem.kernel().cpu_count(), 1);
  std::vector<bool> cpus(static_cast<size_t>(count), true);
  const std::vector<uint8_t> own = view.task.scheduling().affinity;
  for (size_t cpu = 0; !own.empty() && cpu < cpus.size(); ++cpu) {
    cpus[cpu] = cpu / 8 < own.size() && (own[cpu / 8] >> cpu % 8 & 1) != 0;
  }
  return cpus;
}

// Words of 32 bits, the highest first: "1,ffffffff".
std::string CpuMask(const std::vector<bool>& cpus) {
  std::string text;
  for (size_t words = (cpus.size() + 31) / 32; words-- > 0;) {
    uint32_t word = 0;
    for (size_t bit = 0; bit < 32 && words * 32 + bit < cpus.size(); ++bit) {
      word |= static_cast<uint32_t>(cpus[words * 32 + bit]) << bit;
    }
    absl::StrAppend(&text,
                    text.empty() ? absl::StrFormat("%x", word) : absl::StrFormat(",%08x", word));
  }
  return text;
}

std::string CpuList(const std::vector<bool>& cpus) {
  std::string text;
  for (size_t first = 0; first < cpus.size(); ++first) {
    if (!cpus[first]) continue;
    size_t last = first;
    while (last + 1 < cpus.size() && cpus[last + 1]) ++last;
    absl::StrAppend(&text, text.empty() ? "" : ",", first);
    if (last > first) absl::StrAppend(&text, "-", last);
    first = last;
  }
  return text;
}

std::string MemoryLines(std::string_view host_status, const ThreadGroup& group) {
  static constexpr const char* kFields[] = {"VmPeak", "VmSize",  "VmLck",   "VmPin",    "VmHWM",
                                            "VmRSS",  "RssAnon", "RssFile", "RssShmem", "VmData",
                                            "VmStk",  "VmExe",   "VmLib",   "VmPTE",    "VmSwap"};
  std::string text;
  for (const char* field : kFields) {
    uint64_t kib = HostProc::StatusKib(host_status, field);
    const std::string_view name = field;
    if (name == "VmPeak" || name == "VmSize") kib = WithoutStub(kib << 10, group) >> 10;
    if (name == "VmData") kib = DataBytes(kib << 10, group) >> 10;
    if (name == "VmStk") kib += UsedStack(group) >> 10;
    absl::StrAppendFormat(&text, "%s:\t%8u kB\n", field, kib);
  }
  absl::StrAppend(&text, "HugetlbPages:\t       0 kB\nCoreDumping:\t0\nTHP_enabled:\t1\n");
  return text;
}

std::string LimitText(rlim_t value) {
  return value == RLIM_INFINITY ? "unlimited" : absl::StrCat(value);
}

// The number in each pid namespace from that of /proc down to the task's own.
std::string NumbersLine(const TaskView& view, const char* name, pid_t pid) {
  std::vector<pid_t> numbers;
  const PidNamespace* top = view.filesystem.pid_namespace();
  for (const PidNamespace* space = view.task.pid_namespace();
       space != nullptr && !space->is_initial() && space != top; space = space->parent().get()) {
    numbers.push_back(space->FromKernel(pid));
  }
  numbers.push_back(view.Pid(pid));
  std::string line = absl::StrCat(name, ":");
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    absl::StrAppend(&line, "\t", *number);
  }
  return line + "\n";
}

}  // namespace

Result<std::string> GenerateStat(const TaskView& view) {
  Task& task = view.task;
  ThreadGroup& group = task.group();
  HostStat host = HostView(view);
  const MemoryManager::Image image = ImageOf(task);
  const bool inspect = CheckInspect(view.context, task).ok();
  // Who may not look sees 1 where there is an address, or nothing.
  auto shown = [inspect](uint64_t address) { return inspect ? address : 0; };
  auto hinted = [&](uint64_t address) { return inspect || address == 0 ? address : 1; };
  const Scheduling scheduling = task.scheduling();
  constexpr int kNiceOffset = 20;
  const SignalSets actions = ActionsOf(group);
  constexpr uint64_t kOldSignals = 0x7fffffff;
  const Usage usage = group.usage(), children = group.children_usage();
  const uint64_t utime = view.process ? usage.user_ns / kNanosecondsPerTick : host.utime;
  const uint64_t stime = view.process ? usage.system_ns / kNanosecondsPerTick : host.stime;

  const JobControl::Shown terminal = JobControl::ShownOf(group);
  const pid_t foreground = terminal.foreground > 0 ? view.Pid(terminal.foreground) : -1;
  std::string text = absl::StrFormat(
      "%d (%s) %c %d %d %d %d %d %u %u %u %u %u", view.Pid(task.tid()), task.name(),
      StateOf(view, host), view.Pid(group.parent_pid()), view.Pid(group.process_group()),
      view.Pid(group.session()), terminal.device, foreground, 0x400000u, host.minflt,
      children.minor_faults, host.majflt, children.major_faults);
  absl::StrAppendFormat(&text, " %u %u %u %u %d %d %u 0 %u %u %d %u", utime, stime,
                        children.user_ns / kNanosecondsPerTick,
                        children.system_ns / kNanosecondsPerTick, kNiceOffset + scheduling.nice,
                        scheduling.nice, std::max<size_t>(group.task_count(), 1),
                        view.filesystem.TicksSinceStart(view.context, task.start_ns()),
                        WithoutStub(host.vsize, group), host.rss, group.limit(RLIMIT_RSS).rlim_cur);
  absl::StrAppendFormat(&text, " %u %u %u 0 0", hinted(image.code_start), hinted(image.code_end),
                        shown(image.stack_start));
  absl::StrAppendFormat(&text, " %u %u %u %u 0 0 0 %d %d %u %u 0 0 0",
                        task.PendingSets().own & kOldSignals, task.blocked_now() & kOldSignals,
                        actions.ignored & kOldSignals, actions.caught & kOldSignals,
                        view.process ? group.exit_signal() : -1, host.processor,
                        scheduling.priority, scheduling.policy);
  absl::StrAppendFormat(&text, " %u %u %u %u %u %u %u 0\n", shown(image.data_start),
                        shown(image.data_end), shown(image.brk_start), shown(image.arg_start),
                        shown(image.arg_end), shown(image.env_start), shown(image.env_end));
  return text;
}

Result<std::string> GenerateStatus(const TaskView& view) {
  Task& task = view.task;
  ThreadGroup& group = task.group();
  CredentialsRef ids = task.credentials();
  const CredentialsRef reader = view.context.credentials();
  const TraceeRef tracee = task.tracee();
  const SignalSets actions = ActionsOf(group);
  const std::vector<bool> cpus = CpusOf(view);
  const Task::Pending pending = task.PendingSets();

  std::string text = absl::StrFormat(
      "Name:\t%s\nUmask:\t%04o\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\n"
      "TracerPid:\t%d\n",
      EscapedName(task), Umask(task), StateName(StateOf(view, HostView(view))),
      view.Pid(task.tgid()), view.Pid(task.tid()), view.Pid(group.parent_pid()),
      tracee == nullptr ? 0 : view.Pid(tracee->TracerPid()));
  absl::StrAppendFormat(&text, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t%d\n",
                        reader->ShownUid(ids->ruid), reader->ShownUid(ids->euid),
                        reader->ShownUid(ids->suid), reader->ShownUid(ids->fsuid),
                        reader->ShownGid(ids->rgid), reader->ShownGid(ids->egid),
                        reader->ShownGid(ids->sgid), reader->ShownGid(ids->fsgid),
                        task.fds_ref() == nullptr ? 0 : 64);
  absl::StrAppend(&text, "Groups:\t");
  for (gid_t gid : ids->groups) absl::StrAppend(&text, reader->ShownGid(gid), " ");
  absl::StrAppend(&text, ids->groups.empty() ? " \n" : "\n");
  absl::StrAppend(&text, NumbersLine(view, "NStgid", task.tgid()),
                  NumbersLine(view, "NSpid", task.tid()),
                  NumbersLine(view, "NSpgid", group.process_group()),
                  NumbersLine(view, "NSsid", group.session()), "Kthread:\t0\n");
  const seccomp::FilterRef filter = task.seccomp_filter();
  auto host_status = view.filesystem.host().ReadFile(
      absl::StrCat(view.host_pid(), "/task/", view.host_tid(), "/status"));
  if (host_status.ok() && !task.exiting()) absl::StrAppend(&text, MemoryLines(*host_status, group));
  absl::StrAppendFormat(&text,
                        "Threads:\t%d\nSigQ:\t%u/%u\nSigPnd:\t%016x\nShdPnd:\t%016x\n"
                        "SigBlk:\t%016x\nSigIgn:\t%016x\nSigCgt:\t%016x\n",
                        std::max<size_t>(group.task_count(), 1),
                        group.kernel().signal_quota().count(ids->ruid),
                        group.limit(RLIMIT_SIGPENDING).rlim_cur, pending.own, pending.shared,
                        task.blocked_now(), actions.ignored, actions.caught);
  absl::StrAppendFormat(&text,
                        "CapInh:\t%016x\nCapPrm:\t%016x\nCapEff:\t%016x\nCapBnd:\t%016x\n"
                        "CapAmb:\t%016x\nNoNewPrivs:\t%d\nSeccomp:\t%d\nSeccomp_filters:\t%d\n",
                        ids->inheritable, ids->permitted, ids->effective, ids->bounding,
                        ids->ambient, ids->no_new_privs ? 1 : 0,
                        filter == nullptr ? 0 : filter->mode(),
                        filter == nullptr ? 0 : filter->count());
  auto switches = [&host_status](const char* field) {
    return host_status.ok() ? HostProc::StatusKib(*host_status, field) : 0;
  };
  absl::StrAppendFormat(&text,
                        "Speculation_Store_Bypass:\tvulnerable\n"
                        "SpeculationIndirectBranch:\talways enabled\n"
                        "Cpus_allowed:\t%s\nCpus_allowed_list:\t%s\nMems_allowed:\t1\n"
                        "Mems_allowed_list:\t0\nvoluntary_ctxt_switches:\t%u\n"
                        "nonvoluntary_ctxt_switches:\t%u\n",
                        CpuMask(cpus), CpuList(cpus), switches("voluntary_ctxt_switches"),
                        switches("nonvoluntary_ctxt_switches"));
  return text;
}

Result<std::string> GenerateStatm(const TaskView& view) {
  auto host = view.filesystem.host().Statm(view.host_pid());
  HostStatm statm = host.ok() && !view.task.exiting() ? *host : HostStatm{};
  const ThreadGroup& group = view.task.group();
  const uint64_t data =
      statm.data == 0 ? 0 : DataBytes(statm.data * 4096, group) + UsedStack(group);
  return absl::StrFormat("%u %u %u %u 0 %u 0\n", WithoutStub(statm.size * 4096, group) / 4096,
                         statm.resident, statm.shared, statm.text, data / 4096);
}

Result<std::string> GenerateLimits(const TaskView& view) {
  struct Row {
    const char* name;
    const char* unit;
  };
  static constexpr Row kRows[RLIM_NLIMITS] = {
      {"Max cpu time", "seconds"},     {"Max file size", "bytes"},
      {"Max data size", "bytes"},      {"Max stack size", "bytes"},
      {"Max core file size", "bytes"}, {"Max resident set", "bytes"},
      {"Max processes", "processes"},  {"Max open files", "files"},
      {"Max locked memory", "bytes"},  {"Max address space", "bytes"},
      {"Max file locks", "locks"},     {"Max pending signals", "signals"},
      {"Max msgqueue size", "bytes"},  {"Max nice priority", ""},
      {"Max realtime priority", ""},   {"Max realtime timeout", "us"},
  };
  std::string text =
      absl::StrFormat("%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
  for (int resource = 0; resource < static_cast<int>(RLIM_NLIMITS); ++resource) {
    rlimit limit = view.task.group().limit(resource);
    absl::StrAppendFormat(&text, "%-25s %-20s %-20s ", kRows[resource].name,
                          LimitText(limit.rlim_cur), LimitText(limit.rlim_max));
    if (*kRows[resource].unit != '\0') {
      absl::StrAppendFormat(&text, "%-10s\n", kRows[resource].unit);
    } else {
      absl::StrAppend(&text, "\n");
    }
  }
  return text;
}

Result<std::string> GenerateSched(const TaskView& view) {
  const Scheduling scheduling = view.task.scheduling();
  std::string text =
      absl::StrFormat("%s (%d, #threads: %d)\n%s\n", view.task.name(), view.Pid(view.task.tid()),
                      view.task.group().task_count(), std::string(67, '-'));
  absl::StrAppendFormat(&text, "%-45s:%21u\n%-45s:%21d\n", "policy", scheduling.policy, "prio",
                        scheduling.nice + 120);
  return text;
}

}  // namespace runsc::boot::proc
