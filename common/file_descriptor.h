// The one owner of a host file descriptor.
#ifndef RUNSC_COMMON_FILE_DESCRIPTOR_H_
#define RUNSC_COMMON_FILE_DESCRIPTOR_H_

#include <utility>

#include "common/result.h"

namespace runsc {

// Owns a descriptor and closes it. Movable, not copyable. -1 means none.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.Release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) Reset(other.Release());
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  explicit operator bool() const { return valid(); }

  // Gives up ownership without closing.
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }
  // Closes what is owned and takes `fd`.
  void Reset(int fd = -1);
  // A second descriptor of the same open file description, close-on-exec.
  Result<FileDescriptor> Duplicate() const;

 private:
  int fd_ = -1;
};

// Opens `path` with openat(2); O_CLOEXEC is always added.
Result<FileDescriptor> OpenAt(int dirfd, const char* path, int flags, unsigned mode = 0);

}  // namespace runsc

#endif  // RUNSC_COMMON_FILE_DESCRIPTOR_H_
