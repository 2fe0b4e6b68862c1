#include "bin/runsc-boot/fs/proc/task_files.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace runsc::boot::proc {
namespace {

Result<std::string> GenerateComm(const TaskView& view) {
  return absl::StrCat(view.task.name(), "\n");
}

// Only threads of the same process may write it, whatever the file's mode.
Status StoreComm(const TaskView& view, std::string_view text) {
  if (view.context.caller_pid() != view.task.tgid()) return Error(EINVAL);
  view.task.set_name(text.substr(0, 15));
  return Ok();
}

// The hierarchy that the container's cgroup mount shows is empty.
Result<std::string> GenerateCgroup(const TaskView&) { return std::string("0::/\n"); }

Result<std::string> GenerateIo(const TaskView& view) {
  IoCounters sum;
  if (view.process) {
    ThreadGroup& group = view.task.group();
    sum.Add(group.ended_io());
    for (const TaskRef& task : group.tasks()) sum.Add(task->io());
  } else {
    sum.Add(view.task.io());
  }
  // What reaches a disk is the gofer's and the host's matter.
  return absl::StrFormat(
      "rchar: %u\nwchar: %u\nsyscr: %u\nsyscw: %u\nread_bytes: 0\nwrite_bytes: 0\n"
      "cancelled_write_bytes: 0\n",
      sum.bytes_read.load(), sum.bytes_written.load(), sum.reads.load(), sum.writes.load());
}

Result<std::string> GenerateSchedstat(const TaskView& view) {
  auto text = view.filesystem.host().ReadFile(
      absl::StrCat(view.host_pid(), "/task/", view.host_tid(), "/schedstat"));
  if (!text.ok()) return std::string("0 0 0\n");
  return text;
}

Result<std::string> GenerateChildren(const TaskView& view) {
  std::string text;
  for (pid_t pid : view.task.children()) absl::StrAppend(&text, pid, " ");
  return text;
}

Result<std::string> GeneratePersonality(const TaskView& view) {
  return absl::StrFormat("%08x\n", view.task.personality());
}

// A number as strtoul(3) with base 0 reads it, white space around it.
Result<uint64_t> ParseUnsigned(std::string_view text) {
  absl::string_view trimmed = absl::StripAsciiWhitespace({text.data(), text.size()});
  int base = 10;
  if (absl::ConsumePrefix(&trimmed, "0x") || absl::ConsumePrefix(&trimmed, "0X")) {
    base = 16;
  } else if (trimmed.size() > 1 && trimmed[0] == '0') {
    base = 8;
  }
  uint64_t value = 0;
  auto [end, error] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), value, base);
  if (error != std::errc() || end != trimmed.data() + trimmed.size()) return Error(EINVAL);
  return value;
}

Result<std::string> GenerateCoredumpFilter(const TaskView& view) {
  if (view.task.memory_ref() == nullptr) return std::string();
  return absl::StrFormat("%08x\n", view.task.group().coredump_filter());
}

Status StoreCoredumpFilter(const TaskView& view, std::string_view text) {
  constexpr unsigned kKinds = 0x1ff;
  TRY_ASSIGN(const uint64_t value, ParseUnsigned(text));
  view.task.group().set_coredump_filter(static_cast<unsigned>(value) & kKinds);
  return Ok();
}

Status StoreTimerSlack(const TaskView& view, std::string_view text) {
  TRY_ASSIGN(const uint64_t value, ParseUnsigned(text));
  if (view.context.caller_pid() != view.task.tgid() &&
      !view.context.credentials()->Has(CAP_SYS_NICE)) {
    return Error(EPERM);
  }
  view.task.set_timer_slack_ns(value == 0 ? view.task.default_timer_slack_ns() : value);
  return Ok();
}

// Which pages were used is the host's to know; nothing is forgotten here.
Status StoreClearRefs(const TaskView&, std::string_view text) {
  constexpr uint64_t kLast = 5;
  TRY_ASSIGN(const uint64_t value, ParseUnsigned(text));
  if (value < 1 || value > kLast) return Error(EINVAL);
  return Ok();
}

Result<std::string> GenerateSyscall(const TaskView& view) {
  const std::optional<platform::SyscallInfo> call = view.task.current_call();
  if (!call) return std::string("running\n");
  std::string text = absl::StrCat(call->number);
  for (uint64_t argument : call->args) absl::StrAppendFormat(&text, " 0x%x", argument);
  // The stack pointer is the host's to know.
  absl::StrAppendFormat(&text, " 0x0 0x%x\n", call->instruction_pointer);
  return text;
}

// proc_pid_timers(5).
Result<std::string> GenerateTimers(const TaskView& view) {
  ThreadGroup& group = view.task.group();
  std::string text;
  for (const PosixTimerInfo& timer : group.Timers()) {
    const int notify = timer.event.sigev_notify;
    const char* how = notify == SIGEV_NONE ? "none" : notify == SIGEV_THREAD ? "thread" : "signal";
    absl::StrAppendFormat(
        &text, "ID: %d\nsignal: %d/%016x\nnotify: %s/%s.%d\nClockID: %d\n", timer.id,
        timer.event.sigev_signo, reinterpret_cast<uint64_t>(timer.event.sigev_value.sival_ptr), how,
        notify == SIGEV_THREAD_ID ? "tid" : "pid",
        view.Pid(notify == SIGEV_THREAD_ID ? timer.thread : group.pid()), timer.clock);
  }
  return text;
}

