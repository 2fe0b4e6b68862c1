#include "bin/runsc-boot/wait/wait_queue.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>

#include <optional>
#include <vector>

namespace runsc::boot {
namespace {

TEST(WaitQueueTest, NotifiesInterestedEntriesInOrderOfRegistration) {
  WaitQueue queue;
  std::vector<int> seen;
  WaitEntry first(EPOLLIN, [&](PollEvents) { seen.push_back(1); });
  WaitEntry second(EPOLLOUT, [&](PollEvents) { seen.push_back(2); });
  WaitEntry third(EPOLLIN, [&](PollEvents) { seen.push_back(3); });
  queue.Register(first);
  queue.Register(second);
  queue.Register(third);
  queue.Notify(EPOLLIN);
  EXPECT_EQ(seen, (std::vector<int>{1, 3}));
}

TEST(WaitQueueTest, HangUpReachesEveryEntry) {
  WaitQueue queue;
  int calls = 0;
  WaitEntry entry(EPOLLOUT, [&](PollEvents) { ++calls; });
  queue.Register(entry);
  queue.Notify(EPOLLIN);
  EXPECT_EQ(calls, 0);
  queue.Notify(EPOLLHUP);
  EXPECT_EQ(calls, 1);
}

TEST(WaitQueueTest, AnEntryLeavesTheQueueWhenItIsDestroyed) {
  WaitQueue queue;
  int calls = 0;
  WaitEntry before(EPOLLIN, [&](PollEvents) { ++calls; });
  queue.Register(before);
  {
    WaitEntry entry(EPOLLIN, [&](PollEvents) { calls += 100; });
    queue.Register(entry);
  }
  WaitEntry after(EPOLLIN, [&](PollEvents) { ++calls; });
  queue.Register(after);
  queue.Notify(EPOLLIN);
  EXPECT_EQ(calls, 2);
}

TEST(WaitQueueTest, AQueueMayGoBeforeItsEntries) {
  WaitEntry entry(EPOLLIN, [](PollEvents) {});
  {
    WaitQueue queue;
    queue.Register(entry);
  }
  entry.Unregister();
  EXPECT_FALSE(entry.registered());
}

}  // namespace
}  // namespace runsc::boot
