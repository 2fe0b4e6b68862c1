// pidfd_getfd(2), kcmp(2), the ioctl(2) commands of pidfds

#include "bin/runsc-boot/kernel/pidfd.h"

#include <linux/kcmp.h>
#include <sys/ioctl.h>

#include "bin/runsc-boot/fs/epoll/epoll.h"
#include "bin/runsc-boot/kernel/ptrace_access.h"
#include "bin/runsc-boot/namespaces/ipc_namespace.h"
#include "bin/runsc-boot/namespaces/net_namespace.h"
#include "bin/runsc-boot/namespaces/ns_file.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

Result<FileRef> FileOf(Task& target, uint64_t fd) {
  std::shared_ptr<FdTable> table = target.fds_ref();
  if (table == nullptr || fd > INT32_MAX) return Error(EBADF);
  return table->Get(static_cast<int>(fd));
}

// linux/pidfd.h, which is newer than the C library.
constexpr unsigned kPidFdMagic = 0xff;
enum PidFdCommand : unsigned {
  kCgroupNamespace = 1,
  kIpcNamespace,
  kMountNamespace,
  kNetNamespace,
  kPidNamespace,
  kPidForChildrenNamespace,
  kTimeNamespace,
  kTimeForChildrenNamespace,
  kUserNamespace,
  kUtsNamespace,
  kGetInfo,
};
struct PidFdInfo {
  uint64_t mask;
  uint64_t cgroupid;
  uint32_t pid, tgid, ppid;
  uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
  int32_t exit_code;
};
static_assert(sizeof(PidFdInfo) == 64);
constexpr uint64_t kInfoPid = 1, kInfoCredentials = 2, kInfoExit = 8;

// Null: the task has none of that kind (any more).
NamespaceRef NamespaceOf(const Task& target, unsigned command) {
  const NamespaceSetRef set = target.namespaces();
  switch (command) {
    case kCgroupNamespace:
      return set->cgroup;
    case kIpcNamespace:
      return set->ipc;
    case kMountNamespace: {
      const std::shared_ptr<FsContext> fs = target.fs_ref();
      return fs == nullptr ? nullptr : fs->mounts();
    }
    case kNetNamespace:
      return set->net;
    case kPidNamespace:
      if (target.group().pid_namespace() != nullptr) return target.group().pid_namespace();
      return target.kernel().namespaces()->pid_for_children;
    case kPidForChildrenNamespace:
      return set->pid_for_children;
    case kTimeNamespace:
      return set->time;
    case kTimeForChildrenNamespace:
      return set->time_for_children;
    case kUserNamespace:
      return target.credentials()->user_namespace;
    default:  // kUtsNamespace
      return set->uts;
  }
}

Result<Word> OpenNamespaceOf(Task& task, const PidFd& pidfd, unsigned command, uint64_t argument) {
  const TaskRef target = pidfd.target()->leader();
  if (target == nullptr) return Error(ESRCH);
  if (argument != 0) return Error(EINVAL);
  if (target->memory_ref() == nullptr) return Error(ESRCH);
  if (!CheckPtraceAccess(task, *target, PtraceIds::kFileSystem).ok()) return Error(EACCES);
  NamespaceRef found = NamespaceOf(*target, command);
  if (found == nullptr) return Error(EOPNOTSUPP);
  const Path path = task.kernel().nsfs().PathOf(std::move(found));
  TRY_ASSIGN(FileRef opened, path.dentry->inode()->Open(task, path, O_RDONLY));
  return InstallFile(task, std::move(opened), /*close_on_exec=*/true);
}

// Without what a control group would tell. `size`: of the caller's structure, which
// may be larger than ours.
Result<Word> GetInfo(Task& task, const PidFd& pidfd, size_t size, uint64_t address) {
  if (address == 0) return Error(EINVAL);
  TRY_ASSIGN(const uint64_t wanted, task.CopyInObject<uint64_t>(address));
  PidFdInfo info{};
  const ThreadGroup& group = *pidfd.target();
  if (const TaskRef target = group.leader(); target != nullptr) {
    const CredentialsRef ids = target->credentials(), reader = task.credentials();
    info.pid = info.tgid = static_cast<uint32_t>(task.FromKernelPid(group.pid()));
    if (info.pid == 0) return Error(ESRCH);
    info.ppid = static_cast<uint32_t>(task.FromKernelPid(group.parent_pid()));
    info.ruid = reader->ShownUid(ids->ruid);
    info.rgid = reader->ShownGid(ids->rgid);
    info.euid = reader->ShownUid(ids->euid);
    info.egid = reader->ShownGid(ids->egid);
    info.suid = reader->ShownUid(ids->suid);
    info.sgid = reader->ShownGid(ids->sgid);
    info.fsuid = reader->ShownUid(ids->fsuid);
    info.fsgid = reader->ShownGid(ids->fsgid);
    info.mask = kInfoPid | kInfoCredentials;
  } else {  // somebody has waited for it
    if ((wanted & kInfoExit) == 0) return Error(ESRCH);
    info.exit_code = group.exit_status();
    info.mask = kInfoExit;
  }
  TRY(task.CopyOutObject(address, info));
  // Fields of later versions are not known here.
  static constexpr std::array<std::byte, 256> kZeros{};
  for (size_t done = sizeof(info); done < size;) {
    const size_t part = std::min(size - done, kZeros.size());
    TRY(task.CopyOut(address + done, kZeros.data(), part));
    done += part;
  }
  return 0;
}

// Which order objects have is no more than that: some order.
Word Compare(const void* a, const void* b) {
  if (a == b) return 0;
  return std::less<const void*>()(a, b) ? 1 : 2;
}

// KCMP_EPOLL_TFD: what epoll instance and number in it `two` means.
Result<Word> CompareEpollTarget(Task& task, Task& one, Task& two, uint64_t fd, uint64_t address) {
  TRY_ASSIGN(const auto slot, task.CopyInObject<struct kcmp_epoll_slot>(address));
  TRY_ASSIGN(FileRef file, FileOf(one, fd));
  TRY_ASSIGN(FileRef instance, FileOf(two, slot.efd));
  auto* epoll = dynamic_cast<EpollFile*>(instance.get());
  if (epoll == nullptr) return Error(EINVAL);
  TRY_ASSIGN(FileRef target, epoll->Target(slot.tfd, slot.toff));
  return Compare(file.get(), target.get());
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

bool IsPidFdCommand(unsigned command) {
  const unsigned number = _IOC_NR(command);
  if (_IOC_TYPE(command) != kPidFdMagic || number < kCgroupNamespace) return false;
  if (number == kGetInfo) {
    return _IOC_DIR(command) == (_IOC_READ | _IOC_WRITE) && _IOC_SIZE(command) >= sizeof(PidFdInfo);
  }
  return command == _IO(kPidFdMagic, number) && number < kGetInfo;
}

Result<Word> PidFdIoctl(Task& task, const PidFd& pidfd, unsigned command, uint64_t argument) {
  if (_IOC_NR(command) == kGetInfo) return GetInfo(task, pidfd, _IOC_SIZE(command), argument);
  return OpenNamespaceOf(task, pidfd, _IOC_NR(command), argument);
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
    case KCMP_EPOLL_TFD:
      return CompareEpollTarget(task, *one, *two, args.Raw(3), args.Raw(4));
    case KCMP_IO:
    case KCMP_SYSVSEM:
      // Neither is ever shared here, nor has anybody one that could differ.
      return Compare(nullptr, nullptr);
    default:
      return Error(EINVAL);
  }
}

}  // namespace runsc::boot
