// fcntl(2), flock(2)

#include <fcntl.h>
#include <sys/file.h>

#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"
#include "bin/runsc-boot/kernel/async_io.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/async_arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/pipe_arguments.h"
#include "bin/runsc-boot/vfs/file_locks.h"

namespace runsc::boot {

namespace {

// Newer than the C library's headers (Linux 6.10 and 6.12).
constexpr int kDuplicateQuery = 1027;  // F_DUPFD_QUERY
constexpr int kCreatedQuery = 1028;    // F_CREATED_QUERY

// The bytes that struct flock means. EINVAL, EOVERFLOW.
Result<LockRange> RangeOf(File& file, const struct flock& request) {
  int64_t base = 0;
  switch (request.l_whence) {
    case SEEK_SET:
      break;
    case SEEK_CUR:
      base = static_cast<int64_t>(file.position());
      break;
    case SEEK_END: {
      TRY_ASSIGN(Attributes attributes, file.GetAttributes());
      base = static_cast<int64_t>(attributes.size);
      break;
    }
    default:
      return Error(EINVAL);
  }
  int64_t begin, end;
  if (__builtin_add_overflow(base, request.l_start, &begin)) return Error(EOVERFLOW);
  if (begin < 0) return Error(EINVAL);
  if (request.l_len == 0) return LockRange{static_cast<uint64_t>(begin), LockRange::kToEnd};
  if (__builtin_add_overflow(begin, request.l_len, &end)) return Error(EOVERFLOW);
  if (request.l_len < 0) std::swap(begin, end);
  if (begin < 0) return Error(EINVAL);
  return LockRange{static_cast<uint64_t>(begin), static_cast<uint64_t>(end)};
}

struct LockCommand {
  bool of_description;  // F_OFD_*
  bool wait;
};

RecordLock MakeLock(Task& task, File& file, const struct flock& request, const LockRange& range,
                    bool of_description) {
  RecordLock lock;
  lock.range = range;
  lock.exclusive = request.l_type == F_WRLCK;
  lock.owner = of_description ? static_cast<const void*>(&file) : &task.fds();
  lock.pid = of_description ? -1 : task.tgid();
  return lock;
}

// Sleeps until `attempt` no longer finds a conflict.
Result<Word> WaitForLock(Task& task, FileLocks& locks, const std::function<Status()>& attempt) {
  WaitEntry entry(EPOLLOUT, static_cast<Waker&>(task));
  locks.wait_queue().Register(entry);
  while (true) {
    Status locked = attempt();
    if (locked.ok()) return 0;
    if (locked.code() != EAGAIN) return std::move(locked).error();
    TRY(task.Sleep(std::nullopt));
  }
}

Result<Word> SetLock(Task& task, File& file, uint64_t address, LockCommand command) {
  TRY_ASSIGN(struct flock request, task.CopyInObject<struct flock>(address));
  if (command.of_description && request.l_pid != 0) return Error(EINVAL);
  TRY_ASSIGN(LockRange range, RangeOf(file, request));
  const RecordLock lock = MakeLock(task, file, request, range, command.of_description);
  FileLocks& locks = file.inode()->locks();
  switch (request.l_type) {
    case F_UNLCK:
      locks.Unlock(lock.owner, range);
      return 0;
    case F_RDLCK:
      if (!file.readable()) return Error(EBADF);
      break;
    case F_WRLCK:
      if (!file.writable()) return Error(EBADF);
      break;
    default:
      return Error(EINVAL);
  }
  Status locked = locks.Lock(lock);
  if (locked.ok()) return 0;
  if (locked.code() != EAGAIN || !command.wait) return std::move(locked).error();
  return WaitForLock(task, locks, [&] { return locks.Lock(lock); });
}

Result<Word> GetLock(Task& task, File& file, uint64_t address, bool of_description) {
  TRY_ASSIGN(struct flock request, task.CopyInObject<struct flock>(address));
  // Since Linux 6.6, F_UNLCK asks for the locks of the description itself.
  const bool own = of_description && request.l_type == F_UNLCK;
  if (!own && request.l_type != F_RDLCK && request.l_type != F_WRLCK) return Error(EINVAL);
  if (of_description && request.l_pid != 0) return Error(EINVAL);
  TRY_ASSIGN(LockRange range, RangeOf(file, request));
  const RecordLock wanted = MakeLock(task, file, request, range, of_description);
  const FileLocks& locks = file.inode()->locks();
  if (auto conflict = own ? locks.FindOwn(wanted.owner, range) : locks.FindConflict(wanted)) {
    request.l_type = conflict->exclusive ? F_WRLCK : F_RDLCK;
    request.l_whence = SEEK_SET;
    request.l_start = static_cast<off_t>(conflict->range.begin);
    request.l_len = conflict->range.end == LockRange::kToEnd
                        ? 0
                        : static_cast<off_t>(conflict->range.end - conflict->range.begin);
    request.l_pid = conflict->pid < 0 ? -1 : task.FromKernelPid(conflict->pid);
  } else {
    request.l_type = F_UNLCK;
  }
  TRY(task.CopyOutObject(address, request));
  return 0;
}

Result<Word> Duplicate(Task& task, const FileRef& file, int lowest, bool close_on_exec) {
  if (lowest < 0 || static_cast<uint64_t>(lowest) >= MaxFiles(task)) return Error(EINVAL);
  return InstallFile(task, file, close_on_exec, lowest);
}

Result<Word> LockCommandOf(Task& task, const FileRef& file, const SyscallArgs& args) {
  if (file->inode() == nullptr) return Error(EINVAL);
  switch (args.Int(1)) {
    case F_GETLK:
      return GetLock(task, *file, args.Address(2), false);
    case F_OFD_GETLK:
      return GetLock(task, *file, args.Address(2), true);
    case F_SETLK:
      return SetLock(task, *file, args.Address(2), {false, false});
    case F_SETLKW:
      return SetLock(task, *file, args.Address(2), {false, true});
    case F_OFD_SETLK:
      return SetLock(task, *file, args.Address(2), {true, false});
    default:  // F_OFD_SETLKW
      return SetLock(task, *file, args.Address(2), {true, true});
  }
}

}  // namespace

Result<Word> SysFcntl(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FdTable::Entry entry, task.fds().GetEntry(args.Fd(0)));
  const FileRef& file = entry.file;
  switch (args.Int(1)) {
    case F_DUPFD:
      return Duplicate(task, file, args.Int(2), false);
    case F_DUPFD_CLOEXEC:
      return Duplicate(task, file, args.Int(2), true);
    case F_GETFD:
      return entry.close_on_exec ? FD_CLOEXEC : 0;
    case F_SETFD:
      TRY(task.fds().SetCloseOnExec(args.Fd(0), (args.Raw(2) & FD_CLOEXEC) != 0));
      return 0;
    case F_GETFL: {
      constexpr int kLargeFile = 0100000;  // always shown on 64-bit for opened files
      const bool has_place = file->path().mount != nullptr && (file->flags() & O_PATH) == 0;
      return static_cast<Word>(file->flags() | (has_place ? kLargeFile : 0));
    }
    case kDuplicateQuery: {
      TRY_ASSIGN(FileRef other, task.fds().Get(args.Int(2)));
      return other == file ? 1 : 0;
    }
    case kCreatedQuery:
      return file->created() ? 1 : 0;
    default:
      break;
  }
  if ((file->flags() & O_PATH) != 0) return Error(EBADF);
  switch (args.Int(1)) {
    case F_SETFL: {
      const int changed = file->flags() ^ args.Int(2);
      TRY(file->SetFlags(args.Int(2)));
      if ((changed & O_ASYNC) != 0) UpdateAsync(task, file, args.Fd(0));
      return 0;
    }
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
      return LockCommandOf(task, file, args);
    case F_GETOWN:
    case F_SETOWN:
    case F_GETOWN_EX:
    case F_SETOWN_EX:
    case F_GETSIG:
    case F_SETSIG:
      return OwnerCommand(task, *file, args.Int(1), args.Raw(2));
    case F_NOTIFY:
      return NotifyCommand(task, file, args.Fd(0), args.Uint(2));
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ:
      return PipeCommand(task, *file, args.Int(1), args.Raw(2));
    case F_ADD_SEALS:
      TRY(AddSeals(*file, args.Int(2)));
      return 0;
    case F_GET_SEALS: {
      TRY_ASSIGN(int seals, GetSeals(*file));
      return static_cast<Word>(seals);
    }
    default:
      return Error(EINVAL);
  }
}

Result<Word> SysFlock(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef file, FileForIo(task, args.Fd(0)));
  const int operation = args.Int(1) & ~LOCK_NB;
  if (file->inode() == nullptr) return Error(EBADF);
  FileLocks& locks = file->inode()->locks();
  if (operation == LOCK_UN) {
    locks.UnlockWhole(file.get());
    return 0;
  }
  if (operation != LOCK_SH && operation != LOCK_EX) return Error(EINVAL);
  const auto attempt = [&] {
    return locks.LockWhole(file.get(), operation == LOCK_EX, task.tgid());
  };
  Status locked = attempt();
  if (locked.ok()) return 0;
  if (locked.code() != EAGAIN || (args.Int(1) & LOCK_NB) != 0) return std::move(locked).error();
  return WaitForLock(task, locks, attempt);
}

}  // namespace runsc::boot
