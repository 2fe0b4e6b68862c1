// Runs static programs on the platform under a small kernel.
#include "bin/runsc-boot/platform/platform.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "bin/runsc-boot/platform/testing/test_kernel.h"

namespace runsc::boot::platform {
namespace {

using testing::TestKernel;

constexpr char kGuest[] = "bin/runsc-boot/platform/testing/guest";

class PlatformTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to make a pid namespace";
  }
  static void ExpectSuccess(std::vector<std::string> arguments, Platform::Options options = {}) {
    TestKernel kernel(kGuest, options);
    EXPECT_EQ(kernel.Run(std::move(arguments)), 0) << kernel.output();
  }
};

TEST_F(PlatformTest, SystemCallsReachTheKernelAndReturnItsResults) {
  TestKernel kernel(kGuest);
  EXPECT_EQ(kernel.Run({"plain"}), 0);
  EXPECT_EQ(kernel.output(), "hello\n");
}
TEST_F(PlatformTest, ExitStatusOfTheFirstProcessArrives) {
  TestKernel kernel(kGuest);
  EXPECT_EQ(kernel.Run({"exit", "42"}), 42) << kernel.output();
}
TEST_F(PlatformTest, ACallCanBeFinishedInTheStub) { ExpectSuccess({"in-stub"}); }
TEST_F(PlatformTest, FileMappingsHaveTheDescriptorsAccessMode) { ExpectSuccess({"map-file"}); }
TEST_F(PlatformTest, AnonymousMemoryIsNative) { ExpectSuccess({"native-memory"}); }
TEST_F(PlatformTest, ForkMakesAProcessWithMemoryOfItsOwn) { ExpectSuccess({"fork"}); }
TEST_F(PlatformTest, ThreadsShareMemoryAndHaveTheirOwnTls) { ExpectSuccess({"threads"}); }
TEST_F(PlatformTest, VforkSharesMemoryUntilTheChildEnds) { ExpectSuccess({"vfork"}); }
TEST_F(PlatformTest, ExecReplacesTheAddressSpaceAfterFork) { ExpectSuccess({"fork-exec"}); }
TEST_F(PlatformTest, ExecReplacesTheAddressSpaceAfterVfork) { ExpectSuccess({"vfork-exec"}); }
TEST_F(PlatformTest, ExecOfAThreadEndsTheOthersAndTakesTheLeadersId) {
  TestKernel kernel(kGuest);
  EXPECT_EQ(kernel.Run({"thread-exec"}), 56) << kernel.output();
  EXPECT_EQ(kernel.deaths(), 0);
}
TEST_F(PlatformTest, SignalFrameIsEnteredAndLeft) { ExpectSuccess({"self-signal"}); }
TEST_F(PlatformTest, InterruptReachesARunningThread) { ExpectSuccess({"other-signal"}); }
TEST_F(PlatformTest, InterruptedNativeWaitGoesOn) { ExpectSuccess({"sleepers"}); }
TEST_F(PlatformTest, FaultCanBeResumedElsewhere) { ExpectSuccess({"fault-handler"}); }
TEST_F(PlatformTest, FaultIsReported) {
  TestKernel kernel(kGuest);
  EXPECT_EQ(kernel.Run({"fault"}), 128 + SIGSEGV) << kernel.output();
}
TEST_F(PlatformTest, AThousandThreadsCanBlock) { ExpectSuccess({"blocked", "1000"}); }
TEST_F(PlatformTest, AHundredProcessesCanBlock) { ExpectSuccess({"processes", "100"}); }

}  // namespace
}  // namespace runsc::boot::platform
