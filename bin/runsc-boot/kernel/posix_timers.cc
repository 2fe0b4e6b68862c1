#include "bin/runsc-boot/kernel/posix_timers.h"

#include <linux/capability.h>

#include <algorithm>
#include <climits>

#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/thread_group.h"
#include "bin/runsc-boot/kernel/timer_math.h"

namespace runsc::boot {

namespace {

// How soon a timer whose signal nobody takes looks again whether it is still
// queued: it may have been discarded.
constexpr int64_t kRecheck = 10'000'000;

Status CheckClock(const Task& caller, clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_TAI:
      return Ok();
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
      return Error(EOPNOTSUPP);
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
      // The machine is never woken for a container.
      return caller.credentials()->Has(CAP_WAKE_ALARM) ? Ok() : Status(Error(EPERM));
    default:
      return Error(EINVAL);
  }
}

// Linux keeps the caller's own clocks of CPU time by ids that name nobody.
clockid_t KeptClock(clockid_t clock) {
  constexpr clockid_t kOwnProcess = -6, kOwnThread = -2;
  if (clock == CLOCK_PROCESS_CPUTIME_ID) return kOwnProcess;
  return clock == CLOCK_THREAD_CPUTIME_ID ? kOwnThread : clock;
}

}  // namespace

int64_t PosixTimers::Timer::Now() const { return cpu.has_value() ? cpu->Now() : ClockNow(clock); }

Result<int> PosixTimers::Create(Task& caller, clockid_t clock,
                                const std::optional<sigevent>& event) {
  Timer timer;
  timer.clock = clock;
  if (CpuClock::IsCpuClock(clock)) {
    TRY_ASSIGN(timer.cpu, CpuClock::Find(caller, clock));
  } else {
    TRY(CheckClock(caller, clock));
  }
  timer.event = event.value_or(sigevent{});
  if (!event.has_value()) timer.event.sigev_signo = SIGALRM;
  switch (timer.event.sigev_notify) {
    case SIGEV_NONE:
      break;
    case SIGEV_THREAD_ID: {
      const TaskRef target = caller.FindTask(timer.event._sigev_un._tid);
      if (target == nullptr || &target->group() != &group_) return Error(EINVAL);
      timer.target = target;
      [[fallthrough]];
    }
    case SIGEV_SIGNAL:
    case SIGEV_THREAD:
      if (timer.event.sigev_signo < 1 || timer.event.sigev_signo > kSignalCount) {
        return Error(EINVAL);
      }
      break;
    default:
      return Error(EINVAL);
  }
  timer.charge = group_.kernel().signal_quota().Take(caller.credentials()->ruid,
                                                     group_.limit(RLIMIT_SIGPENDING).rlim_cur);
  if (!timer.charge.has_value()) return Error(EAGAIN);
  absl::MutexLock lock(&mutex_);
  const int id = next_id_;
  next_id_ = next_id_ == INT_MAX ? 0 : next_id_ + 1;
  if (!event.has_value()) timer.event.sigev_value.sival_int = id;
  timer.alarm = std::make_shared<boot::Timer>(queue_, [this, id, weak = group_.weak_from_this()] {
    if (ThreadGroupRef group = weak.lock(); group != nullptr) OnExpiry(id);
  });
  timers_[id] = std::move(timer);
  return id;
}

void PosixTimers::Arm(Timer& timer) {
  if (timer.deadline_ns == 0 || timer.event.sigev_notify == SIGEV_NONE) {
    return timer.alarm->Disarm();
  }
  int64_t left = timer.deadline_ns - timer.Now();
  // CPU time passes only while somebody works, and faster with many threads.
  if (timer.cpu.has_value()) left = CpuWait(left, group_.kernel().cpu_count());
  timer.alarm->Arm(AddSaturating(MonotonicNow(), left));
}

