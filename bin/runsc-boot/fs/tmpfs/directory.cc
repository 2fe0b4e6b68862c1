#include <dirent.h>
#include <linux/fs.h>

#include <utility>

#include "bin/runsc-boot/fs/tmpfs/inode.h"
#include "bin/runsc-boot/vfs/dentry.h"
#include "bin/runsc-boot/vfs/release_in_turn.h"

namespace runsc::boot {
namespace {

constexpr uint64_t kBytesPerEntry = 20;  // as Linux shows them in st_size

class TmpfsDirectoryFile final : public File {
 public:
  TmpfsDirectoryFile(const Path& path, int flags, std::shared_ptr<TmpfsDirectory> directory)
      : File(path, flags), directory_(std::move(directory)) {}

  bool pollable() const override { return false; }
  Result<size_t> Read(Context&, IoBuffer&) override { return Error(EISDIR); }
  Result<size_t> PRead(Context&, IoBuffer&, uint64_t) override { return Error(EISDIR); }
  Result<uint64_t> Seek(Context& context, int64_t offset, int whence) override {
    if (whence != SEEK_SET && whence != SEEK_CUR) return Error(EINVAL);
    absl::MutexLock lock(&position_mutex_);
    TRY_ASSIGN(position_, SeekTarget(position_, 0, offset, whence));
    return position_;
  }
  Status ReadDirectory(Context&, const std::function<bool(const DirectoryEntry&)>& emit) override {
    absl::MutexLock lock(&position_mutex_);
    position_ = directory_->Emit(position_, emit);
    return Ok();
  }
  Status Sync(bool) override { return Ok(); }

