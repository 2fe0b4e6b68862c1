// mount(2), umount2(2)

#include <sys/mount.h>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

constexpr MountFlags kMountFlags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME |
                                   MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME;
constexpr size_t kMaxData = 4095;

// A string argument that may be null. EINVAL when longer than a page.
Result<std::string> CopyInOptional(Task& task, uint64_t address) {
  if (address == 0) return std::string();
  Result<std::string> text = task.memory().CopyInString(address, kMaxData);
  if (text.code() == ENAMETOOLONG) return Error(EINVAL);
  return text;
}

Result<Word> Remount(const Path& target, MountFlags flags) {
  if (target.dentry != target.mount->root()) return Error(EINVAL);
  target.mount->set_flags(flags & kMountFlags);
  return 0;
}

Result<Word> Bind(Task& task, uint64_t source_address, const Path& target, MountFlags flags) {
  TRY_ASSIGN(Path source, ResolveAt(task, AT_FDCWD, source_address));
  if (source.mount == nullptr) return Error(EINVAL);
  std::shared_ptr<MountNamespace> mounts = task.fs().mounts();
  TRY(mounts->Attach(source.mount->filesystem(), source.dentry, target,
                     source.mount->flags() & kMountFlags, source.mount->source()));
  if ((flags & MS_REC) == 0) return 0;
  // What is mounted below the source appears below the new place, too.
  for (const MountNamespace::Listed& listed : mounts->List()) {
    if (listed.mount_point.mount != source.mount) continue;
    const std::string inside = task.vfs().PathName(*mounts, listed.mount_point, source);
    if (!inside.starts_with('/') || inside == "/") continue;
    WalkOptions walk;
    walk.start = mounts->Descend(target);
    Result<Path> place = task.vfs().Walk(task.caller(), walk, inside.substr(1));
    if (!place.ok()) continue;
    TRY(mounts->Attach(listed.mount->filesystem(), listed.mount->root(), *place,
                       listed.mount->flags(), listed.mount->source()));
  }
  return 0;
}

Result<Word> MountNew(Task& task, const SyscallArgs& args, const Path& target, MountFlags flags) {
  TRY_ASSIGN(std::string type, CopyInOptional(task, args.Address(2)));
  if (type.empty()) return Error(EINVAL);
  TRY_ASSIGN(std::string source, CopyInOptional(task, args.Address(0)));
  TRY_ASSIGN(std::string data, CopyInOptional(task, args.Address(4)));
  TRY_ASSIGN(FilesystemRef filesystem, task.kernel().filesystems().Make(type, data));
  auto root = std::make_shared<Dentry>(nullptr, "", filesystem->root());
  TRY(task.fs().mounts()->Attach(std::move(filesystem), std::move(root), target,
                                 flags & kMountFlags, source.empty() ? "none" : std::move(source)));
  return 0;
}

}  // namespace

Result<Word> SysMount(Task& task, const SyscallArgs& args) {
  MountFlags flags = args.Raw(3);
  if ((flags & MS_MGC_MSK) == MS_MGC_VAL) flags &= ~MountFlags{MS_MGC_MSK};
  TRY_ASSIGN(Path target, ResolveAt(task, AT_FDCWD, args.Address(1)));
  if (!task.credentials()->Has(CAP_SYS_ADMIN)) return Error(EPERM);
  if (target.mount == nullptr) return Error(EINVAL);  // a pipe, a memfd
  if ((flags & MS_REMOUNT) != 0) return Remount(target, flags);
  if ((flags & MS_BIND) != 0) return Bind(task, args.Address(0), target, flags);
  // Nothing propagates here: every mount is private already.
  if ((flags & (MS_PRIVATE | MS_SLAVE | MS_SHARED | MS_UNBINDABLE)) != 0) return 0;
  if ((flags & MS_MOVE) != 0) return Error(EINVAL);
  return MountNew(task, args, target, flags);
}

Result<Word> SysUmount2(Task& task, const SyscallArgs& args) {
  const int flags = args.Int(1);
  if ((flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)) != 0) {
    return Error(EINVAL);
  }
  if (!task.credentials()->Has(CAP_SYS_ADMIN)) return Error(EPERM);
  if ((flags & MNT_EXPIRE) != 0) return Error(EINVAL);
  const unsigned at_flags = (flags & UMOUNT_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
  TRY_ASSIGN(Path target, ResolveAt(task, AT_FDCWD, args.Address(0), at_flags));
  if (target.mount == nullptr) return Error(EINVAL);
  TRY(task.fs().mounts()->Detach(target, (flags & MNT_DETACH) != 0));
  return 0;
}

}  // namespace runsc::boot
