#include "bin/runsc-boot/kernel/host_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/file_descriptor.h"

namespace runsc::boot {

namespace {

using Buffer = std::array<char, 4096>;

// As much of the file as fits; the files are shorter, or have what is looked
// for at their beginning.
std::string_view ReadHostFile(pid_t host_pid, const char* name, Buffer& buffer) {
  if (host_pid <= 0) return {};
  const std::string path = absl::StrCat("/proc/", host_pid, "/", name);
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  const ssize_t size = read(file.get(), buffer.data(), buffer.size());
  return {buffer.data(), size > 0 ? static_cast<size_t>(size) : 0};
}

uint64_t LeadingNumber(std::string_view text) {
  size_t begin = text.find_first_of("0123456789");
  if (begin == std::string_view::npos) return 0;
  uint64_t value = 0;
  for (; begin < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[begin]));
       ++begin) {
    value = value * 10 + static_cast<uint64_t>(text[begin] - '0');
  }
  return value;
}

}  // namespace

uint64_t PeakMemoryKib(pid_t host_pid) {
  Buffer buffer;
  const std::string_view text = ReadHostFile(host_pid, "status", buffer);
  const size_t at = text.find("VmHWM:");
  return at == std::string_view::npos ? 0 : LeadingNumber(text.substr(at));
}

HostMemory ReadHostMemory(pid_t host_pid) {
  constexpr uint64_t kKibPerPage = 4;
  // Fields of proc_pid_stat(5) behind the name, which may have spaces in it.
  constexpr size_t kMinorFaults = 8, kMajorFaults = 10, kResident = 22;
  Buffer buffer;
  std::string_view text = ReadHostFile(host_pid, "stat", buffer);
  const size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return {};
  text.remove_prefix(name_end);
  HostMemory memory;
  for (size_t field = 1; field <= kResident; ++field) {
    const size_t space = text.find(' ');
    if (space == std::string_view::npos) break;
    text.remove_prefix(space + 1);
    if (field == kMinorFaults) memory.minor_faults = LeadingNumber(text);
    if (field == kMajorFaults) memory.major_faults = LeadingNumber(text);
    if (field == kResident) memory.resident_kib = LeadingNumber(text) * kKibPerPage;
  }
  return memory;
}

}  // namespace runsc::boot
