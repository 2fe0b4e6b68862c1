#include "bin/runsc-boot/syscalls/dispatch.h"

#include "bin/runsc-boot/syscalls/table.h"
#include "common/log.h"

namespace runsc::boot {

Result<uint64_t> DispatchSyscall(Task& task, const platform::SyscallInfo& call) {
  const SyscallEntry* entry = FindSyscall(call.number);
  if (entry != nullptr && entry->function != nullptr) {
    return entry->function(task, SyscallArgs(call));
  }
  if (task.kernel().FirstUnimplemented(call.number)) {
    LOG_INFO("system call ", entry == nullptr ? "without a name" : entry->name, " (", call.number,
             ") is not implemented; first used by ", task.name());
  }
  return Error(ENOSYS);
}

}  // namespace runsc::boot
