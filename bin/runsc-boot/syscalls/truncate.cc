// truncate(2), ftruncate(2), fallocate(2), fsync(2), fdatasync(2), sync(2),
// syncfs(2), sync_file_range(2), fadvise64(2), readahead(2), lseek(2)

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/transfer.h"

namespace runsc::boot {

namespace {

Status CheckSizeLimit(Task& task, uint64_t size) {
  if (size <= task.file_size_limit()) return Ok();
  RaiseSignal(task, SIGXFSZ);
  return Error(EFBIG);
}

Result<Word> Sync(Task& task, int fd, bool data_only) {
  TRY_ASSIGN(FileRef file, FileForIo(task, fd));
  TRY(file->Sync(data_only));
  return 0;
}

// EBADF, ESPIPE, EINVAL as for advice on a range of a file.
Result<FileRef> FileForAdvice(Task& task, int fd) {
  TRY_ASSIGN(FileRef file, FileForIo(task, fd));
  TRY_ASSIGN(Attributes attributes, file->GetAttributes());
  if (S_ISFIFO(attributes.mode) || S_ISSOCK(attributes.mode)) return Error(ESPIPE);
  return file;
}

}  // namespace

Result<Word> SysTruncate(Task& task, const SyscallArgs& args) {
  if (args.Long(1) < 0) return Error(EINVAL);
  TRY_ASSIGN(Path path, ResolveAt(task, AT_FDCWD, args.Address(0)));
  TRY(CheckSizeLimit(task, args.Raw(1)));
  TRY(task.vfs().Truncate(task.caller(), path, args.Raw(1)));
  return 0;
}

Result<Word> SysFtruncate(Task& task, const SyscallArgs& args) {
  if (args.Long(1) < 0) return Error(EINVAL);
  TRY_ASSIGN(FileRef file, FileForIo(task, args.Fd(0)));
  if (!file->writable()) return Error(EINVAL);
  TRY(CheckSizeLimit(task, args.Raw(1)));
  TRY(file->Truncate(task, args.Raw(1)));
  ReportPath(file->path(), IN_MODIFY);
  return 0;
}

Result<Word> SysFallocate(Task& task, const SyscallArgs& args) {
  const int mode = args.Int(1);
  const int64_t offset = args.Long(2), size = args.Long(3);
  TRY_ASSIGN(FileRef file, FileForIo(task, args.Fd(0)));
  if (offset < 0 || size <= 0) return Error(EINVAL);
  if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE |
                FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE)) !=
      0) {
    return Error(EOPNOTSUPP);
  }
  if ((mode & FALLOC_FL_PUNCH_HOLE) != 0 && (mode & FALLOC_FL_KEEP_SIZE) == 0) {
    return Error(EOPNOTSUPP);
  }
  if (!file->writable()) return Error(EBADF);
  TRY_ASSIGN(Attributes attributes, file->GetAttributes());
  if (S_ISFIFO(attributes.mode)) return Error(ESPIPE);
  if (attributes.IsDirectory()) return Error(EISDIR);
  if (!attributes.IsRegular()) return Error(ENODEV);
  int64_t end;
  if (__builtin_add_overflow(offset, size, &end)) return Error(EFBIG);
  if ((mode & FALLOC_FL_KEEP_SIZE) == 0) TRY(CheckSizeLimit(task, static_cast<uint64_t>(end)));
  TRY(file->Allocate(task, mode, static_cast<uint64_t>(offset), static_cast<uint64_t>(size)));
  ReportPath(file->path(), IN_MODIFY);
  return 0;
}

Result<Word> SysFsync(Task& task, const SyscallArgs& args) { return Sync(task, args.Fd(0), false); }

Result<Word> SysFdatasync(Task& task, const SyscallArgs& args) {
  return Sync(task, args.Fd(0), true);
}

Result<Word> SysSync(Task& task, const SyscallArgs& args) {
  for (const auto& listed : task.fs().mounts()->List()) {
    // sync(2) reports no errors.
    (void)listed.mount->filesystem()->Sync();
  }
  return 0;
}

Result<Word> SysSyncfs(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef file, FileForIo(task, args.Fd(0)));
  if (file->path().mount != nullptr) TRY(file->path().mount->filesystem()->Sync());
  return 0;
}

Result<Word> SysSyncFileRange(Task& task, const SyscallArgs& args) {
  constexpr unsigned kFlags =
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  if (args.Long(1) < 0 || args.Long(2) < 0 || (args.Uint(3) & ~kFlags) != 0) return Error(EINVAL);
  TRY_ASSIGN(FileRef file, FileForAdvice(task, args.Fd(0)));
  TRY(file->Sync(true));
  return 0;
}

// Advice changes nothing here: the host's page cache decides for itself.
Result<Word> SysFadvise64(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef file, FileForAdvice(task, args.Fd(0)));
  if (args.Long(2) < 0) return Error(EINVAL);
  if (args.Int(3) < POSIX_FADV_NORMAL || args.Int(3) > POSIX_FADV_NOREUSE) return Error(EINVAL);
  return 0;
}

Result<Word> SysReadahead(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef file, FileForRead(task, args.Fd(0)));
  TRY_ASSIGN(Attributes attributes, file->GetAttributes());
  if (!attributes.IsRegular() && !S_ISBLK(attributes.mode)) return Error(EINVAL);
  return 0;
}

Result<Word> SysLseek(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef file, FileForIo(task, args.Fd(0)));
  if (args.Uint(2) > SEEK_HOLE) return Error(EINVAL);
  return file->Seek(task, args.Long(1), args.Int(2));
}

}  // namespace runsc::boot
