#include "bin/runsc-boot/vfs/walker.h"

#include <linux/limits.h>
#include <linux/openat2.h>
#include <sys/mount.h>

#include <array>
#include <utility>

namespace runsc::boot {
namespace {

// Enough for what people write; the rest is fetched when it is reached.
constexpr size_t kMaxAhead = 16;

bool TakesAnything(const Credentials& credentials) {
  // In a user namespace it depends on the owner.
  if (!credentials.MapsEverything()) return false;
  return credentials.Has(CAP_DAC_OVERRIDE) || credentials.Has(CAP_DAC_READ_SEARCH);
}

// Splits the first component off `path`.
std::string_view NextComponent(std::string_view& path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  std::string_view name = path.substr(0, path.find('/'));
  path.remove_prefix(name.size());
  return name;
}

// ENOTDIR; or why the file system cannot tell what it is.
Status CheckIsDirectory(const Dentry& dentry) {
  if (dentry.is_directory()) return Ok();
  TRY(dentry.inode()->GetAttributes());
  return Error(ENOTDIR);
}

}  // namespace

PathWalker::PathWalker(Vfs& vfs, Caller caller, const WalkOptions& options, std::string_view path)
    : vfs_(vfs),
      caller_(caller),
      options_(options),
      credentials_(caller.context.credentials()),
      may_search_anything_(TakesAnything(*credentials_)),
      path_(path) {}

const Path& PathWalker::root() {
  if (!root_.valid()) root_ = Scoped() ? options_.start : caller_.fs.root();
  return root_;
}

const MountNamespace& PathWalker::mounts() {
  if (mounts_ == nullptr) mounts_ = caller_.fs.mounts();
  return *mounts_;
}

Status PathWalker::Start() {
  started_ = true;
  if (path_.empty()) return Error(ENOENT);
  if (path_.size() >= PATH_MAX) return Error(ENAMETOOLONG);
  remaining_ = path_;
  if (path_.front() == '/') {
    if ((options_.resolve_flags & RESOLVE_BENEATH) != 0) return Error(EXDEV);
    current_ = root();
  } else {
    current_ = options_.start.valid() ? options_.start : caller_.fs.cwd();
  }
  return Ok();
}

Status PathWalker::CheckSearch() {
  TRY(CheckIsDirectory(*current_.dentry));
  if (may_search_anything_) return Ok();
  TRY_ASSIGN(Attributes attributes, current_.dentry->inode()->GetAttributes());
  return CheckPermission(*credentials_, attributes, kExecute);
}

Result<DentryRef> PathWalker::Lookup(std::string_view name) {
  if (name.size() > NAME_MAX) return Error(ENAMETOOLONG);
  DentryRef child = DentryCache::Find(*current_.dentry, name);
  if (child != nullptr) {
    if (child->inode() == nullptr) return Error(ENOENT);
    return child;
  }
  std::array<std::string_view, kMaxAhead> ahead;
  size_t count = 0;
  std::string_view rest = remaining_;
  while (count < kMaxAhead) {
    std::string_view next = NextComponent(rest);
    if (next.empty() || next == ".." || next.size() > NAME_MAX) break;
    if (next != ".") ahead[count++] = next;
  }
  return vfs_.cache_.Lookup(caller_.context, current_.dentry, name,
                            std::span<const std::string_view>(ahead.data(), count));
}

Status PathWalker::Enter(DentryRef child) {
  bool crossing = child->is_mount_point();
  current_.dentry = std::move(child);
  if (!crossing) return Ok();
  Path covered = mounts().Descend(current_);
  if (covered.mount != current_.mount && (options_.resolve_flags & RESOLVE_NO_XDEV) != 0) {
    return Error(EXDEV);
  }
  current_ = std::move(covered);
  return Ok();
}

Status PathWalker::StepUp() {
  if (current_ == root()) {
    return (options_.resolve_flags & RESOLVE_BENEATH) != 0 ? Status(Error(EXDEV)) : Ok();
  }
  Path up = current_;
  if (up.mount != nullptr && up.dentry == up.mount->root()) {
    if (!mounts().Ascend(up)) return Ok();
    if ((options_.resolve_flags & RESOLVE_NO_XDEV) != 0) return Error(EXDEV);
  }
  DentryRef parent = up.dentry->parent();
  if (parent == nullptr) return Ok();
  current_.mount = std::move(up.mount);
  return Enter(std::move(parent));
}

// fs.protected_symlinks: in a sticky directory that all may write, only links
// of the follower or of the directory's owner are followed.
Status PathWalker::CheckMayFollow(const DentryRef& link) {
  if (current_.dentry->inode() == nullptr) return Ok();
  TRY_ASSIGN(Attributes directory, current_.dentry->inode()->GetAttributes());
  if ((directory.mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH)) return Ok();
  TRY_ASSIGN(Attributes attributes, link->inode()->GetAttributes());
  if (attributes.uid == credentials_->fsuid || attributes.uid == directory.uid) return Ok();
  return Error(EACCES);
}

Result<bool> PathWalker::Follow(const DentryRef& link) {
  if ((options_.resolve_flags & RESOLVE_NO_SYMLINKS) != 0) return Error(ELOOP);
  if (current_.mount != nullptr && (current_.mount->flags() & MS_NOSYMFOLLOW) != 0) {
    return Error(ELOOP);
  }
  if (++links_ > kMaxLinks) return Error(ELOOP);
  TRY_ASSIGN(std::shared_ptr<Path> target, link->inode()->FollowMagicLink(caller_.context));
  if (target != nullptr) {
    if ((options_.resolve_flags & RESOLVE_NO_MAGICLINKS) != 0) return Error(ELOOP);
    if (Scoped()) return Error(EXDEV);
    if ((options_.resolve_flags & RESOLVE_NO_XDEV) != 0 && target->mount != current_.mount) {
      return Error(EXDEV);
    }
    current_ = std::move(*target);
    return true;
  }
  TRY_ASSIGN(std::string text, link->inode()->ReadLink(caller_.context));
  if (text.empty()) return Error(ENOENT);
  if (text.front() == '/') {
    if ((options_.resolve_flags & RESOLVE_BENEATH) != 0) return Error(EXDEV);
    if ((options_.resolve_flags & RESOLVE_NO_XDEV) != 0 && root().mount != current_.mount) {
      return Error(EXDEV);
    }
    current_ = root();
  }
  text.append(remaining_);
  text_ = std::move(text);
  remaining_ = text_;
  return false;
}

Result<bool> PathWalker::FollowLast(const DentryRef& link) {
  TRY(CheckMayFollow(link));
  return Follow(link);
}

Status PathWalker::ToParent() {
  if (!started_) TRY(Start());
  last_kind_ = Last::kRoot;
  while (true) {
    std::string_view name = NextComponent(remaining_);
    if (name.empty()) return Ok();
    TRY(CheckSearch());
    if (remaining_.find_first_not_of('/') == std::string_view::npos) {
      last_ = name;
      last_kind_ = name == "." ? Last::kDot : name == ".." ? Last::kDotDot : Last::kNormal;
      return Ok();
    }
    if (name == ".") continue;
    if (name == "..") {
      TRY(StepUp());
      continue;
    }
    TRY_ASSIGN(DentryRef child, Lookup(name));
    if (S_ISLNK(child->inode()->Type())) {
      TRY(Follow(child));
    } else {
      TRY(Enter(std::move(child)));
    }
  }
}

Result<Path> PathWalker::ToEnd() {
  if (path_.empty() && options_.allow_empty) {
    current_ = options_.start.valid() ? options_.start : caller_.fs.cwd();
    if (options_.directory) TRY(CheckIsDirectory(*current_.dentry));
    return std::move(current_);
  }
  bool must_be_directory = options_.directory;
  while (true) {
    TRY(ToParent());
    must_be_directory |= trailing_slash();
    if (last_kind_ == Last::kDotDot) TRY(StepUp());
    if (last_kind_ != Last::kNormal) break;
    TRY_ASSIGN(DentryRef child, Lookup(last_));
    if (!S_ISLNK(child->inode()->Type()) || !(options_.follow_last || trailing_slash())) {
      TRY(Enter(std::move(child)));
      break;
    }
    TRY_ASSIGN(bool arrived, FollowLast(child));
    if (arrived) break;
  }
  if (must_be_directory) TRY(CheckIsDirectory(*current_.dentry));
  return std::move(current_);
}

Result<Path> Vfs::Walk(Caller caller, const WalkOptions& options, std::string_view path) {
  return PathWalker(*this, caller, options, path).ToEnd();
}

}  // namespace runsc::boot
