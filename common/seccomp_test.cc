#include "common/seccomp.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace runsc {
namespace {

FilterBuilder ExitOnly() {
  FilterBuilder filter;
  filter.Allow(SYS_exit_group, "end the test");
  return filter;
}

// The wait status of a child that installs `filter` and runs `function`.
template <typename Function>
int StatusUnder(const FilterBuilder& filter, Function function) {
  pid_t pid = fork();
  if (pid == 0) {
    if (!filter.Install().ok()) _exit(99);
    syscall(SYS_exit_group, function());
  }
  int status;
  waitpid(pid, &status, 0);
  return status;
}

TEST(FilterBuilder, AllowedCallWorks) {
  FilterBuilder filter = ExitOnly();
  filter.Allow(SYS_getppid, "ask for the parent");
  int status = StatusUnder(filter, [] { return syscall(SYS_getppid) > 0 ? 3 : 4; });
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 3);
}

TEST(FilterBuilder, OtherCallKillsTheProcess) {
  int status = StatusUnder(ExitOnly(), [] { return syscall(SYS_getppid) > 0 ? 3 : 4; });
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGSYS);
}

TEST(FilterBuilder, ArgumentsAreChecked) {
  FilterBuilder filter = ExitOnly();
  filter.Allow(SYS_fcntl, {Arg(0).Is(0), Arg(1).Is(F_GETFD)}, "look at standard input");
  filter.Allow(SYS_fcntl, {Arg(1).Is(F_GETFL), Arg(0).IsBelow(2)}, "look at flags");
  EXPECT_TRUE(WIFEXITED(StatusUnder(filter, [] { return syscall(SYS_fcntl, 0, F_GETFD, 0); })));
  EXPECT_TRUE(WIFEXITED(StatusUnder(filter, [] { return syscall(SYS_fcntl, 1, F_GETFL, 0); })));
  EXPECT_TRUE(WIFSIGNALED(StatusUnder(filter, [] { return syscall(SYS_fcntl, 1, F_GETFD, 0); })));
  EXPECT_TRUE(WIFSIGNALED(StatusUnder(filter, [] { return syscall(SYS_fcntl, 2, F_GETFL, 0); })));
}

TEST(FilterBuilder, FlagsOutsideAMaskAreRefused) {
  FilterBuilder filter = ExitOnly();
  filter.Allow(SYS_umask, {Arg(0).HasOnly(077)}, "narrow the mask");
  EXPECT_TRUE(WIFEXITED(StatusUnder(filter, [] { return syscall(SYS_umask, 022); })));
  EXPECT_TRUE(WIFSIGNALED(StatusUnder(filter, [] { return syscall(SYS_umask, 0100); })));
}

TEST(FilterBuilder, RefusedCallFails) {
  FilterBuilder filter = ExitOnly();
  filter.Refuse(SYS_getppid, 38, "pretend it does not exist");
  int status = StatusUnder(filter, [] { return syscall(SYS_getppid) == -1 ? errno : 1; });
  EXPECT_EQ(WEXITSTATUS(status), 38);
}

TEST(FilterBuilder, DescribesEachRuleWithItsReason) {
  FilterBuilder filter;
  filter.Allow(SYS_read, "read").Allow(SYS_fcntl, {Arg(1).Is(1)}, "look");
  EXPECT_EQ(filter.Describe(), "read: read\nfcntl if arg1 == 0x1: look\n");
}

}  // namespace
}  // namespace runsc
