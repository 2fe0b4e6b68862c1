// Names of numbers, as strace prints them.
#ifndef RUNSC_BOOT_STRACE_NAMES_H_
#define RUNSC_BOOT_STRACE_NAMES_H_

#include <cstdint>
#include <string>

namespace runsc::boot {

// "ENOENT"; "E512" for one without a name.
std::string ErrnoName(int code);
// "SIGTERM", "SIGRT_3".
std::string SignalName(int signo);

// Flag words: "O_RDONLY|O_CLOEXEC"; bits without a name as a hexadecimal rest.
std::string OpenFlags(uint64_t flags);
std::string AtFlags(uint64_t flags);
std::string ProtectionFlags(uint64_t flags);
std::string MapFlags(uint64_t flags);
std::string CloneFlags(uint64_t flags);
std::string MessageFlags(uint64_t flags);
std::string WaitOptions(uint64_t flags);
std::string MountFlagNames(uint64_t flags);
std::string PollEventNames(uint64_t events);
std::string SocketType(uint64_t type);
std::string FutexOperation(uint64_t operation);

// Single values; the number when there is no name.
std::string WhenceName(uint64_t value);
std::string ClockName(uint64_t value);
std::string SocketDomainName(uint64_t value);
std::string FcntlCommandName(uint64_t value);
std::string ResourceName(uint64_t value);
std::string EpollOperationName(uint64_t value);
std::string IoctlCommandName(uint64_t value);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_STRACE_NAMES_H_