int64_t PosixTimers::Forward(Timer& timer, int64_t now) {
  if (timer.interval_ns == 0 || timer.deadline_ns == 0 || now < timer.deadline_ns) return 0;
  const int64_t periods = (now - timer.deadline_ns) / timer.interval_ns + 1;
  timer.deadline_ns = AddSaturating(timer.deadline_ns, periods * timer.interval_ns);
  return periods;
}

Result<itimerspec> PosixTimers::Set(int id, bool absolute, const itimerspec& value,
                                    const TimeNamespace& time) {
  TRY_ASSIGN(const itimerspec old, Get(id));
  const int64_t first = TimerNs(value.it_value);
  absl::MutexLock lock(&mutex_);
  auto found = timers_.find(id);
  if (found == timers_.end()) return Error(EINVAL);
  Timer& timer = found->second;
  if (first != 0 && CountsProcess(timer)) consumers_.Begin();
  timer.interval_ns = first == 0 ? 0 : TimerNs(value.it_interval);
  if (first == 0) {
    timer.deadline_ns = 0;
  } else if (absolute) {
    // Not 0, which would disarm it.
    timer.deadline_ns = std::max<int64_t>(time.ToHost(timer.clock, first), 1);
  } else {
    timer.deadline_ns = AddSaturating(timer.Now(), first);
  }
  timer.overrun = 0;
  timer.stale = timer.queued;
  Arm(timer);
  return old;
}

Result<itimerspec> PosixTimers::Get(int id) const {
  absl::MutexLock lock(&mutex_);
  auto found = timers_.find(id);
  if (found == timers_.end()) return Error(EINVAL);
  const Timer& timer = found->second;
  itimerspec value{};
  value.it_interval = TimerTimespec(timer.interval_ns);
  if (timer.deadline_ns == 0) return value;
  int64_t left = timer.deadline_ns - timer.Now();
  if (left <= 0 && timer.interval_ns != 0) left = timer.interval_ns + left % timer.interval_ns;
  if (left <= 0) left = timer.event.sigev_notify == SIGEV_NONE ? 0 : 1;
  value.it_value = TimerTimespec(left);
  return value;
}

Result<int> PosixTimers::Overrun(int id) const {
  absl::MutexLock lock(&mutex_);
  auto found = timers_.find(id);
  if (found == timers_.end()) return Error(EINVAL);
  return found->second.overrun;
}

Status PosixTimers::Delete(int id) {
  std::shared_ptr<boot::Timer> alarm;  // ended without the mutex, which its callback takes
  {
    absl::MutexLock lock(&mutex_);
    auto found = timers_.find(id);
    if (found == timers_.end()) return Error(EINVAL);
    alarm = std::move(found->second.alarm);
    timers_.erase(found);
  }
  alarm->Disarm();
  return Ok();
}

std::vector<PosixTimerInfo> PosixTimers::List() const {
  std::vector<PosixTimerInfo> list;
  absl::MutexLock lock(&mutex_);
  // Their ids rise.
  for (auto entry = timers_.rbegin(); entry != timers_.rend(); ++entry) {
    const auto& [id, timer] = *entry;
    PosixTimerInfo& info =
        list.emplace_back(PosixTimerInfo{id, KeptClock(timer.clock), timer.event});
    if (timer.event.sigev_notify != SIGEV_THREAD_ID) continue;
    if (const TaskRef target = timer.target.lock(); target != nullptr) info.thread = target->tid();
  }
  return list;
}

void PosixTimers::DeleteAll() {
  std::map<int, Timer> timers;
  {
    absl::MutexLock lock(&mutex_);
    timers.swap(timers_);
  }
  timers.clear();
}

void PosixTimers::DisarmAll() {
  absl::MutexLock lock(&mutex_);
  for (auto& [id, timer] : timers_) {
    timer.deadline_ns = 0;
    timer.alarm->Disarm();
  }
}

