// A place in the tree: a dentry as seen through a mount.
#ifndef RUNSC_BOOT_VFS_PATH_H_
#define RUNSC_BOOT_VFS_PATH_H_

#include <memory>
#include <utility>

namespace runsc::boot {

class Dentry;
class Mount;
using DentryRef = std::shared_ptr<Dentry>;
using MountRef = std::shared_ptr<Mount>;

struct Path {
  MountRef mount;
  DentryRef dentry;

  bool valid() const { return dentry != nullptr; }
  friend bool operator==(const Path& a, const Path& b) {
    return a.mount == b.mount && a.dentry == b.dentry;
  }
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_PATH_H_
