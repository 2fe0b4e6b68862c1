// access(2), faccessat(2), faccessat2(2)

#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

// The task with its real ids in the place of the file-system ids, as access(2)
// wants it.
class RealIdContext final : public Context {
 public:
  explicit RealIdContext(Task& task) : task_(task) {
    Credentials real = *task.credentials();
    real.fsuid = real.ruid;
    real.fsgid = real.rgid;
    constexpr uint32_t kNoSetuidFixup = 1 << 2;  // SECBIT_NO_SETUID_FIXUP
    if ((real.securebits & kNoSetuidFixup) == 0) {
      real.effective = real.ruid == 0 ? real.permitted : 0;
    }
    credentials_ = std::make_shared<const Credentials>(std::move(real));
  }
  CredentialsRef credentials() const override { return credentials_; }
  pid_t caller_tid() const override { return task_.caller_tid(); }
  pid_t caller_pid() const override { return task_.caller_pid(); }

 private:
  Task& task_;
  CredentialsRef credentials_;
};

Result<Word> Access(Task& task, int dirfd, uint64_t address, int mode, int flags) {
  if ((mode & ~(R_OK | W_OK | X_OK)) != 0) return Error(EINVAL);
  if ((flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return Error(EINVAL);
  TRY_ASSIGN(PathArgument argument, PathAt(task, dirfd, address, static_cast<unsigned>(flags)));
  static_assert(R_OK == kRead && W_OK == kWrite && X_OK == kExecute);
  auto check = [&](Caller caller) -> Result<Word> {
    Path path = argument.walk.start;
    if (!argument.path.empty()) {
      TRY_ASSIGN(path, task.vfs().Walk(caller, argument.walk, argument.path));
    }
    if (mode != F_OK) TRY(task.vfs().CheckAccess(caller, path, static_cast<unsigned>(mode)));
    return 0;
  };
  if ((flags & AT_EACCESS) != 0) return check(task.caller());
  RealIdContext context(task);
  return check({context, task.fs()});
}

}  // namespace

Result<Word> SysAccess(Task& task, const SyscallArgs& args) {
  return Access(task, AT_FDCWD, args.Address(0), args.Int(1), 0);
}

// The host's faccessat has no flags argument.
Result<Word> SysFaccessat(Task& task, const SyscallArgs& args) {
  return Access(task, args.Fd(0), args.Address(1), args.Int(2), 0);
}

Result<Word> SysFaccessat2(Task& task, const SyscallArgs& args) {
  return Access(task, args.Fd(0), args.Address(1), args.Int(2), args.Int(3));
}

}  // namespace runsc::boot
