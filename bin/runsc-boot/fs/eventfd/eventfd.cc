#include "bin/runsc-boot/fs/eventfd/eventfd.h"

#include <sys/eventfd.h>

#include <utility>

#include "absl/strings/str_format.h"

namespace runsc::boot {
namespace {

constexpr uint64_t kMax = ~uint64_t{0} - 1;

class EventFile final : public File {
 public:
  // `id`: of no other eventfd.
  EventFile(Path path, int flags, uint64_t id, uint64_t initial, bool semaphore)
      : File(std::move(path), flags), id_(id), semaphore_(semaphore), count_(initial) {}

  Result<size_t> Read(Context&, IoBuffer& destination) override {
    if (destination.remaining() < sizeof(uint64_t)) return Error(EINVAL);
    {
      absl::MutexLock lock(&mutex_);
      if (count_ == 0) return Error(EAGAIN);
      uint64_t value = semaphore_ ? 1 : count_;
      TRY_ASSIGN(size_t put, destination.Put(&value, sizeof value));
      if (put < sizeof value) return Error(EFAULT);
      count_ -= value;
    }
    wait_queue_.Notify(EPOLLOUT | EPOLLWRNORM);
    return sizeof(uint64_t);
  }

  Result<size_t> Write(Context&, IoBuffer& source) override {
    if (source.remaining() < sizeof(uint64_t)) return Error(EINVAL);
    {
      absl::MutexLock lock(&mutex_);
      uint64_t value = 0;
      TRY_ASSIGN(size_t taken, source.Take(&value, sizeof value));
      if (taken < sizeof value) return Error(EFAULT);
      if (value > kMax) return Error(EINVAL);
      if (value > kMax - count_) {
        source.StepBack(taken);
        return Error(EAGAIN);
      }
      count_ += value;
    }
    wait_queue_.Notify(EPOLLIN | EPOLLRDNORM);
    return sizeof(uint64_t);
  }

  PollEvents Poll() override {
    absl::MutexLock lock(&mutex_);
    PollEvents events = 0;
    if (count_ > 0) events |= EPOLLIN | EPOLLRDNORM;
    if (count_ < kMax) events |= EPOLLOUT | EPOLLWRNORM;
    return events;
  }
  WaitQueue* wait_queue() override { return &wait_queue_; }
  std::string Describe() const override { return "anon_inode:[eventfd]"; }
  std::string FdInfo() const override {
    absl::MutexLock lock(&mutex_);
    return absl::StrFormat("eventfd-count: %16x\neventfd-id: %u\neventfd-semaphore: %d\n", count_,
                           id_, semaphore_);
  }

 private:
  const uint64_t id_;
  const bool semaphore_;
  mutable absl::Mutex mutex_;
  uint64_t count_ ABSL_GUARDED_BY(mutex_);
  WaitQueue wait_queue_;
};

}  // namespace

Result<FileRef> MakeEventFd(Vfs& vfs, Context& context, unsigned initial, int flags) {
  if ((flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)) != 0) return Error(EINVAL);
  Path path = vfs.anonymous().MakePath(context, "anon_inode:[eventfd]", 0600);
  const uint64_t id = vfs.anonymous().NewInodeNumber();
  return FileRef(std::make_shared<EventFile>(std::move(path), O_RDWR | (flags & O_NONBLOCK), id,
                                             initial, (flags & EFD_SEMAPHORE) != 0));
}

}  // namespace runsc::boot
