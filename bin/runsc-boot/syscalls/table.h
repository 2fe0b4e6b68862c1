// The one table of system calls: number, name, function, how complete it is,
// and the shape of its arguments. The strace decoder, docs/syscalls.md and the
// tests' coverage list all come from it.
#ifndef RUNSC_BOOT_SYSCALLS_TABLE_H_
#define RUNSC_BOOT_SYSCALLS_TABLE_H_

#include <cstdint>
#include <span>

#include "bin/runsc-boot/kernel/task.h"
#include "common/result.h"

namespace runsc::boot {

using Word = uint64_t;

// Argument registers with typed access; each narrows as Linux does.
class SyscallArgs {
 public:
  explicit SyscallArgs(const platform::SyscallInfo& call) : call_(call) {}
  const platform::SyscallInfo& call() const { return call_; }
  uint64_t number() const { return call_.number; }
  uint64_t Raw(int i) const { return call_.args[i]; }
  uint64_t Address(int i) const { return call_.args[i]; }
  size_t Size(int i) const { return call_.args[i]; }
  int64_t Long(int i) const { return static_cast<int64_t>(call_.args[i]); }
  int Int(int i) const { return static_cast<int>(call_.args[i]); }
  unsigned Uint(int i) const { return static_cast<unsigned>(call_.args[i]); }
  int Fd(int i) const { return Int(i); }
  uid_t Uid(int i) const { return Uint(i); }
  gid_t Gid(int i) const { return Uint(i); }
  mode_t Mode(int i) const { return Uint(i) & 0xffff; }
  pid_t Pid(int i) const { return Int(i); }

 private:
  const platform::SyscallInfo& call_;
};

using SyscallFunction = Result<Word> (*)(Task& task, const SyscallArgs& args);

// How strace shows an argument, and what a fast path would have to copy.
enum class ArgShape : uint8_t {
  kNone,
  kInt,
  kUint,
  kHex,
  kOctal,
  kFd,
  kDirFd,      // a descriptor or AT_FDCWD
  kPath,       // NUL-terminated
  kString,     // NUL-terminated, not a path
  kBufferIn,   // its size is the next argument
  kBufferOut,  // filled up to the call's result
  kSize,
  kOffset,
  kPointer,
  kFlags,
  kOpenFlags,
  kAtFlags,
  kSignal,
  kSignalSet,
  kStat,
  kTimespec,
  kIovec,     // its count is the next argument
  kIovecOut,  // filled up to the call's result
  kArgv,
  kPid,
  kSockaddr,  // its size is the next argument
  kProtection,
  kMapFlags,
  kWhence,
  kCloneFlags,
  kFdPair,  // two descriptors, written by the call
  kClock,
  kSocketDomain,
  kSocketType,
  kMessageFlags,
  kFcntlCommand,
  kFutexOperation,
  kResource,
  kWaitOptions,
  kWaitStatus,  // written by the call
  kEpollOperation,
  kIoctlCommand,
  kMountFlags,
  kPollFds,  // their count is the next argument
};

enum class Support : uint8_t { kFull, kPartial, kNone };

struct SyscallEntry {
  int number;
  const char* name;
  SyscallFunction function;  // null: ENOSYS, logged once per number
  Support support;
  const char* note;  // what is missing when partial
  ArgShape shapes[6];
};

// Null for numbers that the table does not have.
const SyscallEntry* FindSyscall(uint64_t number);
std::span<const SyscallEntry> AllSyscalls();

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SYSCALLS_TABLE_H_
