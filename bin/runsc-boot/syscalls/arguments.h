// What many system calls do with their arguments: descriptors to files, path
// arguments to places, time values to deadlines.
#ifndef RUNSC_BOOT_SYSCALLS_ARGUMENTS_H_
#define RUNSC_BOOT_SYSCALLS_ARGUMENTS_H_

#include <ctime>
#include <optional>
#include <string>

#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/kernel/thread_group.h"
#include "bin/runsc-boot/syscalls/table.h"

namespace runsc::boot {

// --- Descriptors. EBADF: not open, or opened with O_PATH.
Result<FileRef> FileForIo(Task& task, int fd);
// EBADF also when not open for reading / writing.
Result<FileRef> FileForRead(Task& task, int fd);
Result<FileRef> FileForWrite(Task& task, int fd);
// The lowest free number within RLIMIT_NOFILE; EMFILE.
Result<Word> InstallFile(Task& task, FileRef file, bool close_on_exec, int lowest = 0);
uint64_t MaxFiles(Task& task);

// --- Paths
// A path argument with where its walk starts.
struct PathArgument {
  std::string path;
  WalkOptions walk;
};
// Understands AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW and AT_SYMLINK_FOLLOW (which
// is the default unless NOFOLLOW is given); the caller has checked the flags.
// ENOENT: empty without AT_EMPTY_PATH; EBADF, ENOTDIR: `dirfd`; EFAULT,
// ENAMETOOLONG.
Result<PathArgument> PathAt(Task& task, int dirfd, uint64_t address, unsigned at_flags = 0);
// The same, walked. With an empty path, the place of the descriptor itself.
Result<Path> ResolveAt(Task& task, int dirfd, uint64_t address, unsigned at_flags = 0);

// --- Time
constexpr int64_t kNsPerSecond = 1'000'000'000;
// False for negative seconds or nanoseconds out of range.
bool IsValid(const timespec& time);
bool IsValid(const timeval& time);
// Saturates at the largest int64_t.
int64_t ToNanoseconds(const timespec& time);
timespec ToTimespec(int64_t ns);
timeval ToTimeval(int64_t ns);
// A relative time-out argument; a null address means none. EFAULT, EINVAL.
Result<std::optional<int64_t>> TimeoutFromTimespec(Task& task, uint64_t address);
// The monotonic deadline `timeout` nanoseconds from now, saturating.
Deadline DeadlineAfter(std::optional<int64_t> timeout);

// --- Signal sets, as sigprocmask and ppoll pass them. EINVAL unless `size` is 8.
Result<SignalSet> CopyInSignalSet(Task& task, uint64_t address, size_t size);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SYSCALLS_ARGUMENTS_H_
