#include "bin/runsc-boot/sandbox/mounts.h"

#include <sys/mount.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/fs/pseudo/directory.h"
#include "bin/runsc-boot/sandbox/copy_up.h"
#include "bin/runsc-boot/sandbox/dev_directory.h"
#include "bin/runsc-boot/sandbox/mount_point.h"

namespace runsc::boot {
namespace {

DentryRef RootDentry(const FilesystemRef& filesystem) {
  return std::make_shared<Dentry>(nullptr, "", filesystem->root());
}

std::vector<std::string> OptionsOf(const oci::Mount& mount) {
  return {mount.options().begin(), mount.options().end()};
}

// "/dev" itself and what the sandbox provides below it.
bool ProvidedInDev(std::string_view destination) {
  if (destination == "/dev" || destination.starts_with("/dev/pts/")) return true;
  static constexpr std::string_view kNames[] = {
      "/dev/fd",   "/dev/stdin",  "/dev/stdout",  "/dev/stderr", "/dev/null", "/dev/zero",
      "/dev/full", "/dev/random", "/dev/urandom", "/dev/ptmx",   "/dev/pts"};
  return std::find(std::begin(kNames), std::end(kNames), destination) != std::end(kNames);
}

class Builder {
 public:
  Builder(Vfs& vfs, const MountPlan& plan) : vfs_(vfs), plan_(plan), owner_(plan.owner) {}

  Result<std::shared_ptr<MountNamespace>> Build() {
    MountRoot();
    TRY(MountDev());
    for (int i = 0; i < plan_.spec.mounts_size(); ++i) {
      if (Status status = MountEntry(i); !status.ok()) {
        return std::move(status).error().WithContext(
            absl::StrCat("mount ", plan_.spec.mounts(i).destination()));
      }
    }
    for (const std::string& path : plan_.spec.linux().readonly_paths()) {
      if (Status status = MakeReadOnly(path); !status.ok()) {
        return std::move(status).error().WithContext(absl::StrCat("make read-only ", path));
      }
    }
    for (const std::string& path : plan_.spec.linux().masked_paths()) {
      if (Status status = Mask(path); !status.ok()) {
        return std::move(status).error().WithContext(absl::StrCat("mask ", path));
      }
    }
    return mounts_;
  }

 private:
  void MountRoot() {
    auto root = std::make_shared<Mount>(0, plan_.root, RootDentry(plan_.root),
                                        plan_.root_read_only ? MS_RDONLY : 0, "none");
    mounts_ = std::make_shared<MountNamespace>(root);
    Path top{root, root->root()};
    fs_ = std::make_unique<FsContext>(mounts_, top, top, 0);
  }

  Caller caller() { return {owner_, *fs_}; }

  // /dev comes first whatever the specification's order: it is the sandbox's.
  Status MountDev() {
    MountOptions options;
    std::string source = "tmpfs";
    for (const oci::Mount& mount : plan_.spec.mounts()) {
      if (mount.destination() != "/dev" || mount.type() == "bind") continue;
      options = ParseMountOptions(OptionsOf(mount));
      source = mount.source();
    }
    if (options.data.find("mode=") == std::string::npos) {
      absl::StrAppend(&options.data, options.data.empty() ? "" : ",", "mode=755");
    }
    Status status = MountType("/dev", "tmpfs", options, source);
    // Root of a user namespace may not make device nodes.
    KernelContext maker;
    if (status.ok()) status = MakeDeviceNodes(vfs_, {maker, *fs_});
    if (status.ok()) status = MakeDeviceLinks(vfs_, caller());
    if (!status.ok()) return std::move(status).error().WithContext("mount /dev");
    return Ok();
  }

  Status MountEntry(int index) {
    const oci::Mount& mount = plan_.spec.mounts(index);
    const MountOptions options = ParseMountOptions(OptionsOf(mount));
    if (auto served = plan_.served.find(index); served != plan_.served.end()) {
      const ServedMount& tree = served->second;
      TRY_ASSIGN(Path target, MakeMountPoint(vfs_, caller(), tree.destination, tree.is_directory));
      return Attach(tree.filesystem, target, options.flags, mount.source());
    }
    if (mount.destination() == "/dev") return Ok();
    if (mount.type() == "bind") {
      if (ProvidedInDev(mount.destination())) return Ok();
      return Error(EINVAL, "the gofer does not serve it");
    }
    return MountType(mount.destination(), mount.type(), options, mount.source());
  }

  Status MountType(const std::string& destination, const std::string& type,
                   const MountOptions& options, const std::string& source) {
    auto filesystem = plan_.make(type, options);
    if (filesystem.code() == ENODEV) {
      return Error(ENODEV, absl::StrCat("unknown file system type \"", type, "\""));
    }
    if (!filesystem.ok()) return std::move(filesystem).error();
    TRY_ASSIGN(Path target, MakeMountPoint(vfs_, caller(), destination, true));
    if (!options.copy_up || type != "tmpfs") {
      return Attach(std::move(filesystem).value(), target, options.flags, source);
    }
    DentryRef root = RootDentry(*filesystem);
    // Writable, whatever the mount will be.
    auto copied = std::make_shared<Mount>(0, *filesystem, root, 0, source);
    TRY(CopyUp(vfs_, caller(), target, {copied, root}));
    TRY(mounts_->Attach(std::move(filesystem).value(), std::move(root), target, options.flags,
                        source));
    return Ok();
  }

  Status Attach(FilesystemRef filesystem, const Path& target, MountFlags flags,
                const std::string& source) {
    DentryRef root = RootDentry(filesystem);
    TRY(mounts_->Attach(std::move(filesystem), std::move(root), target, flags, source));
    return Ok();
  }

  // Invalid when there is no such path: nothing to protect.
  Result<Path> FindPath(const std::string& path) {
    WalkOptions walk;
    walk.start = fs_->root();
    auto found = vfs_.Walk(caller(), walk, path);
    if (found.code() == ENOENT || found.code() == ENOTDIR) return Path{};
    return found;
  }

  Status MakeReadOnly(const std::string& name) {
    TRY_ASSIGN(Path path, FindPath(name));
    if (!path.valid()) return Ok();
    TRY(mounts_->Attach(path.mount->filesystem(), path.dentry, path,
                        path.mount->flags() | MS_RDONLY, path.mount->source()));
    return Ok();
  }

  Status Mask(const std::string& name) {
    TRY_ASSIGN(Path path, FindPath(name));
    if (!path.valid()) return Ok();
    if (!path.dentry->is_directory()) {
      TRY_ASSIGN(Path null, FindPath("/dev/null"));
      if (!null.valid()) return Error(ENOENT, "there is no /dev/null");
      TRY(mounts_->Attach(null.mount->filesystem(), null.dentry, path, MS_NOSUID | MS_NOEXEC,
                          null.mount->source()));
      return Ok();
    }
    TRY_ASSIGN(FilesystemRef empty, plan_.make("tmpfs", ParseMountOptions({"mode=755"})));
    return Attach(std::move(empty), path, MS_RDONLY, "tmpfs");
  }

  Vfs& vfs_;
  const MountPlan& plan_;
  KernelContext owner_;
  std::shared_ptr<MountNamespace> mounts_;
  std::unique_ptr<FsContext> fs_;
};

}  // namespace

Result<std::shared_ptr<MountNamespace>> BuildMounts(Vfs& vfs, const MountPlan& plan) {
  return Builder(vfs, plan).Build();
}

}  // namespace runsc::boot
