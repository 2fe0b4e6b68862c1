// pidfd_getfd(2), kcmp(2)

#include <linux/kcmp.h>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

// ptrace(2), "Ptrace access mode checking", with real ids: EPERM.
Status CheckAccess(Task& task, const Task& target) {
  if (task.tgid() == target.tgid()) return Ok();
  const CredentialsRef own = task.credentials(), other = target.credentials();
  if (own->Has(CAP_SYS_PTRACE)) return Ok();
  const bool same = own->ruid == other->ruid && own->ruid == other->euid &&
                    own->ruid == other->suid && own->rgid == other->rgid &&
                    own->rgid == other->egid && own->rgid == other->sgid;
  const bool more = (other->permitted & ~own->permitted) != 0;
  if (!same || more || target.group().dumpable() != 1) return Error(EPERM);
  return Ok();
}

Result<FileRef> FileOf(Task& target, uint64_t fd) {
  std::shared_ptr<FdTable> table = target.fds_ref();
  if (table == nullptr || fd > INT32_MAX) return Error(EBADF);
  return table->Get(static_cast<int>(fd));
}

// Which order objects have is no more than that: some order.
Word Compare(const void* a, const void* b) {
  if (a == b) return 0;
  return std::less<const void*>()(a, b) ? 1 : 2;
}

}  // namespace

Result<Word> SysPidfdGetfd(Task& task, const SyscallArgs& args) {
  if (args.Uint(2) != 0) return Error(EINVAL);
  TRY_ASSIGN(FileRef pidfd, task.fds().Get(args.Fd(0)));
  TRY_ASSIGN(ThreadGroupRef group, Kernel::PidFdTarget(*pidfd));
  TaskRef target = group->zombie() ? nullptr : group->leader();
  if (target == nullptr) return Error(ESRCH);
  TRY(CheckAccess(task, *target));
  std::shared_ptr<FdTable> table = target->fds_ref();
  if (table == nullptr) return Error(ESRCH);
  TRY_ASSIGN(FileRef file, table->Get(args.Fd(1)));
  return InstallFile(task, std::move(file), /*close_on_exec=*/true);
}

Result<Word> SysKcmp(Task& task, const SyscallArgs& args) {
  TaskRef one = task.FindTask(args.Pid(0)), two = task.FindTask(args.Pid(1));
  if (one == nullptr || two == nullptr) return Error(ESRCH);
  TRY(CheckAccess(task, *one));
  TRY(CheckAccess(task, *two));
  switch (args.Int(2)) {
    case KCMP_FILE: {
      TRY_ASSIGN(FileRef first, FileOf(*one, args.Raw(3)));
      TRY_ASSIGN(FileRef second, FileOf(*two, args.Raw(4)));
      return Compare(first.get(), second.get());
    }
    case KCMP_VM:
      return Compare(one->memory_ref().get(), two->memory_ref().get());
    case KCMP_FILES:
      return Compare(one->fds_ref().get(), two->fds_ref().get());
    case KCMP_FS:
      return Compare(one->fs_ref().get(), two->fs_ref().get());
    case KCMP_SIGHAND:
      return Compare(one->group().action_table(), two->group().action_table());
    case KCMP_IO:
    case KCMP_SYSVSEM:
      // Neither is ever shared here, nor has anybody one that could differ.
      return Compare(nullptr, nullptr);
    default:
      return Error(EINVAL);
  }
}

}  // namespace runsc::boot
