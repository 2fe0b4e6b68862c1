#include "bin/runsc-boot/vfs/vfs.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace runsc::boot {
namespace {

// Some 300 bytes each.
constexpr size_t kMaxCachedDentries = 32768;

}  // namespace

Vfs::Vfs() : cache_(kMaxCachedDentries), anonymous_(std::make_shared<AnonymousFilesystem>()) {}

Vfs::~Vfs() = default;

void Vfs::RegisterDevice(mode_t type, dev_t device, DeviceOpener opener) {
  absl::MutexLock lock(&devices_mutex_);
  devices_[{type, device}] = std::move(opener);
}

Result<struct statfs> Vfs::StatFs(const Path& path) {
  if (path.mount != nullptr) return path.mount->filesystem()->StatFs();
  return path.dentry->inode()->filesystem().StatFs();
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
