// setxattr(2), getxattr(2), listxattr(2), removexattr(2) with their l and f
// forms

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/xattr.h>

#include <algorithm>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

// ERANGE: empty or too long.
Result<std::string> CopyInName(Task& task, uint64_t address) {
  Result<std::string> name = task.memory().CopyInString(address, XATTR_NAME_MAX);
  if (name.code() == ENAMETOOLONG) return Error(ERANGE);
  if (name.ok() && name->empty()) return Error(ERANGE);
  return name;
}

Result<Path> PathOf(Task& task, uint64_t address, bool follow) {
  return ResolveAt(task, AT_FDCWD, address, follow ? 0 : AT_SYMLINK_NOFOLLOW);
}

Result<Path> PathOfFd(Task& task, int fd) {
  TRY_ASSIGN(FileRef file, FileForIo(task, fd));
  return file->path();
}

// Gives `data` to a caller whose buffer has `size` bytes; with size 0 only its
// length is wanted.
Result<Word> Deliver(Task& task, std::string_view data, uint64_t address, size_t size,
                     size_t limit) {
  if (size > 0) {
    if (data.size() > size) return Error(data.size() > limit ? E2BIG : ERANGE);
    TRY(task.CopyOut(address, data.data(), data.size()));
  }
  return data.size();
}

Result<Word> Set(Task& task, Result<Path> path, const SyscallArgs& args) {
  const int flags = args.Int(4);
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) != 0) return Error(EINVAL);
  TRY_ASSIGN(std::string name, CopyInName(task, args.Address(1)));
  if (args.Size(3) > XATTR_SIZE_MAX) return Error(E2BIG);
  std::string value(args.Size(3), '\0');
  if (!value.empty()) TRY(task.CopyIn(args.Address(2), value.data(), value.size()));
  TRY_ASSIGN(Path target, std::move(path));
  TRY(task.vfs().SetXattr(task.caller(), target, name, value, flags));
  return 0;
}

Result<Word> Get(Task& task, Result<Path> path, const SyscallArgs& args) {
  TRY_ASSIGN(std::string name, CopyInName(task, args.Address(1)));
  TRY_ASSIGN(Path target, std::move(path));
  TRY_ASSIGN(std::string value, task.vfs().GetXattr(task.caller(), target, name));
  return Deliver(task, value, args.Address(2), args.Size(3), XATTR_SIZE_MAX);
}

Result<Word> List(Task& task, Result<Path> path, const SyscallArgs& args) {
  TRY_ASSIGN(Path target, std::move(path));
  TRY_ASSIGN(std::vector<std::string> names, task.vfs().ListXattr(task.caller(), target));
  std::string joined;
  for (const std::string& name : names) joined.append(name).push_back('\0');
  return Deliver(task, joined, args.Address(1), args.Size(2), XATTR_LIST_MAX);
}

Result<Word> Remove(Task& task, Result<Path> path, const SyscallArgs& args) {
  TRY_ASSIGN(std::string name, CopyInName(task, args.Address(1)));
  TRY_ASSIGN(Path target, std::move(path));
  TRY(task.vfs().RemoveXattr(task.caller(), target, name));
  return 0;
}

}  // namespace

Result<Word> SysSetxattr(Task& task, const SyscallArgs& args) {
  return Set(task, PathOf(task, args.Address(0), true), args);
}
Result<Word> SysLsetxattr(Task& task, const SyscallArgs& args) {
  return Set(task, PathOf(task, args.Address(0), false), args);
}
Result<Word> SysFsetxattr(Task& task, const SyscallArgs& args) {
  return Set(task, PathOfFd(task, args.Fd(0)), args);
}

Result<Word> SysGetxattr(Task& task, const SyscallArgs& args) {
  return Get(task, PathOf(task, args.Address(0), true), args);
}
Result<Word> SysLgetxattr(Task& task, const SyscallArgs& args) {
  return Get(task, PathOf(task, args.Address(0), false), args);
}
Result<Word> SysFgetxattr(Task& task, const SyscallArgs& args) {
  return Get(task, PathOfFd(task, args.Fd(0)), args);
}

Result<Word> SysListxattr(Task& task, const SyscallArgs& args) {
  return List(task, PathOf(task, args.Address(0), true), args);
}
Result<Word> SysLlistxattr(Task& task, const SyscallArgs& args) {
  return List(task, PathOf(task, args.Address(0), false), args);
}
Result<Word> SysFlistxattr(Task& task, const SyscallArgs& args) {
  return List(task, PathOfFd(task, args.Fd(0)), args);
}

Result<Word> SysRemovexattr(Task& task, const SyscallArgs& args) {
  return Remove(task, PathOf(task, args.Address(0), true), args);
}
Result<Word> SysLremovexattr(Task& task, const SyscallArgs& args) {
  return Remove(task, PathOf(task, args.Address(0), false), args);
}
Result<Word> SysFremovexattr(Task& task, const SyscallArgs& args) {
  return Remove(task, PathOfFd(task, args.Fd(0)), args);
}

}  // namespace runsc::boot
