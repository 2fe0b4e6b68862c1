// What GoferInode does as a directory: lookups, new and removed names, lists.
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>

#include <algorithm>
#include <utility>

#include "bin/runsc-boot/fs/gofer/attributes.h"
#include "bin/runsc-boot/fs/gofer/gofer_inode.h"

namespace runsc::boot {
namespace {

constexpr absl::Duration kSharedTrust = absl::Milliseconds(1);
constexpr size_t kMaxAhead = 64;
constexpr uint32_t kEntriesPerReply = 512;
// Of larger directories the names are not kept.
constexpr size_t kMaxKeptNames = 8192;

// Two readings of a directory that nobody changes give the same order, as on
// any file system of Linux, whether the names are the host's or those kept.
void Order(GoferInode::Listing& listing) {
  std::sort(listing.begin(), listing.end(), [](const auto& a, const auto& b) {
    return a.inode != b.inode ? a.inode < b.inode : a.name < b.name;
  });
}

}  // namespace

Result<InodeRef> GoferInode::Lookup(Context& context, std::string_view name,
                                    std::span<const std::string_view> ahead) {
  if (!S_ISDIR(type_)) return Error(ENOTDIR);
  bool known = false;
  Result<GoferInodeRef> found = LookupKnown(name, known);
  if (!known) found = WalkTo(name, ahead);
  if (!found.ok()) return std::move(found).error();
  return gofer_.Publish(std::move(*found));
}

Result<GoferInodeRef> GoferInode::LookupKnown(std::string_view name, bool& known) {
  std::unique_ptr<fs::Attributes> attributes;
  Ahead ahead;  // let go without the lock
  {
    absl::MutexLock lock(&mutex_);
    if (auto found = ahead_.find(name); found != ahead_.end()) {
      ahead = std::move(found->second);
      ahead_.erase(found);
      if (ahead.expires > absl::Now()) {
        known = true;
        if (ahead.inode == nullptr) return Error(ENOENT);
        return std::move(ahead.inode);
      }
    }
    if (!gofer_.exclusive()) return Error(ENOENT);
    KnownNames::Entry* entry = names_.Find(name);
    if (entry == nullptr) {
      known = names_.complete();
      return Error(ENOENT);
    }
    GoferInodeRef file = entry->file.lock();
    known = file != nullptr || entry->attributes != nullptr;
    if (file != nullptr) return file;
    if (!known) return Error(ENOENT);
    attributes = std::move(entry->attributes);
  }
  GoferInodeRef file = gofer_.AdoptUnopened(*attributes, Self(), name);
  absl::MutexLock lock(&mutex_);
  if (KnownNames::Entry* entry = names_.Find(name)) entry->file = file;
  return file;
}

Result<GoferInodeRef> GoferInode::WalkTo(std::string_view name,
                                         std::span<const std::string_view> ahead) {
  fs::FsRequest request;
  fs::WalkRequest& walk = *request.mutable_walk();
  TRY_ASSIGN(uint64_t handle, Handle());
  walk.set_handle(handle);
  walk.add_names(std::string(name));
  for (std::string_view next : ahead) {
    if (next == "." || next == "..") break;
    walk.add_names(std::string(next));
  }
  // The end of a path is opened sooner or later, as a rule for reading.
  walk.set_open(fs::ACCESS_READ);
  uint64_t version;
  {
    absl::MutexLock lock(&mutex_);
    version = names_version_;
  }
  TRY_ASSIGN(GoferClient::Reply reply, gofer_.client().Call(request));
  const fs::WalkReply& found = reply.message.walk();
  if (found.nodes_size() == 0) return Error(found.error() != 0 ? found.error() : EIO);
  if (found.nodes_size() > walk.names_size()) return Error(EIO);

  GoferInodeRef first, current;
  for (int i = 0; i < found.nodes_size(); ++i) {
    GoferInodeRef inode = gofer_.Adopt(found.nodes(i));
    if (i == 0) {
      first = inode;
      RememberChild(name, inode, version);
    } else {
      current->RememberAhead(walk.names(i), inode);
    }
    current = std::move(inode);
  }
  if (found.error() == ENOENT) {
    current->RememberAhead(walk.names(found.nodes_size()), nullptr);
  }
  if (reply.fd.valid()) current->TakeDescriptor(std::move(reply.fd), false);
  return first;
}

void GoferInode::RememberAhead(std::string_view name, GoferInodeRef inode) {
  absl::Time expires = gofer_.exclusive() ? absl::InfiniteFuture() : absl::Now() + kSharedTrust;
  Ahead next = {std::move(inode), expires};
  StringMap<Ahead> outdated;  // its files are let go without the lock
  absl::MutexLock lock(&mutex_);
  if (ahead_.size() >= kMaxAhead) outdated.swap(ahead_);
  std::swap(ahead_[std::string(name)], next);
}

void GoferInode::RememberChild(std::string_view name, const GoferInodeRef& inode,
                               uint64_t version) {
  if (!gofer_.exclusive()) return;
  absl::MutexLock lock(&mutex_);
  if (names_version_ != version) return;
  RememberChildLocked(name, *inode);
}

void GoferInode::RememberChildLocked(std::string_view name, GoferInode& inode) {
  names_.Put(name, inode.number_, inode.type_).file = inode.Self();
  if (names_.size() < names_limit_) return;
  names_.Shrink();
  names_limit_ = 2 * names_.size() + kMinNamesLimit;
}

void GoferInode::DirectoryChanged(const fs::Attributes& attributes) {
  StringMap<Ahead> outdated;  // its files are let go without the lock
  absl::MutexLock lock(&mutex_);
  outdated.swap(ahead_);
  ++names_version_;
  ++version_;
  if (attributes.inode() == number_) {
    StoreLocked(FromMessage(attributes));
  } else {
    valid_until_ = absl::InfinitePast();
  }
}

Result<GoferInodeRef> GoferInode::Make(std::string_view name, const NewInode& inode) {
  TRY_ASSIGN(uint64_t handle, Handle());
  fs::FsRequest request;
  fs::MakeRequest& make = *request.mutable_make();
  make.set_parent(handle);
  make.set_name(std::string(name));
  make.set_mode(inode.mode);
  make.set_uid(inode.uid);
  make.set_gid(inode.gid);
  make.set_device_number(inode.rdev);
  make.set_link_target(inode.target);
  // Who makes a file writes it next.
  bool regular = S_ISREG(inode.mode);
  if (regular) make.set_open(fs::ACCESS_READ_WRITE);
  TRY_ASSIGN(GoferClient::Reply reply, gofer_.client().Call(request));
  if (!reply.message.has_make()) return Error(EIO);
  GoferInodeRef made = gofer_.Adopt(reply.message.make().node());
  if (regular && reply.fd.valid()) made->TakeDescriptor(std::move(reply.fd), true);
  DirectoryChanged(reply.message.parent());
  if (!gofer_.exclusive()) return made;
  if (S_ISDIR(inode.mode)) {
    absl::MutexLock lock(&made->mutex_);
    made->names_.set_complete();
  }
  if (!name.empty()) {
    absl::MutexLock lock(&mutex_);
    RememberChildLocked(name, *made);
  }
  return made;
}

Result<InodeRef> GoferInode::Create(Context& context, std::string_view name,
                                    const NewInode& inode) {
  TRY_ASSIGN(GoferInodeRef made, Make(name, inode));
  return gofer_.Publish(std::move(made));
}

Result<InodeRef> GoferInode::CreateUnnamed(Context& context, const NewInode& inode) {
  TRY_ASSIGN(GoferInodeRef made, Make("", inode));
  return gofer_.Publish(std::move(made));
}

Status GoferInode::Link(std::string_view name, Inode& target) {
  auto& file = static_cast<GoferInode&>(target);
  TRY_ASSIGN(uint64_t handle, Handle());
  TRY_ASSIGN(uint64_t file_handle, file.Handle());
  fs::FsRequest request;
  request.mutable_link()->set_handle(file_handle);
  request.mutable_link()->set_parent(handle);
  request.mutable_link()->set_name(std::string(name));
  TRY_ASSIGN(GoferClient::Reply reply, gofer_.client().Call(request));
  file.Changed();
  DirectoryChanged(reply.message.parent());
  if (gofer_.exclusive()) {
    absl::MutexLock lock(&mutex_);
    RememberChildLocked(name, file);
  }
  return Ok();
}

Status GoferInode::Remove(std::string_view name, Inode& victim, bool directory) {
  TRY_ASSIGN(uint64_t handle, Handle());
  TRY(static_cast<GoferInode&>(victim).PrepareNameRemoval());
  fs::FsRequest request;
  request.mutable_remove()->set_parent(handle);
  request.mutable_remove()->set_name(std::string(name));
  request.mutable_remove()->set_directory(directory);
  TRY_ASSIGN(GoferClient::Reply reply, gofer_.client().Call(request));
  static_cast<GoferInode&>(victim).NameRemoved();
  DirectoryChanged(reply.message.parent());
  absl::MutexLock lock(&mutex_);
  names_.Take(name);
  return Ok();
}

Status GoferInode::Unlink(std::string_view name, Inode& victim) {
  return Remove(name, victim, false);
}

Status GoferInode::Rmdir(std::string_view name, Inode& victim) {
  return Remove(name, victim, true);
}

Status GoferInode::Rename(std::string_view old_name, Inode& new_parent, std::string_view new_name,
                          unsigned flags) {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0) return Error(EINVAL);
  auto& target = static_cast<GoferInode&>(new_parent);
  TRY_ASSIGN(uint64_t old_handle, Handle());
  TRY_ASSIGN(uint64_t new_handle, target.Handle());
  if (GoferInodeRef replaced = target.KnownChild(new_name)) TRY(replaced->PrepareNameRemoval());
  fs::FsRequest request;
  fs::RenameRequest& rename = *request.mutable_rename();
  rename.set_old_parent(old_handle);
  rename.set_old_name(std::string(old_name));
  rename.set_new_parent(new_handle);
  rename.set_new_name(std::string(new_name));
  rename.set_no_replace((flags & RENAME_NOREPLACE) != 0);
  rename.set_exchange((flags & RENAME_EXCHANGE) != 0);
  TRY_ASSIGN(GoferClient::Reply reply, gofer_.client().Call(request));
  DirectoryChanged(reply.message.old_parent());
  if (&target != this) target.DirectoryChanged(reply.message.parent());
  if (gofer_.exclusive()) RenameKnown(old_name, target, new_name, rename.exchange());
  return Ok();
}

