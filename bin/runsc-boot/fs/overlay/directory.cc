#include <dirent.h>
#include <linux/fs.h>

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "bin/runsc-boot/fs/overlay/file.h"
#include "bin/runsc-boot/fs/overlay/inode.h"
#include "bin/runsc-boot/vfs/dentry.h"
#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot {
namespace {

bool IsOpaque(Inode& directory) { return directory.GetXattr(kOpaqueXattr).ok(); }

// ENOENT is no failure but an answer.
Result<InodeRef> LookupOrNull(Context& context, Inode& directory, std::string_view name,
                              std::span<const std::string_view> ahead) {
  Result<InodeRef> found = directory.Lookup(context, name, ahead);
  if (!found.ok() && found.code() == ENOENT) return InodeRef();
  return found;
}

Result<std::vector<OverlayDirectory::Entry>> ListReal(Context& context, Inode& directory) {
  Path nowhere{nullptr, std::make_shared<Dentry>(nullptr, "", directory.shared_from_this())};
  TRY_ASSIGN(FileRef file, directory.Open(context, nowhere, O_RDONLY | O_DIRECTORY));
  std::vector<OverlayDirectory::Entry> entries;
  size_t before;
  do {
    before = entries.size();
    TRY(file->ReadDirectory(context, [&entries](const DirectoryEntry& entry) {
      entries.push_back({std::string(entry.name), entry.ino, entry.type});
      return true;
    }));
  } while (entries.size() != before);
  std::erase_if(entries, [](const auto& entry) { return entry.name == "." || entry.name == ".."; });
  return entries;
}

}  // namespace

Result<OverlayDirectory::Found> OverlayDirectory::Find(Context& context, std::string_view name,
                                                       std::span<const std::string_view> ahead) {
  Found found;
  if (InodeRef above = upper(); above != nullptr) {
    TRY_ASSIGN(found.upper, LookupOrNull(context, *above, name, {}));
    if (found.upper != nullptr) {
      TRY_ASSIGN(Attributes attributes, found.upper->GetAttributes());
      found.whiteout = IsWhiteout(attributes);
    }
  }
  if (lower() != nullptr) {
    TRY_ASSIGN(found.lower, LookupOrNull(context, *lower(), name, ahead));
  }
  return found;
}

std::shared_ptr<OverlayInode> OverlayDirectory::Remember(std::string_view name, InodeRef upper,
                                                         InodeRef lower) {
  absl::MutexLock lock(&children_mutex_);
  auto known = children_.find(name);
  if (known != children_.end()) {
    if (std::shared_ptr<OverlayInode> inode = known->second.lock()) return inode;
  }
  if ((children_.size() & 63) == 63) {
    absl::erase_if(children_, [](const auto& entry) { return entry.second.expired(); });
  }
  auto self = std::static_pointer_cast<OverlayDirectory>(shared_from_this());
  bool directory = S_ISDIR((upper != nullptr ? upper : lower)->Type());
  std::shared_ptr<OverlayInode> inode;
  if (directory) {
    inode = std::make_shared<OverlayDirectory>(overlay(), std::move(self), std::string(name),
                                               std::move(upper), std::move(lower));
  } else {
    inode = std::make_shared<OverlayInode>(overlay(), std::move(self), std::string(name),
                                           std::move(upper), std::move(lower));
  }
  children_.insert_or_assign(name, inode);
  return inode;
}

void OverlayDirectory::Forget(std::string_view name) {
  absl::MutexLock lock(&children_mutex_);
  children_.erase(name);
}

Result<std::shared_ptr<OverlayInode>> OverlayDirectory::Child(Context& context,
                                                              std::string_view name,
                                                              const Found& found) {
  if (!found.exists()) return Error(ENOENT);
  if (found.upper == nullptr) return Remember(name, nullptr, found.lower);
  // Only directories show what lies below them.
  bool merged = found.lower != nullptr && S_ISDIR(found.upper->Type()) &&
                S_ISDIR(found.lower->Type()) && !IsOpaque(*found.upper);
  return Remember(name, found.upper, merged ? found.lower : nullptr);
}

Result<InodeRef> OverlayDirectory::Lookup(Context& context, std::string_view name,
                                          std::span<const std::string_view> ahead) {
  // With the lock, so that no copy is half done when it is found.
  absl::MutexLock lock(&overlay().change_mutex());
  TRY_ASSIGN(Found found, Find(context, name, ahead));
  TRY_ASSIGN(std::shared_ptr<OverlayInode> child, Child(context, name, found));
  return InodeRef(std::move(child));
}

Status OverlayDirectory::RemoveWhiteout(Inode& above, std::string_view name, const Found& found) {
  return found.whiteout ? above.Unlink(name, *found.upper) : Ok();
}

