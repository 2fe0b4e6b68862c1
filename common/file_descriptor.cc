#include "common/file_descriptor.h"

#include <fcntl.h>
#include <unistd.h>

namespace runsc {

void FileDescriptor::Reset(int fd) {
  // Linux frees the number even when close reports an error; nothing to retry.
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

Result<FileDescriptor> FileDescriptor::Duplicate() const {
  int copy = fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return ErrnoError("duplicate file descriptor");
  return FileDescriptor(copy);
}

Result<FileDescriptor> OpenAt(int dirfd, const char* path, int flags, unsigned mode) {
  int fd = openat(dirfd, path, flags | O_CLOEXEC, mode);
  if (fd < 0) return ErrnoError("open", path);
  return FileDescriptor(fd);
}

}  // namespace runsc
