#include "bin/runsc-boot/kernel/timer.h"

#include <gtest/gtest.h>

#include <vector>

namespace runsc::boot {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

TEST(Timer, CallbacksRunInTheOrderOfTheirDeadlines) {
  TimerQueue queue;
  absl::Mutex mutex;
  std::vector<int> order;
  auto note = [&](int value) {
    return [&, value] {
      absl::MutexLock lock(&mutex);
      order.push_back(value);
    };
  };
  Timer late(queue, note(2)), early(queue, note(1));
  const int64_t now = MonotonicNow();
  late.Arm(now + 20 * kMillisecond);
  early.Arm(now + 5 * kMillisecond);
  auto done = [&] { return order.size() == 2; };
  absl::MutexLock lock(&mutex);
  mutex.Await(absl::Condition(&done));
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  EXPECT_GE(MonotonicNow(), now + 20 * kMillisecond);
}

TEST(Timer, ADisarmedTimerDoesNotRun) {
  TimerQueue queue;
  std::atomic<int> runs{0};
  Timer timer(queue, [&] { ++runs; });
  timer.Arm(MonotonicNow() + 10 * kMillisecond);
  timer.Disarm();
  absl::SleepFor(absl::Milliseconds(30));
  EXPECT_EQ(runs, 0);
}

TEST(Timer, ANewDeadlineReplacesTheOldOne) {
  TimerQueue queue;
  std::atomic<int> runs{0};
  Timer timer(queue, [&] { ++runs; });
  timer.Arm(MonotonicNow() + 3600'000 * kMillisecond);
  // The queue's thread sleeps by then, and must be told of the earlier one.
  absl::SleepFor(absl::Milliseconds(20));
  timer.Arm(MonotonicNow());
  while (runs == 0) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_EQ(runs, 1);
}

TEST(Timer, MayBeDestroyedByItsOwnCallback) {
  TimerQueue queue;
  std::atomic<bool> done{false};
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(queue, [&] {
    timer.reset();
    done = true;
  });
  timer->Arm(MonotonicNow() + kMillisecond);
  while (!done) absl::SleepFor(absl::Milliseconds(1));
}

TEST(Timer, IsGoneAlsoWhenItsCallbackArmsItDuringTheEnd) {
  TimerQueue queue;  // checks that none is left
  std::atomic<bool> runs{false};
  Timer* self = nullptr;
  auto timer = std::make_unique<Timer>(queue, [&] {
    runs = true;
    absl::SleepFor(absl::Milliseconds(20));
    self->Arm(MonotonicNow() + 3600'000 * kMillisecond);
  });
  self = timer.get();
  timer->Arm(MonotonicNow());
  while (!runs) absl::SleepFor(absl::Milliseconds(1));
  timer.reset();
}

}  // namespace
}  // namespace runsc::boot
