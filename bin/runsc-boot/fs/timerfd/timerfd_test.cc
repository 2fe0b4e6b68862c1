#include "bin/runsc-boot/fs/timerfd/timerfd.h"

#include <gtest/gtest.h>
#include <sys/timerfd.h>

#include "absl/synchronization/notification.h"
#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot {
namespace {

class TimerFdTest : public ::testing::Test {
 protected:
  std::shared_ptr<TimerFile> Make(int clock = CLOCK_MONOTONIC) {
    return *TimerFile::Make(vfs_, context_, timers_, clock, 0);
  }
  Result<uint64_t> Read(TimerFile& file) {
    uint64_t value = 0;
    KernelBuffer buffer(&value, sizeof value);
    TRY(file.Read(context_, buffer));
    return value;
  }
  Vfs vfs_;
  KernelContext context_;
  TimerQueue timers_;
};

TEST_F(TimerFdTest, NotifiesAndCountsTheExpiration) {
  auto file = Make();
  absl::Notification fired;
  WaitEntry entry(EPOLLIN, [&](PollEvents) {
    if (!fired.HasBeenNotified()) fired.Notify();
  });
  file->wait_queue()->Register(entry);
  EXPECT_EQ(Read(*file).code(), EAGAIN);
  ASSERT_TRUE(file->Set(0, {{0, 0}, {0, 200'000'000}}).ok());
  EXPECT_EQ(file->Poll() & EPOLLIN, 0u);
  ASSERT_TRUE(fired.WaitForNotificationWithTimeout(absl::Seconds(10)));
  EXPECT_NE(file->Poll() & EPOLLIN, 0u);
  EXPECT_EQ(*Read(*file), 1u);
  EXPECT_EQ(Read(*file).code(), EAGAIN);
}

TEST_F(TimerFdTest, PastAbsoluteTimesWithAnIntervalCountEveryPeriod) {
  auto file = Make(CLOCK_REALTIME);
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  ASSERT_TRUE(file->Set(TFD_TIMER_ABSTIME, {{1, 0}, {now.tv_sec - 10, 0}}).ok());
  uint64_t count = *Read(*file);
  EXPECT_GE(count, 10u);
  EXPECT_LE(count, 12u);
  EXPECT_EQ(file->Get().it_interval.tv_sec, 1);
}

TEST_F(TimerFdTest, SettingAgainReturnsWhatWasLeft) {
  auto file = Make();
  ASSERT_TRUE(file->Set(0, {{3, 0}, {100, 0}}).ok());
  auto old = file->Set(0, {});
  ASSERT_TRUE(old.ok());
  EXPECT_EQ(old->it_value.tv_sec, 99);
  EXPECT_EQ(old->it_interval.tv_sec, 3);
  EXPECT_EQ(file->Get().it_value.tv_sec, 0);
}

TEST_F(TimerFdTest, RefusesBadArguments) {
  EXPECT_EQ(TimerFile::Make(vfs_, context_, timers_, 77, 0).code(), EINVAL);
  EXPECT_EQ(TimerFile::Make(vfs_, context_, timers_, CLOCK_MONOTONIC, 1).code(), EINVAL);
  EXPECT_EQ(Make()->Set(0, {{0, 0}, {0, 1'000'000'000}}).code(), EINVAL);
  EXPECT_EQ(Make()->Set(0, {{-1, 0}, {0, 0}}).code(), EINVAL);
}

}  // namespace
}  // namespace runsc::boot