 private:
  const std::shared_ptr<TmpfsDirectory> directory_;
};

TmpfsDirectory* AsDirectory(TmpfsInode* inode) {
  return S_ISDIR(inode->Type()) ? static_cast<TmpfsDirectory*>(inode) : nullptr;
}

}  // namespace

TmpfsDirectory::TmpfsDirectory(TmpfsFilesystem& filesystem, const NewInode& node,
                               uint64_t parent_ino)
    : TmpfsInode(filesystem, node), parent_ino_(parent_ino == 0 ? ino() : parent_ino) {
  absl::MutexLock lock(&mutex_);
  attributes_.nlink = 1;  // ".", the name comes on top
  attributes_.size = 2 * kBytesPerEntry;
}

TmpfsDirectory::~TmpfsDirectory() {
  for (auto& [key, entry] : entries_) {
    if (AsDirectory(entry.inode.get()) != nullptr) DropLink(entry.inode);
  }
}

std::shared_ptr<TmpfsInode> TmpfsDirectory::Find(std::string_view name) {
  auto key = keys_.find(name);
  return key == keys_.end() ? nullptr : entries_.at(key->second).inode;
}

void TmpfsDirectory::Add(std::string_view name, std::shared_ptr<TmpfsInode> inode) {
  uint64_t key = next_key_++;
  bool directory = AsDirectory(inode.get()) != nullptr;
  entries_[key] = Entry{std::string(name), std::move(inode)};
  keys_[std::string(name)] = key;
  absl::MutexLock lock(&mutex_);
  attributes_.size += kBytesPerEntry;
  if (directory) ++attributes_.nlink;
  attributes_.mtime = attributes_.ctime = Now();
}

void TmpfsDirectory::Take(std::string_view name) {
  auto key = keys_.find(name);
  auto entry = entries_.find(key->second);
  bool directory = AsDirectory(entry->second.inode.get()) != nullptr;
  entries_.erase(entry);
  keys_.erase(key);
  absl::MutexLock lock(&mutex_);
  attributes_.size -= kBytesPerEntry;
  if (directory) --attributes_.nlink;
  attributes_.mtime = attributes_.ctime = Now();
}

Result<InodeRef> TmpfsDirectory::Lookup(Context& context, std::string_view name,
                                        std::span<const std::string_view> ahead) {
  absl::ReaderMutexLock lock(&tmpfs().tree_mutex());
  std::shared_ptr<TmpfsInode> inode = Find(name);
  if (inode == nullptr) return Error(ENOENT);
  return InodeRef(std::move(inode));
}

Result<InodeRef> TmpfsDirectory::Create(Context& context, std::string_view name,
                                        const NewInode& node) {
  absl::MutexLock lock(&tmpfs().tree_mutex());
  if (keys_.contains(name)) return Error(EEXIST);
  std::shared_ptr<TmpfsInode> inode;
  if (S_ISDIR(node.mode)) {
    TRY(tmpfs().ChargeInode());
    inode = std::make_shared<TmpfsDirectory>(tmpfs(), node, ino());
  } else {
    TRY_ASSIGN(inode, MakeTmpfsInode(tmpfs(), node));
  }
  inode->AddLinks(1);
  Add(name, inode);
  return InodeRef(std::move(inode));
}

Result<InodeRef> TmpfsDirectory::CreateUnnamed(Context& context, const NewInode& node) {
  TRY_ASSIGN(std::shared_ptr<TmpfsInode> inode, MakeTmpfsInode(tmpfs(), node));
  inode->set_linkable();
  return InodeRef(std::move(inode));
}

Status TmpfsDirectory::Link(std::string_view name, Inode& target) {
  if (&target.filesystem() != &filesystem()) return Error(EXDEV);
  auto inode = std::static_pointer_cast<TmpfsInode>(target.shared_from_this());
  absl::MutexLock lock(&tmpfs().tree_mutex());
  if (keys_.contains(name)) return Error(EEXIST);
  TRY(inode->CheckLinkable());
  inode->AddLinks(1);
  Add(name, std::move(inode));
  return Ok();
}

Status TmpfsDirectory::Unlink(std::string_view name, Inode& victim) {
  absl::MutexLock lock(&tmpfs().tree_mutex());
  std::shared_ptr<TmpfsInode> inode = Find(name);
  if (inode == nullptr) return Error(ENOENT);
  Take(name);
  inode->AddLinks(-1);
  return Ok();
}

Status TmpfsDirectory::Rmdir(std::string_view name, Inode& victim) {
  absl::MutexLock lock(&tmpfs().tree_mutex());
  std::shared_ptr<TmpfsInode> inode = Find(name);
  if (inode == nullptr) return Error(ENOENT);
  TmpfsDirectory* directory = AsDirectory(inode.get());
  if (directory == nullptr) return Error(ENOTDIR);
  if (!directory->entries_.empty()) return Error(ENOTEMPTY);
  Take(name);
  inode->AddLinks(-2);
  return Ok();
}

Status TmpfsDirectory::CheckReplace(TmpfsInode& moved,
                                    const std::shared_ptr<TmpfsInode>& replaced) {
  if (replaced == nullptr) return Ok();
  TmpfsDirectory* directory = AsDirectory(replaced.get());
  if (AsDirectory(&moved) != nullptr && directory == nullptr) return Error(ENOTDIR);
  if (AsDirectory(&moved) == nullptr && directory != nullptr) return Error(EISDIR);
  return directory != nullptr && !directory->entries_.empty() ? Status(Error(ENOTEMPTY)) : Ok();
}

Status TmpfsDirectory::Rename(std::string_view old_name, Inode& new_parent,
                              std::string_view new_name, unsigned flags) {
  if (&new_parent.filesystem() != &filesystem()) return Error(EXDEV);
  auto& target = static_cast<TmpfsDirectory&>(new_parent);
  std::shared_ptr<TmpfsInode> moved, replaced;
  absl::MutexLock lock(&tmpfs().tree_mutex());
  moved = Find(old_name);
  replaced = target.Find(new_name);
  if (moved == nullptr) return Error(ENOENT);
  if (moved == replaced) return Ok();
  if ((flags & RENAME_EXCHANGE) != 0) {
    if (replaced == nullptr) return Error(ENOENT);
    Take(old_name);
    target.Take(new_name);
    Add(old_name, replaced);
    target.Add(new_name, moved);
    if (TmpfsDirectory* directory = AsDirectory(replaced.get())) directory->set_parent_ino(ino());
  } else {
    if (replaced != nullptr && (flags & RENAME_NOREPLACE) != 0) return Error(EEXIST);
    TRY(CheckReplace(*moved, replaced));
    std::shared_ptr<TmpfsInode> whiteout;
    if ((flags & RENAME_WHITEOUT) != 0) {
      TRY_ASSIGN(whiteout, MakeTmpfsInode(tmpfs(), NewInode{.mode = S_IFCHR}));
      whiteout->AddLinks(1);
    }
    if (replaced != nullptr) {
      target.Take(new_name);
      replaced->AddLinks(AsDirectory(replaced.get()) != nullptr ? -2 : -1);
    }
    Take(old_name);
    target.Add(new_name, moved);
    if (whiteout != nullptr) Add(old_name, std::move(whiteout));
  }
  if (TmpfsDirectory* directory = AsDirectory(moved.get())) directory->set_parent_ino(target.ino());
  moved->Touch(/*modified=*/false);
  return Ok();
}

Result<FileRef> TmpfsDirectory::Open(Context& context, const Path& path, int flags) {
  return FileRef(std::make_shared<TmpfsDirectoryFile>(
      path, flags, std::static_pointer_cast<TmpfsDirectory>(shared_from_this())));
}

uint64_t TmpfsDirectory::Emit(uint64_t offset,
                              const std::function<bool(const DirectoryEntry&)>& emit) {
  absl::ReaderMutexLock lock(&tmpfs().tree_mutex());
  if (offset == 0) {
    if (!emit({".", ino(), DT_DIR, 1})) return 0;
    offset = 1;
  }
  if (offset == 1) {
    if (!emit({"..", parent_ino_, DT_DIR, 2})) return 1;
    offset = 2;
  }
  for (auto entry = entries_.lower_bound(offset); entry != entries_.end(); ++entry) {
    TmpfsInode& inode = *entry->second.inode;
    int64_t next = static_cast<int64_t>(entry->first + 1);
    if (!emit(
            {entry->second.name, inode.ino(), static_cast<uint8_t>(IFTODT(inode.Type())), next})) {
      return entry->first;
    }
    offset = entry->first + 1;
  }
  return offset;
}

}  // namespace runsc::boot
