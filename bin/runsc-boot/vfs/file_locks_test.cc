#include "bin/runsc-boot/vfs/file_locks.h"

#include <gtest/gtest.h>

namespace runsc::boot {
namespace {

const int kFirst = 1, kSecond = 2;

RecordLock Make(const void* owner, uint64_t begin, uint64_t end, bool exclusive) {
  return {{begin, end}, exclusive, owner, 7};
}

TEST(FileLocksTest, SharedRecordsOverlapAndExclusiveOnesDoNot) {
  FileLocks locks;
  EXPECT_TRUE(locks.Lock(Make(&kFirst, 0, 10, false)).ok());
  EXPECT_TRUE(locks.Lock(Make(&kSecond, 5, 15, false)).ok());
  EXPECT_EQ(locks.Lock(Make(&kSecond, 9, 20, true)).code(), EAGAIN);
  EXPECT_TRUE(locks.Lock(Make(&kSecond, 10, 20, true)).ok());
}

TEST(FileLocksTest, LocksOfAllKindsAreListed) {
  using enum ShownLock::Kind;
  FileLocks locks;
  ASSERT_TRUE(locks.Lock(Make(&kFirst, 5, 15, false)).ok());
  ASSERT_TRUE(locks.Lock({{20, 30}, true, &kSecond, -1}).ok());
  ASSERT_TRUE(locks.LockWhole(&kSecond, true, 9).ok());
  const std::vector<ShownLock> list = locks.List();
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].kind, kRecord);
  EXPECT_EQ(list[0].range.begin, 5u);
  EXPECT_FALSE(list[0].exclusive);
  EXPECT_EQ(list[0].pid, 7);
  EXPECT_EQ(list[1].kind, kDescription);
  EXPECT_EQ(list[2].kind, kWhole);
  EXPECT_EQ(list[2].pid, 9);
}

TEST(FileLocksTest, UnlockingTheMiddleLeavesBothEnds) {
  FileLocks locks;
  ASSERT_TRUE(locks.Lock(Make(&kFirst, 0, 30, true)).ok());
  locks.Unlock(&kFirst, {10, 20});
  EXPECT_TRUE(locks.Lock(Make(&kSecond, 10, 20, true)).ok());
  EXPECT_EQ(locks.FindConflict(Make(&kSecond, 0, LockRange::kToEnd, true))->range.begin, 0u);
  EXPECT_EQ(locks.FindConflict(Make(&kSecond, 15, LockRange::kToEnd, true))->range.begin, 20u);
}

TEST(FileLocksTest, NeighbouringLocksOfOneOwnerBecomeOne) {
  FileLocks locks;
  ASSERT_TRUE(locks.Lock(Make(&kFirst, 0, 10, true)).ok());
  ASSERT_TRUE(locks.Lock(Make(&kFirst, 10, 20, true)).ok());
  const auto conflict = locks.FindConflict(Make(&kSecond, 0, 1, false));
  ASSERT_TRUE(conflict.has_value());
  EXPECT_EQ(conflict->range.end, 20u);
  EXPECT_EQ(conflict->pid, 7);
}

TEST(FileLocksTest, AnOwnerNeverConflictsWithItself) {
  FileLocks locks;
  ASSERT_TRUE(locks.Lock(Make(&kFirst, 0, 10, true)).ok());
  EXPECT_TRUE(locks.Lock(Make(&kFirst, 5, 8, false)).ok());
  EXPECT_TRUE(locks.Lock(Make(&kSecond, 5, 8, false)).ok());
  EXPECT_EQ(locks.Lock(Make(&kSecond, 4, 6, false)).code(), EAGAIN);
}

TEST(FileLocksTest, ReleaseWakesWaiters) {
  FileLocks locks;
  ASSERT_TRUE(locks.Lock(Make(&kFirst, 0, 10, true)).ok());
  int woken = 0;
  WaitEntry entry(PollEvents{4}, [&](PollEvents) { ++woken; });
  locks.wait_queue().Register(entry);
  locks.Release(&kSecond);
  EXPECT_EQ(woken, 0);
  locks.Release(&kFirst);
  EXPECT_EQ(woken, 1);
}

TEST(FileLocksTest, WholeFileLocksExcludeEachOther) {
  FileLocks locks;
  EXPECT_TRUE(locks.LockWhole(&kFirst, false).ok());
  EXPECT_TRUE(locks.LockWhole(&kSecond, false).ok());
  EXPECT_EQ(locks.LockWhole(&kSecond, true).code(), EAGAIN);
  // The shared lock was given up by the attempt.
  EXPECT_TRUE(locks.LockWhole(&kFirst, true).ok());
}

}  // namespace
}  // namespace runsc::boot
