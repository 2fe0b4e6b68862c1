#include "bin/runsc-boot/kernel/process_timers.h"

#include <climits>
#include <vector>

#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/thread_group.h"

namespace runsc::boot {

namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMicrosecond = 1000;
// The longest time that is kept exactly, about 146 years.
constexpr int64_t kMaxTime = INT64_MAX / 2;
// How often CPU-time timers look at the clock at most.
constexpr int64_t kCpuTick = 1'000'000;

int64_t ToNs(const timespec& time) {
  if (time.tv_sec > kMaxTime / kSecond) return kMaxTime;
  return time.tv_sec * kSecond + time.tv_nsec;
}

timespec ToTimespec(int64_t ns) { return {ns / kSecond, ns % kSecond}; }
// Rounded up, so that an armed timer never reads as 0.
timeval ToTimeval(int64_t ns) {
  const int64_t us = (ns + kMicrosecond - 1) / kMicrosecond;
  return {us / 1'000'000, us % 1'000'000};
}

bool IsValid(const timeval& time) {
  return time.tv_sec >= 0 && time.tv_usec >= 0 && time.tv_usec < 1'000'000;
}
bool IsValid(const timespec& time) {
  return time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < kSecond;
}

int64_t ClockNow(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return ToNs(now);
}

bool IsTimerClock(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_TAI:
      return true;
    default:
      return false;
  }
}

int SignalOfInterval(int which) {
  constexpr int kSignals[] = {SIGALRM, SIGVTALRM, SIGPROF};
  return kSignals[which];
}

}  // namespace

ProcessTimers::~ProcessTimers() { DisarmAll(); }

int64_t ProcessTimers::IntervalNow(int which) const {
  if (which == ITIMER_REAL) return MonotonicNow();
  const Usage usage = group_.usage();
  return static_cast<int64_t>(which == ITIMER_VIRTUAL ? usage.user_ns
                                                      : usage.user_ns + usage.system_ns);
}

itimerval ProcessTimers::IntervalValue(int which) const {
  const State& state = intervals_[which].state;
  if (state.deadline_ns == 0) return {};
  const int64_t left = std::max<int64_t>(state.deadline_ns - IntervalNow(which), 1);
  return {ToTimeval(state.interval_ns), ToTimeval(left)};
}

void ProcessTimers::Arm(int which, Interval& interval) {
  if (interval.state.deadline_ns == 0) {
    if (interval.timer != nullptr) interval.timer->Disarm();
    return;
  }
  if (interval.timer == nullptr) {
    interval.timer = std::make_unique<Timer>(queue_, [this, which, weak = group_.weak_from_this()] {
      if (ThreadGroupRef group = weak.lock(); group != nullptr) OnInterval(which);
    });
  }
  if (which == ITIMER_REAL) return interval.timer->Arm(interval.state.deadline_ns);
  const int64_t left = interval.state.deadline_ns - IntervalNow(which);
  interval.timer->Arm(MonotonicNow() + std::max(left, kCpuTick));
}

Result<itimerval> ProcessTimers::SetInterval(int which, const itimerval& value) {
  if (which < 0 || which > ITIMER_PROF) return Error(EINVAL);
  if (!IsValid(value.it_value) || !IsValid(value.it_interval)) return Error(EINVAL);
  auto to_ns = [](const timeval& time) { return ToNs({time.tv_sec, time.tv_usec * kMicrosecond}); };
  absl::MutexLock lock(&mutex_);
  const itimerval old = IntervalValue(which);
  Interval& interval = intervals_[which];
  const int64_t first = to_ns(value.it_value);
  interval.state.interval_ns = to_ns(value.it_interval);
  interval.state.deadline_ns = first == 0 ? 0 : IntervalNow(which) + first;
  Arm(which, interval);
  return old;
}

Result<itimerval> ProcessTimers::GetInterval(int which) const {
  if (which < 0 || which > ITIMER_PROF) return Error(EINVAL);
  absl::MutexLock lock(&mutex_);
  return IntervalValue(which);
}

void ProcessTimers::OnInterval(int which) {
  {
    absl::MutexLock lock(&mutex_);
    Interval& interval = intervals_[which];
    State& state = interval.state;
    if (state.deadline_ns == 0) return;
    const int64_t now = IntervalNow(which);
    if (now < state.deadline_ns) return Arm(which, interval);
    if (state.interval_ns == 0) {
      state.deadline_ns = 0;
    } else {
      const int64_t missed = (now - state.deadline_ns) / state.interval_ns;
      state.deadline_ns += (missed + 1) * state.interval_ns;
      Arm(which, interval);
    }
  }
  (void)group_.SendSignal(MakeSigInfo(SignalOfInterval(which), SI_KERNEL)).ok();
}

Result<int> ProcessTimers::Create(Task& caller, clockid_t clock, const sigevent& event) {
  if (!IsTimerClock(clock)) return Error(clock < 0 || clock > CLOCK_TAI ? EINVAL : EOPNOTSUPP);
  Posix posix;
  posix.clock = clock;
  posix.event = event;
  switch (event.sigev_notify) {
    case SIGEV_NONE:
      break;
    case SIGEV_THREAD_ID: {
      TaskRef target = group_.kernel().FindTask(event._sigev_un._tid);
      if (target == nullptr || &target->group() != &group_) return Error(EINVAL);
      posix.target = target;
      [[fallthrough]];
    }
    case SIGEV_SIGNAL:
    case SIGEV_THREAD:
      if (event.sigev_signo < 1 || event.sigev_signo > kSignalCount) return Error(EINVAL);
      break;
    default:
      return Error(EINVAL);
  }
  absl::MutexLock lock(&mutex_);
  if (posix_.size() >= group_.limit(RLIMIT_SIGPENDING).rlim_cur) return Error(EAGAIN);
  const int id = next_id_;
  next_id_ = next_id_ == INT_MAX ? 0 : next_id_ + 1;
  posix.timer = std::make_shared<Timer>(queue_, [this, id, weak = group_.weak_from_this()] {
    if (ThreadGroupRef group = weak.lock(); group != nullptr) OnPosix(id);
  });
  posix_[id] = std::move(posix);
  return id;
}