Status OverlayDirectory::Cover(Context& context, Inode& above, std::string_view name,
                               const Found& found) {
  if (found.lower == nullptr) return Ok();
  TRY(above.Create(context, name, NewInode{.mode = S_IFCHR}));
  return Ok();
}

Result<InodeRef> OverlayDirectory::Create(Context& context, std::string_view name,
                                          const NewInode& node) {
  absl::MutexLock lock(&overlay().change_mutex());
  TRY_ASSIGN(Found found, Find(context, name, {}));
  if (found.exists()) return Error(EEXIST);
  TRY_ASSIGN(InodeRef above, CopyUpLocked());
  TRY(RemoveWhiteout(*above, name, found));
  Result<InodeRef> created = above->Create(context, name, node);
  if (!created.ok()) {
    TRY(Cover(context, *above, name, found));
    return created;
  }
  if (S_ISDIR(node.mode) && found.lower != nullptr) {
    TRY((*created)->SetXattr(kOpaqueXattr, "y", 0));
  }
  Forget(name);
  return InodeRef(Remember(name, std::move(created).value(), nullptr));
}

Result<InodeRef> OverlayDirectory::CreateUnnamed(Context& context, const NewInode& node) {
  TRY_ASSIGN(InodeRef above, CopyUp());
  TRY_ASSIGN(InodeRef created, above->CreateUnnamed(context, node));
  auto self = std::static_pointer_cast<OverlayDirectory>(shared_from_this());
  return InodeRef(
      std::make_shared<OverlayInode>(overlay(), std::move(self), "", std::move(created), nullptr));
}

Status OverlayDirectory::Link(std::string_view name, Inode& target) {
  if (&target.filesystem() != &filesystem()) return Error(EXDEV);
  auto inode = std::static_pointer_cast<OverlayInode>(target.shared_from_this());
  KernelContext context;
  absl::MutexLock lock(&overlay().change_mutex());
  TRY_ASSIGN(Found found, Find(context, name, {}));
  if (found.exists()) return Error(EEXIST);
  TRY_ASSIGN(InodeRef source, inode->CopyUpLocked());
  TRY_ASSIGN(InodeRef above, CopyUpLocked());
  TRY(RemoveWhiteout(*above, name, found));
  TRY(above->Link(name, *source));
  absl::MutexLock children_lock(&children_mutex_);
  children_.insert_or_assign(name, inode);
  return Ok();
}

Status OverlayDirectory::Unlink(std::string_view name, Inode& victim) {
  KernelContext context;
  absl::MutexLock lock(&overlay().change_mutex());
  TRY_ASSIGN(Found found, Find(context, name, {}));
  if (!found.exists()) return Error(ENOENT);
  TRY_ASSIGN(InodeRef above, CopyUpLocked());
  if (found.upper != nullptr) TRY(above->Unlink(name, *found.upper));
  TRY(Cover(context, *above, name, found));
  static_cast<OverlayInode&>(victim).set_removed();
  Forget(name);
  return Ok();
}

Status OverlayDirectory::PrepareRemoval(Context& context) {
  TRY_ASSIGN(std::vector<Entry> entries, List(context));
  if (!entries.empty()) return Error(ENOTEMPTY);
  InodeRef above = upper();
  if (above == nullptr) return Ok();
  TRY_ASSIGN(std::vector<Entry> whiteouts, ListReal(context, *above));
  for (const Entry& entry : whiteouts) {
    TRY_ASSIGN(InodeRef whiteout, above->Lookup(context, entry.name, {}));
    TRY(above->Unlink(entry.name, *whiteout));
  }
  return Ok();
}

Status OverlayDirectory::Rmdir(std::string_view name, Inode& victim) {
  KernelContext context;
  absl::MutexLock lock(&overlay().change_mutex());
  TRY_ASSIGN(Found found, Find(context, name, {}));
  TRY_ASSIGN(std::shared_ptr<OverlayInode> child, Child(context, name, found));
  if (!S_ISDIR(child->Type())) return Error(ENOTDIR);
  TRY(static_cast<OverlayDirectory&>(*child).PrepareRemoval(context));
  TRY_ASSIGN(InodeRef above, CopyUpLocked());
  if (found.upper != nullptr) TRY(above->Rmdir(name, *found.upper));
  TRY(Cover(context, *above, name, found));
  child->set_removed();
  Forget(name);
  return Ok();
}

Status OverlayDirectory::CheckRename(const OverlayInode& moved) const {
  return const_cast<OverlayInode&>(moved).Type() == S_IFDIR && moved.lower() != nullptr
             ? Status(Error(EXDEV))
             : Ok();
}

