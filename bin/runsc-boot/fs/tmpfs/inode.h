// What all inodes of a tmpfs have in common; directories, links and nodes.
#ifndef RUNSC_BOOT_FS_TMPFS_INODE_H_
#define RUNSC_BOOT_FS_TMPFS_INODE_H_

#include <dirent.h>

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"
#include "bin/runsc-boot/vfs/file.h"
#include "bin/runsc-boot/vfs/string_map.h"

namespace runsc::boot {

class TmpfsInode : public Inode {
 public:
  TmpfsInode(TmpfsFilesystem& filesystem, const NewInode& node);
  ~TmpfsInode() override;

  Result<Attributes> GetAttributes() override;
  Status SetAttributes(const AttributeChange& change) override;
  Result<FileRef> Open(Context& context, const Path& path, int flags) override;
  Result<std::string> GetXattr(std::string_view name) override;
  Status SetXattr(std::string_view name, std::string_view value, int flags) override;
  Result<std::vector<std::string>> ListXattr() override;
  Status RemoveXattr(std::string_view name) override;

  uint64_t ino() const { return ino_; }
  TmpfsFilesystem& tmpfs() const { return tmpfs_; }
  // Changes the link count and ctime. Linking what has no name: ENOENT, unless
  // it was made without one.
  void AddLinks(int change);
  Status CheckLinkable();
  void set_linkable() { linkable_ = true; }
  // What stat(2) says the inode number is.
  void ShowAs(uint64_t ino) {
    absl::MutexLock lock(&mutex_);
    attributes_.ino = ino;
  }
  void Touch(bool modified);

 protected:
  static timespec Now();
  // Sizes are the business of regular files.
  virtual Status SetSize(uint64_t size) { return Error(EINVAL); }
  // EPERM: may not get this mode.
  virtual Status CheckModeLocked(mode_t mode) ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return Ok(); }

  mutable absl::Mutex mutex_;
  Attributes attributes_ ABSL_GUARDED_BY(mutex_);

 private:
  TmpfsFilesystem& tmpfs_;
  const uint64_t ino_;
  std::atomic<bool> linkable_{false};
  std::unique_ptr<StringMap<std::string>> xattrs_ ABSL_GUARDED_BY(mutex_);
};

class TmpfsSymlink final : public TmpfsInode {
 public:
  TmpfsSymlink(TmpfsFilesystem& filesystem, const NewInode& node);
  Result<std::string> ReadLink(Context& context) override { return target_; }

 private:
  const std::string target_;
};

class TmpfsDirectory final : public TmpfsInode {
 public:
  TmpfsDirectory(TmpfsFilesystem& filesystem, const NewInode& node, uint64_t parent_ino);
  ~TmpfsDirectory() override;

  Result<InodeRef> Lookup(Context& context, std::string_view name,
                          std::span<const std::string_view> ahead) override;
  Result<InodeRef> Create(Context& context, std::string_view name, const NewInode& node) override;
  Result<InodeRef> CreateUnnamed(Context& context, const NewInode& node) override;
  Status Link(std::string_view name, Inode& target) override;
  Status Unlink(std::string_view name, Inode& victim) override;
  Status Rmdir(std::string_view name, Inode& victim) override;
  Status Rename(std::string_view old_name, Inode& new_parent, std::string_view new_name,
                unsigned flags) override;
  Result<FileRef> Open(Context& context, const Path& path, int flags) override;

  // Entries from `offset` on; returns where to go on.
  uint64_t Emit(uint64_t offset, const std::function<bool(const DirectoryEntry&)>& emit);

 private:
  struct Entry {
    std::string name;
    std::shared_ptr<TmpfsInode> inode;
  };
  std::shared_ptr<TmpfsInode> Find(std::string_view name);
  void Add(std::string_view name, std::shared_ptr<TmpfsInode> inode);
  void Take(std::string_view name);
  Status CheckReplace(TmpfsInode& moved, const std::shared_ptr<TmpfsInode>& replaced);
  void set_parent_ino(uint64_t ino) { parent_ino_ = ino; }

  // All guarded by the tree's lock. Offsets in directories are keys that are
  // never used twice, so that a reader misses nothing while entries come and go.
  std::map<uint64_t, Entry> entries_;
  StringMap<uint64_t> keys_;
  uint64_t next_key_ = 2;  // behind "." and ".."
  uint64_t parent_ino_;
};

// Any type but directories, by the mode.
Result<std::shared_ptr<TmpfsInode>> MakeTmpfsInode(TmpfsFilesystem& filesystem,
                                                   const NewInode& node);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_TMPFS_INODE_H_
