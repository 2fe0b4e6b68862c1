#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "bin/runsc-create/process/child.h"
#include "bin/runsc-create/process/host_process.h"
#include "bin/runsc-create/process/signals.h"
#include "ipc/channel.h"

namespace runsc::create {
namespace {

class ChildTest : public testing::Test {
 protected:
  // A program that runs `script`; its output is in Output().
  Result<Child> Start(const std::string& script) {
    std::string pattern = testing::TempDir() + "/childXXXXXX";
    directory_ = mkdtemp(pattern.data());
    std::string program = directory_ + "/program";
    std::ofstream(program) << "#!/bin/sh\n" << script << "\n";
    chmod(program.c_str(), 0755);
    output_ = FileDescriptor(open((directory_ + "/out").c_str(), O_CREAT | O_RDWR, 0600));
    auto pair = Channel::Pair();
    if (!pair.ok()) return std::move(pair).error();
    ours_ = std::move(pair->first);
    return StartChild(
        {.program = program, .channel = pair->second.get(), .error_output = output_.get()});
  }
  std::string Output() {
    std::ifstream file(directory_ + "/out");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string directory_;
  FileDescriptor output_, ours_;
};

TEST_F(ChildTest, InheritsTheChannelAndNothingElse) {
  FileDescriptor leaked(open("/dev/null", O_RDONLY));  // not close-on-exec
  auto child = Start("echo /proc/self/fd/* >&2; readlink /proc/self/fd/3 >&2");
  ASSERT_TRUE(child.ok()) << child.error().ToString();
  EXPECT_EQ(child->Reap().value_or(-1), 0);
  std::string output = Output();
  EXPECT_NE(output.find("/proc/self/fd/3"), std::string::npos) << output;
  EXPECT_NE(output.find("socket:"), std::string::npos) << output;
  // The shell has its script open at 10.
  for (int fd = 4; fd < 10; ++fd) {
    EXPECT_EQ(output.find("/proc/self/fd/" + std::to_string(fd) + " "), std::string::npos)
        << output;
  }
}

TEST_F(ChildTest, HasNoSignalBlocked) {
  sigset_t set, old;
  sigfillset(&set);
  sigprocmask(SIG_SETMASK, &set, &old);
  auto child = Start("grep SigBlk /proc/self/status >&2");
  sigprocmask(SIG_SETMASK, &old, nullptr);
  ASSERT_TRUE(child.ok());
  ASSERT_TRUE(child->Reap().ok());
  EXPECT_EQ(Output(), "SigBlk:\t0000000000000000\n");
}

TEST_F(ChildTest, ReportsHowItEnded) {
  auto child = Start("exit 7");
  ASSERT_TRUE(child.ok());
  EXPECT_EQ(child->Reap().value_or(-1), 7);
  child = Start("kill -9 $$");
  ASSERT_TRUE(child.ok());
  EXPECT_EQ(child->DescribeEnd(), "program was killed by signal 9 (Killed)");
}

TEST_F(ChildTest, DiesWithItsOwner) {
  auto child = Start("sleep 1000");
  ASSERT_TRUE(child.ok());
  pid_t pid = child->pid();
  auto identity = Identify(pid);
  ASSERT_TRUE(identity.ok());
  EXPECT_TRUE(IsAlive(*identity));
  child->Kill();
  EXPECT_FALSE(IsAlive(*identity));
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST_F(ChildTest, AProgramThatIsMissingIsNamed) {
  auto child = StartChild({.program = "/nonexistent/program", .channel = 0});
  ASSERT_FALSE(child.ok());
  EXPECT_EQ(child.error().message(), "execute /nonexistent/program: No such file or directory");
}

TEST(HostProcess, AnotherProcessWithTheSameNumberIsNotTakenForIt) {
  auto self = Identify(getpid());
  ASSERT_TRUE(self.ok());
  EXPECT_TRUE(IsAlive(*self));
  self->set_start_time(self->start_time() + 1);
  EXPECT_FALSE(IsAlive(*self));
  EXPECT_TRUE(KillAndAwait(*self).ok());  // and it is not killed either
}

TEST(ParseSignal, TakesNamesAndNumbers) {
  EXPECT_EQ(ParseSignal("9").value_or(0), SIGKILL);
  EXPECT_EQ(ParseSignal("KILL").value_or(0), SIGKILL);
  EXPECT_EQ(ParseSignal("SIGTERM").value_or(0), SIGTERM);
  EXPECT_EQ(ParseSignal("sigusr1").value_or(0), SIGUSR1);
  EXPECT_EQ(ParseSignal("RTMIN+3").value_or(0), SIGRTMIN + 3);
  EXPECT_EQ(ParseSignal("64").value_or(0), 64);
  EXPECT_EQ(ParseSignal("0").value_or(-1), 0);
  for (const char* text : {"", "65", "-1", "SIG", "FOO", "9x", "RTMIN+99"}) {
    EXPECT_FALSE(ParseSignal(text).ok()) << text;
  }
}

}  // namespace
}  // namespace runsc::create
