// rename(2), renameat2(2).
#include <linux/fs.h>
#include <sys/inotify.h>

#include <utility>

#include "bin/runsc-boot/vfs/vfs.h"
#include "bin/runsc-boot/vfs/walker.h"

namespace runsc::boot {

// One of the two names.
struct Vfs::RenameEnd {
  Path parent;
  std::string_view name;
  bool trailing_slash = false;
  DentryRef child;  // null: no such entry
  Attributes parent_attributes;
  Attributes attributes;
};

namespace {

bool IsAncestor(const DentryRef& ancestor, DentryRef dentry) {
  for (; dentry != nullptr; dentry = dentry->parent()) {
    if (dentry == ancestor) return true;
  }
  return false;
}

// Locks one or two directories, the ancestor first; unrelated ones by address.
class ParentLocks {
 public:
  ParentLocks(absl::Mutex* first, absl::Mutex* second) ABSL_NO_THREAD_SAFETY_ANALYSIS
      : first_(first),
        second_(second == first ? nullptr : second) {
    first_->Lock();
    if (second_ != nullptr) second_->Lock();
  }
  ~ParentLocks() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (second_ != nullptr) second_->Unlock();
    first_->Unlock();
  }
  ParentLocks(const ParentLocks&) = delete;
  ParentLocks& operator=(const ParentLocks&) = delete;

 private:
  absl::Mutex* const first_;
  absl::Mutex* const second_;
};

// A directory that moves to another parent gets a new "..".
Status CheckMovesParent(const Credentials& credentials, const Attributes& directory,
                        bool same_parent) {
  if (same_parent || !directory.IsDirectory()) return Ok();
  return CheckPermission(credentials, directory, kWrite);
}

}  // namespace

Status Vfs::Rename(Caller caller, const WalkOptions& old_walk, std::string_view old_path,
                   const WalkOptions& new_walk, std::string_view new_path, unsigned flags) {
  constexpr unsigned kKnown = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT;
  if ((flags & ~kKnown) != 0) return Error(EINVAL);
  if ((flags & RENAME_EXCHANGE) != 0 && (flags & ~RENAME_EXCHANGE) != 0) return Error(EINVAL);
  PathWalker old_walker(*this, caller, old_walk, old_path);
  PathWalker new_walker(*this, caller, new_walk, new_path);
  TRY(old_walker.ToParent());
  TRY(new_walker.ToParent());
  RenameEnd from, to;
  from.parent = old_walker.current();
  to.parent = new_walker.current();
  if (from.parent.mount != to.parent.mount) return Error(EXDEV);
  if (old_walker.last_kind() != PathWalker::Last::kNormal) return Error(EBUSY);
  if (new_walker.last_kind() != PathWalker::Last::kNormal) {
    return Error((flags & RENAME_NOREPLACE) != 0 ? EEXIST : EBUSY);
  }
  if (from.parent.mount->read_only()) return Error(EROFS);
  from.name = old_walker.last();
  from.trailing_slash = old_walker.trailing_slash();
  to.name = new_walker.last();
  to.trailing_slash = new_walker.trailing_slash();

  DentryRef replaced;  // outlives the locks: its end may be the end of a large file
  absl::MutexLock rename_lock(&rename_mutex_);
  DentryRef first = from.parent.dentry, second = to.parent.dentry;
  if (IsAncestor(second, first) || (!IsAncestor(first, second) && second < first)) {
    std::swap(first, second);
  }
  ParentLocks locks(&first->mutex_, &second->mutex_);
  Status status = RenameLocked(caller, from, to, flags);
  replaced = std::move(to.child);
  return status;
}

