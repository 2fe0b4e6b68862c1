#include "bin/runsc-boot/sandbox/mount_point.h"

#include <fcntl.h>

#include "bin/runsc-boot/fs/pseudo/directory.h"

namespace runsc::boot {
namespace {

bool CannotBeWritten(int code) { return code == EROFS || code == EACCES || code == EPERM; }

// An inode that is never seen, since something is mounted on it.
InodeRef PlaceholderInode(Inode& parent, std::string_view name, bool directory) {
  uint64_t ino = pseudo::ChildIno(pseudo::kRootIno, name);
  if (directory) {
    return std::make_shared<pseudo::StaticDirectory>(parent.filesystem(), ino, 0755);
  }
  return std::make_shared<pseudo::FunctionFile>(parent.filesystem(), ino, 0644,
                                                [](Context&) { return std::string(); });
}

Status MakeOne(Vfs& vfs, Caller caller, const WalkOptions& walk, const std::string& path,
               bool directory) {
  if (directory) return vfs.Mkdir(caller, walk, path, 0755);
  return vfs.Mknod(caller, walk, path, S_IFREG | 0644, 0);
}

}  // namespace

Result<Path> MakeMountPoint(Vfs& vfs, Caller caller, const std::string& destination,
                            bool directory) {
  WalkOptions walk;
  walk.start = caller.fs.root();
  Result<Path> found = vfs.Walk(caller, walk, destination);
  if (found.ok() || found.code() != ENOENT) return found;

  size_t end = destination.find_last_not_of('/');
  size_t slash = destination.rfind('/', end);
  if (slash == std::string::npos || end == std::string::npos) return found;
  const std::string parent_name = slash == 0 ? "/" : destination.substr(0, slash);
  const std::string name = destination.substr(slash + 1, end - slash);
  TRY_ASSIGN(Path parent, MakeMountPoint(vfs, caller, parent_name, true));
  Status made = MakeOne(vfs, caller, walk, destination.substr(0, end + 1), directory);
  if (made.ok() || made.code() == EEXIST) return vfs.Walk(caller, walk, destination);
  if (!CannotBeWritten(made.code())) return std::move(made).error();
  return Path{parent.mount,
              std::make_shared<Dentry>(parent.dentry, name,
                                       PlaceholderInode(*parent.dentry->inode(), name, directory))};
}

}  // namespace runsc::boot
