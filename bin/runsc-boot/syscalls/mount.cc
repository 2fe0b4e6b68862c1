// mount(2), umount2(2), pivot_root(2)

#include <linux/magic.h>
#include <sys/mount.h>

#include <algorithm>
#include <string_view>

#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/namespaces/ipc_namespace.h"
#include "bin/runsc-boot/namespaces/net_namespace.h"
#include "bin/runsc-boot/namespaces/ns_file.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

constexpr MountFlags kMountFlags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME |
                                   MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME | MS_NOSYMFOLLOW;
constexpr MountFlags kAccessTime = MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME;
constexpr MountFlags kPropagation = MS_PRIVATE | MS_SLAVE | MS_SHARED | MS_UNBINDABLE;
constexpr size_t kMaxData = 4095;

// A string argument that may be null. EINVAL when longer than a page.
Result<std::string> CopyInOptional(Task& task, uint64_t address) {
  if (address == 0) return std::string();
  Result<std::string> text = task.memory().CopyInString(address, kMaxData);
  if (text.code() == ENAMETOOLONG) return Error(EINVAL);
  return text;
}

Status CheckMayMount(Task& task) {
  const UserNamespaceRef owner = task.fs().mounts()->owner();
  return task.credentials()->HasIn(*owner, CAP_SYS_ADMIN) ? Ok() : Status(Error(EPERM));
}

// The whole file system, as far as it has options; the mount's flags with it.
Result<Word> Remount(Task& task, const Path& target, MountFlags flags, uint64_t data_address) {
  if (target.dentry != target.mount->root()) return Error(EINVAL);
  MountFlags fresh = flags & kMountFlags;
  // What is not said about access times stays.
  if ((flags & kAccessTime) == 0) fresh |= target.mount->flags() & kAccessTime;
  if ((flags & MS_BIND) == 0) {
    const UserNamespaceRef& owner = target.mount->filesystem_owner();
    const bool mine = owner == nullptr ? task.credentials()->HasInitially(CAP_SYS_ADMIN)
                                       : task.credentials()->HasIn(*owner, CAP_SYS_ADMIN);
    if (!mine) return Error(EPERM);
    TRY_ASSIGN(const std::string data, CopyInOptional(task, data_address));
    TRY(target.mount->filesystem()->Reconfigure(task, data));
  }
  TRY(task.fs().mounts()->SetFlags(target, fresh));
  return 0;
}

Result<Word> Bind(Task& task, uint64_t source_address, const Path& target, MountFlags flags) {
  TRY_ASSIGN(std::string name, CopyInOptional(task, source_address));
  if (name.empty()) return Error(EINVAL);
  TRY_ASSIGN(Path source, ResolveAt(task, AT_FDCWD, source_address));
  std::shared_ptr<MountNamespace> mounts = task.fs().mounts();
  if (source.mount == nullptr) {
    // Of what has no name, only namespaces can be kept this way.
    Filesystem& filesystem = source.dentry->inode()->filesystem();
    if (&filesystem != &task.kernel().nsfs()) return Error(EINVAL);
    TRY(mounts->Attach(filesystem.shared_from_this(), source.dentry, target, 0, "nsfs"));
    return 0;
  }
  TRY(mounts->Bind(source, target, (flags & MS_REC) != 0));
  return 0;
}

Result<Word> Move(Task& task, uint64_t source_address, const Path& target) {
  TRY_ASSIGN(std::string name, CopyInOptional(task, source_address));
  if (name.empty()) return Error(EINVAL);
  TRY_ASSIGN(Path source, ResolveAt(task, AT_FDCWD, source_address));
  if (source.mount == nullptr) return Error(EINVAL);
  TRY(task.fs().mounts()->Move(source, target));
  return 0;
}

Result<Word> ChangePropagation(Task& task, const Path& target, MountFlags flags) {
  MountPropagation propagation;
  switch (flags & ~MountFlags{MS_REC | MS_SILENT}) {
    case MS_SHARED:
      propagation = MountPropagation::kShared;
      break;
    case MS_SLAVE:
      propagation = MountPropagation::kSlave;
      break;
    case MS_PRIVATE:
      propagation = MountPropagation::kPrivate;
      break;
    case MS_UNBINDABLE:
      propagation = MountPropagation::kUnbindable;
      break;
    default:
      return Error(EINVAL);
  }
  TRY(task.fs().mounts()->SetPropagation(target, propagation, (flags & MS_REC) != 0));
  return 0;
}

// Whose right it takes to mount a new file system of that type: it is that of
// the namespace that the file system shows.
const UserNamespace* OwnerOfShown(const Task& task, std::string_view type) {
  const NamespaceSetRef set = task.namespaces();
  if (type == "proc") {
    const PidNamespaceRef& pids = task.group().pid_namespace();
    return (pids != nullptr ? pids : task.kernel().namespaces()->pid_for_children)->owner().get();
  }
  if (type == "sysfs") return set->net->owner().get();
  if (type == "mqueue") return set->ipc->owner().get();
  if (type == "cgroup" || type == "cgroup2") return set->cgroup->owner().get();
  return nullptr;
}

