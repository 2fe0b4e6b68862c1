// Application code that attacks its stub, its shared pages and the protocol.
// The test process is boot: it must survive, and serve the others.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "bin/runsc-boot/platform/testing/test_kernel.h"

namespace runsc::boot::platform {
namespace {

using testing::TestKernel;

class AttackTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to make a pid namespace";
  }
  static void Survive(const char* attack, int count, int expected_deaths) {
    TestKernel kernel("bin/runsc-boot/platform/testing/attacker");
    EXPECT_EQ(kernel.Run({attack, "0", std::to_string(count)}), 0) << kernel.output();
    // Boot has noticed, and ended the attackers itself.
    EXPECT_GE(kernel.deaths(), expected_deaths);
  }
};

TEST_F(AttackTest, JumpsToEveryByteOfTheStub) { Survive("jump", 2500, 50); }
TEST_F(AttackTest, ReportsWithFramesOutsideTheSlot) { Survive("bad-frames", 13 * 12, 100); }
TEST_F(AttackTest, ReportsWithForgedFrames) { Survive("plausible-frames", 12 * 7, 20); }
TEST_F(AttackTest, MessagesThatNobodyAskedFor) { Survive("stray", 30, 3); }
TEST_F(AttackTest, ChildrenThatBootDoesNotKnow) { Survive("hidden-clone", 12, 3); }
TEST_F(AttackTest, SharedPagesThatChangeAllTheTime) { Survive("scribble", 10, 3); }
TEST_F(AttackTest, OverwrittenControlPage) { Survive("control", 10, 1); }
TEST_F(AttackTest, StubOrRegionTakenAway) { Survive("remove", 8, 3); }
TEST_F(AttackTest, RewrittenStub) { Survive("rewrite", 30, 10); }
TEST_F(AttackTest, ParkedThreadsLetOutByForgery) { Survive("wake-parked", 3, 1); }

}  // namespace
}  // namespace runsc::boot::platform
