#include "bin/runsc-gofer/mount_setup.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/runsc-gofer/container_root.h"

namespace runsc::gofer {
namespace {

Error Failed(std::string_view what, const std::string& object, const Error& error) {
  return MakeError(error.code(), what, object);
}

// A detached copy of the mount at `path`, as an O_PATH descriptor of its root.
Result<FileDescriptor> CloneMount(const std::string& path, bool recursive) {
  int fd = open_tree(AT_FDCWD, path.c_str(),
                     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0));
  if (fd < 0) return Error(errno);
  return FileDescriptor(fd);
}

Status AttachMount(int mount, int target) {
  if (move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) {
    return Error(errno);
  }
  return Ok();
}

Status MakeReadOnly(int mount) {
  mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
  if (mount_setattr(mount, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0) {
    return Error(errno);
  }
  return Ok();
}

Status SetPropagation(int mount, Propagation propagation, bool recursive) {
  mount_attr attributes = {};
  switch (propagation) {
    case PROPAGATION_PRIVATE:
      attributes.propagation = MS_PRIVATE;
      break;
    case PROPAGATION_SLAVE:
      attributes.propagation = MS_SLAVE;
      break;
    case PROPAGATION_SHARED:
      attributes.propagation = MS_SHARED;
      break;
    case PROPAGATION_UNBINDABLE:
      attributes.propagation = MS_UNBINDABLE;
      break;
    default:
      return Error(EINVAL);
  }
  unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  if (mount_setattr(mount, "", flags, &attributes, sizeof(attributes)) < 0) return Error(errno);
  return Ok();
}

Result<bool> IsDirectory(int fd) {
  struct stat stat;
  if (fstat(fd, &stat) < 0) return Error(errno);
  return S_ISDIR(stat.st_mode);
}

// A proc file system with nothing in it but the gofer's own processes, which is
// mounted nowhere.
Result<FileDescriptor> OpenDescriptorDirectory() {
  FileDescriptor context(fsopen("proc", FSOPEN_CLOEXEC));
  if (!context.valid()) return ErrnoError("open file system", "proc");
  if (fsconfig(context.get(), FSCONFIG_SET_STRING, "subset", "pid", 0) < 0 ||
      fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
    return ErrnoError("configure file system", "proc");
  }
  FileDescriptor mount(
      fsmount(context.get(), FSMOUNT_CLOEXEC,
              MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  if (!mount.valid()) return ErrnoError("mount", "proc");
  return OpenAt(mount.get(), "self/fd", O_PATH | O_DIRECTORY);
}

Result<FileDescriptor> MountRoot(const GoferRequest& request) {
  // Nothing that happens here may reach the host.
  if (mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr) < 0) {
    return ErrnoError("make all mounts slaves");
  }
  Result<FileDescriptor> root = CloneMount(request.root(), true);
  if (!root.ok()) return Failed("open root file system", request.root(), root.error());
  TRY_ASSIGN(bool directory, IsDirectory(root->get()));
  if (!directory) return MakeError(ENOTDIR, "open root file system", request.root());
  TRY_ASSIGN(FileDescriptor target, OpenAt(AT_FDCWD, request.root().c_str(), O_PATH));
  Status attached = AttachMount(root->get(), target.get());
  if (!attached.ok()) return Failed("mount root file system", request.root(), attached.error());
  return root;
}

std::string NameOf(const BindMount& mount) {
  return absl::StrCat("mount ", mount.source(), " on ", mount.destination());
}

// All sources are opened before the first is mounted, so that no mount can
// change where a later source leads.
Status OpenSources(const GoferRequest& request, MountedTrees& mounted) {
  for (const BindMount& mount : request.mounts()) {
    Result<FileDescriptor> source = CloneMount(mount.source(), mount.recursive());
    if (!source.ok()) {
      return Failed("open mount source",
                    absl::StrCat(mount.source(), " of mount ", mount.destination()),
                    source.error());
    }
    mounted.trees.push_back({NameOf(mount), std::move(*source), mount.read_only()});
  }
  return Ok();
}

Status MountSource(const ContainerRoot& root, const BindMount& mount, int source,
                   MountedTrees& mounted) {
  TRY_ASSIGN(std::string destination, root.Resolve(mount.destination()));
  TRY_ASSIGN(bool directory, IsDirectory(source));
  TRY_ASSIGN(FileDescriptor target, root.OpenOrMake(destination, directory));
  TRY(AttachMount(source, target.get()));
  fs::ResolvedMount resolved;
  resolved.set_destination(destination);
  resolved.set_is_directory(directory);
  mounted.mounts.push_back(std::move(resolved));
  return Ok();
}

Status MakeWorkingDirectory(const ContainerRoot& root, const std::string& path) {
  if (path.empty()) return Ok();
  TRY_ASSIGN(std::string resolved, root.Resolve(path));
  Result<FileDescriptor> directory = root.OpenOrMake(resolved, true);
  if (!directory.ok()) return std::move(directory).error();
  return Ok();
}

Status EnterRoot(int root) {
  if (fchdir(root) < 0) return ErrnoError("enter root file system");
  // glibc has no wrapper. With "." twice the old root ends up on top of the
  // new one, from where it is detached.
  if (syscall(SYS_pivot_root, ".", ".") < 0) return ErrnoError("pivot to root file system");
  if (umount2(".", MNT_DETACH) < 0) return ErrnoError("detach the host's root");
  if (chroot(".") < 0) return ErrnoError("change root");
  if (chdir("/") < 0) return ErrnoError("change to root directory");
  return Ok();
}

// Propagation and read-only come after all mount points were made.
Status FinishMounts(const GoferRequest& request, const MountedTrees& mounted) {
  Propagation root_propagation = request.root_propagation();
  if (root_propagation != PROPAGATION_DEFAULT && root_propagation != PROPAGATION_SLAVE) {
    TRY(SetPropagation(mounted.trees[0].root.get(), root_propagation, true));
  }
  for (int i = 0; i < request.mounts_size(); ++i) {
    const BindMount& mount = request.mounts(i);
    if (mount.propagation() == PROPAGATION_DEFAULT) continue;
    Status set = SetPropagation(mounted.trees[i + 1].root.get(), mount.propagation(),
                                mount.recursive_propagation());
    if (!set.ok()) return Failed("set propagation of", NameOf(mount), set.error());
  }
  for (const MountedTrees::TreeRoot& tree : mounted.trees) {
    if (!tree.read_only) continue;
    Status made = MakeReadOnly(tree.root.get());
    if (!made.ok()) return Failed("make read-only", tree.name, made.error());
  }
  return Ok();
}

}  // namespace

Result<MountedTrees> SetUpMounts(const GoferRequest& request) {
  umask(0);  // modes arrive as the client sends them
  MountedTrees mounted;
  TRY_ASSIGN(mounted.descriptor_directory, OpenDescriptorDirectory());
  TRY_ASSIGN(FileDescriptor root_fd, MountRoot(request));
  int root = root_fd.get();
  mounted.trees.push_back({"the root", std::move(root_fd), request.root_read_only()});
  TRY(OpenSources(request, mounted));

  ContainerRoot container_root(root);
  for (int i = 0; i < request.mounts_size(); ++i) {
    const BindMount& mount = request.mounts(i);
    Status status = MountSource(container_root, mount, mounted.trees[i + 1].root.get(), mounted);
    if (!status.ok()) return Failed("bind", NameOf(mount), status.error());
  }
  Status cwd = MakeWorkingDirectory(container_root, request.working_directory());
  if (!cwd.ok()) {
    return Failed("make working directory", request.working_directory(), cwd.error());
  }
  TRY(EnterRoot(root));
  TRY(FinishMounts(request, mounted));
  return mounted;
}

}  // namespace runsc::gofer
