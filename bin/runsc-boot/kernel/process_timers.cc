#include "bin/runsc-boot/kernel/process_timers.h"

#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/thread_group.h"
#include "bin/runsc-boot/kernel/timer_math.h"

namespace runsc::boot {

namespace {

constexpr int64_t kMicrosecond = 1000;

timeval ToTimeval(int64_t ns) {
  const int64_t us = ns / kMicrosecond;
  return {us / 1'000'000, us % 1'000'000};
}

bool IsValid(const timeval& time) {
  return time.tv_sec >= 0 && time.tv_usec >= 0 && time.tv_usec < 1'000'000;
}

int SignalOfInterval(int which) {
  constexpr int kSignals[] = {SIGALRM, SIGVTALRM, SIGPROF};
  return kSignals[which];
}

// Seconds of a limit; Linux takes 0 for 1.
int64_t LimitNs(rlim_t seconds) {
  if (seconds == RLIM_INFINITY || seconds > kMaxTimerTime / kTimerSecond) return INT64_MAX;
  return std::max<int64_t>(static_cast<int64_t>(seconds), 1) * kTimerSecond;
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
  const Interval& interval = intervals_[which];
  if (interval.deadline_ns == 0) {
    // As Linux: timers of CPU time keep a period that they do not use.
    return {which == ITIMER_REAL ? timeval{} : ToTimeval(interval.interval_ns), {}};
  }
  const int64_t left = std::max<int64_t>(interval.deadline_ns - IntervalNow(which), 1);
  // Rounded up, so that an armed timer never reads as 0.
  return {ToTimeval(interval.interval_ns), ToTimeval(AddSaturating(left, kMicrosecond - 1))};
}

void ProcessTimers::Arm(int which, Interval& interval, int64_t earliest) {
  if (interval.deadline_ns == 0) {
    if (interval.timer != nullptr) interval.timer->Disarm();
    return;
  }
  if (interval.timer == nullptr) {
    interval.timer = std::make_unique<Timer>(queue_, [this, which, weak = group_.weak_from_this()] {
      if (ThreadGroupRef group = weak.lock(); group != nullptr) OnInterval(which);
    });
  }
  int64_t left = interval.deadline_ns - IntervalNow(which);
  if (which != ITIMER_REAL) left = CpuWait(left, group_.kernel().cpu_count());
  interval.timer->Arm(AddSaturating(MonotonicNow(), std::max(left, earliest)));
}

Result<itimerval> ProcessTimers::SetInterval(int which, const itimerval& value) {
  if (which < 0 || which > ITIMER_PROF) return Error(EINVAL);
  if (!IsValid(value.it_value) || !IsValid(value.it_interval)) return Error(EINVAL);
  auto to_ns = [](const timeval& time) {
    return TimerNs({time.tv_sec, time.tv_usec * kMicrosecond});
  };
  const int64_t first = to_ns(value.it_value);
  if (which != ITIMER_REAL && first != 0) consumers_.Begin();
  absl::MutexLock lock(&mutex_);
  const itimerval old = IntervalValue(which);
  Interval& interval = intervals_[which];
  interval.interval_ns = to_ns(value.it_interval);
  interval.deadline_ns = first == 0 ? 0 : AddSaturating(IntervalNow(which), first);
  Arm(which, interval, 0);
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
    if (interval.deadline_ns == 0) return;
    const int64_t now = IntervalNow(which);
    if (now < interval.deadline_ns) return Arm(which, interval, 0);
    if (interval.interval_ns == 0) {
      interval.deadline_ns = 0;
    } else {
      const int64_t missed = (now - interval.deadline_ns) / interval.interval_ns;
      interval.deadline_ns =
          AddSaturating(interval.deadline_ns, (missed + 1) * interval.interval_ns);
      Arm(which, interval, kShortestPeriod);
    }
  }
  const TaskRef preferred = which == ITIMER_REAL ? nullptr : consumers_.Pick();
  const SigInfo info = MakeSigInfo(SignalOfInterval(which), SI_KERNEL);
  (void)group_.SendPreferring(info, preferred.get()).ok();
}

void ProcessTimers::WatchCpuLimit() {
  const rlimit limit = group_.limit(RLIMIT_CPU);
  absl::MutexLock lock(&mutex_);
  if (limit.rlim_cur == RLIM_INFINITY && limit.rlim_max == RLIM_INFINITY) {
    if (cpu_limit_ != nullptr) cpu_limit_->Disarm();
    return;
  }
  if (cpu_limit_ == nullptr) {
    cpu_limit_ = std::make_unique<Timer>(queue_, [this, weak = group_.weak_from_this()] {
      if (ThreadGroupRef group = weak.lock(); group != nullptr) OnCpuLimit();
    });
  }
  const int64_t first = std::min(LimitNs(limit.rlim_cur), LimitNs(limit.rlim_max));
  const int64_t wait = CpuWait(first - IntervalNow(ITIMER_PROF), group_.kernel().cpu_count());
  cpu_limit_->Arm(AddSaturating(MonotonicNow(), wait));
}

void ProcessTimers::OnCpuLimit() {
  const int64_t used = IntervalNow(ITIMER_PROF);
  rlimit limit = group_.limit(RLIMIT_CPU);
  if (used >= LimitNs(limit.rlim_max)) {
    (void)group_.SendSignal(MakeSigInfo(SIGKILL, SI_KERNEL)).ok();
    return;
  }
  if (used >= LimitNs(limit.rlim_cur)) {
    const TaskRef preferred = consumers_.Pick();
    (void)group_.SendPreferring(MakeSigInfo(SIGXCPU, SI_KERNEL), preferred.get()).ok();
    // As Linux, visibly: the next one is due a second later.
    group_.RaiseCpuLimit(static_cast<rlim_t>(LimitNs(limit.rlim_cur) / kTimerSecond) + 1);
  }
  WatchCpuLimit();
}

void ProcessTimers::DisarmAll() {
  posix_.DisarmAll();
  absl::MutexLock lock(&mutex_);
  for (Interval& interval : intervals_) {
    interval.deadline_ns = 0;
    if (interval.timer != nullptr) interval.timer->Disarm();
  }
  if (cpu_limit_ != nullptr) cpu_limit_->Disarm();
}

}  // namespace runsc::boot
