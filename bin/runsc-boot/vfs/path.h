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

  Path() = default;
  Path(MountRef mount, DentryRef dentry) : mount(std::move(mount)), dentry(std::move(dentry)) {}
  Path(const Path&) = default;
  Path(Path&&) noexcept = default;
  // The old dentry goes before the old mount: a mount that ends puts away the
  // names that nobody uses.
  Path& operator=(Path other) noexcept {
    mount.swap(other.mount);
    dentry.swap(other.dentry);
    return *this;
  }
  ~Path() = default;

  bool valid() const { return dentry != nullptr; }
  friend bool operator==(const Path& a, const Path& b) {
    return a.mount == b.mount && a.dentry == b.dentry;
  }
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_PATH_H_