// EPERM: the type, or what it would reveal, is not for this user namespace.
Status CheckType(Task& task, std::string_view type) {
  const CredentialsRef credentials = task.credentials();
  if (credentials->MapsEverything()) return Ok();
  constexpr std::string_view kSafe[] = {"proc",  "sysfs", "mqueue", "cgroup",  "cgroup2",
                                        "tmpfs", "ramfs", "devpts", "overlay", "fuse"};
  if (std::find(std::begin(kSafe), std::end(kSafe), type) == std::end(kSafe)) return Error(EPERM);
  if (const UserNamespace* owner = OwnerOfShown(task, type);
      owner != nullptr && !credentials->HasIn(*owner, CAP_SYS_ADMIN)) {
    return Error(EPERM);
  }
  if ((type == "proc" || type == "sysfs") &&
      !task.fs().mounts()->IsFullyVisible(std::string(type).c_str())) {
    return Error(EPERM);
  }
  return Ok();
}

Result<Word> MountNew(Task& task, const SyscallArgs& args, const Path& target, MountFlags flags) {
  TRY_ASSIGN(std::string type, CopyInOptional(task, args.Address(2)));
  if (type.empty()) return Error(EINVAL);
  TRY_ASSIGN(std::string source, CopyInOptional(task, args.Address(0)));
  TRY_ASSIGN(std::string data, CopyInOptional(task, args.Address(4)));
  TRY(CheckType(task, type));
  TRY_ASSIGN(FilesystemRef filesystem, task.kernel().filesystems().Make(type, data, &task));
  auto root = std::make_shared<Dentry>(nullptr, "", filesystem->root());
  UserNamespaceRef owner = task.credentials()->user_namespace;
  if (owner->is_initial()) owner = nullptr;
  TRY(task.fs().mounts()->Attach(std::move(filesystem), std::move(root), target,
                                 flags & kMountFlags, source.empty() ? "none" : std::move(source),
                                 std::move(owner)));
  return 0;
}

}  // namespace

Result<Word> SysMount(Task& task, const SyscallArgs& args) {
  MountFlags flags = args.Raw(3);
  if ((flags & MS_MGC_MSK) == MS_MGC_VAL) flags &= ~MountFlags{MS_MGC_MSK};
  TRY_ASSIGN(Path target, ResolveAt(task, AT_FDCWD, args.Address(1)));
  TRY(CheckMayMount(task));
  if (target.mount == nullptr) return Error(EINVAL);  // a pipe, a memfd
  if ((flags & MS_REMOUNT) != 0) return Remount(task, target, flags, args.Address(4));
  if ((flags & MS_BIND) != 0) return Bind(task, args.Address(0), target, flags);
  if ((flags & kPropagation) != 0) return ChangePropagation(task, target, flags);
  if ((flags & MS_MOVE) != 0) return Move(task, args.Address(0), target);
  return MountNew(task, args, target, flags);
}

Result<Word> SysUmount2(Task& task, const SyscallArgs& args) {
  const int flags = args.Int(1);
  if ((flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)) != 0) {
    return Error(EINVAL);
  }
  const unsigned at_flags = (flags & UMOUNT_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
  TRY_ASSIGN(Path target, ResolveAt(task, AT_FDCWD, args.Address(0), at_flags));
  TRY(CheckMayMount(task));
  if (target.mount == nullptr) return Error(EINVAL);
  if ((flags & MNT_FORCE) != 0 && !task.credentials()->HasInitially(CAP_SYS_ADMIN)) {
    return Error(EPERM);
  }
  // Nothing expires here: it would take a second call without a use between.
  if ((flags & MNT_EXPIRE) != 0) {
    return Error((flags & (MNT_FORCE | MNT_DETACH)) != 0 ? EINVAL : EAGAIN);
  }
  // "." is what is mounted on the working directory, if anything is.
  const std::shared_ptr<MountNamespace> mounts = task.fs().mounts();
  target = mounts->Descend(std::move(target));
  TRY(mounts->Detach(target, (flags & MNT_DETACH) != 0));
  return 0;
}

Result<Word> SysPivotRoot(Task& task, const SyscallArgs& args) {
  TRY(CheckMayMount(task));
  auto directory = [&task](uint64_t address) -> Result<Path> {
    TRY_ASSIGN(Path path, ResolveAt(task, AT_FDCWD, address));
    if (!path.dentry->is_directory()) return Error(ENOTDIR);
    if (path.mount == nullptr) return Error(EINVAL);
    return path;
  };
  TRY_ASSIGN(Path new_root, directory(args.Address(0)));
  TRY_ASSIGN(Path put_old, directory(args.Address(1)));
  const Path root = task.fs().root();
  TRY(task.fs().mounts()->Pivot(new_root, put_old, root));
  // Everybody who was at the old root is at the new one.
  for (const ThreadGroupRef& group : task.kernel().Groups()) {
    for (const TaskRef& other : group->tasks()) {
      if (std::shared_ptr<FsContext> fs = other->fs_ref(); fs != nullptr) {
        fs->MoveRoot(root, new_root);
      }
    }
  }
  return 0;
}

}  // namespace runsc::boot
