// The file system whose files the gofer serves: the container's root, or a bind
// mount.
//
//   Channel connection(std::move(fd), Conversation::kFs);
//   TRY_ASSIGN(GoferAttachment root,
//              GoferFilesystem::Attach(std::move(connection), GoferFilesystem::Mode::kExclusive,
//                                      device));
//
// In exclusive mode nobody else changes the tree: names and attributes are
// cached until this kernel changes them. In shared mode every lookup and
// attribute comes from the gofer; they are trusted for a millisecond only, so
// that one system call does not ask twice.
//
// I/O happens on host descriptors that the gofer hands over, one for reading
// and one for writing per file, which stay open while there is room.
//
// Locks: a GoferInode's mutex, the file system's and the client's are never held
// together, nor while the gofer is asked or a reference to an inode is let go.
#ifndef RUNSC_BOOT_FS_GOFER_GOFER_FILESYSTEM_H_
#define RUNSC_BOOT_FS_GOFER_GOFER_FILESYSTEM_H_

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/fs/gofer/gofer_client.h"
#include "bin/runsc-boot/vfs/inode.h"

namespace runsc::boot {

class GoferInode;
using GoferInodeRef = std::shared_ptr<GoferInode>;
class GoferFilesystem;

// What attaching to a tree tells.
struct GoferAttachment {
  std::shared_ptr<GoferFilesystem> filesystem;
  bool read_only = false;
  // Of the container's root: where the bind mounts are (ipc/fs.proto).
  std::vector<fs::ResolvedMount> mounts;
};

class GoferFilesystem final : public Filesystem {
 public:
  enum class Mode { kExclusive, kShared };

  // `device` is the number that stat(2) shows. Errors: those of Call.
  static Result<GoferAttachment> Attach(Channel connection, Mode mode, dev_t device);

  const char* type() const override { return "gofer"; }
  InodeRef root() override;
  dev_t dev() const override { return device_; }
  Result<struct statfs> StatFs() override;

  // --- For the inodes.
  GoferClient& client() { return client_; }
  bool exclusive() const { return mode_ == Mode::kExclusive; }
  bool on_overlayfs() const { return on_overlayfs_; }
  // The inode of a file that the gofer found or made, which is the one that is
  // known already if there is one. Takes over the handle.
  GoferInodeRef Adopt(const fs::Node& node);
  // The inode of a file that was seen when `parent` was read and has no handle
  // yet.
  GoferInodeRef AdoptUnopened(const fs::Attributes& attributes, GoferInodeRef parent,
                              std::string_view name);
  // A reference for the VFS, which keeps the file system alive, too. Those that
  // inodes have on each other do not, or nothing would ever end.
  InodeRef Publish(GoferInodeRef inode);
  // `inode` must not be found by its number any more: the number may come back.
  void Forget(const GoferInode& inode);
  // Bounds what is kept: `inode` got a host descriptor; it got to know names.
  void NoteDescriptor(const GoferInodeRef& inode);
  void NoteNames(const GoferInodeRef& inode, size_t count);

 private:
  using Key = std::pair<uint64_t, uint64_t>;  // host device, inode

  GoferFilesystem(Channel connection, Mode mode, dev_t device);
  // The known inode, or null.
  GoferInodeRef Find(const Key& key);
  // The known inode with the same key; else `inode`, which is known now.
  GoferInodeRef FindOrAdd(const GoferInodeRef& inode);

  GoferClient client_;
  const Mode mode_;
  const dev_t device_;
  bool on_overlayfs_ = false;  // set before the first inode is handed out

  absl::Mutex mutex_;
  absl::flat_hash_map<Key, std::weak_ptr<GoferInode>> inodes_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::weak_ptr<GoferInode>> with_descriptors_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::pair<std::weak_ptr<GoferInode>, size_t>> with_names_ ABSL_GUARDED_BY(mutex_);
  size_t name_count_ ABSL_GUARDED_BY(mutex_) = 0;

  GoferInodeRef root_;  // the last member: its end uses the others
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_GOFER_GOFER_FILESYSTEM_H_
