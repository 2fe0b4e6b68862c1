#include "bin/runsc-boot/fs/timerfd/timerfd.h"

#include <sys/timerfd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_format.h"

namespace runsc::boot {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

bool Valid(const timespec& time) {
  return time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < kSecond;
}

// Saturates: what lies beyond 292 years never comes.
int64_t ToNanoseconds(const timespec& time) {
  int64_t result;
  if (__builtin_mul_overflow(int64_t{time.tv_sec}, kSecond, &result) ||
      __builtin_add_overflow(result, int64_t{time.tv_nsec}, &result)) {
    return kNever;
  }
  return result;
}

timespec ToTimespec(int64_t ns) { return timespec{ns / kSecond, ns % kSecond}; }

int64_t AddSaturating(int64_t a, int64_t b) {
  int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? kNever : sum;
}

}  // namespace

Result<std::shared_ptr<TimerFile>> TimerFile::Make(Vfs& vfs, Context& context, TimerQueue& timers,
                                                   int clock, int flags) {
  if ((flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) != 0) return Error(EINVAL);
  bool alarm = clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME && !alarm) {
    return Error(EINVAL);
  }
  if (alarm && !context.credentials()->HasInitially(CAP_WAKE_ALARM)) return Error(EPERM);
  if (clock == CLOCK_REALTIME_ALARM) clock = CLOCK_REALTIME;
  if (clock == CLOCK_BOOTTIME_ALARM) clock = CLOCK_BOOTTIME;
  Path path = vfs.anonymous().MakePath(context, "anon_inode:[timerfd]", 0600);
  return std::make_shared<TimerFile>(std::move(path), O_RDWR | (flags & O_NONBLOCK), timers, clock);
}

TimerFile::TimerFile(Path path, int flags, TimerQueue& timers, int clock)
    : File(std::move(path), flags), clock_(clock), timer_(timers, [this] {
        {
          absl::MutexLock lock(&mutex_);
          Advance();
          // As Linux: what has expired must be read before the timer runs on.
          if (expirations_ == 0) ArmLocked();
        }
        wait_queue_.Notify(EPOLLIN | EPOLLRDNORM);
      }) {}

int64_t TimerFile::ClockNow() const {
  timespec now;
  clock_gettime(clock_, &now);
  return ToNanoseconds(now);
}

void TimerFile::Advance() {
  if (deadline_ns_ == 0) return;
  int64_t late = ClockNow() - deadline_ns_;
  if (late < 0) return;
  if (interval_ns_ == 0) {
    ++expirations_;
    deadline_ns_ = 0;
    return;
  }
  int64_t periods = late / interval_ns_ + 1;
  expirations_ += static_cast<uint64_t>(periods);
  deadline_ns_ = AddSaturating(deadline_ns_, periods * interval_ns_);
}

void TimerFile::ArmLocked() {
  if (deadline_ns_ == 0) {
    timer_.Disarm();
    return;
  }
  // A change of the host's clock is not followed, except by the next deadline.
  int64_t left = std::max<int64_t>(deadline_ns_ - ClockNow(), 0);
  timer_.Arm(AddSaturating(MonotonicNow(), left));
}

itimerspec TimerFile::GetLocked() {
  Advance();
  itimerspec value{};
  value.it_interval = ToTimespec(interval_ns_);
  if (deadline_ns_ != 0) {
    value.it_value = ToTimespec(std::max<int64_t>(deadline_ns_ - ClockNow(), 1));
  }
  return value;
}

itimerspec TimerFile::Get() {
  absl::MutexLock lock(&mutex_);
  return GetLocked();
}

Result<itimerspec> TimerFile::Set(int flags, const itimerspec& value) {
  if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0) return Error(EINVAL);
  if (!Valid(value.it_value) || !Valid(value.it_interval)) return Error(EINVAL);
  absl::MutexLock lock(&mutex_);
  itimerspec old = GetLocked();
  int64_t first = ToNanoseconds(value.it_value);
  expirations_ = 0;
  settime_flags_ = flags;
  interval_ns_ = ToNanoseconds(value.it_interval);
  deadline_ns_ = first;
  if (first != 0 && (flags & TFD_TIMER_ABSTIME) == 0)
    deadline_ns_ = AddSaturating(ClockNow(), first);
  ArmLocked();
  return old;
}

Result<size_t> TimerFile::Read(Context&, IoBuffer& destination) {
  if (destination.remaining() < sizeof(uint64_t)) return Error(EINVAL);
  absl::MutexLock lock(&mutex_);
  Advance();
  if (expirations_ == 0) return Error(EAGAIN);
  TRY_ASSIGN(size_t put, destination.Put(&expirations_, sizeof expirations_));
  if (put < sizeof expirations_) return Error(EFAULT);
  expirations_ = 0;
  ArmLocked();
  return put;
}

PollEvents TimerFile::Poll() {
  absl::MutexLock lock(&mutex_);
  Advance();
  return expirations_ > 0 ? PollEvents{EPOLLIN | EPOLLRDNORM} : 0;
}

std::string TimerFile::FdInfo() const {
  absl::MutexLock lock(&mutex_);
  const int64_t left = deadline_ns_ == 0 ? 0 : std::max<int64_t>(deadline_ns_ - ClockNow(), 0);
  const timespec value = ToTimespec(left), interval = ToTimespec(interval_ns_);
  return absl::StrFormat(
      "clockid: %d\nticks: %d\nsettime flags: 0%o\nit_value: (%d, %d)\nit_interval: (%d, %d)\n",
      clock_, expirations_, settime_flags_, value.tv_sec, value.tv_nsec, interval.tv_sec,
      interval.tv_nsec);
}

}  // namespace runsc::boot
