// pidfd_getfd(2), kcmp(2)

#include <linux/kcmp.h>

#include "bin/runsc-boot/kernel/ptrace_access.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

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
  TaskRef target = group->leader();
  if (target == nullptr) return Error(ESRCH);
  TRY(CheckPtraceAccess(task, *target, PtraceIds::kReal));
  std::shared_ptr<FdTable> table = target->fds_ref();
  if (table == nullptr) return Error(ESRCH);
  TRY_ASSIGN(FileRef file, table->Get(args.Fd(1)));
  return InstallFile(task, std::move(file), /*close_on_exec=*/true);
}

Result<Word> SysKcmp(Task& task, const SyscallArgs& args) {
  TaskRef one = task.FindTask(args.Pid(0)), two = task.FindTask(args.Pid(1));
  if (one == nullptr || two == nullptr) return Error(ESRCH);
  TRY(CheckPtraceAccess(task, *one, PtraceIds::kReal));
  TRY(CheckPtraceAccess(task, *two, PtraceIds::kReal));
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
