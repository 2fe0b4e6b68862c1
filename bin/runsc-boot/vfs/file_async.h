// What fcntl(2) keeps with a file description for signal-driven I/O and dnotify;
// the kernel implements it (kernel/async_io.h), the file only owns it.
#ifndef RUNSC_BOOT_VFS_FILE_ASYNC_H_
#define RUNSC_BOOT_VFS_FILE_ASYNC_H_

#include <memory>

namespace runsc::boot {

class FdTable;

class FileAsync {
 public:
  virtual ~FileAsync() = default;
  // `table` has closed a descriptor of the file; its lock is held.
  virtual void DescriptorClosed(const FdTable& table) = 0;
};
using FileAsyncRef = std::shared_ptr<FileAsync>;

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_FILE_ASYNC_H_