void ProcessTimers::ArmPosix(Posix& posix) {
  if (posix.state.deadline_ns == 0) return posix.timer->Disarm();
  const int64_t left = posix.state.deadline_ns - ClockNow(posix.clock);
  posix.timer->Arm(MonotonicNow() + left);
}

Result<itimerspec> ProcessTimers::Set(int id, bool absolute, const itimerspec& value) {
  if (!IsValid(value.it_value) || !IsValid(value.it_interval)) return Error(EINVAL);
  TRY_ASSIGN(const itimerspec old, Get(id));
  absl::MutexLock lock(&mutex_);
  auto found = posix_.find(id);
  if (found == posix_.end()) return Error(EINVAL);
  Posix& posix = found->second;
  const int64_t first = ToNs(value.it_value);
  posix.state.interval_ns = ToNs(value.it_interval);
  posix.state.deadline_ns = first == 0 ? 0 : absolute ? first : ClockNow(posix.clock) + first;
  posix.overrun = posix.last_overrun = 0;
  ArmPosix(posix);
  return old;
}

Result<itimerspec> ProcessTimers::Get(int id) const {
  absl::MutexLock lock(&mutex_);
  auto found = posix_.find(id);
  if (found == posix_.end()) return Error(EINVAL);
  const Posix& posix = found->second;
  itimerspec value{};
  value.it_interval = ToTimespec(posix.state.interval_ns);
  if (posix.state.deadline_ns == 0) return value;
  const int64_t left = posix.state.deadline_ns - ClockNow(posix.clock);
  value.it_value = ToTimespec(std::max<int64_t>(left, 1));
  return value;
}

Result<int> ProcessTimers::Overrun(int id) const {
  absl::MutexLock lock(&mutex_);
  auto found = posix_.find(id);
  if (found == posix_.end()) return Error(EINVAL);
  return found->second.last_overrun;
}

Status ProcessTimers::Delete(int id) {
  std::shared_ptr<Timer> timer;  // destroyed without the mutex
  absl::MutexLock lock(&mutex_);
  auto found = posix_.find(id);
  if (found == posix_.end()) return Error(EINVAL);
  timer = std::move(found->second.timer);
  timer->Disarm();
  posix_.erase(found);
  // A running callback needs the mutex that is still held: let go first.
  mutex_.Unlock();
  timer.reset();
  mutex_.Lock();
  return Ok();
}

void ProcessTimers::OnPosix(int id) {
  SigInfo info;
  TaskRef target;
  {
    absl::MutexLock lock(&mutex_);
    auto found = posix_.find(id);
    if (found == posix_.end()) return;
    Posix& posix = found->second;
    State& state = posix.state;
    if (state.deadline_ns == 0) return;
    const int64_t now = ClockNow(posix.clock);
    if (now < state.deadline_ns) return ArmPosix(posix);
    int64_t expiries = 1;
    if (state.interval_ns == 0) {
      state.deadline_ns = 0;
    } else {
      expiries += (now - state.deadline_ns) / state.interval_ns;
      state.deadline_ns += expiries * state.interval_ns;
      ArmPosix(posix);
    }
    if (posix.event.sigev_notify == SIGEV_NONE) return;
    target = posix.target.lock();
    if (posix.event.sigev_notify == SIGEV_THREAD_ID && target == nullptr) return;
    posix.overrun = static_cast<int>(std::min<int64_t>(INT_MAX, posix.overrun + expiries - 1));
    {
      // One signal of a timer is queued at a time; more expiries are overruns.
      absl::MutexLock signal_lock(&group_.signal_mutex_);
      const PendingSignals& queue = target != nullptr ? target->pending_ : group_.pending_;
      if (queue.HasTimer(id)) {
        posix.overrun = posix.overrun == INT_MAX ? INT_MAX : posix.overrun + 1;
        return;
      }
    }
    info = MakeSigInfo(posix.event.sigev_signo, SI_TIMER);
    info.si_timerid = id;
    info.si_overrun = posix.overrun;
    info.si_value = posix.event.sigev_value;
    posix.last_overrun = std::exchange(posix.overrun, 0);
  }
  (void)group_.Send(info, target.get(), false).ok();
}

void ProcessTimers::DeletePosixTimers() {
  std::map<int, Posix> timers;
  absl::MutexLock lock(&mutex_);
  for (auto& [id, posix] : posix_) posix.timer->Disarm();
  timers.swap(posix_);
  mutex_.Unlock();
  timers.clear();
  mutex_.Lock();
}

void ProcessTimers::DisarmAll() {
  absl::MutexLock lock(&mutex_);
  for (Interval& interval : intervals_) {
    interval.state.deadline_ns = 0;
    if (interval.timer != nullptr) interval.timer->Disarm();
  }
  for (auto& [id, posix] : posix_) {
    posix.state.deadline_ns = 0;
    posix.timer->Disarm();
  }
}

}  // namespace runsc::boot
