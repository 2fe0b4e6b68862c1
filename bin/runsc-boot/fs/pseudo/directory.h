// Directories of generated inodes.
#ifndef RUNSC_BOOT_FS_PSEUDO_DIRECTORY_H_
#define RUNSC_BOOT_FS_PSEUDO_DIRECTORY_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bin/runsc-boot/fs/pseudo/inode.h"

namespace runsc::boot::pseudo {

struct Entry {
  std::string name;
  uint64_t ino = 0;
  uint8_t type = 0;  // DT_*
  // Where it stands in the directory; ascending and stable while others come
  // and go. "." and ".." have 0 and 1.
  int64_t offset = 0;
};

constexpr int64_t kFirstOffset = 2;

class DirectoryInode : public PseudoInode {
 public:
  DirectoryInode(Filesystem& filesystem, uint64_t ino, mode_t mode)
      : PseudoInode(filesystem, ino, S_IFDIR | mode) {}

  // The entries at offsets >= `from`, in ascending order.
  virtual Result<std::vector<Entry>> List(Context& context, int64_t from) = 0;
  virtual Status CheckOpen(Context& context) { return Ok(); }

  Result<FileRef> Open(Context& context, const Path& path, int flags) override;
  // Nothing can be made, with the errors that Linux's file systems have for it:
  // in /proc a new name is not even found.
  Result<InodeRef> Create(Context& context, std::string_view name, const NewInode& inode) override;
  Status Link(std::string_view name, Inode& target) override;
  Status Rename(std::string_view old_name, Inode& new_parent, std::string_view new_name,
                unsigned flags) override;

 protected:
  uint32_t links() override { return 2; }
};

// A directory with a fixed set of entries, in the order in which they were added.
class StaticDirectory : public DirectoryInode {
 public:
  using DirectoryInode::DirectoryInode;

  // Only before the file system is mounted. A second entry of a name replaces
  // the first.
  void Add(std::string_view name, std::shared_ptr<PseudoInode> inode);
  // Null when there is no such entry.
  std::shared_ptr<PseudoInode> Find(std::string_view name) const;

  Result<InodeRef> Lookup(Context& context, std::string_view name,
                          std::span<const std::string_view> ahead) override;
  Result<std::vector<Entry>> List(Context& context, int64_t from) override;

 protected:
  uint32_t links() override { return 2 + subdirectories_; }
  size_t entry_count() const { return entries_.size(); }

 private:
  struct Child {
    std::string name;
    std::shared_ptr<PseudoInode> inode;
  };
  std::vector<Child> entries_;
  std::map<std::string, size_t, std::less<>> index_;
  uint32_t subdirectories_ = 0;
};

// A directory whose entries come from the kernel's state at each look.
class DynamicDirectory : public DirectoryInode {
 public:
  using DirectoryInode::DirectoryInode;
  bool CacheLookups() const override { return false; }
};

}  // namespace runsc::boot::pseudo

#endif  // RUNSC_BOOT_FS_PSEUDO_DIRECTORY_H_
