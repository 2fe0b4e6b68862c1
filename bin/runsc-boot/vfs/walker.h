// One walk along a path (path_resolution(7)), stopping before the last
// component where the caller decides what to do with it.
#ifndef RUNSC_BOOT_VFS_WALKER_H_
#define RUNSC_BOOT_VFS_WALKER_H_

#include <memory>
#include <string>
#include <string_view>

#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

class PathWalker {
 public:
  enum class Last { kNormal, kDot, kDotDot, kRoot };

  // `path` must outlive the walk.
  PathWalker(Vfs& vfs, Caller caller, const WalkOptions& options, std::string_view path);

  // The whole walk.
  Result<Path> ToEnd();

  // Up to the directory that holds the last component, whose search permission
  // has been checked; the four accessors are valid afterwards.
  Status ToParent();
  const Path& current() const { return current_; }
  std::string_view last() const { return last_; }
  Last last_kind() const { return last_kind_; }
  bool trailing_slash() const { return !remaining_.empty(); }

  // The last component's dentry, without following links or mounts. ENOENT.
  Result<DentryRef> LookupLast() { return Lookup(last_); }
  // Follows the symbolic link that is the last component. True: a magic link
  // led to current(). False: call ToParent again.
  Result<bool> FollowLast(const DentryRef& link);
  // Moves to a child, and to what is mounted on it.
  Status Enter(DentryRef child);

  const Credentials& credentials() const { return *credentials_; }

 private:
  static constexpr int kMaxLinks = 40;

  Status Start();
  Status CheckSearch();
  Result<DentryRef> Lookup(std::string_view name);
  // Replaces the link by its text in what remains. True: a magic link.
  Result<bool> Follow(const DentryRef& link);
  Status CheckMayFollow(const DentryRef& link);
  Status StepUp();
  const Path& root();
  const MountNamespace& mounts();
  bool Scoped() const {
    return (options_.resolve_flags & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) != 0;
  }

  Vfs& vfs_;
  const Caller caller_;
  const WalkOptions& options_;
  const CredentialsRef credentials_;
  const bool may_search_anything_;
  const std::string_view path_;
  bool started_ = false;
  Path root_;                               // fetched when needed
  std::shared_ptr<MountNamespace> mounts_;  // fetched when needed
  Path current_;
  std::string text_;            // what remains once a link has been expanded
  std::string_view remaining_;  // of the path, behind the last component taken
  std::string_view last_;
  Last last_kind_ = Last::kRoot;
  int links_ = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_WALKER_H_
