// /proc/PID: what shows its memory.
#include <elf.h>
#include <sys/auxv.h>
#include <sys/inotify.h>

#include "test/guest/proc_files.h"

using namespace guest;

CASE(auxv_matches) {
  const std::string text = Content("/proc/self/auxv");
  Record("pairs", text.size() % 16);
  bool entry = false, end = false;
  for (size_t at = 0; at + 16 <= text.size(); at += 16) {
    const auto* pair = reinterpret_cast<const unsigned long*>(text.data() + at);
    entry |= pair[0] == AT_ENTRY && pair[1] != 0;
    end |= pair[0] == AT_NULL;
  }
  Record("entry", entry);
  Record("end", end);
}
CASE(auxv_tells_about_rseq) {
  constexpr unsigned long kFeatureSize = 27, kAlign = 28;  // AT_RSEQ_*
  Record("size", static_cast<long long>(getauxval(kFeatureSize)));
  Record("align", static_cast<long long>(getauxval(kAlign)));
}
CASE(mem_read_and_write) {
  static volatile long word = 0x1234;
  const int fd = open("/proc/self/mem", O_RDWR);
  long value = 0;
  const off_t at = static_cast<off_t>(reinterpret_cast<uintptr_t>(&word));
  T(pread(fd, &value, sizeof value, at));
  Record("value", value);
  value = 0x5678;
  T(pwrite(fd, &value, sizeof value, at));
  Record("word", word);
  T(pread(fd, &value, sizeof value, 4096));
  T(lseek(fd, 0x1000, SEEK_SET));
  T(lseek(fd, 0x1000, SEEK_CUR));
}
CASE(mem_of_child) {
  static long word = 77;
  const pid_t child = Sleeper();
  const int fd = open(Of(child, "mem").c_str(), O_RDWR);
  long value = 0;
  T(pread(fd, &value, sizeof value, static_cast<off_t>(reinterpret_cast<uintptr_t>(&word))));
  Record("value", value);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  T(pread(fd, &value, sizeof value, static_cast<off_t>(reinterpret_cast<uintptr_t>(&word))));
}
CASE(clear_refs_and_pagemap) {
  T(WriteTo("/proc/self/clear_refs", "9"));
  T(WriteTo("/proc/self/clear_refs", "1"));
  const int fd = open("/proc/self/pagemap", O_RDONLY);
  static char page[8192];
  page[4096] = 1;
  uint64_t entry = 0;
  T(pread(fd, &entry, 8, static_cast<off_t>(reinterpret_cast<uintptr_t>(page + 4096) / 4096 * 8)));
  Record("present", static_cast<long long>(entry >> 63));
}
CASE(map_files_lead_to_files) {
  Make("f", std::string(4096, 'm'));
  const int fd = open("f", O_RDONLY);
  void* memory = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  const unsigned long start = reinterpret_cast<unsigned long>(memory);
  char path[128], target[4096] = {};
  snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", start, start + 4096);
  T(readlink(path, target, sizeof target - 1) > 0 ? 0 : -1);
  Record("name", strrchr(target, '/') == nullptr ? "none" : strrchr(target, '/'));
}
