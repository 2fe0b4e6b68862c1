#include "bin/runsc-create/launch/host_pids.h"

#include <dirent.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace runsc::create {
namespace {

struct Entry {
  pid_t parent = 0;
  std::vector<pid_t> numbers;  // from our namespace inwards
};

std::vector<pid_t> Numbers(absl::string_view text) {
  std::vector<pid_t> numbers;
  for (absl::string_view part : absl::StrSplit(text, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
    int number = 0;
    if (absl::SimpleAtoi(part, &number)) numbers.push_back(number);
  }
  return numbers;
}

// Empty when the process has ended meanwhile.
Entry ReadEntry(const char* pid) {
  Entry entry;
  std::ifstream file(absl::StrCat("/proc/", pid, "/status"));
  for (std::string line; std::getline(file, line);) {
    if (absl::StartsWith(line, "PPid:")) {
      std::vector<pid_t> parent = Numbers(line.substr(5));
      if (!parent.empty()) entry.parent = parent[0];
    } else if (absl::StartsWith(line, "NSpid:")) {
      entry.numbers = Numbers(line.substr(6));
      break;
    }
  }
  return entry;
}

std::map<pid_t, Entry> AllProcesses() {
  std::map<pid_t, Entry> all;
  std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  if (proc == nullptr) return all;
  while (const dirent* entry = readdir(proc.get())) {
    int pid = 0;
    if (absl::SimpleAtoi(entry->d_name, &pid)) all[pid] = ReadEntry(entry->d_name);
  }
  return all;
}

// Parents that are not listed, and loops of numbers used again, end it.
bool DescendsFrom(const std::map<pid_t, Entry>& all, pid_t pid, pid_t ancestor) {
  for (size_t steps = 0; steps < all.size(); ++steps) {
    auto found = all.find(pid);
    if (found == all.end()) return false;
    pid = found->second.parent;
    if (pid == ancestor) return true;
  }
  return false;
}

}  // namespace

std::map<pid_t, pid_t> HostPids(const state::Container& container) {
  std::map<pid_t, pid_t> result;
  const std::map<pid_t, Entry> all = AllProcesses();
  auto boot = all.find(container.boot().pid());
  if (boot == all.end()) return result;
  // Boot's own number in its namespace is its last.
  const size_t depth = boot->second.numbers.size();
  for (const auto& [pid, entry] : all) {
    if (entry.numbers.size() <= depth || !DescendsFrom(all, pid, boot->first)) continue;
    result[entry.numbers[depth - 1]] = pid;
  }
  return result;
}

Result<pid_t> HostPidOf(const state::Container& container, pid_t boot_pid) {
  std::map<pid_t, pid_t> pids = HostPids(container);
  auto found = pids.find(boot_pid);
  if (found == pids.end()) return Error(ESRCH, "the process has ended");
  return found->second;
}

}  // namespace runsc::create
