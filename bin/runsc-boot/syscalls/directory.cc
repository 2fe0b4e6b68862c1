// getdents(2), getdents64(2), getcwd(2), chdir(2), fchdir(2), chroot(2),
// mkdir(2), mkdirat(2), rmdir(2)

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>

#include <algorithm>
#include <cstring>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

constexpr size_t kAlignment = 8;
// More entries than this at once only cost memory.
constexpr size_t kMaxBuffer = 1 << 20;

// Both layouts: ino, offset, record length; then type and name (getdents64),
// or name and, in the record's last byte, the type (getdents).
class EntryWriter {
 public:
  EntryWriter(size_t capacity, bool type_first) : type_first_(type_first) {
    buffer_.resize(capacity);
  }

  bool Add(const DirectoryEntry& entry) {
    constexpr size_t kHeader = 18;
    const size_t record =
        (kHeader + 1 + entry.name.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
    if (record > buffer_.size() - used_) {
      full_ = true;
      return false;
    }
    char* out = buffer_.data() + used_;
    const uint16_t length = static_cast<uint16_t>(record);
    memcpy(out, &entry.ino, 8);
    memcpy(out + 8, &entry.next_offset, 8);
    memcpy(out + 16, &length, 2);
    const size_t name_at = type_first_ ? kHeader + 1 : kHeader;
    out[type_first_ ? kHeader : record - 1] = static_cast<char>(entry.type);
    memcpy(out + name_at, entry.name.data(), entry.name.size());
    used_ += record;
    return true;
  }

  const char* data() const { return buffer_.data(); }
  size_t used() const { return used_; }
  bool full() const { return full_; }

 private:
  const bool type_first_;
  std::vector<char> buffer_;
  size_t used_ = 0;
  bool full_ = false;
};

Result<Word> GetEntries(Task& task, const SyscallArgs& args, bool type_first) {
  TRY_ASSIGN(FileRef directory, FileForIo(task, args.Fd(0)));
  // A directory that has been removed is not even empty.
  const Path& path = directory->path();
  if (path.valid() && path.dentry->deleted() && path.dentry->is_directory()) return Error(ENOENT);
  EntryWriter writer(std::min<size_t>(args.Uint(2), kMaxBuffer), type_first);
  TRY(directory->ReadDirectory(task,
                               [&](const DirectoryEntry& entry) { return writer.Add(entry); }));
  ReportPath(directory->path(), IN_ACCESS);
  if (writer.used() == 0 && writer.full()) return Error(EINVAL);
  if (writer.used() > 0) TRY(task.CopyOut(args.Address(1), writer.data(), writer.used()));
  return writer.used();
}

Result<Word> ChangeDirectory(Task& task, const Path& path) {
  TRY_ASSIGN(Attributes attributes, task.vfs().GetAttributes(path));
  if (!attributes.IsDirectory()) return Error(ENOTDIR);
  TRY(task.vfs().CheckAccess(task.caller(), path, kExecute));
  task.fs().set_cwd(path);
  return 0;
}

Result<Word> MakeDirectory(Task& task, int dirfd, uint64_t path, mode_t mode) {
  TRY_ASSIGN(PathArgument argument, PathAt(task, dirfd, path));
  TRY(task.vfs().Mkdir(task.caller(), argument.walk, argument.path, mode & 01777));
  return 0;
}

}  // namespace

Result<Word> SysGetdents(Task& task, const SyscallArgs& args) {
  return GetEntries(task, args, false);
}

Result<Word> SysGetdents64(Task& task, const SyscallArgs& args) {
  return GetEntries(task, args, true);
}

Result<Word> SysGetcwd(Task& task, const SyscallArgs& args) {
  const Path cwd = task.fs().cwd();
  if (cwd.dentry->deleted()) return Error(ENOENT);
  std::string name = task.vfs().PathName(*task.fs().mounts(), cwd, task.fs().root());
  const size_t size = name.size() + 1;
  if (size > args.Size(1)) return Error(ERANGE);
  TRY(task.CopyOut(args.Address(0), name.c_str(), size));
  return size;
}

Result<Word> SysChdir(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(PathArgument argument, PathAt(task, AT_FDCWD, args.Address(0)));
  argument.walk.directory = true;
  TRY_ASSIGN(Path path, task.vfs().Walk(task.caller(), argument.walk, argument.path));
  return ChangeDirectory(task, path);
}

Result<Word> SysFchdir(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(FileRef file, task.fds().Get(args.Fd(0)));
  return ChangeDirectory(task, file->path());
}

Result<Word> SysChroot(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(PathArgument argument, PathAt(task, AT_FDCWD, args.Address(0)));
  argument.walk.directory = true;
  TRY_ASSIGN(Path path, task.vfs().Walk(task.caller(), argument.walk, argument.path));
  TRY(task.vfs().CheckAccess(task.caller(), path, kExecute));
  if (!task.credentials()->Has(CAP_SYS_CHROOT)) return Error(EPERM);
  task.fs().set_root(path);
  return 0;
}

Result<Word> SysMkdir(Task& task, const SyscallArgs& args) {
  return MakeDirectory(task, AT_FDCWD, args.Address(0), args.Mode(1));
}

Result<Word> SysMkdirat(Task& task, const SyscallArgs& args) {
  return MakeDirectory(task, args.Fd(0), args.Address(1), args.Mode(2));
}

Result<Word> SysRmdir(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(PathArgument argument, PathAt(task, AT_FDCWD, args.Address(0)));
  TRY(task.vfs().Rmdir(task.caller(), argument.walk, argument.path));
  return 0;
}

}  // namespace runsc::boot
