#include "bin/runsc-boot/sandbox/filesystems.h"

#include <fcntl.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/fs/cgroup/cgroup_filesystem.h"
#include "bin/runsc-boot/fs/dev/devices.h"
#include "bin/runsc-boot/fs/devpts/devpts_filesystem.h"
#include "bin/runsc-boot/fs/devpts/terminal_devices.h"
#include "bin/runsc-boot/fs/gofer/gofer_filesystem.h"
#include "bin/runsc-boot/fs/overlay/overlay.h"
#include "bin/runsc-boot/fs/proc/proc_filesystem.h"
#include "bin/runsc-boot/fs/sys/sys_filesystem.h"
#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"
#include "bin/runsc-boot/namespaces/ipc_settings.h"
#include "bin/runsc-boot/sandbox/mounts.h"
#include "bin/runsc-boot/vfs/device_numbers.h"

namespace runsc::boot {
namespace {

// The root belongs to who mounts it, unless the options say otherwise, in ids
// of the mounter's user namespace. EINVAL: not mapped.
Status TakeOwner(const Credentials& mounter, TmpfsOptions& options) {
  options.uid = options.uid_given ? mounter.KernelUid(options.uid) : mounter.fsuid;
  options.gid = options.gid_given ? mounter.KernelGid(options.gid) : mounter.fsgid;
  return options.uid == kNoId || options.gid == kNoId ? Status(Error(EINVAL)) : Ok();
}

Status TakeOwner(const Credentials& mounter, devpts::Options& options) {
  if (options.uid) options.uid = mounter.KernelUid(*options.uid);
  if (options.gid) options.gid = mounter.KernelGid(*options.gid);
  options.root_uid = mounter.KernelUid(0);
  options.root_gid = mounter.KernelGid(0);
  const bool mapped = options.uid != kNoId && options.gid != kNoId && options.root_uid != kNoId &&
                      options.root_gid != kNoId;
  return mapped ? Ok() : Status(Error(EINVAL));
}

// File systems by the types of mount(2).
class Maker {
 public:
  Maker(Kernel& kernel, int cpu_count, std::shared_ptr<const proc::HostProc> host,
        std::shared_ptr<const proc::Sysctls> sysctls)
      : kernel_(kernel),
        cpu_count_(cpu_count),
        host_(std::move(host)),
        sysctls_(std::move(sysctls)) {}

  Result<FilesystemRef> Make(const std::string& type, const std::string& data,
                             Context* caller) const {
    const dev_t dev = NewAnonymousDevice();
    if (type == "proc") {
      const CredentialsRef mounter = caller == nullptr ? nullptr : caller->credentials();
      TRY_ASSIGN(proc::Options options, proc::ParseOptions(data, mounter.get()));
      const Task* task = caller == nullptr ? nullptr : caller->caller_task();
      return proc::MakeProcFilesystem(kernel_, host_, sysctls_,
                                      task == nullptr ? nullptr : task->group().pid_namespace(),
                                      options, dev);
    }
    if (type == "sysfs") {
      return sys::MakeSysFilesystem({dev, cpu_count_});
    }
    if (type == "mqueue") {
      // All mounts in an ipc namespace show the same queues.
      const NamespaceSetRef set =
          caller == nullptr ? kernel_.namespaces() : kernel_.NamespacesOf(*caller);
      return FilesystemRef(set->ipc->mqueue());
    }
    if (type == "cgroup" || type == "cgroup2") return MakeCgroup(dev);
    if (type == "devpts") {
      TRY_ASSIGN(devpts::Options options, devpts::ParseOptions(data));
      if (caller != nullptr) TRY(TakeOwner(*caller->credentials(), options));
      return devpts::MakeDevptsFilesystem(kernel_, options, dev);
    }
    if (type == "tmpfs" || type == "ramfs" || type == "devtmpfs") {
      TRY_ASSIGN(TmpfsOptions parsed, ParseTmpfsOptions(data));
      if (caller != nullptr) TRY(TakeOwner(*caller->credentials(), parsed));
      return FilesystemRef(std::make_shared<TmpfsFilesystem>(parsed));
    }
    return Error(ENODEV);
  }

 private:
  FilesystemRef MakeCgroup(dev_t dev) const {
    auto processes = [&kernel = kernel_] {
      std::vector<pid_t> pids;
      for (const ThreadGroupRef& group : kernel.Groups()) pids.push_back(group->pid());
      return pids;
    };
    return cgroup::MakeCgroupFilesystem({dev, processes});
  }

