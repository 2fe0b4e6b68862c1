// maps, smaps, numa_maps, cmdline, environ and auxv: what a process has in its memory.
//
// The host's table of the stub is the truth; the stub's own ranges are left
// out, and host files get the names that the container knows them by.
#include <sys/sysmacros.h>

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "bin/runsc-boot/fs/proc/task_files.h"
#include "bin/runsc-boot/loader/load.h"

namespace runsc::boot::proc {
namespace {

// Linux pads to this column before a mapping's name.
constexpr size_t kNameColumn = 73;
// What cmdline and environ are limited to here; Linux has no such limit, but
// the size comes from addresses that the application can set.
constexpr uint64_t kMaxStrings = 8 << 20;

struct Mapping {
  HostMapping host;
  uint64_t host_start = 0;  // where it begins on the host
  dev_t device = 0;
  uint64_t inode = 0;
  std::string name;
};

Result<std::shared_ptr<MemoryManager>> MemoryOf(const TaskView& view) {
  std::shared_ptr<MemoryManager> memory = view.task.memory_ref();
  if (memory == nullptr || view.task.exiting()) return Error(ESRCH);
  return memory;
}

// Replaces the host's idea of a mapping's file by the container's.
void NameMapping(const TaskView& view, const MemoryManager& memory,
                 const MemoryManager::Image& image, Mapping* mapping) {
  const HostMapping& host = mapping->host;
  Kernel& kernel = view.filesystem.kernel();
  if (host.inode != 0) {
    Path path = memory.FindFileMapping(host.device, host.inode);
    if (path.valid()) {
      auto attributes = kernel.vfs().GetAttributes(path);
      if (attributes.ok()) {
        mapping->device = attributes->dev;
        mapping->inode = attributes->ino;
      }
      std::shared_ptr<FsContext> fs = view.task.fs_ref();
      if (fs != nullptr) {
        mapping->name = kernel.vfs().PathName(*fs->mounts(), path, fs->root());
      }
    } else if (host.name == "/dev/zero (deleted)") {  // shared anonymous memory
      mapping->name = host.name;
      mapping->device = makedev(0, 1);
      mapping->inode = host.inode;
    }
    return;
  }
  if (host.name == "[heap]" || host.name.starts_with("[v") || host.name.starts_with("[anon")) {
    mapping->name = host.name;
  }
  if (image.brk_start >= host.start && image.brk_start < host.end) mapping->name = "[heap]";
  if (image.stack_start >= host.start && image.stack_start < host.end) mapping->name = "[stack]";
}

// A stack that is mapped as a whole is shown as Linux has it: the part with which
// every program begins, or down to where the program has got.
void ShowUsedStack(const TaskView& view, HostMapping& stack) {
  const ThreadGroup& group = view.task.group();
  const uint64_t used = group.stack_bytes() - UnusedStack(group.stack_bytes());
  if (stack.end - stack.start <= used) return;
  stack.start = view.filesystem.host().FirstTouched(view.host_pid(), stack.start, stack.end - used);
  const size_t line_end = stack.details.find('\n');
  if (!stack.details.starts_with("Size:") || line_end == std::string::npos) return;
  stack.details.replace(0, line_end,
                        absl::StrFormat("Size:           %8u kB", (stack.end - stack.start) >> 10));
}

Result<std::vector<Mapping>> MappingsOf(const TaskView& view, bool details) {
  TRY_ASSIGN(std::shared_ptr<MemoryManager> memory, MemoryOf(view));
  TRY_ASSIGN(std::vector<HostMapping> host_mappings,
             view.filesystem.host().Maps(view.host_pid(), details));
  const platform::AddressSpace& space = memory->address_space();
  const MemoryManager::Image image = memory->image();
  std::vector<Mapping> result;
  for (HostMapping& host : host_mappings) {
    if (space.MeetsStub(host.start, host.end)) continue;
    const uint64_t host_start = host.start;
    Mapping mapping{std::move(host), host_start};
    NameMapping(view, *memory, image, &mapping);
    if (mapping.name == "[stack]") ShowUsedStack(view, mapping.host);
    result.push_back(std::move(mapping));
  }
  return result;
}

void AppendMapping(const Mapping& mapping, std::string* text) {
  std::string line =
      absl::StrFormat("%08x-%08x %s %08x %02x:%02x %u ", mapping.host.start, mapping.host.end,
                      mapping.host.protection, mapping.host.inode != 0 ? mapping.host.offset : 0,
                      major(mapping.device), minor(mapping.device), mapping.inode);
  if (!mapping.name.empty()) {
    if (line.size() < kNameColumn) line.resize(kNameColumn, ' ');
    absl::StrAppend(&line, mapping.name);
  }
  absl::StrAppend(text, line, "\n");
}

Result<std::string> ReadRange(const TaskView& view, uint64_t start, uint64_t end) {
  TRY_ASSIGN(std::shared_ptr<MemoryManager> memory, MemoryOf(view));
  if (end <= start) return std::string();
  std::string text(std::min(end - start, kMaxStrings), '\0');
  auto count = memory->address_space().Read(start, text.data(), text.size());
  text.resize(count.ok() ? *count : 0);
  return text;
}

}  // namespace

Result<std::string> GenerateMaps(const TaskView& view) {
  auto mappings = MappingsOf(view, false);
  if (mappings.code() == ESRCH || mappings.code() == ENOENT) return std::string();
  if (!mappings.ok()) return mappings.error();
  std::string text;
  for (const Mapping& mapping : *mappings) AppendMapping(mapping, &text);
  return text;
}

Result<std::string> GenerateSmaps(const TaskView& view) {
  auto mappings = MappingsOf(view, true);
  if (mappings.code() == ESRCH || mappings.code() == ENOENT) return std::string();
  if (!mappings.ok()) return mappings.error();
  std::string text;
  for (const Mapping& mapping : *mappings) {
    AppendMapping(mapping, &text);
    absl::StrAppend(&text, mapping.host.details);
  }
  return text;
}

// proc_pid_numa_maps(5). The host's lines have the counts; what it says of names,
// and of policies (nobody can set any), is said anew.
Result<std::string> GenerateNumaMaps(const TaskView& view) {
  auto mappings = MappingsOf(view, false);
  if (mappings.code() == ESRCH || mappings.code() == ENOENT) return std::string();
  if (!mappings.ok()) return mappings.error();
  TRY_ASSIGN(const std::string host,
             view.filesystem.host().ReadFile(absl::StrCat(view.host_pid(), "/numa_maps")));
  std::map<uint64_t, std::string> counts;
  for (absl::string_view line : absl::StrSplit(host, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    uint64_t start = 0;
    if (!absl::SimpleHexAtoi(words.front(), &start)) continue;
    for (absl::string_view word : words) {
      if (absl::StrContains(word, '=') && !absl::StartsWith(word, "file=")) {
        absl::StrAppend(&counts[start], " ", word);
      }
    }
  }
  std::string text;
  for (const Mapping& mapping : *mappings) {
    std::string name;
    if (mapping.name == "[heap]") name = " heap";
    if (mapping.name == "[stack]") name = " stack";
    if (mapping.host.inode != 0) name = absl::StrCat(" file=", mapping.name);
    absl::StrAppendFormat(&text, "%08x default%s%s\n", mapping.host.start, name,
                          counts[mapping.host_start]);
  }
  return text;
}

Result<std::string> GenerateSmapsRollup(const TaskView& view) {
  TRY_ASSIGN(std::vector<Mapping> mappings, MappingsOf(view, true));
  if (mappings.empty()) return Error(ESRCH);
  static constexpr const char* kFields[] = {"Rss",
                                            "Pss",
                                            "Pss_Dirty",
                                            "Shared_Clean",
                                            "Shared_Dirty",
                                            "Private_Clean",
                                            "Private_Dirty",
                                            "Referenced",
                                            "Anonymous",
                                            "KSM",
                                            "LazyFree",
                                            "AnonHugePages",
                                            "ShmemPmdMapped",
                                            "FilePmdMapped",
                                            "Shared_Hugetlb",
                                            "Private_Hugetlb",
                                            "Swap",
                                            "SwapPss",
                                            "Locked"};
  std::map<std::string, uint64_t> sums;
  for (const Mapping& mapping : mappings) {
    for (absl::string_view line : absl::StrSplit(mapping.host.details, '\n', absl::SkipEmpty())) {
      std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(':', 1));
      uint64_t value = 0;
      if (parts.size() != 2 || !absl::ConsumeSuffix(&parts[1], " kB")) continue;
      if (absl::SimpleAtoi(parts[1], &value)) sums[std::string(parts[0])] += value;
    }
  }
  Mapping whole;
  whole.host.start = mappings.front().host.start;
  whole.host.end = mappings.back().host.end;
  whole.host.protection = "---p";
  whole.name = "[rollup]";
  std::string text;
  AppendMapping(whole, &text);
  for (const char* field : kFields) {
    absl::StrAppendFormat(&text, "%-16s%8u kB\n", absl::StrCat(field, ":"), sums[field]);
  }
  return text;
}

Result<std::string> GenerateCmdline(const TaskView& view) {
  if (!MemoryOf(view).ok()) return std::string();
  const MemoryManager::Image image = view.task.memory_ref()->image();
  TRY_ASSIGN(std::string text, ReadRange(view, image.arg_start, image.arg_end));
  // setproctitle(3): without a NUL at the end the text runs on into the
  // environment, up to the first NUL.
  if (!text.empty() && text.back() != '\0') {
    TRY_ASSIGN(std::string more, ReadRange(view, image.env_start, image.env_end));
    size_t nul = text.find('\0');
    if (nul != std::string::npos) {
      text.resize(nul);
    } else {
      absl::StrAppend(&text, more.substr(0, more.find('\0')));
    }
  }
  return text;
}

Result<std::string> GenerateEnviron(const TaskView& view) {
  if (!MemoryOf(view).ok()) return std::string();
  const MemoryManager::Image image = view.task.memory_ref()->image();
  return ReadRange(view, image.env_start, image.env_end);
}

Result<std::string> GenerateAuxv(const TaskView& view) {
  if (!MemoryOf(view).ok()) return std::string();
  const std::vector<uint64_t> auxv = view.task.memory_ref()->image().auxv;
  return std::string(reinterpret_cast<const char*>(auxv.data()), auxv.size() * sizeof(uint64_t));
}

}  // namespace runsc::boot::proc
