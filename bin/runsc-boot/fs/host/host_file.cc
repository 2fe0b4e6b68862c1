#include "bin/runsc-boot/fs/host/host_file.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/vfs/host_io.h"

namespace runsc::boot {
namespace {

enum class Kind { kRegular, kSocket, kTerminal, kStream };

// A descriptor with what is known about it; shared by the files on it.
class HostDescriptor {
 public:
  HostDescriptor(HostPoller& poller, FileDescriptor host_fd, int open_flags, Kind what)
      : fd(std::move(host_fd)), flags(open_flags), kind(what), poller_(poller) {}
  ~HostDescriptor() {
    absl::MutexLock lock(&mutex_);
    if (token_ != 0) poller_.Forget(token_);
  }

  // Watched from the first call on; null when always ready.
  WaitQueue* wait_queue() {
    if (kind == Kind::kRegular) return nullptr;
    absl::MutexLock lock(&mutex_);
    if (token_ == 0) {
      Result<uint64_t> token = poller_.Watch(fd.get(), queue_);
      if (!token.ok()) return nullptr;  // a device like /dev/null
      token_ = *token;
    }
    return &queue_;
  }

  const FileDescriptor fd;
  const int flags;  // of open(2): access mode, O_APPEND
  const Kind kind;

 private:
  HostPoller& poller_;
  WaitQueue queue_;
  absl::Mutex mutex_;
  uint64_t token_ ABSL_GUARDED_BY(mutex_) = 0;  // 0: not watched yet
};

// What writes at most move when only poll(2) says that there is room: a pipe
// that polls as writable takes PIPE_BUF bytes without blocking.
constexpr size_t kPolledWrite = 4096;

bool HostReady(int fd, short events) {
  pollfd poll_fd{.fd = fd, .events = events, .revents = 0};
  return poll(&poll_fd, 1, 0) > 0;
}

Result<size_t> Finish(ssize_t count) {
  if (count >= 0) return static_cast<size_t>(count);
  return Error(errno == EWOULDBLOCK ? EAGAIN : errno);
}

Result<size_t> ReadNow(const HostDescriptor& host, char* data, size_t size) {
  int fd = host.fd.get();
  ssize_t count;
  do {
    if (host.kind == Kind::kRegular) {
      count = read(fd, data, size);
    } else if (host.kind == Kind::kSocket) {
      // The calls that boot's filter lets through.
      iovec range{data, size};
      msghdr message{.msg_iov = &range, .msg_iovlen = 1};
      count = recvmsg(fd, &message, MSG_DONTWAIT);
    } else {
      iovec range{data, size};
      count = preadv2(fd, &range, 1, -1, RWF_NOWAIT);
      if (count < 0 && (errno == EOPNOTSUPP || errno == ESPIPE)) {
        // Another reader may come between; then this one blocks as the
        // application itself would.
        if (!HostReady(fd, POLLIN)) return Error(EAGAIN);
        count = read(fd, data, size);
      }
    }
  } while (count < 0 && errno == EINTR);
  return Finish(count);
}

Result<size_t> WriteNow(const HostDescriptor& host, const char* data, size_t size) {
  int fd = host.fd.get();
  ssize_t count;
  do {
    if (host.kind == Kind::kRegular) {
      count = write(fd, data, size);
    } else if (host.kind == Kind::kSocket) {
      iovec range{const_cast<char*>(data), size};
      msghdr message{.msg_iov = &range, .msg_iovlen = 1};
      count = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
      iovec range{const_cast<char*>(data), size};
      count = pwritev2(fd, &range, 1, -1, RWF_NOWAIT);
      if (count < 0 && (errno == EOPNOTSUPP || errno == ESPIPE)) {
        if (!HostReady(fd, POLLOUT)) return Error(EAGAIN);
        count = write(fd, data, std::min(size, kPolledWrite));
      }
    }
  } while (count < 0 && errno == EINTR);
  return Finish(count);
}

class HostInode final : public AnonymousInode {
 public:
  HostInode(AnonymousFilesystem& filesystem, const Credentials& credentials,
            std::shared_ptr<HostDescriptor> host, mode_t mode)
      : AnonymousInode(filesystem, credentials, mode), host_(std::move(host)) {}

