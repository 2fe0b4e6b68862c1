#include "bin/runsc-boot/vfs/vfs.h"

#include <sys/mount.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace runsc::boot {
namespace {

// Some 300 bytes each.
constexpr size_t kMaxCachedDentries = 32768;

// f_flags of statfs(2). Most have the same bit as for mount(2).
long ShownFlags(MountFlags flags) {
  constexpr MountFlags kSame =
      MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME;
  constexpr long kValid = 0x20, kRelatime = 0x1000, kNoSymfollow = 0x2000;
  return kValid | static_cast<long>(flags & kSame) | ((flags & MS_RELATIME) != 0 ? kRelatime : 0) |
         ((flags & MS_NOSYMFOLLOW) != 0 ? kNoSymfollow : 0);
}

}  // namespace

Vfs::Vfs() : cache_(kMaxCachedDentries), anonymous_(std::make_shared<AnonymousFilesystem>()) {}

Vfs::~Vfs() = default;

void Vfs::RegisterDevice(mode_t type, dev_t device, DeviceOpener opener) {
  absl::MutexLock lock(&devices_mutex_);
  devices_[{type, device}] = std::move(opener);
}

Result<struct statfs> Vfs::StatFs(const Path& path) {
  Filesystem& filesystem =
      path.mount != nullptr ? *path.mount->filesystem() : path.dentry->inode()->filesystem();
  TRY_ASSIGN(struct statfs result, filesystem.StatFs());
  result.f_flags = ShownFlags(path.mount != nullptr ? path.mount->flags() : 0);
  return result;
}

std::string Vfs::PathName(const MountNamespace& mounts, const Path& path, const Path& root) {
  if (path.mount == nullptr) return path.dentry->name();
  std::vector<std::string> names;
  size_t length = 0;
  bool reachable = true;
  Path place = path;
  while (!(place == root)) {
    if (place.dentry == place.mount->root()) {
      if (mounts.Ascend(place)) continue;
      reachable = false;
      break;
    }
    auto [parent, name] = place.dentry->parent_and_name();
    if (parent == nullptr) break;
    length += name.size() + 1;
    names.push_back(std::move(name));
    place.dentry = std::move(parent);
  }
  std::string result;
  result.reserve(length + 32);
  if (!reachable) result = "(unreachable)";
  for (auto name = names.rbegin(); name != names.rend(); ++name) result.append("/").append(*name);
  if (names.empty()) result.append("/");
  if (path.dentry->deleted()) result.append(" (deleted)");
  return result;
}

}  // namespace runsc::boot
