// ptrace(2): words of the tracee's memory, whatever its protection.
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/kernel/ptrace.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kPage = 4096;

// The protection of the private mapping at `address`, as the host has it.
std::optional<int> PrivateProtection(pid_t host_tid, uint64_t address) {
  std::ifstream maps(absl::StrCat("/proc/", host_tid, "/maps"));
  for (std::string line; std::getline(maps, line);) {
    // "begin-end rwxp ..."
    char* rest = nullptr;
    const uint64_t begin = strtoull(line.c_str(), &rest, 16);
    if (*rest != '-') return std::nullopt;
    const uint64_t end = strtoull(rest + 1, &rest, 16);
    if (address < begin || address >= end) continue;
    if (strlen(rest) < 5 || rest[4] != 'p') return std::nullopt;
    return (rest[1] == 'r' ? PROT_READ : 0) | (rest[2] == 'w' ? PROT_WRITE : 0) |
           (rest[3] == 'x' ? PROT_EXEC : 0);
  }
  return std::nullopt;
}

// Lifts the protection of the pages under [address, address + 8) for `access`.
Status WithAccess(Task& task, uint64_t address, uint64_t size,
                  const std::function<Status()>& access) {
  const std::optional<int> old = PrivateProtection(task.thread().host_tid(), address);
  if (!old.has_value()) return Error(EIO);
  const uint64_t begin = address & ~(kPage - 1);
  const uint64_t length = (address + size - begin + kPage - 1) & ~(kPage - 1);
  auto protect = [&](int protection) -> Status {
    platform::NativeCall call{SYS_mprotect, {begin, length, static_cast<uint64_t>(protection)}, 0};
    TRY(task.thread().RunNative({&call, 1}, true));
    return call.result == 0 ? Ok() : Status(Error(EIO));
  };
  TRY(protect(*old | PROT_READ | PROT_WRITE));
  const Status done = access();
  TRY(protect(*old));
  return done;
}

}  // namespace

Status Tracee::Force(Task& task, uint64_t address, uint64_t size,
                     const std::function<Status()>& access) {
  const std::shared_ptr<MemoryManager> memory = task.memory_ref();
  if (memory == nullptr) return Error(EIO);
  if (memory->address_space().MeetsStub(address, address + size)) return Error(EIO);
  std::vector<TraceeRef> all;
  {
    absl::MutexLock lock(&task.kernel().tree_mutex());
    all = task.kernel().tracees_;
  }
  for (const TraceeRef& tracee : all) {
    const TaskRef owner = tracee->task_.lock();
    if (owner == nullptr || owner->memory_ref() != memory) continue;
    absl::MutexLock requests(&tracee->request_mutex_);
    if (!tracee->IsAtRest() || owner->memory_ref() != memory) continue;
    return WithAccess(*owner, address, size, access);
  }
  return Error(EIO);
}

bool Tracee::IsAtRest() const {
  absl::MutexLock lock(&mutex_);
  return stopped_ && !listening_ && !detached_;
}

Result<uint64_t> Tracee::Memory(Task& caller, Task& task, int request, uint64_t address,
                                uint64_t data) {
  MemoryManager& memory = task.memory();
  uint64_t end = 0;
  if (__builtin_add_overflow(address, sizeof(data), &end)) return Error(EIO);
  if (memory.address_space().MeetsStub(address, end)) return Error(EIO);
  if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA) {
    uint64_t word = 0;
    auto read = [&] { return memory.CopyIn(address, &word, sizeof(word)); };
    if (!read().ok() && !WithAccess(task, address, sizeof(word), read).ok()) return Error(EIO);
    TRY(caller.CopyOutObject(data, word));
    return 0;
  }
  auto write = [&] { return memory.CopyOut(address, &data, sizeof(data)); };
  if (!write().ok() && !WithAccess(task, address, sizeof(data), write).ok()) return Error(EIO);
  return 0;
}

}  // namespace runsc::boot