  Result<Attributes> GetAttributes() override;
  // By /proc/PID/fd/N and /dev/stdout: another description on the same host one.
  Result<FileRef> Open(Context& context, const Path& path, int flags) override;
  Status SetAttributes(const AttributeChange& change) override {
    AttributeChange own = change;
    // The size is the file's, all else only the container's view of it.
    own.size.reset();
    if (change.size && ftruncate(host_->fd.get(), static_cast<off_t>(*change.size)) != 0) {
      return Error(errno);
    }
    return AnonymousInode::SetAttributes(own);
  }

 private:
  const std::shared_ptr<HostDescriptor> host_;
};

class HostFile final : public File {
 public:
  HostFile(Path path, int flags, std::shared_ptr<HostDescriptor> host)
      : File(std::move(path), flags), host_(std::move(host)) {}

  bool seekable() const override { return host_->kind == Kind::kRegular; }
  bool pollable() const override { return host_->kind != Kind::kRegular; }

  Result<size_t> Read(Context&, IoBuffer& destination) override {
    TransferBuffer buffer = ThreadTransferBuffer();
    size_t wanted = std::min(buffer.size, destination.remaining());
    TRY_ASSIGN(size_t count, ReadNow(*host_, buffer.data, wanted));
    return destination.Put(buffer.data, count);
  }
  Result<size_t> Write(Context&, IoBuffer& source) override {
    TransferBuffer buffer = ThreadTransferBuffer();
    TRY_ASSIGN(size_t taken, source.Take(buffer.data, std::min(buffer.size, source.remaining())));
    Result<size_t> written = WriteNow(*host_, buffer.data, taken);
    source.StepBack(taken - (written.ok() ? *written : 0));
    return written;
  }
  Result<size_t> PRead(Context&, IoBuffer& destination, uint64_t offset) override {
    if (!seekable()) return Error(ESPIPE);
    return ReadFromHost(fd(), destination, offset);
  }
  Result<size_t> PWrite(Context&, IoBuffer& source, uint64_t offset) override {
    if (!seekable()) return Error(ESPIPE);
    return WriteToHost(fd(), source, offset, ~uint64_t{0});
  }
  Result<uint64_t> Seek(Context&, int64_t offset, int whence) override {
    if (!seekable()) return Error(ESPIPE);
    off_t position = lseek(fd(), offset, whence);
    if (position < 0) return Error(errno);
    return static_cast<uint64_t>(position);
  }
  Status Truncate(Context&, uint64_t size) override {
    return ftruncate(fd(), static_cast<off_t>(size)) == 0 ? Ok() : Status(Error(errno));
  }
  Status Sync(bool data_only) override {
    int result = data_only ? fdatasync(fd()) : fsync(fd());
    return result == 0 ? Ok() : Status(Error(errno));
  }
  Result<HostMapping> GetHostMapping(int protection, int map_flags) override {
    if (host_->kind != Kind::kRegular) return Error(ENODEV);
    return HostMapping{fd(), 0};
  }
  Result<int64_t> Ioctl(Context& context, uint64_t command, uint64_t argument) override;
  PollEvents Poll() override;
  WaitQueue* wait_queue() override { return host_->wait_queue(); }
  bool async_capable() const override { return host_->kind != Kind::kRegular; }
  std::string Describe() const override { return path().dentry->name(); }

 private:
  int fd() const { return host_->fd.get(); }

