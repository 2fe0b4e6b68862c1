#include "bin/runsc-boot/syscalls/arguments.h"

#include <fcntl.h>
#include <sys/time.h>

#include <limits>
#include <utility>

namespace runsc::boot {

Result<FileRef> FileForIo(Task& task, int fd) {
  TRY_ASSIGN(FileRef file, task.fds().Get(fd));
  if ((file->flags() & O_PATH) != 0) return Error(EBADF);
  return file;
}

Result<FileRef> FileForRead(Task& task, int fd) {
  TRY_ASSIGN(FileRef file, task.fds().Get(fd));
  if (!file->readable()) return Error(EBADF);
  return file;
}

Result<FileRef> FileForWrite(Task& task, int fd) {
  TRY_ASSIGN(FileRef file, task.fds().Get(fd));
  if (!file->writable()) return Error(EBADF);
  return file;
}

uint64_t MaxFiles(Task& task) { return task.group().limit(RLIMIT_NOFILE).rlim_cur; }

Result<Word> InstallFile(Task& task, FileRef file, bool close_on_exec, int lowest) {
  TRY_ASSIGN(int fd, task.fds().Install(std::move(file), close_on_exec, MaxFiles(task), lowest));
  return static_cast<Word>(fd);
}

Result<PathArgument> PathAt(Task& task, int dirfd, uint64_t address, unsigned at_flags) {
  PathArgument argument;
  argument.walk.allow_empty = (at_flags & AT_EMPTY_PATH) != 0;
  argument.walk.follow_last = (at_flags & AT_SYMLINK_NOFOLLOW) == 0;
  TRY_ASSIGN(argument.path, task.CopyInPath(address));
  if (argument.path.empty() && !argument.walk.allow_empty) return Error(ENOENT);
  if (dirfd == AT_FDCWD || argument.path.starts_with('/')) {
    argument.walk.start = task.fs().cwd();
    return argument;
  }
  TRY_ASSIGN(FileRef directory, task.fds().Get(dirfd));
  argument.walk.start = directory->path();
  if (argument.path.empty()) return argument;
  // Pipes and sockets have no place from which a walk could start.
  if (!argument.walk.start.valid()) return Error(ENOTDIR);
  return argument;
}

Result<Path> ResolveAt(Task& task, int dirfd, uint64_t address, unsigned at_flags) {
  TRY_ASSIGN(PathArgument argument, PathAt(task, dirfd, address, at_flags));
  if (argument.path.empty()) return argument.walk.start;
  return task.vfs().Walk(task.caller(), argument.walk, argument.path);
}

bool IsValid(const timespec& time) {
  return time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < kNsPerSecond;
}

bool IsValid(const timeval& time) {
  return time.tv_sec >= 0 && time.tv_usec >= 0 && time.tv_usec < 1'000'000;
}

int64_t ToNanoseconds(const timespec& time) {
  int64_t ns;
  if (__builtin_mul_overflow(time.tv_sec, kNsPerSecond, &ns) ||
      __builtin_add_overflow(ns, time.tv_nsec, &ns)) {
    return std::numeric_limits<int64_t>::max();
  }
  return ns;
}

timespec ToTimespec(int64_t ns) { return {ns / kNsPerSecond, ns % kNsPerSecond}; }

timeval ToTimeval(int64_t ns) { return {ns / kNsPerSecond, ns % kNsPerSecond / 1000}; }

Result<std::optional<int64_t>> TimeoutFromTimespec(Task& task, uint64_t address) {
  if (address == 0) return std::optional<int64_t>();
  TRY_ASSIGN(timespec time, task.CopyInObject<timespec>(address));
  if (!IsValid(time)) return Error(EINVAL);
  return std::optional<int64_t>(ToNanoseconds(time));
}

Deadline DeadlineAfter(std::optional<int64_t> timeout) {
  if (!timeout) return std::nullopt;
  int64_t deadline;
  if (__builtin_add_overflow(MonotonicNow(), *timeout, &deadline)) return std::nullopt;
  return deadline;
}

Result<SignalSet> CopyInSignalSet(Task& task, uint64_t address, size_t size) {
  if (size != sizeof(SignalSet)) return Error(EINVAL);
  return task.CopyInObject<SignalSet>(address);
}

}  // namespace runsc::boot
