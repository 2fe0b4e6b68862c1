// Runs static programs on the platform under a small kernel.
#include "bin/runsc-boot/platform/platform.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "bin/runsc-boot/platform/testing/test_kernel.h"

namespace runsc::boot::platform {
namespace {

using testing::TestKernel;

constexpr char kGuest[] = "bin/runsc-boot/platform/testing/guest";

size_t OpenDescriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

std::string ReadStatus(pid_t pid, const std::string& field) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(field + ":", 0) == 0) return line.substr(field.size() + 2);
  }
  return "";
}

// A zombie is dead: who reaps it is the machine's business.
bool IsAlive(pid_t pid) {
  std::string state = ReadStatus(pid, "State");
  return !state.empty() && state[0] != 'Z' && state[0] != 'X';
}

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
TEST_F(PlatformTest, AThousandProcessesOneByOneLeaveNothing) {
  size_t before = OpenDescriptors();
  {
    TestKernel kernel(kGuest);
    EXPECT_EQ(kernel.Run({"many-forks", "1000"}), 0) << kernel.output();
    // The reaper is a moment behind.
    for (int i = 0; i < 100 && OpenDescriptors() > before + 20; ++i) usleep(10'000);
    EXPECT_LE(OpenDescriptors(), before + 20);
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(PlatformTest, WithoutNativeCallsProgramsRunTheSame) {
  Platform::Options options{.native_calls = false};
  for (const char* program : {"native-memory", "threads", "fork", "vfork-exec", "self-signal"}) {
    ExpectSuccess({program}, options);
  }
}

TEST_F(PlatformTest, DeathFromOutsideIsReported) {
  TestKernel kernel(kGuest);
  ASSERT_TRUE(kernel.Start({"wait-for-death"}).ok());
  ThreadRef child;
  for (int i = 0; i < 1000 && (child == nullptr || child->host_tid() == 0); ++i) {
    usleep(1000);
    child = kernel.FindThread(2);
  }
  ASSERT_NE(child, nullptr);
  ASSERT_GT(child->host_tid(), 2);
  ASSERT_EQ(kill(child->host_tid(), SIGKILL), 0);
  EXPECT_EQ(kernel.Wait(), 0) << kernel.output();
  EXPECT_EQ(kernel.deaths(), 1);
  EXPECT_EQ(child->EnterStub().code(), ESRCH);
}

TEST_F(PlatformTest, KilledProcessesAreNotReported) {
  TestKernel kernel(kGuest);
  EXPECT_EQ(kernel.Run({"kill-child"}), 0) << kernel.output();
  EXPECT_EQ(kernel.deaths(), 0);
}

TEST_F(PlatformTest, ShutdownEndsEverythingWhileThreadsAreBusy) {
  for (int i = 0; i < 10; ++i) {
    TestKernel kernel(kGuest);
    ASSERT_TRUE(kernel.Start({"busy"}).ok());
    usleep(5000 * static_cast<unsigned>(i));
  }
}

TEST_F(PlatformTest, StubsDieWithBoot) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  pid_t boot = fork();
  if (boot == 0) {
    TestKernel kernel(kGuest);
    if (!kernel.Start({"busy"}).ok()) _exit(1);
    while (kernel.FindThread(2) == nullptr || kernel.FindThread(2)->host_tid() == 0) usleep(1000);
    pid_t stubs[2] = {kernel.FindThread(1)->host_tid(), kernel.FindThread(2)->host_tid()};
    (void)!write(pipe_ends[1], stubs, sizeof stubs);
    for (;;) pause();
  }
  pid_t stubs[2] = {0, 0};
  ASSERT_EQ(read(pipe_ends[0], stubs, sizeof stubs), static_cast<ssize_t>(sizeof stubs));
  EXPECT_TRUE(IsAlive(stubs[0]));
  kill(boot, SIGKILL);
  waitpid(boot, nullptr, 0);
  for (pid_t stub : stubs) {
    for (int i = 0; i < 1000 && IsAlive(stub); ++i) usleep(1000);
    EXPECT_FALSE(IsAlive(stub)) << stub;
  }
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

TEST_F(PlatformTest, AStubHasNoPrivilegesFilesOrRoot) {
  TestKernel kernel(kGuest);
  ASSERT_TRUE(kernel.Start({"busy"}).ok());
  while (kernel.FindThread(1) == nullptr) usleep(1000);
  pid_t pid = kernel.FindThread(1)->host_tid();
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    EXPECT_EQ(ReadStatus(pid, set), "0000000000000000") << set;
  }
  EXPECT_EQ(ReadStatus(pid, "NoNewPrivs"), "1");
  EXPECT_EQ(ReadStatus(pid, "Seccomp"), "2");
  EXPECT_EQ(ReadStatus(pid, "Seccomp_filters"), "1");
  EXPECT_EQ(ReadStatus(pid, "Uid"), "65534\t65534\t65534\t65534");
  EXPECT_EQ(ReadStatus(pid, "Gid"), "65534\t65534\t65534\t65534");
  EXPECT_EQ(ReadStatus(pid, "Groups").find_first_not_of(' '), std::string::npos);
  std::string proc = "/proc/" + std::to_string(pid);
  EXPECT_TRUE(std::filesystem::is_empty(proc + "/root/"));
  EXPECT_TRUE(std::filesystem::is_empty(proc + "/cwd/"));
  // While it comes up it has its region's, for a moment.
  for (int i = 0; i < 5000 && !std::filesystem::is_empty(proc + "/fd"); ++i) usleep(1000);
  for (const auto& entry : std::filesystem::directory_iterator(proc + "/fd")) {
    ADD_FAILURE() << "open descriptor " << entry.path();
  }
}

}  // namespace
}  // namespace runsc::boot::platform
