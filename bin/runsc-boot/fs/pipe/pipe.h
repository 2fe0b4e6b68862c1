// Pipes and FIFOs (pipe(7), fifo(7)).
#ifndef RUNSC_BOOT_FS_PIPE_PIPE_H_
#define RUNSC_BOOT_FS_PIPE_PIPE_H_

#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/vfs/file.h"
#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

// What both ends share: a ring of bytes. Thread-safe.
class Pipe {
 public:
  static constexpr size_t kDefaultCapacity = 64 * 1024;
  static constexpr size_t kMaxCapacity = 1024 * 1024;  // fs.pipe-max-size
  static constexpr size_t kAtomicSize = 4096;          // PIPE_BUF

  Result<size_t> Read(IoBuffer& destination);
  // What Read would give, but it stays there (tee(2)).
  Result<size_t> Peek(IoBuffer& destination);
  // `packet`: each write is read by itself (O_DIRECT).
  Result<size_t> Write(IoBuffer& source, bool packet);
  PollEvents Poll(bool reader, bool writer, uint64_t writers_seen_at_open);
  WaitQueue& wait_queue() { return wait_queue_; }

  void AddEnd(bool reader, bool writer);
  void RemoveEnd(bool reader, bool writer);
  bool HasReaders();
  bool HasWriters();
  // How often an end has been opened so far.
  uint64_t readers_opened();
  uint64_t writers_opened();

  size_t size();  // bytes to be read
  size_t capacity();
  // EBUSY: holds more than that; EPERM above the limit without CAP_SYS_RESOURCE.
  Result<size_t> SetCapacity(Context& context, size_t capacity);

 private:
  // Moves up to `count` bytes between the ring and the buffer.
  Result<size_t> CopyOut(IoBuffer& destination, size_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Result<size_t> CopyIn(IoBuffer& source, size_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Result<size_t> ReadLocked(IoBuffer& destination) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Result<size_t> WriteLocked(IoBuffer& source, bool packet) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Makes room in the ring itself, which starts small.
  void Grow(size_t needed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  std::unique_ptr<char[]> ring_ ABSL_GUARDED_BY(mutex_);
  size_t ring_size_ ABSL_GUARDED_BY(mutex_) = 0;  // allocated
  size_t capacity_ ABSL_GUARDED_BY(mutex_) = kDefaultCapacity;
  size_t head_ ABSL_GUARDED_BY(mutex_) = 0;  // next byte to read
  size_t used_ ABSL_GUARDED_BY(mutex_) = 0;
  // Sizes of packets; 0 stands for bytes of a stream up to the next packet.
  std::deque<size_t> packets_ ABSL_GUARDED_BY(mutex_);
  int readers_ ABSL_GUARDED_BY(mutex_) = 0;
  int writers_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t readers_opened_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t writers_opened_ ABSL_GUARDED_BY(mutex_) = 0;
  WaitQueue wait_queue_;
};

class PipeFile final : public File {
 public:
  // Only the open of a FIFO waits for its peer; a pipe without a name that is
  // opened again (/proc/PID/fd/N) has had one.
  enum class Kind { kFifo, kUnnamed };
  PipeFile(const Path& path, int flags, std::shared_ptr<Pipe> pipe, Kind kind = Kind::kFifo);
  ~PipeFile() override;

  Result<size_t> Read(Context& context, IoBuffer& destination) override;
  Result<size_t> Write(Context& context, IoBuffer& source) override;
  Result<int64_t> Ioctl(Context& context, uint64_t command, uint64_t argument) override;
  PollEvents Poll() override;
  WaitQueue* wait_queue() override { return &pipe_->wait_queue(); }
  bool async_capable() const override { return true; }
  std::string Describe() const override { return path().dentry->name(); }

  // For a FIFO's open(2): it blocks until this is false, on wait_queue()
  // (EPOLLIN and EPOLLOUT), unless O_NONBLOCK is set.
  bool WaitingForPeer() const;
  Pipe& pipe() { return *pipe_; }

 private:
  const std::shared_ptr<Pipe> pipe_;
  static constexpr uint64_t kHadPeer = ~uint64_t{0};
  uint64_t peers_opened_ = kHadPeer;  // of the other kind, when this was opened
  uint64_t writers_opened_ = kHadPeer;
};

struct PipeEnds {
  std::shared_ptr<PipeFile> reader, writer;
};
// pipe2(2); `flags` of O_NONBLOCK, O_DIRECT.
PipeEnds MakePipe(Vfs& vfs, Context& context, int flags);

// Makes the VFS open FIFOs: all openers of one inode share a pipe.
void RegisterFifos(Vfs& vfs);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_PIPE_PIPE_H_
