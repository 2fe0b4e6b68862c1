// One file of a gofer file system.
#ifndef RUNSC_BOOT_FS_GOFER_GOFER_INODE_H_
#define RUNSC_BOOT_FS_GOFER_GOFER_INODE_H_

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bin/runsc-boot/fs/gofer/gofer_filesystem.h"
#include "bin/runsc-boot/fs/gofer/known_names.h"
#include "bin/runsc-boot/vfs/host_socket.h"
#include "bin/runsc-boot/vfs/inode.h"
#include "common/file_descriptor.h"

namespace runsc::boot {

// A host descriptor that open files and the inode share.
using HostFileRef = std::shared_ptr<const FileDescriptor>;

class GoferInode final : public Inode, public HostSocketInode {
 public:
  // A directory's contents at one moment.
  struct Listed {
    std::string name;
    uint64_t inode;
    uint8_t type;  // DT_*
  };
  using Listing = std::vector<Listed>;

  GoferInode(GoferFilesystem& filesystem, const fs::Node& node);
  // Without a handle yet: `name` in `parent`.
  GoferInode(GoferFilesystem& filesystem, const fs::Attributes& attributes, GoferInodeRef parent,
             std::string_view name);
  ~GoferInode() override;

  // --- Inode
  Result<Attributes> GetAttributes() override;
  Status SetAttributes(const AttributeChange& change) override;
  Result<InodeRef> Lookup(Context& context, std::string_view name,
                          std::span<const std::string_view> ahead) override;
  bool CacheLookups() const override { return gofer_.exclusive(); }
  Result<InodeRef> Create(Context& context, std::string_view name, const NewInode& inode) override;
  Result<InodeRef> CreateUnnamed(Context& context, const NewInode& inode) override;
  Status Link(std::string_view name, Inode& target) override;
  Status Unlink(std::string_view name, Inode& victim) override;
  Status Rmdir(std::string_view name, Inode& victim) override;
  Status Rename(std::string_view old_name, Inode& new_parent, std::string_view new_name,
                unsigned flags) override;
  Result<std::string> ReadLink(Context& context) override;
  Result<FileRef> Open(Context& context, const Path& path, int flags) override;
  Result<std::string> GetXattr(std::string_view name) override;
  Status SetXattr(std::string_view name, std::string_view value, int flags) override;
  Result<std::vector<std::string>> ListXattr() override;
  Status RemoveXattr(std::string_view name) override;

  // --- HostSocketInode
  Result<FileDescriptor> ConnectHostSocket(int type) override;

  // --- For the files.
  // A host descriptor for reading, or for reading and writing.
  Result<HostFileRef> HostFile(bool writable);
  // Writes and reads go past the gofer: size and times are to be asked for.
  void MarkStale() { stale_.store(true, std::memory_order_release); }
  // A shared mapping may write at any time from now on.
  void MarkMapped() { mapped_.store(true, std::memory_order_release); }
  mode_t mode() const { return mode_.load(std::memory_order_relaxed); }
  Result<std::shared_ptr<const Listing>> List();
  Status Sync(bool data_only);
  // Held by those who append, so that they do not overwrite each other.
  absl::Mutex& append_mutex() ABSL_LOCK_RETURNED(append_mutex_) { return append_mutex_; }

  // --- For the file system.
  std::pair<uint64_t, uint64_t> key() const { return {device_, number_}; }
  // The gofer's handle; fetched if there is none yet. ENOENT when the file has
  // gone before it was fetched.
  Result<uint64_t> Handle();
  // The gofer found this file once more. False when the handle is not needed.
  bool TakeHandle(const fs::Node& node);
  // Another inode has the handle that this one was made with.
  void DisownHandle();
  bool UsedSinceLastAsked() { return used_.exchange(false); }
  void DropDescriptors();
  void DropNames();

 private:
  // More names than this are not kept for ever (some 200 bytes each).
  static constexpr size_t kMinNamesLimit = 16384;

  // What a walk found ahead of the VFS.
  struct Ahead {
    GoferInodeRef inode;  // null: nothing of that name
    absl::Time expires;
  };

  // gofer_inode.cc
  // Where this inode is to be fetched from, while it has no handle; else null.
  GoferInodeRef Unopened(std::string* name) const;
  // One step of Handle. EAGAIN: it is not to be fetched from `parent`.
  Result<uint64_t> FetchHandle(const GoferInode* parent, uint64_t parent_handle);
  // The gofer opened it there. ENOENT when that is another file by now.
  Status TakeFetched(const fs::Node& node);
  void Store(const fs::Attributes& attributes, uint64_t version);
  void Store(const Attributes& attributes, uint64_t version);
  void StoreLocked(const Attributes& attributes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // To be called before the gofer is asked; replies that are older than a
  // change are not stored.
  uint64_t Version() const;
  void Changed();
  void TakeDescriptor(FileDescriptor fd, bool writable);
  // One of this inode's names is about to go: if it has others, it must be
  // reachable without this one.
  Status PrepareNameRemoval();
  // One of this inode's names has gone.
  void NameRemoved();

  // gofer_directory.cc
  Result<GoferInodeRef> LookupKnown(std::string_view name, bool& known);
  Result<GoferInodeRef> WalkTo(std::string_view name, std::span<const std::string_view> ahead);
  void RememberAhead(std::string_view name, GoferInodeRef inode);
  void RememberChild(std::string_view name, const GoferInodeRef& inode, uint64_t version);
  void RememberChildLocked(std::string_view name, GoferInode& inode)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // After a change of this directory, with what the reply says of it.
  void DirectoryChanged(const fs::Attributes& attributes);
  Result<GoferInodeRef> Make(std::string_view name, const NewInode& inode);
  Status Remove(std::string_view name, Inode& victim, bool directory);
  void RenameKnown(std::string_view old_name, GoferInode& new_parent, std::string_view new_name,
                   bool exchange);
  GoferInodeRef KnownChild(std::string_view name);
  void Moved(GoferInodeRef parent, std::string_view name);
  void PutKnown(std::string_view name, KnownNames::Entry entry, const GoferInodeRef& self);
  Result<std::vector<fs::ReadDirectoryReply::Entry>> ReadAll();
  std::shared_ptr<const Listing> ListKnownLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  GoferInodeRef Self() { return std::static_pointer_cast<GoferInode>(shared_from_this()); }

  GoferFilesystem& gofer_;
  const uint64_t device_, number_;  // on the host
  const mode_t type_;
  std::atomic<mode_t> mode_;
  std::atomic<bool> stale_{false}, mapped_{false}, used_{false};
  absl::Mutex append_mutex_;

  mutable absl::Mutex mutex_;
  uint64_t handle_ ABSL_GUARDED_BY(mutex_) = 0;
  // Where it is, as long as it has no handle.
  GoferInodeRef parent_ ABSL_GUARDED_BY(mutex_);
  std::string name_ ABSL_GUARDED_BY(mutex_);
  std::string link_target_ ABSL_GUARDED_BY(mutex_);
  Attributes attributes_ ABSL_GUARDED_BY(mutex_);
  absl::Time valid_until_ ABSL_GUARDED_BY(mutex_);
  uint64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
  HostFileRef read_file_ ABSL_GUARDED_BY(mutex_);
  HostFileRef write_file_ ABSL_GUARDED_BY(mutex_);
  KnownNames names_ ABSL_GUARDED_BY(mutex_);
  uint64_t names_version_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t names_limit_ ABSL_GUARDED_BY(mutex_) = kMinNamesLimit;
  StringMap<Ahead> ahead_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_GOFER_GOFER_INODE_H_
