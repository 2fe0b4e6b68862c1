// seccomp(2), and prctl(2) with PR_SET_SECCOMP and PR_GET_SECCOMP

#include "bin/runsc-boot/kernel/seccomp.h"

#include <linux/seccomp.h>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

struct UserProgram {
  uint16_t length;
  uint64_t filter;
};

Result<std::vector<sock_filter>> CopyInProgram(Task& task, uint64_t address) {
  TRY_ASSIGN(const UserProgram user, task.CopyInObject<UserProgram>(address));
  if (user.length == 0 || user.length > BPF_MAXINSNS) return Error(EINVAL);
  const CredentialsRef credentials = task.credentials();
  if (!credentials->no_new_privs && !credentials->Has(CAP_SYS_ADMIN)) return Error(EACCES);
  std::vector<sock_filter> program(user.length);
  TRY(task.CopyIn(user.filter, program.data(), program.size() * sizeof(sock_filter)));
  return program;
}

Result<Word> SetFilter(Task& task, uint64_t flags, uint64_t address) {
  constexpr uint64_t kKnown = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |
                              SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER |
                              SECCOMP_FILTER_FLAG_TSYNC_ESRCH |
                              SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  if ((flags & ~kKnown) != 0) return Error(EINVAL);
  SeccompRequest request;
  request.sync = (flags & SECCOMP_FILTER_FLAG_TSYNC) != 0;
  request.sync_esrch = (flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH) != 0;
  request.log = (flags & SECCOMP_FILTER_FLAG_LOG) != 0;
  request.wait_killable = (flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) != 0;
  const bool listens = (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
  if (listens && request.sync && !request.sync_esrch) return Error(EINVAL);
  if (request.wait_killable && !listens) return Error(EINVAL);
  TRY_ASSIGN(request.program, CopyInProgram(task, address));
  if (!listens) return task.InstallSeccomp(std::move(request));
  request.notifier = std::make_shared<SeccompNotifier>();
  TRY_ASSIGN(const Word fd,
             InstallFile(task, MakeSeccompListener(task.vfs(), task, request.notifier),
                         /*close_on_exec=*/true));
  Result<Word> result = task.InstallSeccomp(std::move(request));
  if (result.ok() && *result == 0) return fd;
  (void)task.fds().Remove(static_cast<int>(fd)).ok();
  return result;
}

Result<Word> SetStrict(Task& task) {
  SeccompRequest request;
  request.strict = true;
  return task.InstallSeccomp(std::move(request));
}

Result<Word> ActionAvailable(Task& task, uint64_t address) {
  TRY_ASSIGN(const uint32_t action, task.CopyInObject<uint32_t>(address));
  switch (action) {
    case SECCOMP_RET_KILL_PROCESS:
    case SECCOMP_RET_KILL_THREAD:
    case SECCOMP_RET_TRAP:
    case SECCOMP_RET_ERRNO:
    case SECCOMP_RET_USER_NOTIF:
    case SECCOMP_RET_TRACE:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_ALLOW:
      return 0;
    default:
      return Error(EOPNOTSUPP);
  }
}

Result<Word> NotificationSizes(Task& task, uint64_t address) {
  const seccomp_notif_sizes sizes = {sizeof(seccomp_notif), sizeof(seccomp_notif_resp),
                                     sizeof(seccomp_data)};
  TRY(task.CopyOutObject(address, sizes));
  return 0;
}

}  // namespace

Result<Word> SysSeccomp(Task& task, const SyscallArgs& args) {
  const uint64_t flags = args.Uint(1);
  switch (args.Uint(0)) {
    case SECCOMP_SET_MODE_STRICT:
      if (flags != 0 || args.Address(2) != 0) return Error(EINVAL);
      return SetStrict(task);
    case SECCOMP_SET_MODE_FILTER:
      return SetFilter(task, flags, args.Address(2));
    case SECCOMP_GET_ACTION_AVAIL:
      if (flags != 0) return Error(EINVAL);
      return ActionAvailable(task, args.Address(2));
    case SECCOMP_GET_NOTIF_SIZES:
      if (flags != 0) return Error(EINVAL);
      return NotificationSizes(task, args.Address(2));
    default:
      return Error(EINVAL);
  }
}

Result<Word> SetSeccompByPrctl(Task& task, uint64_t mode, uint64_t address) {
  if (mode == SECCOMP_MODE_STRICT) return SetStrict(task);
  if (mode == SECCOMP_MODE_FILTER) return SetFilter(task, 0, address);
  return Error(EINVAL);
}

Word GetSeccompByPrctl(Task& task) {
  const seccomp::FilterRef filter = task.seccomp_filter();
  return filter == nullptr ? SECCOMP_MODE_DISABLED : static_cast<Word>(filter->mode());
}

}  // namespace runsc::boot