Status OverlayDirectory::ReplaceTarget(Context& context, OverlayInode& moved,
                                       OverlayDirectory& target, Inode& above,
                                       std::string_view name, const Found& found) {
  if (!found.exists()) return target.RemoveWhiteout(above, name, found);
  TRY_ASSIGN(std::shared_ptr<OverlayInode> replaced, target.Child(context, name, found));
  bool directory = S_ISDIR(moved.Type());
  if (directory != S_ISDIR(replaced->Type())) return Error(directory ? ENOTDIR : EISDIR);
  if (directory) TRY(static_cast<OverlayDirectory&>(*replaced).PrepareRemoval(context));
  replaced->set_removed();
  return Ok();
}

Status OverlayDirectory::Rename(std::string_view old_name, Inode& new_parent,
                                std::string_view new_name, unsigned flags) {
  if (&new_parent.filesystem() != &filesystem()) return Error(EXDEV);
  if ((flags & RENAME_WHITEOUT) != 0) return Error(EINVAL);
  auto& target = static_cast<OverlayDirectory&>(new_parent);
  const bool exchange = (flags & RENAME_EXCHANGE) != 0;
  KernelContext context;
  absl::MutexLock lock(&overlay().change_mutex());
  TRY_ASSIGN(Found from, Find(context, old_name, {}));
  TRY_ASSIGN(Found to, target.Find(context, new_name, {}));
  TRY_ASSIGN(std::shared_ptr<OverlayInode> moved, Child(context, old_name, from));
  std::shared_ptr<OverlayInode> other;
  TRY(CheckRename(*moved));
  if (exchange) {
    TRY_ASSIGN(other, target.Child(context, new_name, to));
    TRY(CheckRename(*other));
    TRY(other->CopyUpLocked());
  }
  TRY(moved->CopyUpLocked());
  TRY_ASSIGN(InodeRef old_above, CopyUpLocked());
  TRY_ASSIGN(InodeRef new_above, target.CopyUpLocked());
  if (!exchange) TRY(ReplaceTarget(context, *moved, target, *new_above, new_name, to));
  TRY(old_above->Rename(old_name, *new_above, new_name, flags & ~RENAME_NOREPLACE));
  // Directories hide what lies below their new names.
  if (S_ISDIR(moved->Type()) && to.lower != nullptr) {
    TRY(moved->upper()->SetXattr(kOpaqueXattr, "y", 0));
  }
  if (exchange && S_ISDIR(other->Type()) && from.lower != nullptr) {
    TRY(other->upper()->SetXattr(kOpaqueXattr, "y", 0));
  }
  if (!exchange) TRY(Cover(context, *old_above, old_name, from));
  Forget(old_name);
  {
    absl::MutexLock children_lock(&target.children_mutex_);
    target.children_.insert_or_assign(new_name, moved);
  }
  if (exchange) {
    absl::MutexLock children_lock(&children_mutex_);
    children_.insert_or_assign(old_name, other);
  }
  return Ok();
}

Result<FileRef> OverlayDirectory::Open(Context& context, const Path& path, int flags) {
  return FileRef(std::make_shared<OverlayDirectoryFile>(
      path, flags, std::static_pointer_cast<OverlayDirectory>(shared_from_this())));
}

Result<std::vector<OverlayDirectory::Entry>> OverlayDirectory::List(Context& context) {
  std::vector<Entry> entries;
  absl::flat_hash_set<std::string> above_names;
  if (InodeRef above = upper(); above != nullptr) {
    TRY_ASSIGN(std::vector<Entry> uppers, ListReal(context, *above));
    for (Entry& entry : uppers) {
      above_names.insert(entry.name);
      Result<InodeRef> inode = above->Lookup(context, entry.name, {});
      if (!inode.ok()) continue;
      TRY_ASSIGN(Attributes attributes, (*inode)->GetAttributes());
      if (IsWhiteout(attributes)) continue;
      InodeRef below;
      if (lower() != nullptr && entry.type == DT_DIR && !IsOpaque(**inode)) {
        TRY_ASSIGN(below, LookupOrNull(context, *lower(), entry.name, {}));
        if (below != nullptr && !S_ISDIR(below->Type())) below = nullptr;
      }
      entry.ino = StableNumber(inode->get(), attributes.ino, below.get());
      entries.push_back(std::move(entry));
    }
  }
  if (lower() != nullptr) {
    TRY_ASSIGN(std::vector<Entry> lowers, ListReal(context, *lower()));
    for (Entry& entry : lowers) {
      if (!above_names.contains(entry.name)) entries.push_back(std::move(entry));
    }
  }
  return entries;
}

uint64_t OverlayDirectory::parent_ino() {
  OverlayInode& parent = parent_directory();
  Result<Attributes> attributes = parent.GetAttributes();
  return attributes.ok() ? attributes->ino : 0;
}

}  // namespace runsc::boot
