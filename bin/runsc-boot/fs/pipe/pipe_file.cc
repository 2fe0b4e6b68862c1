#include <linux/limits.h>
#include <sys/ioctl.h>

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/fs/pipe/pipe.h"

namespace runsc::boot {
namespace {

// The inode of a pipe without a name; /proc/PID/fd/N can open it again.
class PipeInode final : public AnonymousInode {
 public:
  PipeInode(AnonymousFilesystem& filesystem, const Credentials& credentials,
            const std::shared_ptr<Pipe>& pipe)
      : AnonymousInode(filesystem, credentials, S_IFIFO | 0600), pipe_(pipe) {}

  Result<FileRef> Open(Context& context, const Path& path, int flags) override {
    std::shared_ptr<Pipe> pipe = pipe_.lock();
    if (pipe == nullptr) return Error(ENXIO);
    if ((flags & O_ACCMODE) == O_WRONLY && (flags & O_NONBLOCK) != 0 && !pipe->HasReaders()) {
      return Error(ENXIO);
    }
    return FileRef(
        std::make_shared<PipeFile>(path, flags, std::move(pipe), PipeFile::Kind::kUnnamed));
  }

 private:
  const std::weak_ptr<Pipe> pipe_;  // the files own it
};

// The pipes of FIFOs that are open. The files' paths keep the inodes alive.
class FifoTable {
 public:
  std::shared_ptr<Pipe> PipeOf(const Inode* inode) {
    absl::MutexLock lock(&mutex_);
    std::weak_ptr<Pipe>& known = pipes_[inode];
    std::shared_ptr<Pipe> pipe = known.lock();
    if (pipe == nullptr) {
      pipe = std::make_shared<Pipe>();
      known = pipe;
      if ((pipes_.size() & 63) == 0) {
        absl::erase_if(pipes_, [](const auto& entry) { return entry.second.expired(); });
      }
    }
    return pipe;
  }

 private:
  absl::Mutex mutex_;
  absl::flat_hash_map<const Inode*, std::weak_ptr<Pipe>> pipes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

PipeFile::PipeFile(const Path& path, int flags, std::shared_ptr<Pipe> pipe, Kind kind)
    : File(path, flags), pipe_(std::move(pipe)) {
  if (kind == Kind::kFifo) {
    peers_opened_ = readable() ? pipe_->writers_opened() : pipe_->readers_opened();
    writers_opened_ = pipe_->writers_opened();
  }
  pipe_->AddEnd(readable(), writable());
}

PipeFile::~PipeFile() { pipe_->RemoveEnd(readable(), writable()); }

Result<size_t> PipeFile::Read(Context& context, IoBuffer& destination) {
  return pipe_->Read(destination);
}

Result<size_t> PipeFile::Write(Context& context, IoBuffer& source) {
  return pipe_->Write(source, (flags() & O_DIRECT) != 0);
}

Result<int64_t> PipeFile::Ioctl(Context& context, uint64_t command, uint64_t argument) {
  if (command != FIONREAD) return Error(ENOTTY);
  int size = static_cast<int>(pipe_->size());
  TRY(context.CopyOut(argument, &size, sizeof size));
  return 0;
}

PollEvents PipeFile::Poll() { return pipe_->Poll(readable(), writable(), writers_opened_); }

bool PipeFile::WaitingForPeer() const {
  if ((readable() && writable()) || peers_opened_ == kHadPeer) return false;
  if (readable()) return pipe_->writers_opened() == peers_opened_ && !pipe_->HasWriters();
  return pipe_->readers_opened() == peers_opened_ && !pipe_->HasReaders();
}

PipeEnds MakePipe(Vfs& vfs, Context& context, int flags) {
  auto pipe = std::make_shared<Pipe>();
  auto inode = std::make_shared<PipeInode>(vfs.anonymous(), *context.credentials(), pipe);
  Path path = AnonymousFilesystem::MakePath(absl::StrCat("pipe:[", inode->ino(), "]"), inode);
  flags &= O_NONBLOCK | O_DIRECT;
  // The reader first, so that it sees the writer come.
  auto reader = std::make_shared<PipeFile>(path, O_RDONLY | flags, pipe);
  auto writer = std::make_shared<PipeFile>(path, O_WRONLY | flags, pipe);
  return {std::move(reader), std::move(writer)};
}

void RegisterFifos(Vfs& vfs) {
  auto table = std::make_shared<FifoTable>();
  vfs.RegisterDevice(
      S_IFIFO, 0, [table](Context& context, const Path& path, int flags) -> Result<FileRef> {
        std::shared_ptr<Pipe> pipe = table->PipeOf(path.dentry->inode().get());
        if ((flags & O_ACCMODE) == O_WRONLY && (flags & O_NONBLOCK) != 0 && !pipe->HasReaders()) {
          return Error(ENXIO);
        }
        return FileRef(std::make_shared<PipeFile>(path, flags, std::move(pipe)));
      });
}

}  // namespace runsc::boot
