#include "bin/runsc-boot/platform/reaper.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <utility>

namespace runsc::boot::platform {
namespace {

constexpr std::chrono::seconds kLater{1};
constexpr int kLaterPollMs = 100;

}  // namespace

Status Reaper::Start() {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return ErrnoError("epoll_create1");
  stop_.Reset(eventfd(0, EFD_CLOEXEC));
  if (!stop_) return ErrnoError("eventfd");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = stop_.get();
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_.get(), &event) != 0) {
    return ErrnoError("epoll_ctl");
  }
  thread_ = std::thread([this] { Main(); });
  return Ok();
}

Status Reaper::Watch(std::shared_ptr<StubProcess> process) {
  int fd = process->pidfd();
  absl::MutexLock lock(&mutex_);
  watched_[fd] = std::move(process);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLONESHOT;
  event.data.fd = fd;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    Error error = ErrnoError("epoll_ctl", "pidfd");
    watched_.erase(fd);
    return error;
  }
  return Ok();
}

void Reaper::Stop() {
  if (!thread_.joinable()) return;
  uint64_t one = 1;
  (void)!write(stop_.get(), &one, sizeof one);
  thread_.join();
  absl::MutexLock lock(&mutex_);
  watched_.clear();
}

void Reaper::RunLater(std::function<void()> action) {
  later_.emplace_back(Clock::now() + kLater, std::move(action));
}

void Reaper::RunDue() {
  while (!later_.empty() && later_.front().first <= Clock::now()) {
    std::function<void()> action = std::move(later_.front().second);
    later_.pop_front();
    action();
  }
}

void Reaper::Main() {
  sigset_t mask;
  sigfillset(&mask);
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  std::array<epoll_event, 16> events;
  for (;;) {
    int timeout = later_.empty() ? -1 : kLaterPollMs;
    int count = epoll_wait(epoll_.get(), events.data(), events.size(), timeout);
    RunDue();
    for (int i = 0; i < count; ++i) {
      int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == stop_.get()) return;
      std::shared_ptr<StubProcess> process;
      {
        absl::MutexLock lock(&mutex_);
        auto it = watched_.find(fd);
        if (it == watched_.end()) continue;
        process = std::move(it->second);
        watched_.erase(it);
      }
      on_end_(process);
    }
  }
}

}  // namespace runsc::boot::platform
