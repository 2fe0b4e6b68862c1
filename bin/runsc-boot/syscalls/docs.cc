#include "bin/runsc-boot/syscalls/docs.h"

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/syscalls/table.h"

namespace runsc::boot {

namespace {

const char* SupportText(Support support) {
  switch (support) {
    case Support::kFull:
      return "yes";
    case Support::kPartial:
      return "partial";
    case Support::kNone:
      return "no";
  }
  return "";
}

size_t Count(Support support) {
  size_t count = 0;
  for (const SyscallEntry& entry : AllSyscalls()) count += entry.support == support ? 1 : 0;
  return count;
}

}  // namespace

std::string RenderSyscallDocs() {
  std::string text = absl::StrCat(
      "# System calls\n\n"
      "Written by `tools/gen-syscall-docs` from the table in "
      "`bin/runsc-boot/syscalls/table.cc`; do not edit.\n\n"
      "Of the ",
      AllSyscalls().size(), " system calls of Linux on x86-64, ", Count(Support::kFull),
      " are complete, ", Count(Support::kPartial), " are partial, ", Count(Support::kNone),
      " answer `ENOSYS`. ",
      "Calls that touch nothing but the caller's own memory and clock (anonymous `mmap`, "
      "`munmap`, `mprotect`, `brk`, `madvise`, `futex`, `clock_gettime`, `sched_yield`, "
      "`getrandom`) "
      "or say who it is (`getpid`, `gettid`) and where it runs (`getcpu`) are made by "
      "the host directly and reach the kernel only with `--native-calls=none`.\n\n"
      "| number | name | supported | remarks |\n|---:|---|---|---|\n");
  for (const SyscallEntry& entry : AllSyscalls()) {
    absl::StrAppend(&text, "| ", entry.number, " | `", entry.name, "` | ",
                    SupportText(entry.support), " | ", entry.note == nullptr ? "" : entry.note,
                    " |\n");
  }
  return text;
}

}  // namespace runsc::boot