void GoferInode::RenameKnown(std::string_view old_name, GoferInode& new_parent,
                             std::string_view new_name, bool exchange) {
  std::optional<KnownNames::Entry> moved, replaced;
  {
    absl::MutexLock lock(&mutex_);
    moved = names_.Take(old_name);
  }
  {
    absl::MutexLock lock(&new_parent.mutex_);
    replaced = new_parent.names_.Take(new_name);
    // A name whose file is not known: what is known is no longer all.
    if (!moved.has_value()) new_parent.names_.Shrink();
  }
  GoferInodeRef replaced_file = replaced ? replaced->file.lock() : nullptr;
  if (moved.has_value()) new_parent.PutKnown(new_name, std::move(*moved), new_parent.Self());
  if (exchange) {
    if (replaced.has_value()) {
      PutKnown(old_name, std::move(*replaced), Self());
    } else {
      absl::MutexLock lock(&mutex_);
      names_.Shrink();
    }
  } else if (replaced_file != nullptr) {
    replaced_file->NameRemoved();
  }
}

void GoferInode::PutKnown(std::string_view name, KnownNames::Entry entry,
                          const GoferInodeRef& self) {
  if (GoferInodeRef file = entry.file.lock()) file->Moved(self, name);
  absl::MutexLock lock(&mutex_);
  KnownNames::Entry& put = names_.Put(name, entry.inode, entry.type);
  put.file = entry.file;
  // The attributes that came with the list are older than the rename.
}