bool PosixTimers::IsQueued(const Timer& timer, int id) const {
  absl::MutexLock lock(&group_.signal_mutex_);
  if (timer.event.sigev_notify != SIGEV_THREAD_ID) return group_.pending_.HasTimer(id);
  const TaskRef target = timer.target.lock();
  return target != nullptr && target->pending_.HasTimer(id);
}

std::optional<SigInfo> PosixTimers::Expire(int id, TaskRef* target) {
  absl::MutexLock lock(&mutex_);
  auto found = timers_.find(id);
  if (found == timers_.end() || found->second.deadline_ns == 0) return std::nullopt;
  Timer& timer = found->second;
  const int64_t now = timer.Now();
  if (now < timer.deadline_ns) {
    Arm(timer);
    return std::nullopt;
  }
  if (timer.queued && IsQueued(timer, id)) {
    timer.stale = false;
    if (timer.interval_ns == 0) {
      timer.deadline_ns = 0;
    } else {
      timer.alarm->Arm(MonotonicNow() + kRecheck);
    }
    return std::nullopt;
  }
  *target = timer.target.lock();
  if (timer.event.sigev_notify == SIGEV_THREAD_ID && *target == nullptr) return std::nullopt;
  timer.queued = true;
  timer.stale = false;
  if (timer.interval_ns == 0) {
    timer.deadline_ns = 0;
  } else {
    timer.deadline_ns = AddSaturating(timer.deadline_ns, timer.interval_ns);
    timer.alarm->Arm(MonotonicNow() + kRecheck);
  }
  SigInfo info = MakeSigInfo(timer.event.sigev_signo, SI_TIMER);
  info.si_timerid = id;
  info.si_overrun = 0;
  info.si_value = timer.event.sigev_value;
  MarkTimerSignal(info);
  return info;
}

bool PosixTimers::CountsProcess(const Timer& timer) const {
  return timer.cpu.has_value() && timer.event.sigev_notify != SIGEV_THREAD_ID &&
         timer.cpu->IsOfProcess(group_);
}

TaskRef PosixTimers::Preferred(int id) {
  absl::MutexLock lock(&mutex_);
  auto found = timers_.find(id);
  if (found == timers_.end() || !found->second.cpu.has_value()) return nullptr;
  if (CountsProcess(found->second)) return consumers_.Pick();
  return found->second.cpu->thread();
}

void PosixTimers::OnExpiry(int id) {
  TaskRef target;
  const std::optional<SigInfo> info = Expire(id, &target);
  if (!info.has_value()) return;
  if (target != nullptr) {
    (void)group_.Send(*info, target.get(), false).ok();
  } else {
    (void)group_.SendPreferring(*info, Preferred(id).get()).ok();
  }
  absl::MutexLock lock(&mutex_);
  auto found = timers_.find(id);
  if (found == timers_.end()) return;
  Timer& timer = found->second;
  if (!timer.queued || IsQueued(timer, id)) return;
  // Ignored: the timer goes on by itself, but not faster than that costs.
  timer.queued = false;
  if (timer.deadline_ns == 0) return;
  (void)Forward(timer, timer.Now());
  const int64_t left = std::max(timer.deadline_ns - timer.Now(), kShortestPeriod);
  timer.alarm->Arm(AddSaturating(MonotonicNow(), left));
}

bool PosixTimers::OnTaken(SigInfo& info) {
  if (info.si_code != SI_TIMER || !TakeTimerMark(info)) return true;
  absl::MutexLock lock(&mutex_);
  auto found = timers_.find(info.si_timerid);
  if (found == timers_.end()) return false;
  Timer& timer = found->second;
  timer.queued = false;
  if (std::exchange(timer.stale, false)) return false;
  const int64_t missed = Forward(timer, timer.Now());
  timer.overrun = static_cast<int>(std::min<int64_t>(missed, INT_MAX));
  info.si_overrun = timer.overrun;
  if (timer.deadline_ns != 0) Arm(timer);
  return true;
}

}  // namespace runsc::boot