  const std::shared_ptr<HostDescriptor> host_;
};

PollEvents HostFile::Poll() {
  pollfd poll_fd{.fd = fd(), .events = 0, .revents = 0};
  if (readable()) poll_fd.events |= POLLIN | POLLPRI | POLLRDHUP;
  if (writable()) poll_fd.events |= POLLOUT;
  if (poll(&poll_fd, 1, 0) < 0) return EPOLLERR;
  PollEvents ready = static_cast<unsigned short>(poll_fd.revents);
  if ((ready & EPOLLIN) != 0) ready |= EPOLLRDNORM;
  if ((ready & EPOLLOUT) != 0) ready |= EPOLLWRNORM;
  return ready;
}

Result<int64_t> HostFile::Ioctl(Context& context, uint64_t command, uint64_t argument) {
  if (command == FIONREAD) {
    int count = 0;
    if (ioctl(fd(), FIONREAD, &count) != 0) return Error(errno);
    TRY(context.CopyOut(argument, &count, sizeof count));
    return 0;
  }
  if (host_->kind != Kind::kTerminal) return Error(ENOTTY);
  // The size of the kernel's struct termios, which TCGETS and TCSETS move.
  constexpr size_t kTermiosSize = 36;
  char buffer[64] = {};
  switch (command) {
    case TCGETS:
      if (ioctl(fd(), TCGETS, buffer) != 0) return Error(errno);
      TRY(context.CopyOut(argument, buffer, kTermiosSize));
      return 0;
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
      TRY(context.CopyIn(argument, buffer, kTermiosSize));
      if (ioctl(fd(), command, buffer) != 0) return Error(errno);
      return 0;
    case TIOCGWINSZ:
      if (ioctl(fd(), TIOCGWINSZ, buffer) != 0) return Error(errno);
      TRY(context.CopyOut(argument, buffer, sizeof(winsize)));
      return 0;
    case TIOCSWINSZ:
      TRY(context.CopyIn(argument, buffer, sizeof(winsize)));
      if (ioctl(fd(), TIOCSWINSZ, buffer) != 0) return Error(errno);
      return 0;
    default:
      return Error(ENOTTY);
  }
}

Result<Attributes> HostInode::GetAttributes() {
  TRY_ASSIGN(Attributes attributes, AnonymousInode::GetAttributes());
  struct stat status;
  if (fstat(host_->fd.get(), &status) != 0) return Error(errno);
  attributes.size = static_cast<uint64_t>(status.st_size);
  attributes.blocks = static_cast<uint64_t>(status.st_blocks);
  attributes.blksize = static_cast<uint32_t>(status.st_blksize);
  attributes.rdev = status.st_rdev;
  attributes.atime = status.st_atim;
  attributes.mtime = status.st_mtim;
  attributes.ctime = status.st_ctim;
  return attributes;
}

Result<FileRef> HostInode::Open(Context& context, const Path& path, int flags) {
  int mode = flags & O_ACCMODE;
  int host_mode = host_->flags & O_ACCMODE;
  if (host_mode != O_RDWR && host_mode != mode) return Error(EACCES);
  return FileRef(std::make_shared<HostFile>(path, flags, host_));
}

Kind KindOf(int fd, mode_t mode) {
  if (S_ISREG(mode) || S_ISBLK(mode)) return Kind::kRegular;
  if (S_ISSOCK(mode)) return Kind::kSocket;
  return isatty(fd) == 1 ? Kind::kTerminal : Kind::kStream;
}

const char* KindName(mode_t mode) {
  if (S_ISFIFO(mode)) return "pipe";
  return S_ISSOCK(mode) ? "socket" : "host";
}

}  // namespace

Result<FileRef> MakeHostFile(Vfs& vfs, Context& context, HostPoller& poller, FileDescriptor fd) {
  struct stat status;
  if (fstat(fd.get(), &status) != 0) return ErrnoError("fstat of a host descriptor");
  int flags = fcntl(fd.get(), F_GETFL);
  if (flags < 0) return ErrnoError("fcntl of a host descriptor");
  if (S_ISDIR(status.st_mode) || (flags & O_PATH) != 0) {
    return MakeError(EISDIR, "host descriptor for the container");
  }
  flags &= O_ACCMODE | O_APPEND;
  Kind kind = KindOf(fd.get(), status.st_mode);
  auto host = std::make_shared<HostDescriptor>(poller, std::move(fd), flags, kind);
  mode_t mode = (status.st_mode & S_IFMT) | (kind == Kind::kTerminal ? 0620 : 0600);
  auto inode = std::make_shared<HostInode>(vfs.anonymous(), *context.credentials(), host, mode);
  Path path = AnonymousFilesystem::MakePath(
      absl::StrCat(KindName(status.st_mode), ":[", inode->ino(), "]"), inode);
  return FileRef(std::make_shared<HostFile>(std::move(path), flags, std::move(host)));
}

}  // namespace runsc::boot
