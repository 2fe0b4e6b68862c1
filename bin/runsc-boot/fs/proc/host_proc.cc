#include "bin/runsc-boot/fs/proc/host_proc.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace runsc::boot::proc {
namespace {

template <typename T>
bool ParseNumber(absl::string_view text, T* value, int base = 10) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value, base);
  return error == std::errc() && end == text.data() + text.size();
}

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

// A line of maps begins with a range in hexadecimal; a line of details with a
// name and a colon.
bool ParseMapLine(absl::string_view line, HostMapping* mapping) {
  std::vector<absl::string_view> fields =
      absl::StrSplit(line, absl::MaxSplits(' ', 5), absl::AllowEmpty());
  if (fields.size() < 5) return false;
  std::vector<absl::string_view> range = absl::StrSplit(fields[0], '-');
  std::vector<absl::string_view> device = absl::StrSplit(fields[3], ':');
  unsigned major = 0, minor = 0;
  if (range.size() != 2 || device.size() != 2 || fields[1].size() != 4) return false;
  if (!ParseNumber(range[0], &mapping->start, 16) || !ParseNumber(range[1], &mapping->end, 16) ||
      !ParseNumber(fields[2], &mapping->offset, 16) || !ParseNumber(device[0], &major, 16) ||
      !ParseNumber(device[1], &minor, 16) || !ParseNumber(fields[4], &mapping->inode)) {
    return false;
  }
  mapping->protection = std::string(fields[1]);
  mapping->device = makedev(major, minor);
  if (fields.size() == 6) {
    mapping->name = std::string(absl::StripLeadingAsciiWhitespace(fields[5]));
  }
  return true;
}

}  // namespace

Result<HostStat> ParseHostStat(std::string_view text) {
  // The name in parentheses may itself contain both.
  size_t close = text.rfind(") ");
  if (close == std::string_view::npos) return Error(EINVAL);
  std::vector<absl::string_view> fields =
      absl::StrSplit(absl::StripTrailingAsciiWhitespace(View(text.substr(close + 2))), ' ');
  if (fields.size() < 39 || fields[0].size() != 1) return Error(EINVAL);
  // fields[i] is field i + 3 of proc_pid_stat(5).
  HostStat stat;
  stat.state = fields[0][0];
  bool ok = ParseNumber(fields[7], &stat.minflt) && ParseNumber(fields[9], &stat.majflt) &&
            ParseNumber(fields[11], &stat.utime) && ParseNumber(fields[12], &stat.stime) &&
            ParseNumber(fields[15], &stat.priority) && ParseNumber(fields[16], &stat.nice) &&
            ParseNumber(fields[20], &stat.vsize) && ParseNumber(fields[21], &stat.rss) &&
            ParseNumber(fields[36], &stat.processor) &&
            ParseNumber(fields[37], &stat.rt_priority) && ParseNumber(fields[38], &stat.policy);
  if (!ok) return Error(EINVAL);
  return stat;
}

Result<HostStatm> ParseHostStatm(std::string_view text) {
  std::vector<absl::string_view> fields =
      absl::StrSplit(absl::StripTrailingAsciiWhitespace(View(text)), ' ');
  HostStatm statm;
  if (fields.size() < 6 || !ParseNumber(fields[0], &statm.size) ||
      !ParseNumber(fields[1], &statm.resident) || !ParseNumber(fields[2], &statm.shared) ||
      !ParseNumber(fields[3], &statm.text) || !ParseNumber(fields[5], &statm.data)) {
    return Error(EINVAL);
  }
  return statm;
}

Result<std::vector<HostMapping>> ParseHostMaps(std::string_view text) {
  std::vector<HostMapping> mappings;
  for (absl::string_view line : absl::StrSplit(View(text), '\n', absl::SkipEmpty())) {
    HostMapping mapping;
    if (ParseMapLine(line, &mapping)) {
      mappings.push_back(std::move(mapping));
    } else if (!mappings.empty()) {
      absl::StrAppend(&mappings.back().details, line, "\n");
    } else {
      return Error(EINVAL);
    }
  }
  return mappings;
}

Result<std::string> HostProc::ReadFile(const std::string& name) const {
  TRY_ASSIGN(FileDescriptor file, OpenAt(directory_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW));
  std::string text;
  char buffer[8192];
  while (true) {
    ssize_t count = read(file.get(), buffer, sizeof(buffer));
    if (count < 0) {
      if (errno == EINTR) continue;
      return Error(errno);
    }
    if (count == 0) return text;
    text.append(buffer, static_cast<size_t>(count));
  }
}

Result<HostStat> HostProc::ThreadStat(pid_t host_pid, pid_t host_tid) const {
  TRY_ASSIGN(std::string text, ReadFile(absl::StrCat(host_pid, "/task/", host_tid, "/stat")));
  return ParseHostStat(text);
}

Result<HostStat> HostProc::ProcessStat(pid_t host_pid) const {
  TRY_ASSIGN(std::string text, ReadFile(absl::StrCat(host_pid, "/stat")));
  return ParseHostStat(text);
}

Result<HostStatm> HostProc::Statm(pid_t host_pid) const {
  TRY_ASSIGN(std::string text, ReadFile(absl::StrCat(host_pid, "/statm")));
  return ParseHostStatm(text);
}

Result<std::vector<HostMapping>> HostProc::Maps(pid_t host_pid, bool details) const {
  TRY_ASSIGN(std::string text, ReadFile(absl::StrCat(host_pid, details ? "/smaps" : "/maps")));
  return ParseHostMaps(text);
}

uint64_t HostProc::FirstTouched(pid_t host_pid, uint64_t start, uint64_t end) const {
  constexpr uint64_t kPage = 4096;
  constexpr size_t kChunk = 4096;  // entries
  const std::string name = absl::StrCat(host_pid, "/pagemap");
  const FileDescriptor file(openat(directory_.get(), name.c_str(), O_RDONLY | O_CLOEXEC));
  std::vector<uint64_t> entries(kChunk);
  while (file && start < end) {
    const size_t wanted = std::min<uint64_t>(kChunk, (end - start) / kPage) * sizeof(uint64_t);
    const ssize_t size = pread(file.get(), entries.data(), wanted,
                               static_cast<off_t>(start / kPage * sizeof(uint64_t)));
    if (size < static_cast<ssize_t>(sizeof(uint64_t))) break;
    for (size_t i = 0; i < static_cast<size_t>(size) / sizeof(uint64_t); ++i, start += kPage) {
      // The highest bits: in memory, and in swap.
      if (entries[i] >> 62 != 0) return start;
    }
  }
  return end;
}

uint64_t HostProc::StatusKib(std::string_view status, std::string_view field) {
  for (absl::string_view line : absl::StrSplit(View(status), '\n')) {
    if (!absl::ConsumePrefix(&line, View(field)) || !absl::ConsumePrefix(&line, ":")) continue;
    uint64_t value = 0;
    line = absl::StripAsciiWhitespace(line);
    absl::ConsumeSuffix(&line, " kB");
    return ParseNumber(absl::StripAsciiWhitespace(line), &value) ? value : 0;
  }
  return 0;
}

}  // namespace runsc::boot::proc
