#include "bin/runsc-boot/strace/strace.h"

#include <sys/syscall.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bin/runsc-boot/strace/arguments.h"
#include "bin/runsc-boot/strace/names.h"
#include "bin/runsc-boot/syscalls/dispatch.h"
#include "common/log.h"

namespace runsc::boot {

namespace {

// Restart codes never reach the application; they say what happened here.
std::string ErrorText(int code) {
  switch (code) {
    case kRestartSys:
    case kRestartNoIntr:
    case kRestartNoHand:
    case kRestartBlock:
      return "? (interrupted)";
    default:
      return absl::StrCat("-1 ", ErrnoName(code));
  }
}

// Small numbers as such, addresses in hexadecimal.
std::string ValueText(uint64_t value) {
  constexpr uint64_t kLargest = uint64_t{1} << 40;
  if (value < kLargest) return absl::StrCat(value);
  return absl::StrCat("0x", absl::Hex(value));
}

std::string RawText(const platform::SyscallInfo& call) {
  return absl::StrJoin(call.args, ", ", [](std::string* out, uint64_t value) {
    absl::StrAppend(out, "0x", absl::Hex(value));
  });
}

}  // namespace

Result<uint64_t> TracedDispatchSyscall(Task& task, const platform::SyscallInfo& call) {
  if (!log::Enabled(log::Level::kInfo)) return DispatchSyscall(task, call);
  const std::string who = absl::StrCat("[", task.tid(), "] ", task.name(), " ");
  const SyscallEntry* entry = FindSyscall(call.number);
  if (entry == nullptr) {
    Result<uint64_t> result = DispatchSyscall(task, call);
    LOG_INFO(who, "syscall_", call.number, "(", RawText(call), ") = ", ErrorText(result.code()));
    return result;
  }
  ArgumentText arguments(task, *entry, call);
  Result<uint64_t> result = DispatchSyscall(task, call);
  std::string end;
  if (!result.ok()) {
    end = ErrorText(result.code());
  } else if (*result == task.EndHandled() || entry->number == SYS_rt_sigreturn) {
    end = "?";
  } else if (*result == task.EndOnHost()) {
    end = "host";
  } else {
    arguments.AddResults(*result);
    end = ValueText(*result);
  }
  LOG_INFO(who, entry->name, "(", arguments.Joined(), ") = ", end);
  return result;
}

}  // namespace runsc::boot
