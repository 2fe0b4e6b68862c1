#include "bin/runsc-boot/tty/host_relay.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "bin/runsc-boot/kernel/job_control.h"
#include "bin/runsc-boot/kernel/timer.h"
#include "bin/runsc-boot/vfs/kernel_context.h"
#include "common/log.h"

namespace runsc::boot::tty {

namespace {

constexpr size_t kChunk = 4096;
constexpr int kChunksPerPass = 16;
// How often the size is looked at, in milliseconds: while somebody waits for
// SIGWINCH, and else in case that somebody will.
constexpr int kWatchedSize = 200, kUnwatchedSize = 2000;
constexpr int64_t kLookInterval = 50'000'000;
constexpr absl::Duration kDrainStep = absl::Milliseconds(10);
constexpr PollEvents kMasterEvents =
    EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLPRI | EPOLLHUP;

winsize SizeOf(int fd) {
  winsize size{};
  ioctl(fd, TIOCGWINSZ, &size);
  return size;
}

}  // namespace

Result<std::shared_ptr<HostRelay>> HostRelay::Start(std::shared_ptr<MasterFile> master,
                                                    FileDescriptor host, Lifetime lifetime) {
  FileDescriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return ErrnoError("eventfd");
  auto relay =
      std::make_shared<HostRelay>(std::move(master), std::move(host), std::move(wake), lifetime);
  std::thread([relay] { relay->Run(); }).detach();
  return relay;
}

HostRelay::HostRelay(std::shared_ptr<MasterFile> master, FileDescriptor host, FileDescriptor wake,
                     Lifetime lifetime)
    : wake_(std::move(wake)),
      lifetime_(lifetime),
      terminal_(master->terminal()),
      master_(std::move(master)),
      host_(std::make_shared<const FileDescriptor>(std::move(host))) {
  terminal_->set_size_source([host = std::weak_ptr<const FileDescriptor>(host_)] {
    const std::shared_ptr<const FileDescriptor> open = host.lock();
    return open == nullptr ? winsize{} : SizeOf(open->get());
  });
}

// Called for every write of a program: what is on its way already is not repeated.
void HostRelay::Wake() {
  if (!woken_.exchange(true)) eventfd_write(wake_.get(), 1);
}

void HostRelay::SetBusy(bool busy) {
  absl::MutexLock lock(&mutex_);
  busy_ = busy;
  progress_.SignalAll();
}

bool HostRelay::finished() {
  absl::MutexLock lock(&mutex_);
  return finished_;
}

void HostRelay::Drain(absl::Duration patience) {
  const absl::Time deadline = absl::Now() + patience;
  while (absl::Now() < deadline) {
    const bool pending = terminal_->MasterReadable() > 0;
    absl::MutexLock lock(&mutex_);
    if (finished_ || (!busy_ && !pending)) return;
    progress_.WaitWithTimeout(&mutex_, kDrainStep);
  }
}

void HostRelay::Run() {
  WaitEntry entry(kMasterEvents, [this](PollEvents) { Wake(); });
  terminal_->master_queue().Register(entry);
  while (Pass() && Wait()) {
  }
  entry.Unregister();
  master_.reset();
  host_.reset();
  absl::MutexLock lock(&mutex_);
  finished_ = true;
  progress_.SignalAll();
}

bool HostRelay::Pass() {
  SetBusy(true);
  terminal_->RefreshWindowSize();
  const bool goes_on = CopyInput() && CopyOutput();
  SetBusy(!shown_.empty());
  return goes_on;
}

bool HostRelay::CopyOutput() {
  KernelContext context;
  for (int i = 0; i < kChunksPerPass; ++i) {
    if (shown_.empty()) {
      shown_.resize(kChunk);
      KernelBuffer buffer(shown_.data(), shown_.size());
      Result<size_t> count = master_->Read(context, buffer);
      shown_.resize(count.ok() ? *count : 0);
      if (count.code() == EIO && lifetime_ == Lifetime::kOpenSlave) return false;
      if (shown_.empty()) return true;
    }
    const ssize_t written = write(host_->get(), shown_.data(), shown_.size());
    if (written > 0) {
      shown_.erase(0, static_cast<size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      return true;
    } else if (written == 0 || errno != EINTR) {
      return false;
    }
  }
  Wake();
  return true;
}

bool HostRelay::CopyInput() {
  KernelContext context;
  for (int i = 0; i < kChunksPerPass; ++i) {
    if (typed_.empty()) {
      typed_.resize(kChunk);
      const ssize_t count = read(host_->get(), typed_.data(), typed_.size());
      typed_.resize(count > 0 ? static_cast<size_t>(count) : 0);
      if (count < 0 && errno == EAGAIN) return true;
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
    }
    KernelBuffer buffer(typed_.data(), typed_.size());
    Result<size_t> count = master_->Write(context, buffer);
    if (!count.ok()) return count.code() == EAGAIN;
    typed_.erase(0, *count);
  }
  Wake();
  return true;
}

// The foreground group may be large: it is not looked at for each byte.
int HostRelay::SizeInterval() {
  const int64_t now = MonotonicNow();
  if (now >= next_look_ns_) {
    next_look_ns_ = now + kLookInterval;
    size_watched_ = JobControl::ForegroundHandles(terminal_->kernel(), *terminal_, SIGWINCH);
  }
  return size_watched_ ? kWatchedSize : kUnwatchedSize;
}

// False: the host's other end is closed.
bool HostRelay::Wait() {
  short events = 0;
  if (typed_.empty()) events |= POLLIN;
  if (!shown_.empty()) events |= POLLOUT;
  pollfd entries[] = {{.fd = host_->get(), .events = events, .revents = 0},
                      {.fd = wake_.get(), .events = POLLIN, .revents = 0}};
  if (poll(entries, 2, SizeInterval()) < 0 && errno != EINTR) {
    LOG_WARNING("terminal: ", ErrnoError("poll").ToString());
    return false;
  }
  eventfd_t ignored;
  if (entries[1].revents != 0) {
    eventfd_read(wake_.get(), &ignored);
    woken_.store(false);  // before the next look at what there is to do
  }
  return (entries[0].revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
}

}  // namespace runsc::boot::tty
