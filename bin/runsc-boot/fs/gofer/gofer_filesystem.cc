#include "bin/runsc-boot/fs/gofer/gofer_filesystem.h"

#include <utility>

#include "bin/runsc-boot/fs/gofer/gofer_inode.h"

namespace runsc::boot {
namespace {

constexpr size_t kMaxFilesWithDescriptors = 512;
// Some 300 bytes each.
constexpr size_t kMaxKnownNames = 32768;

}  // namespace

GoferFilesystem::GoferFilesystem(Channel connection, Mode mode, dev_t device)
    : client_(std::move(connection)), mode_(mode), device_(device) {}

Result<GoferAttachment> GoferFilesystem::Attach(Channel connection, Mode mode, dev_t device) {
  GoferAttachment attachment;
  attachment.filesystem.reset(new GoferFilesystem(std::move(connection), mode, device));
  GoferFilesystem& filesystem = *attachment.filesystem;
  fs::FsRequest request;
  request.mutable_attach();
  TRY_ASSIGN(GoferClient::Reply reply, filesystem.client_.Call(request));
  const fs::AttachReply& attach = reply.message.attach();
  filesystem.on_overlayfs_ = attach.on_overlayfs();
  attachment.read_only = attach.read_only();
  attachment.mounts.assign(attach.mounts().begin(), attach.mounts().end());
  filesystem.root_ = std::make_shared<GoferInode>(filesystem, attach.root());
  absl::MutexLock lock(&filesystem.mutex_);
  filesystem.inodes_[filesystem.root_->key()] = filesystem.root_;
  return attachment;
}

InodeRef GoferFilesystem::root() { return Publish(root_); }

InodeRef GoferFilesystem::Publish(GoferInodeRef inode) {
  struct Holder {
    FilesystemRef filesystem;  // goes after the inode
    GoferInodeRef inode;
  };
  auto holder = std::make_shared<Holder>(Holder{shared_from_this(), std::move(inode)});
  return InodeRef(holder, holder->inode.get());
}

Result<struct statfs> GoferFilesystem::StatFs() {
  fs::FsRequest request;
  TRY_ASSIGN(uint64_t handle, root_->Handle());
  request.mutable_stat_fs()->set_handle(handle);
  TRY_ASSIGN(GoferClient::Reply reply, client_.Call(request));
  const fs::StatFsReply& from = reply.message.stat_fs();
  struct statfs stat = {};
  stat.f_type = from.type();
  stat.f_bsize = static_cast<long>(from.block_size());
  stat.f_blocks = from.blocks();
  stat.f_bfree = from.blocks_free();
  stat.f_bavail = from.blocks_available();
  stat.f_files = from.files();
  stat.f_ffree = from.files_free();
  stat.f_namelen = static_cast<long>(from.name_length());
  stat.f_frsize = static_cast<long>(from.fragment_size());
  return stat;
}

GoferInodeRef GoferFilesystem::Find(const Key& key) {
  absl::MutexLock lock(&mutex_);
  auto found = inodes_.find(key);
  return found == inodes_.end() ? nullptr : found->second.lock();
}

GoferInodeRef GoferFilesystem::FindOrAdd(const GoferInodeRef& inode) {
  absl::MutexLock lock(&mutex_);
  std::weak_ptr<GoferInode>& place = inodes_[inode->key()];
  GoferInodeRef current = place.lock();
  if (current != nullptr) return current;
  place = inode;
  return inode;
}

GoferInodeRef GoferFilesystem::Adopt(const fs::Node& node) {
  GoferInodeRef inode = Find({node.attributes().device(), node.attributes().inode()});
  if (inode == nullptr) {
    GoferInodeRef added = std::make_shared<GoferInode>(*this, node);
    inode = FindOrAdd(added);
    if (inode == added) return inode;
    added->DisownHandle();
  }
  if (!inode->TakeHandle(node)) client_.LetGo(node.handle());
  return inode;
}

GoferInodeRef GoferFilesystem::AdoptUnopened(const fs::Attributes& attributes, GoferInodeRef parent,
                                             std::string_view name) {
  GoferInodeRef inode = Find({attributes.device(), attributes.inode()});
  if (inode != nullptr) return inode;
  return FindOrAdd(std::make_shared<GoferInode>(*this, attributes, std::move(parent), name));
}

void GoferFilesystem::Forget(const GoferInode& inode) {
  GoferInodeRef current;  // let go without the lock
  absl::MutexLock lock(&mutex_);
  auto found = inodes_.find(inode.key());
  if (found == inodes_.end()) return;
  // Another inode may have the number by now; one that is being destroyed
  // cannot be locked any more.
  current = found->second.lock();
  if (current == nullptr || current.get() == &inode) inodes_.erase(found);
}

void GoferFilesystem::NoteDescriptor(const GoferInodeRef& inode) {
  // References are let go without the lock: the last one ends an inode.
  std::vector<GoferInodeRef> seen, excess;
  {
    absl::MutexLock lock(&mutex_);
    with_descriptors_.push_back(inode);
    size_t tries = with_descriptors_.size();
    while (with_descriptors_.size() > kMaxFilesWithDescriptors && tries-- > 0) {
      GoferInodeRef oldest = with_descriptors_.front().lock();
      with_descriptors_.pop_front();
      if (oldest == nullptr) continue;
      bool used = oldest->UsedSinceLastAsked();
      if (used) with_descriptors_.push_back(oldest);
      (used ? seen : excess).push_back(std::move(oldest));
    }
  }
  for (const GoferInodeRef& old : excess) old->DropDescriptors();
}

void GoferFilesystem::NoteNames(const GoferInodeRef& inode, size_t count) {
  std::vector<GoferInodeRef> excess;
  {
    absl::MutexLock lock(&mutex_);
    with_names_.emplace_back(inode, count);
    name_count_ += count;
    while (name_count_ > kMaxKnownNames && with_names_.size() > 1) {
      if (GoferInodeRef oldest = with_names_.front().first.lock()) {
        excess.push_back(std::move(oldest));
      }
      name_count_ -= with_names_.front().second;
      with_names_.pop_front();
    }
  }
  for (const GoferInodeRef& old : excess) {
    if (old != inode) old->DropNames();
  }
}

}  // namespace runsc::boot
