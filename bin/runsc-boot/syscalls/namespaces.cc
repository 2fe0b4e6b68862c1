// unshare(2), setns(2), ioctl_ns(2)

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>

#include "bin/runsc-boot/namespaces/ns_file.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kNamespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
                                 CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWCGROUP | CLONE_NEWTIME;

// What has to be one's own before a namespace can be, as Linux.
uint64_t WithImplied(uint64_t flags) {
  if ((flags & CLONE_NEWUSER) != 0) flags |= CLONE_THREAD | CLONE_FS;
  if ((flags & CLONE_VM) != 0) flags |= CLONE_SIGHAND;
  if ((flags & CLONE_SIGHAND) != 0) flags |= CLONE_THREAD;
  if ((flags & CLONE_NEWNS) != 0) flags |= CLONE_FS;
  return flags;
}

}  // namespace

Result<Word> SysUnshare(Task& task, const SyscallArgs& args) {
  constexpr uint64_t kOwn = CLONE_FILES | CLONE_FS | CLONE_SYSVSEM;
  constexpr uint64_t kTaskWide = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
  const uint64_t flags = WithImplied(args.Raw(0));
  if ((flags & ~(kOwn | kTaskWide | kNamespaces)) != 0) return Error(EINVAL);
  if ((flags & kTaskWide) != 0 && task.group().task_count() > 1) return Error(EINVAL);
  if ((flags & kNamespaces) != 0) TRY(task.UnshareNamespaces(flags & kNamespaces));
  if ((flags & CLONE_SYSVSEM) != 0) task.LeaveSemaphores();
  if ((flags & CLONE_FILES) != 0) task.set_fds(task.fds().Clone());
  if ((flags & CLONE_FS) != 0 && (flags & (CLONE_NEWNS | CLONE_NEWUSER)) == 0) {
    task.set_fs(task.fs().Clone());
  }
  return 0;
}

Result<Word> SysSetns(Task& task, const SyscallArgs& args) {
  const uint64_t flags = static_cast<unsigned>(args.Int(1));
  TRY_ASSIGN(FileRef file, task.fds().Get(args.Fd(0)));
  if (auto* ns_file = dynamic_cast<NamespaceFile*>(file.get()); ns_file != nullptr) {
    const NamespaceRef& target = ns_file->target();
    if (flags != 0 && flags != static_cast<unsigned>(CloneFlagOf(target->kind()))) {
      return Error(EINVAL);
    }
    TRY(task.EnterNamespace(target));
    return 0;
  }
  Result<ThreadGroupRef> group = Kernel::PidFdTarget(*file);
  if (!group.ok()) return Error(EINVAL);
  if (flags == 0 || (flags & ~kNamespaces) != 0) return Error(EINVAL);
  const TaskRef target = (*group)->leader();
  if (target == nullptr || (*group)->zombie()) return Error(ESRCH);
  TRY(task.EnterNamespacesOf(*target, flags));
  return 0;
}

Result<Word> NamespaceIoctl(Task& task, const NamespaceFile& file, unsigned command) {
  TRY_ASSIGN(NamespaceRef related, file.Related(task, command));
  const Path path = task.kernel().nsfs().PathOf(std::move(related));
  TRY_ASSIGN(FileRef opened, path.dentry->inode()->Open(task, path, O_RDONLY));
  return InstallFile(task, std::move(opened), /*close_on_exec=*/true);
}

}  // namespace runsc::boot
