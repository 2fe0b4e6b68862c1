// Attributes of an inode: what stat(2) and statx(2) report.
#ifndef RUNSC_BOOT_VFS_ATTRIBUTES_H_
#define RUNSC_BOOT_VFS_ATTRIBUTES_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <optional>

namespace runsc::boot {

struct Attributes {
  uint64_t ino = 0;
  dev_t dev = 0;    // filled in by the VFS from the file system
  mode_t mode = 0;  // type and permission bits
  uint32_t nlink = 1;
  uid_t uid = 0;
  gid_t gid = 0;
  dev_t rdev = 0;
  uint64_t size = 0;
  uint64_t blocks = 0;  // of 512 bytes
  uint32_t blksize = 4096;
  timespec atime{}, mtime{}, ctime{};
  std::optional<timespec> btime;

  bool IsDirectory() const { return S_ISDIR(mode); }
  bool IsRegular() const { return S_ISREG(mode); }
  bool IsSymlink() const { return S_ISLNK(mode); }
};

// A change of attributes; what is not set stays. Permission has been checked
// and set-id bits have been handled by the VFS before a file system sees it.
struct AttributeChange {
  std::optional<mode_t> mode;  // permission bits only (07777)
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
  std::optional<uint64_t> size;
  std::optional<timespec> atime, mtime;  // absolute; UTIME_NOW already resolved
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_ATTRIBUTES_H_