void GoferInode::Moved(GoferInodeRef parent, std::string_view name) {
  absl::MutexLock lock(&mutex_);
  ++version_;
  valid_until_ = absl::InfinitePast();
  if (handle_ != 0) return;
  parent_.swap(parent);
  name_ = std::string(name);
}

GoferInodeRef GoferInode::KnownChild(std::string_view name) {
  absl::MutexLock lock(&mutex_);
  KnownNames::Entry* entry = names_.Find(name);
  return entry != nullptr ? entry->file.lock() : nullptr;
}

void GoferInode::DropNames() {
  absl::MutexLock lock(&mutex_);
  names_.Shrink();
}

Result<std::vector<fs::ReadDirectoryReply::Entry>> GoferInode::ReadAll() {
  std::vector<fs::ReadDirectoryReply::Entry> entries;
  int64_t cookie = 0;
  while (true) {
    fs::FsRequest request;
    fs::ReadDirectoryRequest& list = *request.mutable_read_directory();
    if (GoferInodeRef parent = Unopened(list.mutable_name())) {
      TRY_ASSIGN(uint64_t handle, parent->Handle());
      list.set_handle(handle);
    } else {
      TRY_ASSIGN(uint64_t handle, Handle());
      list.set_handle(handle);
    }
    list.set_cookie(cookie);
    list.set_max_entries(kEntriesPerReply);
    TRY_ASSIGN(GoferClient::Reply reply, gofer_.client().Call(request));
    fs::ReadDirectoryReply& read = *reply.message.mutable_read_directory();
    if (read.has_node()) TRY(TakeFetched(read.node()));
    for (auto& entry : *read.mutable_entries()) {
      if (entry.has_attributes()) entries.push_back(std::move(entry));
    }
    if (read.end()) return entries;
    if (read.next() == cookie) return Error(EIO);
    cookie = read.next();
  }
}

