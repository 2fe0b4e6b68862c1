// Arithmetic on the times of timers, in nanoseconds.
#ifndef RUNSC_BOOT_KERNEL_TIMER_MATH_H_
#define RUNSC_BOOT_KERNEL_TIMER_MATH_H_

#include <algorithm>
#include <cstdint>
#include <ctime>

namespace runsc::boot {

constexpr int64_t kTimerSecond = 1'000'000'000;
// What all longer times are taken for, about 292 years.
constexpr int64_t kMaxTimerTime = INT64_MAX;
// The shortest period that boot's own timers repeat with when nobody waits for
// what they do.
constexpr int64_t kShortestPeriod = 50'000;
// How often timers of CPU time look at their clock at most; Linux does so in
// each tick of the scheduler.
constexpr int64_t kCpuTick = 2'000'000;

inline int64_t TimerNs(const timespec& time) {
  if (time.tv_sec >= kMaxTimerTime / kTimerSecond) return kMaxTimerTime;
  return time.tv_sec * kTimerSecond + time.tv_nsec;
}

inline timespec TimerTimespec(int64_t ns) { return {ns / kTimerSecond, ns % kTimerSecond}; }

inline int64_t AddSaturating(int64_t a, int64_t b) {
  int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

// How long to wait before `left` of CPU time can have been consumed.
inline int64_t CpuWait(int64_t left, int cpu_count) {
  return std::max(left / std::max(cpu_count, 1), kCpuTick);
}

inline int64_t ClockNow(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return TimerNs(now);
}

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_TIMER_MATH_H_
