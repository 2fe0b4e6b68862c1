// Paths inside the container's root, as the container would see them: symbolic
// links lead nowhere else, and ".." stops at the root. Used while the gofer
// sets up what it serves, on a root whose contents are not trusted.
#ifndef RUNSC_GOFER_CONTAINER_ROOT_H_
#define RUNSC_GOFER_CONTAINER_ROOT_H_

#include <string>
#include <string_view>

#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::gofer {

class ContainerRoot {
 public:
  static constexpr int kMaxLinks = 255;

  // `root` is borrowed.
  explicit ContainerRoot(int root) : root_(root) {}

  // `path` without symbolic links, "." and "..", with a leading slash. What
  // does not exist is taken literally. ELOOP after kMaxLinks links, ENOTDIR
  // when something in the middle is not a directory, ENAMETOOLONG.
  Result<std::string> Resolve(std::string_view path) const;

  // An O_PATH descriptor of a resolved path. Errors: those of openat2(2).
  Result<FileDescriptor> Open(const std::string& resolved) const;

  // Opens a resolved path; makes it, with its parents, when it is missing: a
  // directory or an empty file. ENOTDIR or EISDIR when it is of another kind.
  Result<FileDescriptor> OpenOrMake(const std::string& resolved, bool directory) const;

 private:
  int root_;
};

}  // namespace runsc::gofer

#endif  // RUNSC_GOFER_CONTAINER_ROOT_H_