  Kernel& kernel_;
  const int cpu_count_;
  const std::shared_ptr<const proc::HostProc> host_;
  const std::shared_ptr<const proc::Sysctls> sysctls_;
};

// Sets those of init's ipc namespace, and returns the others.
Result<std::shared_ptr<const proc::Sysctls>> SysctlsOf(const Kernel& kernel,
                                                       const oci::Linux& spec) {
  auto result = std::make_shared<proc::Sysctls>();
  for (const auto& [name, value] : spec.sysctl()) {
    if (IsIpcSetting(name)) {
      Status set = SetIpcSetting(*kernel.namespaces()->ipc, name, value);
      if (!set.ok()) return MakeError(set.code(), "config.json: linux.sysctl: set", name);
      continue;
    }
    if (Status known = proc::CheckSysctl(name); !known.ok()) {
      return MakeError(known.code(), "config.json: linux.sysctl: set", name);
    }
    (*result)[name] = value;
  }
  return std::shared_ptr<const proc::Sysctls>(std::move(result));
}

// For mount(2) inside the container and for the specification's mounts.
void RegisterTypes(Kernel& kernel, std::shared_ptr<const Maker> maker) {
  for (const char* type :
       {"proc", "sysfs", "mqueue", "cgroup", "cgroup2", "devpts", "tmpfs", "ramfs", "devtmpfs"}) {
    kernel.filesystems().Register(type, [maker, type](std::string_view data, Context* caller) {
      return maker->Make(type, std::string(data), caller);
    });
  }
  kernel.filesystems().set_shared_memory(std::make_shared<TmpfsFilesystem>(TmpfsOptions()));
}

// What the host's table of a process says of files.
Result<std::vector<MappedRange>> FileMappings(const proc::HostProc& host, pid_t host_pid) {
  TRY_ASSIGN(const std::vector<proc::HostMapping> mappings, host.Maps(host_pid, false));
  std::vector<MappedRange> files;
  for (const proc::HostMapping& mapping : mappings) {
    if (mapping.inode == 0) continue;
    files.push_back({mapping.start, mapping.end, mapping.offset, {mapping.device, mapping.inode}});
  }
  return files;
}

Result<GoferAttachment> AttachTree(FileDescriptor connection, GoferFilesystem::Mode mode,
                                   const std::string& what) {
  auto attachment = GoferFilesystem::Attach(Channel(std::move(connection), Conversation::kFs), mode,
                                            NewAnonymousDevice());
  if (!attachment.ok()) {
    return std::move(attachment).error().WithContext(absl::StrCat("attach to the gofer's ", what));
  }
  return attachment;
}

// The root, and the bind mounts where the gofer resolved them.
Status AttachTrees(const runsc::control::BootRequest& request,
                   std::vector<FileDescriptor> connections, MountPlan& plan) {
  if (connections.size() != static_cast<size_t>(request.served_mounts_size()) + 1) {
    return Error(EINVAL, absl::StrCat("got ", connections.size(), " file-system connections for ",
                                      request.served_mounts_size(), " mounts and the root"));
  }
  TRY_ASSIGN(GoferAttachment root,
             AttachTree(std::move(connections[0]), GoferFilesystem::Mode::kExclusive, "root"));
  if (root.mounts.size() + 1 != connections.size()) {
    return Error(EPROTO, absl::StrCat("the gofer serves ", root.mounts.size(), " mounts, not ",
                                      request.served_mounts_size()));
  }
  plan.root = root.filesystem;
  plan.root_read_only = request.spec().root().readonly();
  for (int i = 0; i < request.served_mounts_size(); ++i) {
    const auto index = static_cast<int>(request.served_mounts(i));
    if (index < 0 || index >= request.spec().mounts_size()) {
      return Error(EINVAL, absl::StrCat("served mount ", index, " is not in the specification"));
    }
    const std::string& destination = request.spec().mounts(index).destination();
    TRY_ASSIGN(GoferAttachment tree,
               AttachTree(std::move(connections[static_cast<size_t>(i) + 1]),
                          GoferFilesystem::Mode::kShared, absl::StrCat("mount ", destination)));
    const fs::ResolvedMount& resolved = root.mounts[static_cast<size_t>(i)];
    plan.served[index] = {tree.filesystem, resolved.destination(), resolved.is_directory()};
  }
  return Ok();
}

}  // namespace

Result<std::shared_ptr<MountNamespace>> MountEverything(Kernel& kernel,
                                                        const runsc::control::BootRequest& request,
                                                        std::vector<FileDescriptor> connections) {
  RegisterStandardDevices(kernel.vfs());
  devpts::RegisterTerminalDevices(kernel);
  TRY_ASSIGN(FileDescriptor proc, OpenAt(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY));
  auto host = std::make_shared<proc::HostProc>(std::move(proc));
  kernel.set_mapping_reader([host](pid_t pid) { return FileMappings(*host, pid); });
  TRY_ASSIGN(auto sysctls, SysctlsOf(kernel, request.spec().linux()));
  RegisterTypes(
      kernel, std::make_shared<const Maker>(kernel, static_cast<int>(request.options().cpu_count()),
                                            host, std::move(sysctls)));
  MountPlan plan{request.spec()};
  plan.owner = std::make_shared<const Credentials>(RootOf(kernel.user_namespace()));
  plan.make = [&kernel, context = KernelContext(plan.owner)](const std::string& type,
                                                             const MountOptions& options) mutable {
    return kernel.filesystems().Make(type, options.data, &context);
  };
  TRY(AttachTrees(request, std::move(connections), plan));
  if (request.options().overlay()) {
    auto upper = std::make_shared<TmpfsFilesystem>(TmpfsOptions{});
    TRY_ASSIGN(plan.root, OverlayFilesystem::Make(std::move(upper), plan.root));
  }
  return BuildMounts(kernel.vfs(), plan);
}

}  // namespace runsc::boot
