// What is known of a directory that nobody else changes: names with their
// files, from reading the directory and from changes through this kernel.
// Spares lookups a round trip, and renames of files that have no handle yet.
#ifndef RUNSC_BOOT_FS_GOFER_KNOWN_NAMES_H_
#define RUNSC_BOOT_FS_GOFER_KNOWN_NAMES_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bin/runsc-boot/vfs/attributes.h"
#include "bin/runsc-boot/vfs/string_map.h"
#include "ipc/fs.pb.h"

namespace runsc::boot {

class GoferInode;

// Not thread-safe: the directory's lock guards it.
class KnownNames {
 public:
  struct Entry {
    uint64_t inode = 0;
    mode_t type = 0;
    // As they were when the directory was read; taken by the first lookup,
    // since from then on the inode knows better.
    std::unique_ptr<fs::Attributes> attributes;
    std::weak_ptr<GoferInode> file;  // while somebody uses it
  };

  // True when names that are not known do not exist.
  bool complete() const { return complete_; }
  void set_complete() { complete_ = true; }
  size_t size() const { return entries_.size(); }
  Entry* Find(std::string_view name);
  Entry& Put(std::string_view name, uint64_t inode, mode_t type);
  // The name is gone. Returns what it led to, if that was known.
  std::optional<Entry> Take(std::string_view name);
  // Forgets all but the files in use. The directory is no longer complete.
  void Shrink();
  const StringMap<Entry>& entries() const { return entries_; }

 private:
  StringMap<Entry> entries_;
  bool complete_ = false;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_GOFER_KNOWN_NAMES_H_
