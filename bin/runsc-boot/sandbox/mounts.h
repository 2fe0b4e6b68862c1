// Builds the container's mount namespace from the specification: the root, the
// mounts in their order, the sandbox's own /dev, masked and read-only paths.
#ifndef RUNSC_BOOT_SANDBOX_MOUNTS_H_
#define RUNSC_BOOT_SANDBOX_MOUNTS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "bin/runsc-boot/sandbox/mount_options.h"
#include "bin/runsc-boot/vfs/kernel_context.h"
#include "bin/runsc-boot/vfs/vfs.h"
#include "ipc/oci.pb.h"

namespace runsc::boot {

// A bind mount as the gofer serves it.
struct ServedMount {
  FilesystemRef filesystem;
  std::string destination;  // resolved in the container's root
  bool is_directory = true;
};

struct MountPlan {
  const oci::Spec& spec;
  // Whose the new directories and file systems are: the container's root user.
  CredentialsRef owner = KernelContext().credentials();
  FilesystemRef root;
  bool root_read_only = false;
  std::map<int, ServedMount> served;  // by index in spec.mounts
  // Makes a file system of a type that the sandbox provides itself. ENODEV for
  // a type that it does not know.
  std::function<Result<FilesystemRef>(const std::string& type, const MountOptions& options)> make;
};

// Errors name the mount's destination. Nothing runs in the namespace yet.
Result<std::shared_ptr<MountNamespace>> BuildMounts(Vfs& vfs, const MountPlan& plan);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SANDBOX_MOUNTS_H_