std::shared_ptr<const GoferInode::Listing> GoferInode::ListKnownLocked() const {
  auto listing = std::make_shared<Listing>();
  listing->reserve(names_.size());
  for (const auto& [name, entry] : names_.entries()) {
    listing->push_back({name, entry.inode, static_cast<uint8_t>(IFTODT(entry.type))});
  }
  Order(*listing);
  return listing;
}

Result<std::shared_ptr<const GoferInode::Listing>> GoferInode::List() {
  uint64_t version;
  {
    absl::MutexLock lock(&mutex_);
    if (names_.complete()) return ListKnownLocked();
    version = names_version_;
  }
  TRY_ASSIGN(std::vector<fs::ReadDirectoryReply::Entry> entries, ReadAll());
  auto listing = std::make_shared<Listing>();
  listing->reserve(entries.size());
  for (const auto& entry : entries) {
    listing->push_back({entry.name(), entry.attributes().inode(),
                        static_cast<uint8_t>(IFTODT(entry.attributes().mode()))});
  }
  if (!gofer_.exclusive() || entries.size() > kMaxKeptNames) {
    return std::shared_ptr<const Listing>(std::move(listing));
  }
  Order(*listing);
  {
    absl::MutexLock lock(&mutex_);
    if (names_version_ != version) return std::shared_ptr<const Listing>(std::move(listing));
    for (auto& entry : entries) {
      KnownNames::Entry* known = names_.Find(entry.name());
      if (known != nullptr && !known->file.expired()) continue;
      KnownNames::Entry& kept =
          names_.Put(entry.name(), entry.attributes().inode(), entry.attributes().mode() & S_IFMT);
      kept.attributes = std::make_unique<fs::Attributes>(std::move(*entry.mutable_attributes()));
    }
    names_.set_complete();
  }
  gofer_.NoteNames(Self(), listing->size());
  return std::shared_ptr<const Listing>(std::move(listing));
}

}  // namespace runsc::boot
