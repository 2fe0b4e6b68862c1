// Builds the gofer's own view of the host: the container's root with its bind
// mounts as "/", and nothing else.
#ifndef RUNSC_GOFER_MOUNT_SETUP_H_
#define RUNSC_GOFER_MOUNT_SETUP_H_

#include <string>
#include <vector>

#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/fs.pb.h"
#include "ipc/gofer.pb.h"

namespace runsc::gofer {

// What there is to serve, once the gofer is in its root.
struct MountedTrees {
  struct TreeRoot {
    std::string name;     // for messages
    FileDescriptor root;  // O_PATH
    bool read_only = false;
  };
  std::vector<TreeRoot> trees;            // the root, then the mounts
  std::vector<fs::ResolvedMount> mounts;  // of the mounts, in the same order
  FileDescriptor descriptor_directory;    // /proc/self/fd of the own pid namespace
};

// To be called in a mount and pid namespace of its own, with CAP_SYS_ADMIN and
// CAP_SYS_CHROOT. Afterwards "/" is the container's root. Errors name the mount
// or the path at fault.
Result<MountedTrees> SetUpMounts(const GoferRequest& request);

}  // namespace runsc::gofer

#endif  // RUNSC_GOFER_MOUNT_SETUP_H_
