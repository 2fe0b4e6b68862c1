#include "bin/runsc-gofer/host_file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstring>

namespace runsc::gofer {
namespace {

void SetTime(const statx_timestamp& from, fs::Time* to) {
  to->set_seconds(from.tv_sec);
  to->set_nanoseconds(from.tv_nsec);
}

}  // namespace

Result<FileDescriptor> DescriptorDirectory::Reopen(int fd, int flags) const {
  int opened = openat(directory_.get(), std::to_string(fd).c_str(), flags | O_CLOEXEC | O_NOCTTY);
  if (opened < 0) return Error(errno);
  return FileDescriptor(opened);
}

Status DescriptorDirectory::ChangeMode(int fd, mode_t mode) const {
  if (fchmodat(directory_.get(), std::to_string(fd).c_str(), mode, 0) < 0) return Error(errno);
  return Ok();
}

Status DescriptorDirectory::Link(int fd, int directory, const std::string& name) const {
  if (linkat(directory_.get(), std::to_string(fd).c_str(), directory, name.c_str(),
             AT_SYMLINK_FOLLOW) < 0) {
    return Error(errno);
  }
  return Ok();
}

Status CheckName(const std::string& name) {
  if (name.empty() || name == "." || name == "..") return Error(EINVAL);
  if (name.size() > NAME_MAX) return Error(ENAMETOOLONG);
  if (name.find('/') != std::string::npos || name.find('\0') != std::string::npos) {
    return Error(EINVAL);
  }
  return Ok();
}

Result<FileDescriptor> OpenPathAt(int directory, const std::string& name) {
  int fd = openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return Error(errno);
  return FileDescriptor(fd);
}

Status GetAttributes(int directory, const char* name, fs::Attributes* attributes) {
  struct statx stat;
  if (statx(directory, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
            STATX_BASIC_STATS | STATX_BTIME, &stat) < 0) {
    return Error(errno);
  }
  attributes->set_inode(stat.stx_ino);
  attributes->set_device(makedev(stat.stx_dev_major, stat.stx_dev_minor));
  attributes->set_mode(stat.stx_mode);
  attributes->set_links(stat.stx_nlink);
  attributes->set_uid(stat.stx_uid);
  attributes->set_gid(stat.stx_gid);
  attributes->set_size(stat.stx_size);
  attributes->set_blocks(stat.stx_blocks);
  attributes->set_block_size(stat.stx_blksize);
  attributes->set_device_number(makedev(stat.stx_rdev_major, stat.stx_rdev_minor));
  SetTime(stat.stx_atime, attributes->mutable_access_time());
  SetTime(stat.stx_mtime, attributes->mutable_modify_time());
  SetTime(stat.stx_ctime, attributes->mutable_change_time());
  if (stat.stx_mask & STATX_BTIME) SetTime(stat.stx_btime, attributes->mutable_birth_time());
  return Ok();
}

Result<std::string> ReadLink(int fd) {
  std::string target(PATH_MAX, '\0');
  ssize_t size = readlinkat(fd, "", target.data(), target.size());
  if (size < 0) return Error(errno);
  target.resize(size);
  return target;
}

Result<int> OpenFlags(fs::Access access) {
  switch (access) {
    case fs::ACCESS_READ:
      return O_RDONLY;
    case fs::ACCESS_WRITE:
      return O_WRONLY;
    case fs::ACCESS_READ_WRITE:
      return O_RDWR;
    default:
      return Error(EINVAL);
  }
}

}  // namespace runsc::gofer