// Nothing of boot's own stacks is shown to whoever may ask.
Result<std::string> GenerateStack(const TaskView& view) {
  if (!view.context.credentials()->HasInitially(CAP_SYS_ADMIN)) return Error(EACCES);
  if (!CheckInspect(view.context, view.task).ok()) return Error(EPERM);
  return std::string();
}

// proc_pid_oom_score(5), by the formula of Linux: of 2000, how much of the memory
// would be free again, and what oom_score_adj adds.
Result<std::string> GenerateOomScore(const TaskView& view) {
  constexpr int64_t kWhole = 1000, kPageBytes = 4096;
  const int64_t adjustment = view.task.group().oom_score_adj();
  if (adjustment == -kWhole || view.task.memory_ref() == nullptr) return std::string("0\n");
  // A limit may be smaller than a page.
  const int64_t pages = std::max<int64_t>(
      static_cast<int64_t>(view.filesystem.kernel().memory_total()) / kPageBytes, 1);
  const auto host = view.filesystem.host().ProcessStat(view.host_pid());
  const int64_t badness = (host.ok() ? host->rss : 0) + adjustment * (pages / kWhole);
  return absl::StrCat((kWhole + badness * kWhole / pages) * 2 / 3, "\n");
}

Result<std::string> GenerateTimerSlack(const TaskView& view) {
  return absl::StrCat(view.task.timer_slack_ns(), "\n");
}

template <const char* kText>
Result<std::string> Fixed(const TaskView&) {
  return std::string(kText);
}
constexpr char kZero[] = "0";
constexpr char kZeroLine[] = "0\n";
constexpr char kUnset[] = "4294967295";
constexpr char kRootLine[] = "/\n";
constexpr char kEmpty[] = "";

constexpr TaskFileEntry kTaskFiles[] = {
    {"environ", 0400, GenerateEnviron, nullptr, Inspect::kMemory},
    {"auxv", 0400, GenerateAuxv, nullptr, Inspect::kMemory},
    {"status", 0444, GenerateStatus},
    {"personality", 0400, GeneratePersonality, nullptr, Inspect::kState},
    {"limits", 0444, GenerateLimits},
    {"sched", 0644, GenerateSched},
    {"comm", 0644, GenerateComm, StoreComm},
    {"cmdline", 0444, GenerateCmdline},
    {"stat", 0444, GenerateStat},
    {"statm", 0444, GenerateStatm},
    {"maps", 0444, GenerateMaps, nullptr, Inspect::kMemory},
    {"mounts", 0444, GenerateMounts},
    {"mountinfo", 0444, GenerateMountinfo},
    {"mountstats", 0400, GenerateMountstats, nullptr, Inspect::kNo, true},
    {"numa_maps", 0444, GenerateNumaMaps, nullptr, Inspect::kMemory},
    {"smaps", 0444, GenerateSmaps, nullptr, Inspect::kMemory},
    {"smaps_rollup", 0444, GenerateSmapsRollup, nullptr, Inspect::kMemory},
    {"wchan", 0444, Fixed<kZero>},
    {"schedstat", 0444, GenerateSchedstat},
    {"children", 0444, GenerateChildren, nullptr, Inspect::kNo, false, true},
    {"clear_refs", 0200, Fixed<kEmpty>, StoreClearRefs},
    {"stack", 0400, GenerateStack},
    {"syscall", 0400, GenerateSyscall, nullptr, Inspect::kState},
    {"timers", 0444, GenerateTimers, nullptr, Inspect::kNo, true},
    {"cpuset", 0444, Fixed<kRootLine>},
    {"cgroup", 0444, GenerateCgroup},
    {"oom_score", 0444, GenerateOomScore},
    {"oom_score_adj", 0644, GenerateOomScoreAdj, StoreOomScoreAdj},
    {"loginuid", 0644, Fixed<kUnset>},
    {"sessionid", 0444, Fixed<kUnset>},
    {"coredump_filter", 0644, GenerateCoredumpFilter, StoreCoredumpFilter, Inspect::kNo, true},
    {"io", 0400, GenerateIo, nullptr, Inspect::kIo},
    {"uid_map", 0644, GenerateUidMap, StoreUidMap},
    {"gid_map", 0644, GenerateGidMap, StoreGidMap},
    {"projid_map", 0644, GenerateProjectMap, StoreProjectMap},
    {"setgroups", 0644, GenerateSetGroups, StoreSetGroups},
    {"timens_offsets", 0644, GenerateTimeOffsets, StoreTimeOffsets, Inspect::kNo, true},
    {"timerslack_ns", 0666, GenerateTimerSlack, StoreTimerSlack, Inspect::kNo, true},
    {"oom_adj", 0644, Fixed<kZeroLine>},
};

}  // namespace

std::span<const TaskFileEntry> TaskFiles() { return kTaskFiles; }

Result<std::string> GenerateOomScoreAdj(const TaskView& view) {
  return absl::StrCat(view.task.group().oom_score_adj(), "\n");
}

Status StoreOomScoreAdj(const TaskView& view, std::string_view text) {
  absl::string_view trimmed = absl::StripAsciiWhitespace({text.data(), text.size()});
  int value = 0;
  auto [end, error] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), value);
  if (error != std::errc() || end != trimmed.data() + trimmed.size()) return Error(EINVAL);
  if (value < -1000 || value > 1000) return Error(EINVAL);
  ThreadGroup& group = view.task.group();
  const bool privileged = view.context.credentials()->HasInitially(CAP_SYS_RESOURCE);
  if (value < group.oom_score_adj_min() && !privileged) return Error(EACCES);
  if (privileged) group.set_oom_score_adj_min(value);
  group.set_oom_score_adj(value);
  return Ok();
}

}  // namespace runsc::boot::proc
