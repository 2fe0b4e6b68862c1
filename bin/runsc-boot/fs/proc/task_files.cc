#include "bin/runsc-boot/fs/proc/task_files.h"

#include <charconv>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace runsc::boot::proc {
namespace {

Result<std::string> GenerateComm(const TaskView& view) {
  return absl::StrCat(view.task.name(), "\n");
}

// Only threads of the same process may write it, whatever the file's mode.
Status StoreComm(const TaskView& view, std::string_view text) {
  if (view.context.caller_pid() != view.task.tgid()) return Error(EINVAL);
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  view.task.set_name(text.substr(0, 15));
  return Ok();
}

// One range that covers all ids: the container has its own user namespace's
// view, in which nothing is mapped otherwise.
Result<std::string> GenerateIdMap(const TaskView&) {
  return absl::StrFormat("%10d %10d %10u\n", 0, 0, 4294967295u);
}

Status StoreIdMap(const TaskView&, std::string_view) { return Error(EPERM); }

// The hierarchy that the container's cgroup mount shows is empty.
Result<std::string> GenerateCgroup(const TaskView&) { return std::string("0::/\n"); }

Result<std::string> GenerateIo(const TaskView&) {
  return std::string(
      "rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\n"
      "cancelled_write_bytes: 0\n");
}

Result<std::string> GenerateOomScore(const TaskView&) { return std::string("0\n"); }

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
constexpr char kAllow[] = "allow\n";
constexpr char kPersonality[] = "00000000\n";
constexpr char kSchedstat[] = "0 0 0\n";
constexpr char kCoredumpFilter[] = "00000033\n";

constexpr TaskFileEntry kTaskFiles[] = {
    {"environ", 0400, GenerateEnviron, nullptr, Inspect::kOnOpen},
    {"auxv", 0400, GenerateAuxv, nullptr, Inspect::kOnOpen},
    {"status", 0444, GenerateStatus},
    {"personality", 0400, Fixed<kPersonality>, nullptr, Inspect::kOnOpen},
    {"limits", 0444, GenerateLimits},
    {"sched", 0644, GenerateSched},
    {"comm", 0644, GenerateComm, StoreComm},
    {"cmdline", 0444, GenerateCmdline},
    {"stat", 0444, GenerateStat},
    {"statm", 0444, GenerateStatm},
    {"maps", 0444, GenerateMaps, nullptr, Inspect::kOnOpen},
    {"mounts", 0444, GenerateMounts},
    {"mountinfo", 0444, GenerateMountinfo},
    {"mountstats", 0400, GenerateMountstats, nullptr, Inspect::kNo, true},
    {"smaps", 0444, GenerateSmaps, nullptr, Inspect::kOnOpen},
    {"smaps_rollup", 0444, GenerateSmapsRollup, nullptr, Inspect::kOnOpen},
    {"wchan", 0444, Fixed<kZero>},
    {"schedstat", 0444, Fixed<kSchedstat>},
    {"cpuset", 0444, Fixed<kRootLine>},
    {"cgroup", 0444, GenerateCgroup},
    {"oom_score", 0444, GenerateOomScore},
    {"oom_score_adj", 0644, GenerateOomScoreAdj, StoreOomScoreAdj},
    {"loginuid", 0644, Fixed<kUnset>},
    {"sessionid", 0444, Fixed<kUnset>},
    {"coredump_filter", 0644, Fixed<kCoredumpFilter>, nullptr, Inspect::kNo, true},
    {"io", 0400, GenerateIo, nullptr, Inspect::kOnOpen},
    {"uid_map", 0644, GenerateIdMap, StoreIdMap},
    {"gid_map", 0644, GenerateIdMap, StoreIdMap},
    {"projid_map", 0644, GenerateIdMap, StoreIdMap},
    {"setgroups", 0644, Fixed<kAllow>},
    {"timerslack_ns", 0666, GenerateTimerSlack, nullptr, Inspect::kNo, true},
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
  if (value < group.oom_score_adj() && !view.context.credentials()->Has(CAP_SYS_RESOURCE)) {
    return Error(EACCES);
  }
  group.set_oom_score_adj(value);
  return Ok();
}

}  // namespace runsc::boot::proc
