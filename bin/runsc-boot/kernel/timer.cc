#include "bin/runsc-boot/kernel/timer.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cassert>
#include <climits>

namespace runsc::boot {

int64_t MonotonicNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

Timer::~Timer() {
  absl::MutexLock lock(&queue_.mutex_);
  queue_.DisarmLocked(*this);
  while (queue_.running_ == this && queue_.thread_.get_id() != std::this_thread::get_id()) {
    queue_.finished_.Wait(&queue_.mutex_);
    // The callback may have armed it again.
    queue_.DisarmLocked(*this);
  }
}

void Timer::Arm(int64_t deadline_ns) {
  absl::MutexLock lock(&queue_.mutex_);
  if (armed_) queue_.armed_.erase({deadline_ns_, this});
  armed_ = true;
  deadline_ns_ = deadline_ns;
  // Two steps: within one expression, begin() may be asked before the insertion.
  const auto position = queue_.armed_.insert({deadline_ns, this}).first;
  const bool first = position == queue_.armed_.begin();
  if (!queue_.thread_.joinable()) {
    // The timer may be gone before the thread begins; its queue is not.
    queue_.thread_ = std::thread([&queue = queue_] { queue.Run(); });
  }
  if (first) queue_.NoteChange();
}

void Timer::Disarm() {
  absl::MutexLock lock(&queue_.mutex_);
  queue_.DisarmLocked(*this);
}

void TimerQueue::DisarmLocked(Timer& timer) {
  if (!timer.armed_) return;
  timer.armed_ = false;
  armed_.erase({timer.deadline_ns_, &timer});
}

TimerQueue::~TimerQueue() {
  std::thread thread;
  {
    absl::MutexLock lock(&mutex_);
    assert(armed_.empty());
    stop_ = true;
    NoteChange();
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

void TimerQueue::NoteChange() {
  changes_.fetch_add(1);
  syscall(SYS_futex, &changes_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

void TimerQueue::WaitForChange(int64_t deadline_ns) {
  const uint32_t seen = changes_.load();
  mutex_.Unlock();
  // FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC.
  const timespec deadline = {deadline_ns / 1'000'000'000, deadline_ns % 1'000'000'000};
  syscall(SYS_futex, &changes_, FUTEX_WAIT_BITSET_PRIVATE, seen,
          deadline_ns == INT64_MAX ? nullptr : &deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
  mutex_.Lock();
}

void TimerQueue::Run() {
  absl::MutexLock lock(&mutex_);
  while (!stop_) {
    const int64_t deadline = armed_.empty() ? INT64_MAX : armed_.begin()->first;
    if (deadline == INT64_MAX || deadline > MonotonicNow()) {
      WaitForChange(deadline);
      continue;
    }
    Timer* timer = armed_.begin()->second;
    armed_.erase(armed_.begin());
    timer->armed_ = false;
    running_ = timer;
    // Kept here, since the callback may destroy its timer.
    const std::shared_ptr<const std::function<void()>> callback = timer->callback_;
    mutex_.Unlock();
    (*callback)();
    mutex_.Lock();
    running_ = nullptr;
    finished_.SignalAll();
  }
}

}  // namespace runsc::boot
