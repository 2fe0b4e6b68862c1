// ps: the container's processes, as a table with the container's numbers, or as
// the host's numbers in JSON, which is what engines ask for.
#include <cstdio>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "bin/runsc-create/commands/commands.h"
#include "bin/runsc-create/json/writer.h"
#include "bin/runsc-create/launch/boot_client.h"
#include "bin/runsc-create/launch/host_pids.h"
#include "bin/runsc-create/process/host_process.h"
#include "bin/runsc-create/state/state_json.h"

namespace runsc::create {
namespace {

using control::Process;

constexpr absl::Duration kAnswerTimeout = absl::Seconds(5);
constexpr absl::Duration kTick = absl::Milliseconds(10);

struct Row {
  const Process& process;
  pid_t host_pid = 0;  // 0: it has just ended
};

struct Column {
  const char* name;
  const char* title;
  int width;  // negative: to the left
  std::string (*text)(const Row&);
};

std::string UserOf(const Row& row) {
  // A static program cannot ask the user database; root is what matters.
  return row.process.uid() == 0 ? "root" : absl::StrCat(row.process.uid());
}

std::string CpuTime(const Row& row) {
  const uint64_t seconds = row.process.cpu_ns() / 1'000'000'000;
  return absl::StrFormat("%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string StartTime(const Row& row) {
  Result<state::HostProcess> host = Identify(row.host_pid);
  if (row.host_pid == 0 || !host.ok()) return "-";
  timespec up{};
  clock_gettime(CLOCK_BOOTTIME, &up);
  absl::Duration age = absl::DurationFromTimespec(up) - host->start_time() * kTick;
  absl::Time start = absl::Now() - age;
  return absl::FormatTime(age < absl::Hours(24) ? "%H:%M" : "%b%d", start, absl::LocalTimeZone());
}

std::string Arguments(const Row& row) {
  if (!row.process.arguments().empty()) return row.process.arguments();
  return absl::StrCat("[", row.process.command(), "]");
}

const Column kColumns[] = {
    {"pid", "PID", 7, [](const Row& row) { return absl::StrCat(row.process.pid()); }},
    {"ppid", "PPID", 7, [](const Row& row) { return absl::StrCat(row.process.parent_pid()); }},
    {"pgid", "PGID", 7, [](const Row& row) { return absl::StrCat(row.process.group()); }},
    {"sid", "SID", 7, [](const Row& row) { return absl::StrCat(row.process.session()); }},
    {"uid", "UID", 5, [](const Row& row) { return absl::StrCat(row.process.uid()); }},
    {"user", "USER", -8, UserOf},
    {"nlwp", "NLWP", 4, [](const Row& row) { return absl::StrCat(row.process.threads()); }},
    {"comm", "COMMAND", -15, [](const Row& row) { return row.process.command(); }},
    {"cmd", "CMD", -1, Arguments},
    {"args", "COMMAND", -1, Arguments},
    {"command", "COMMAND", -1, Arguments},
    {"s", "S", -1, [](const Row& row) { return row.process.state(); }},
    {"stat", "STAT", -4, [](const Row& row) { return row.process.state(); }},
    {"state", "S", -1, [](const Row& row) { return row.process.state(); }},
    {"stime", "STIME", 5, StartTime},
    {"time", "TIME", 8, CpuTime},
    {"tty", "TT", -8, [](const Row&) { return std::string("?"); }},
    {"c", "C", 2, [](const Row&) { return std::string("0"); }},
};
// `ps -ef`.
constexpr const char* kFull[] = {"user", "pid", "ppid", "c", "stime", "tty", "time", "cmd"};

const Column* FindColumn(absl::string_view name) {
  for (const Column& column : kColumns) {
    if (name == column.name) return &column;
  }
  return nullptr;
}

Status AddColumns(absl::string_view list, std::vector<const Column*>& chosen) {
  for (absl::string_view name : absl::StrSplit(list, absl::ByAnyChar(", "), absl::SkipEmpty())) {
    const Column* column = FindColumn(name);
    if (column == nullptr) {
      return Error(EINVAL, absl::StrCat("ps: unknown column \"", std::string(name), "\""));
    }
    chosen.push_back(column);
  }
  return Ok();
}

// The options of ps(1) that choose columns; those that choose processes do not
// matter, since all of the container's are shown.
Result<std::vector<const Column*>> ChooseColumns(const std::vector<std::string>& arguments) {
  std::vector<const Column*> chosen;
  for (size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view option = arguments[i];
    if (option == "--") continue;
    size_t list = option.find('o');
    bool bundle = option.find_first_not_of("-AaefFlux") == absl::string_view::npos;
    if (bundle && !option.empty()) continue;
    if (list == absl::string_view::npos ||
        option.substr(0, list).find_first_not_of("-AaefFlux") != absl::string_view::npos) {
      return Error(EINVAL, absl::StrCat("ps: unsupported option \"", arguments[i], "\""));
    }
    absl::string_view names = option.substr(list + 1);
    if (names.empty() && i + 1 < arguments.size()) names = arguments[++i];
    TRY(AddColumns(names, chosen));
  }
  if (chosen.empty()) {
    for (const char* name : kFull) chosen.push_back(FindColumn(name));
  }
  return chosen;
}

void PrintTable(const std::vector<const Column*>& columns, const std::vector<Row>& rows) {
  auto print = [&](auto text) {
    for (size_t i = 0; i < columns.size(); ++i) {
      const bool last = i + 1 == columns.size();
      const int width = last && columns[i]->width < 0 ? 0 : columns[i]->width;
      printf("%*s%s", width, text(*columns[i]).c_str(), last ? "\n" : " ");
    }
  };
  print([](const Column& column) { return std::string(column.title); });
  for (const Row& row : rows) print([&](const Column& column) { return column.text(row); });
}

void PrintJson(const std::vector<Row>& rows) {
  json::Writer out(/*indented=*/false);
  out.BeginArray();
  for (const Row& row : rows) {
    if (row.host_pid != 0) out.Number(row.host_pid);
  }
  out.EndArray();
  puts(out.text().c_str());
}

}  // namespace

Result<int> Ps(const GlobalOptions& options, const PsOptions& ps) {
  if (ps.format != "table" && ps.format != "json") {
    return Error(EINVAL, absl::StrCat("invalid format option \"", ps.format, "\""));
  }
  TRY_ASSIGN(std::vector<const Column*> columns, ChooseColumns(ps.arguments));
  TRY_ASSIGN(ContainerStore store, ContainerStore::Open(options.root, ps.id));
  TRY_ASSIGN(state::Container container, store.Load());
  control::ProcessesReply reply;
  // As with runc, one that has stopped has no processes.
  if (StatusOf(container) != "stopped") {
    TRY_ASSIGN(BootClient boot, BootClient::Connect(store));
    store.Unlock();
    TRY(boot.SetTimeout(kAnswerTimeout));
    TRY_ASSIGN(reply, boot.Processes());
  }
  const std::map<pid_t, pid_t> host_pids = HostPids(container);
  std::vector<Row> rows;
  for (const Process& process : reply.processes()) {
    auto found = host_pids.find(process.boot_pid());
    rows.push_back({process, found == host_pids.end() ? 0 : found->second});
  }
  if (ps.format == "json") {
    PrintJson(rows);
  } else {
    PrintTable(columns, rows);
  }
  return 0;
}

}  // namespace runsc::create
