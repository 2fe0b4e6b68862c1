#include "bin/runsc-boot/kernel/signal.h"

#include <gtest/gtest.h>

#include <cstring>

#include "bin/runsc-boot/kernel/signal_frame.h"

namespace runsc::boot {
namespace {

constexpr uint64_t kNoLimit = 1000;

// Adds for a user of its own.
Status Add(PendingSignals& pending, const SigInfo& info, uint64_t limit) {
  static SignalQuota quota;
  return pending.Add(info, {quota, 1, limit});
}

TEST(PendingSignals, StandardSignalsAreKeptOnce) {
  PendingSignals pending;
  ASSERT_TRUE(Add(pending, MakeSigInfo(SIGUSR1, SI_USER, 7), kNoLimit).ok());
  ASSERT_TRUE(Add(pending, MakeSigInfo(SIGUSR1, SI_USER, 8), kNoLimit).ok());
  EXPECT_EQ(pending.Take(0)->si_pid, 7);
  EXPECT_FALSE(pending.Take(0).has_value());
  EXPECT_EQ(pending.set(), 0u);
}

TEST(PendingSignals, RealTimeSignalsQueueInOrderUpToTheLimit) {
  PendingSignals pending;
  for (pid_t pid = 1; pid <= 3; ++pid) {
    ASSERT_TRUE(Add(pending, MakeSigInfo(40, SI_QUEUE, pid), 3).ok());
  }
  EXPECT_EQ(Add(pending, MakeSigInfo(40, SI_QUEUE, 4), 3).code(), EAGAIN);
  for (pid_t pid = 1; pid <= 3; ++pid) EXPECT_EQ(pending.Take(0)->si_pid, pid);
}

TEST(PendingSignals, TheLimitIsTheUsersOverAllQueues) {
  SignalQuota quota;
  PendingSignals one, other;
  ASSERT_TRUE(one.Add(MakeSigInfo(40, SI_QUEUE), {quota, 7, 2}).ok());
  ASSERT_TRUE(other.Add(MakeSigInfo(40, SI_QUEUE), {quota, 7, 2}).ok());
  EXPECT_EQ(other.Add(MakeSigInfo(40, SI_QUEUE), {quota, 7, 2}).code(), EAGAIN);
  EXPECT_TRUE(other.Add(MakeSigInfo(40, SI_QUEUE), {quota, 8, 2}).ok());
  EXPECT_EQ(quota.count(7), 2u);
  one.Discard(~SignalSet{0});
  EXPECT_EQ(quota.count(7), 1u);
  EXPECT_TRUE(other.Take(0).has_value());
  EXPECT_EQ(quota.count(7), 0u);
}

TEST(PendingSignals, WithoutRoomKillStillWorks) {
  SignalQuota quota;
  PendingSignals pending;
  ASSERT_TRUE(pending.Add(MakeSigInfo(40, SI_USER, 5), {quota, 7, 0}).ok());
  EXPECT_EQ(pending.set(), SignalBit(40));
  const std::optional<SigInfo> info = pending.Take(0);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->si_pid, 0);
  EXPECT_EQ(pending.set(), 0u);
}

TEST(PendingSignals, FaultsComeFirstThenTheLowestNumber) {
  PendingSignals pending;
  for (int signo : {SIGTERM, SIGHUP, SIGSEGV}) {
    ASSERT_TRUE(Add(pending, MakeSigInfo(signo, SI_USER), kNoLimit).ok());
  }
  EXPECT_EQ(pending.Take(0)->si_signo, SIGSEGV);
  EXPECT_EQ(pending.Take(SignalBit(SIGHUP))->si_signo, SIGTERM);
  EXPECT_EQ(pending.Take(0)->si_signo, SIGHUP);
}

TEST(PendingSignals, DiscardsEveryInstance) {
  PendingSignals pending;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Add(pending, MakeSigInfo(40, SI_QUEUE), kNoLimit).ok());
  ASSERT_TRUE(Add(pending, MakeSigInfo(SIGCONT, SI_USER), kNoLimit).ok());
  pending.Discard(SignalBit(40));
  EXPECT_EQ(pending.set(), SignalBit(SIGCONT));
}

TEST(SignalFrame, IsAlignedAsLinuxDoesIt) {
  SignalFrameContents contents;
  contents.info = MakeSigInfo(SIGUSR1, SI_USER, 5);
  contents.action.restorer = 0x1234;
  contents.saved_mask = 0xabc;
  contents.registers.rip = 77;
  contents.registers.eflags = 0x246;
  contents.xstate.resize(2696);
  for (uint64_t top : {uint64_t{0x7fff0000}, uint64_t{0x7fff0123}}) {
    const SignalFrame frame = BuildSignalFrame(contents, top);
    EXPECT_EQ((frame.address + 8) % 16, 0u);
    EXPECT_LE(frame.address + frame.bytes.size(), top);
    uint64_t restorer;
    memcpy(&restorer, frame.bytes.data(), 8);
    EXPECT_EQ(restorer, 0x1234u);
    const SavedContext saved = ParseSignalFrame(
        std::span<const std::byte, kSignalFrameSize>(frame.bytes.data(), kSignalFrameSize));
    EXPECT_EQ(saved.mask, 0xabcu);
    EXPECT_EQ(saved.registers.rip, 77u);
    EXPECT_EQ(saved.registers.eflags, 0x246u);
    EXPECT_EQ(saved.xstate_address % 64, 0u);
    const uint64_t offset = saved.xstate_address - frame.address;
    const std::span<const std::byte> legacy(frame.bytes.data() + offset, 512);
    EXPECT_EQ(XstateSize(legacy, 4096), 2696u);
    EXPECT_EQ(XstateSize(legacy, 1000), 512u);
    uint32_t magic2;
    memcpy(&magic2, frame.bytes.data() + offset + 2696, 4);
    EXPECT_EQ(magic2, 0x46505845u);
  }
}

}  // namespace
}  // namespace runsc::boot
