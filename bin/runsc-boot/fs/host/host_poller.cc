#include "bin/runsc-boot/fs/host/host_poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace runsc::boot {
namespace {

constexpr uint64_t kStopToken = 0;
constexpr uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;

}  // namespace

HostPoller::~HostPoller() {
  std::thread thread;
  {
    absl::MutexLock lock(&mutex_);
    if (!thread_.joinable()) return;
    thread = std::move(thread_);
    eventfd_write(stop_.get(), 1);
  }
  thread.join();
}

Status HostPoller::StartLocked() {
  if (thread_.joinable()) return Ok();
  FileDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return ErrnoError("epoll_create1");
  FileDescriptor stop(eventfd(0, EFD_CLOEXEC));
  if (!stop.valid()) return ErrnoError("eventfd");
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kStopToken}};
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, stop.get(), &event) != 0) {
    return ErrnoError("epoll_ctl");
  }
  epoll_ = std::move(epoll);
  stop_ = std::move(stop);
  thread_ = std::thread([this, fd = epoll_.get()] { Run(fd); });
  return Ok();
}

Result<uint64_t> HostPoller::Watch(int fd, WaitQueue& queue) {
  absl::MutexLock lock(&mutex_);
  TRY(StartLocked());
  uint64_t token = next_token_++;
  epoll_event event{.events = kEvents, .data = {.u64 = token}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return ErrnoError("epoll_ctl");
  watched_[token] = Watched{fd, &queue};
  return token;
}

void HostPoller::Forget(uint64_t token) {
  absl::MutexLock lock(&mutex_);
  auto found = watched_.find(token);
  if (found == watched_.end()) return;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second.fd, nullptr);
  watched_.erase(found);
}

void HostPoller::Run(int epoll) {
  std::array<epoll_event, 32> events;
  while (true) {
    int count = epoll_wait(epoll, events.data(), events.size(), -1);
    if (count < 0 && errno != EINTR) return;
    absl::MutexLock lock(&mutex_);
    for (int i = 0; i < count; ++i) {
      const uint64_t token = events[i].data.u64;  // packed: not to be referred to
      if (token == kStopToken) return;
      auto found = watched_.find(token);
      if (found == watched_.end()) continue;
      PollEvents ready = events[i].events;
      if ((ready & EPOLLIN) != 0) ready |= EPOLLRDNORM;
      if ((ready & EPOLLOUT) != 0) ready |= EPOLLWRNORM;
      found->second.queue->Notify(ready);
    }
  }
}

}  // namespace runsc::boot
