#include "bin/runsc-boot/fs/pseudo/directory.h"

#include <dirent.h>

#include "bin/runsc-boot/vfs/dentry.h"

namespace runsc::boot::pseudo {
namespace {

uint64_t ParentIno(const Path& path, uint64_t own) {
  if (path.dentry == nullptr) return own;
  DentryRef parent = path.dentry->parent();
  if (parent == nullptr) return own;
  InodeRef inode = parent->inode();
  auto* generated = dynamic_cast<PseudoInode*>(inode.get());
  return generated == nullptr ? own : generated->ino();
}

bool IsProc(const Filesystem& filesystem) { return std::string_view(filesystem.type()) == "proc"; }

class DirectoryFile final : public File {
 public:
  DirectoryFile(Path path, int flags, std::shared_ptr<DirectoryInode> inode)
      : File(std::move(path), flags), inode_(std::move(inode)) {}

  bool seekable() const override { return true; }
  bool pollable() const override { return false; }
  Result<size_t> PRead(Context& context, IoBuffer& destination, uint64_t offset) override {
    return Error(EISDIR);
  }

  Status ReadDirectory(Context& context,
                       const std::function<bool(const DirectoryEntry&)>& emit) override {
    const uint64_t parent = ParentIno(path(), inode_->ino());
    absl::MutexLock lock(&position_mutex());
    if (position_ == 0) {
      if (!emit({".", inode_->ino(), DT_DIR, 1})) return Ok();
      position_ = 1;
    }
    if (position_ == 1) {
      if (!emit({"..", parent, DT_DIR, kFirstOffset})) return Ok();
      position_ = kFirstOffset;
    }
    TRY_ASSIGN(std::vector<Entry> entries, inode_->List(context, static_cast<int64_t>(position_)));
    for (const Entry& entry : entries) {
      if (!emit({entry.name, entry.ino, entry.type, entry.offset + 1})) return Ok();
      position_ = static_cast<uint64_t>(entry.offset) + 1;
    }
    return Ok();
  }

 private:
  const std::shared_ptr<DirectoryInode> inode_;
};

}  // namespace

Result<FileRef> DirectoryInode::Open(Context& context, const Path& path, int flags) {
  TRY(CheckOpen(context));
  return FileRef(std::make_shared<DirectoryFile>(
      path, flags, std::static_pointer_cast<DirectoryInode>(shared_from_this())));
}

Result<InodeRef> DirectoryInode::Create(Context& context, std::string_view name,
                                        const NewInode& inode) {
  if (IsProc(filesystem())) return Error(ENOENT);
  return Error(S_ISDIR(inode.mode) || S_ISLNK(inode.mode) ? EPERM : EACCES);
}

Status DirectoryInode::Link(std::string_view name, Inode& target) {
  return Error(IsProc(filesystem()) ? ENOENT : EPERM);
}

Status DirectoryInode::Rename(std::string_view old_name, Inode& new_parent,
                              std::string_view new_name, unsigned flags) {
  return Error(IsProc(filesystem()) ? ENOENT : EPERM);
}

void StaticDirectory::Add(std::string_view name, std::shared_ptr<PseudoInode> inode) {
  const bool directory = S_ISDIR(inode->mode());
  auto [position, inserted] = index_.try_emplace(std::string(name), entries_.size());
  if (inserted) {
    entries_.push_back({std::string(name), std::move(inode)});
    subdirectories_ += directory ? 1 : 0;
  } else {
    entries_[position->second].inode = std::move(inode);
  }
}

std::shared_ptr<PseudoInode> StaticDirectory::Find(std::string_view name) const {
  auto found = index_.find(name);
  return found == index_.end() ? nullptr : entries_[found->second].inode;
}

Result<InodeRef> StaticDirectory::Lookup(Context& context, std::string_view name,
                                         std::span<const std::string_view> ahead) {
  std::shared_ptr<PseudoInode> inode = Find(name);
  if (inode == nullptr) return Error(ENOENT);
  return InodeRef(std::move(inode));
}

Result<std::vector<Entry>> StaticDirectory::List(Context& context, int64_t from) {
  std::vector<Entry> result;
  for (size_t i = static_cast<size_t>(std::max(from, kFirstOffset) - kFirstOffset);
       i < entries_.size(); ++i) {
    const Child& child = entries_[i];
    result.push_back({child.name, child.inode->ino(),
                      static_cast<uint8_t>(IFTODT(child.inode->mode())),
                      static_cast<int64_t>(i) + kFirstOffset});
  }
  return result;
}

}  // namespace runsc::boot::pseudo