Status Vfs::RenameLocked(Caller caller, RenameEnd& from, RenameEnd& to,
                         unsigned flags) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  const CredentialsRef credentials = caller.context.credentials();
  const bool exchange = (flags & RENAME_EXCHANGE) != 0;
  TRY_ASSIGN(from.child, cache_.LookupLocked(caller.context, from.parent.dentry, from.name));
  Result<DentryRef> target = cache_.LookupLocked(caller.context, to.parent.dentry, to.name);
  if (!target.ok() && target.code() != ENOENT) return std::move(target).error();
  if (target.ok()) to.child = std::move(target).value();
  if (to.child != nullptr && (flags & RENAME_NOREPLACE) != 0) return Error(EEXIST);
  if (to.child == nullptr && exchange) return Error(ENOENT);

  TRY_ASSIGN(from.attributes, from.child->inode()->GetAttributes());
  if (to.child != nullptr) {
    TRY_ASSIGN(to.attributes, to.child->inode()->GetAttributes());
  }
  if (exchange) {
    if (to.trailing_slash && !to.attributes.IsDirectory()) return Error(ENOTDIR);
  }
  if (!from.attributes.IsDirectory()) {
    if (from.trailing_slash || (!exchange && to.trailing_slash)) return Error(ENOTDIR);
  }
  // Parents below what moves. The locks on the parents do not matter here:
  // parent() of another dentry is asked only above them.
  for (DentryRef up = to.parent.dentry; up != nullptr; up = up->parent_) {
    if (up == from.child) return Error(EINVAL);
  }
  for (DentryRef up = from.parent.dentry; up != nullptr; up = up->parent_) {
    if (to.child != nullptr && up == to.child) return Error(exchange ? EINVAL : ENOTEMPTY);
  }
  if (to.child != nullptr && to.child->inode() == from.child->inode()) return Ok();

  // may_delete and may_create
  if (from.parent.dentry->deleted() || to.parent.dentry->deleted()) return Error(ENOENT);
  const bool same_parent = from.parent.dentry == to.parent.dentry;
  TRY_ASSIGN(from.parent_attributes, from.parent.dentry->inode()->GetAttributes());
  TRY_ASSIGN(to.parent_attributes, to.parent.dentry->inode()->GetAttributes());
  TRY(CheckPermission(*credentials, from.parent_attributes, kWrite | kExecute));
  TRY(CheckSticky(*credentials, from.parent_attributes, from.attributes));
  TRY(CheckPermission(*credentials, to.parent_attributes, kWrite | kExecute));
  if (to.child != nullptr) {
    TRY(CheckSticky(*credentials, to.parent_attributes, to.attributes));
    if (!exchange) {
      if (from.attributes.IsDirectory() && !to.attributes.IsDirectory()) return Error(ENOTDIR);
      if (!from.attributes.IsDirectory() && to.attributes.IsDirectory()) return Error(EISDIR);
    }
  }
  TRY(CheckMovesParent(*credentials, from.attributes, same_parent));
  if (exchange) TRY(CheckMovesParent(*credentials, to.attributes, same_parent));
  if (from.child->is_mount_point() || (to.child != nullptr && to.child->is_mount_point())) {
    return Error(EBUSY);
  }
  TRY(from.parent.dentry->inode()->Rename(from.name, *to.parent.dentry->inode(), to.name, flags));

  if (exchange) {
    cache_.MoveLocked(to.parent.dentry, to.child, from.parent.dentry, from.name);
    cache_.MoveLocked(from.parent.dentry, from.child, to.parent.dentry, to.name);
    cache_.AdoptLocked(from.parent.dentry, to.child);
    ReportRename(from, to, exchange);
    return Ok();
  }
  if (to.child != nullptr) cache_.RemoveLocked(to.parent.dentry, to.child);
  cache_.MoveLocked(from.parent.dentry, from.child, to.parent.dentry, to.name);
  // A whiteout took its place: look it up when it is wanted.
  if ((flags & RENAME_WHITEOUT) != 0) from.parent.dentry->children_.erase(from.name);
  ReportRename(from, to, exchange);
  return Ok();
}

void Vfs::ReportRename(const RenameEnd& from, const RenameEnd& to, bool exchange) {
  Inode& from_parent = *from.parent.dentry->inode();
  Inode& to_parent = *to.parent.dentry->inode();
  if (!from_parent.filesystem().watches().active()) return;
  const auto report = [this](Inode& old_parent, std::string_view old_name, Inode& new_parent,
                             std::string_view new_name, const Attributes& moved) {
    const uint32_t cookie = move_cookie_.fetch_add(1) + 1;
    ReportEntry(old_parent, old_name, IN_MOVED_FROM, moved.IsDirectory(), cookie);
    ReportEntry(new_parent, new_name, IN_MOVED_TO, moved.IsDirectory(), cookie);
  };
  report(from_parent, from.name, to_parent, to.name, from.attributes);
  // The count of the links of what was replaced.
  if (!exchange && to.child != nullptr) ReportInode(*to.child->inode(), IN_ATTRIB);
  ReportInode(*from.child->inode(), IN_MOVE_SELF);
  if (!exchange) return;
  report(to_parent, to.name, from_parent, from.name, to.attributes);
  ReportInode(*to.child->inode(), IN_MOVE_SELF);
}

}  // namespace runsc::boot
