// File descriptions: open files, shared by descriptors that were duplicated or
// inherited (open(2) "open file description").
#ifndef RUNSC_BOOT_VFS_FILE_H_
#define RUNSC_BOOT_VFS_FILE_H_

#include <fcntl.h>
#include <sys/epoll.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/vfs/file_async.h"
#include "bin/runsc-boot/vfs/inode.h"
#include "bin/runsc-boot/vfs/io_buffer.h"
#include "bin/runsc-boot/vfs/path.h"
#include "bin/runsc-boot/wait/wait_queue.h"
#include "common/file_descriptor.h"

namespace runsc::boot {

// An entry that ReadDirectory hands out.
struct DirectoryEntry {
  std::string_view name;
  uint64_t ino;
  uint8_t type;         // DT_*
  int64_t next_offset;  // where to go on behind this entry
};

// A host descriptor to map, with exactly the access mode of the file.
struct HostMapping {
  int fd;           // borrowed from the file
  uint64_t offset;  // to add to the application's offset (0 as a rule)
};

// Nothing here blocks: an operation that cannot make progress returns EAGAIN,
// whatever O_NONBLOCK says; the system-call layer waits on wait_queue().
class File : public std::enable_shared_from_this<File> {
 public:
  // `flags`: access mode and status flags of open(2). O_NOCTTY, which openers of
  // devices see, is not kept.
  File(Path path, int flags) : path_(std::move(path)), flags_(flags & ~O_NOCTTY) {}
  virtual ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const Path& path() const { return path_; }
  // Null for files without an inode of their own.
  const InodeRef& inode() const;
  int flags() const { return flags_.load(std::memory_order_relaxed); }
  // F_SETFL: only O_APPEND, O_NONBLOCK, O_ASYNC, O_DIRECT, O_NOATIME change.
  virtual Status SetFlags(int flags);
  // Access mode 3 asks for the permission to read and write, and gives neither.
  bool readable() const { return AllowsAccess(O_RDONLY); }
  bool writable() const { return AllowsAccess(O_WRONLY); }

  // Position-less reads and writes at the file's position, or at once for
  // streams. The access mode has been checked. A short count is not an error.
  // The defaults serve seekable files: they lock the position, call PRead or
  // PWrite (at the end with O_APPEND) and move it on.
  virtual Result<size_t> Read(Context& context, IoBuffer& destination);
  virtual Result<size_t> Write(Context& context, IoBuffer& source);
  // Files whose reads do not wait for ever (terminals with VTIME): when, in
  // nanoseconds of CLOCK_MONOTONIC, a waiting read that began at `begun` ends;
  // asked again after each attempt.
  virtual std::optional<int64_t> ReadDeadline(int64_t begun) { return std::nullopt; }
  // What a read gets that ends by time or by a signal before it had enough.
  virtual Result<size_t> ReadPartial(Context& context, IoBuffer& destination) { return 0; }
  // ESPIPE by default.
  virtual Result<size_t> PRead(Context& context, IoBuffer& destination, uint64_t offset);
  virtual Result<size_t> PWrite(Context& context, IoBuffer& source, uint64_t offset);
  // A write with O_APPEND; `end` becomes the offset behind what was written.
  // The default is not atomic against other descriptions of the same file.
  virtual Result<size_t> Append(Context& context, IoBuffer& source, uint64_t& end);
  // lseek(2); ESPIPE by default unless seekable() is true.
  virtual Result<uint64_t> Seek(Context& context, int64_t offset, int whence);
  virtual bool seekable() const { return false; }
  // Calls `emit` for each entry from the position on, "." and ".." included,
  // until it returns false (entry not consumed). ENOTDIR by default.
  virtual Status ReadDirectory(Context& context,
                               const std::function<bool(const DirectoryEntry&)>& emit) {
    return Error(ENOTDIR);
  }

  virtual Result<Attributes> GetAttributes();  // the inode's by default
  virtual Status Truncate(Context& context, uint64_t size) { return Error(EINVAL); }
  virtual Status Allocate(Context& context, int mode, uint64_t offset, uint64_t size) {
    return Error(EOPNOTSUPP);
  }
  virtual Status Sync(bool data_only) { return Error(EINVAL); }
  // `argument` may be an application address: use context.CopyIn/CopyOut.
  virtual Result<int64_t> Ioctl(Context& context, uint64_t command, uint64_t argument) {
    return Error(ENOTTY);
  }
  // Ready events among EPOLL*; files that are always ready report
  // EPOLLIN | EPOLLOUT.
  virtual PollEvents Poll() { return EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM; }
  // The same for files whose answer depends on who asks (signalfd); afterwards
  // wait_queue() is notified for `context` too.
  virtual PollEvents PollBy(Context& context) { return Poll(); }
  // False for files that epoll_ctl(2) refuses with EPERM (regular, directory).
  virtual bool pollable() const { return true; }
  // Notified when Poll's answer grows. Null for files that are always ready.
  virtual WaitQueue* wait_queue() { return nullptr; }
  // ENODEV when the file cannot be mapped.
  virtual Result<HostMapping> GetHostMapping(int protection, int map_flags) {
    return Error(ENODEV);
  }
  // True when mmap means anonymous memory (/dev/zero).
  virtual bool MapsAsAnonymous() const { return false; }
  // Runs at every close(2) of a descriptor (locks, delayed errors).
  virtual Status Flush(Context& context) { return Ok(); }
  // True when O_ASYNC means something: wait_queue() tells all that SIGIO would.
  virtual bool async_capable() const { return false; }
  // Null until MakeAsync; then it stays.
  FileAsyncRef async() const ABSL_LOCKS_EXCLUDED(position_mutex_);
  FileAsyncRef MakeAsync(const std::function<FileAsyncRef()>& make)
      ABSL_LOCKS_EXCLUDED(position_mutex_);
  // The same without a lock.
  FileAsync* async_if_any() const { return async_if_any_.load(std::memory_order_acquire); }
  // It was opened for writing by name, and inode()->write_access() was got for
  // it: given back when it goes.
  void HoldWriteAccess() { holds_write_access_ = true; }
  // The open(2) that made this description made the file, too (F_CREATED_QUERY).
  void MarkCreated() { created_ = true; }
  bool created() const { return created_; }
  // Text for /proc/PID/fd/N when there is no path ("pipe:[123]").
  virtual std::string Describe() const { return ""; }
  // Lines for /proc/PID/fdinfo/N behind pos, flags, mnt_id.
  virtual std::string FdInfo() const { return ""; }

  // lseek(2) on a file of `size` bytes whose data and holes are not known.
  // EINVAL, ENXIO, EOVERFLOW.
  static Result<uint64_t> SeekTarget(uint64_t position, uint64_t size, int64_t offset, int whence);

  // The position, for seekable files and directories.
  virtual uint64_t position() const ABSL_LOCKS_EXCLUDED(position_mutex_);

 protected:
  absl::Mutex& position_mutex() ABSL_LOCK_RETURNED(position_mutex_) { return position_mutex_; }
  mutable absl::Mutex position_mutex_;
  uint64_t position_ ABSL_GUARDED_BY(position_mutex_) = 0;

 private:
  bool AllowsAccess(int mode) const {
    const int access = flags() & (O_ACCMODE | O_PATH);
    return access == mode || access == O_RDWR;
  }

  const Path path_;
  std::atomic<int> flags_;
  // Set before the file is shared.
  bool holds_write_access_ = false;
  bool created_ = false;
  FileAsyncRef async_ ABSL_GUARDED_BY(position_mutex_);
  std::atomic<FileAsync*> async_if_any_{nullptr};  // async_
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_FILE_H_
