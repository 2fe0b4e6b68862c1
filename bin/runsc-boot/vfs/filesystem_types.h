// The types that mount(2) knows, and the file system behind memfd_create(2).
#ifndef RUNSC_BOOT_VFS_FILESYSTEM_TYPES_H_
#define RUNSC_BOOT_VFS_FILESYSTEM_TYPES_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bin/runsc-boot/vfs/inode.h"

namespace runsc::boot {

// Filled while the sandbox starts, constant afterwards.
class FilesystemTypes {
 public:
  // Makes an instance from the data argument of mount(2), for its caller; null
  // while the sandbox starts. EINVAL.
  using Maker = std::function<Result<FilesystemRef>(std::string_view data, Context* caller)>;

  void Register(std::string type, Maker maker) { makers_[std::move(type)] = std::move(maker); }
  // ENODEV: an unknown type.
  Result<FilesystemRef> Make(std::string_view type, std::string_view data,
                             Context* caller = nullptr) const {
    auto found = makers_.find(type);
    if (found == makers_.end()) return Error(ENODEV);
    return found->second(data, caller);
  }

  // A tmpfs that is mounted nowhere, for memfds. Null: there are none.
  void set_shared_memory(FilesystemRef filesystem) { shared_memory_ = std::move(filesystem); }
  const FilesystemRef& shared_memory() const { return shared_memory_; }

 private:
  std::map<std::string, Maker, std::less<>> makers_;
  FilesystemRef shared_memory_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_FILESYSTEM_TYPES_H_
