#include "bin/runsc-boot/syscalls/dispatch.h"

#include <sys/syscall.h>

#include "bin/runsc-boot/syscalls/table.h"
#include "common/log.h"

namespace runsc::boot {

namespace {

enum class Io : uint8_t { kNone, kRead, kWrite, kBoth };

Io KindOf(uint64_t number) {
  switch (number) {
    case SYS_read:
    case SYS_pread64:
    case SYS_readv:
    case SYS_preadv:
    case SYS_preadv2:
      return Io::kRead;
    case SYS_write:
    case SYS_pwrite64:
    case SYS_writev:
    case SYS_pwritev:
    case SYS_pwritev2:
      return Io::kWrite;
    case SYS_sendfile:
    case SYS_copy_file_range:
      return Io::kBoth;
    default:
      return Io::kNone;
  }
}

// Only the task's own worker writes, so a load and a store do.
void Raise(std::atomic<uint64_t>& counter, uint64_t by) {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

// For /proc/PID/io.
void Account(Task& task, Io kind, const Result<uint64_t>& result) {
  const uint64_t bytes = result.ok() && static_cast<int64_t>(*result) > 0 ? *result : 0;
  if (kind != Io::kWrite) {
    Raise(task.io().reads, 1);
    Raise(task.io().bytes_read, bytes);
  }
  if (kind != Io::kRead) {
    Raise(task.io().writes, 1);
    Raise(task.io().bytes_written, bytes);
  }
}

}  // namespace

Result<uint64_t> DispatchSyscall(Task& task, const platform::SyscallInfo& call) {
  const SyscallEntry* entry = FindSyscall(call.number);
  if (entry != nullptr && entry->function != nullptr) {
    Result<uint64_t> result = entry->function(task, SyscallArgs(call));
    const Io kind = KindOf(call.number);
    if (kind != Io::kNone) Account(task, kind, result);
    return result;
  }
  if (task.kernel().FirstUnimplemented(call.number)) {
    LOG_INFO("system call ", entry == nullptr ? "without a name" : entry->name, " (", call.number,
             ") is not implemented; first used by ", task.name());
  }
  return Error(ENOSYS);
}

}  // namespace runsc::boot
