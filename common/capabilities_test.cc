#include "common/capabilities.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace runsc {
namespace {

std::string StatusLine(const std::string& key) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind(key + ":\t", 0) == 0) return line.substr(key.size() + 2);
  }
  return "";
}

// In a child, since what is dropped does not come back.
template <typename Function>
int InChild(Function function) {
  pid_t pid = fork();
  if (pid == 0) _exit(function());
  int status;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Capabilities, OnlyTheKeptOnesAreInAnyOfTheFiveSets) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(InChild([] {
              if (!KeepOnlyCapabilities(CapabilityMaskOf({CAP_CHOWN, CAP_FOWNER})).ok()) return 1;
              std::string kept = "0000000000000009";
              std::string none = "0000000000000000";
              if (StatusLine("CapPrm") != kept) return 2;
              if (StatusLine("CapEff") != kept) return 3;
              if (StatusLine("CapBnd") != kept) return 4;
              if (StatusLine("CapInh") != none) return 5;
              if (StatusLine("CapAmb") != none) return 6;
              return 0;
            }),
            0);
}

TEST(Capabilities, NoneCanBeKept) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(InChild([] {
              if (!KeepOnlyCapabilities(0).ok()) return 1;
              return StatusLine("CapBnd") == "0000000000000000" ? 0 : 2;
            }),
            0);
}

TEST(Capabilities, AreDescribedByName) {
  EXPECT_EQ(DescribeCapabilities(CapabilityMaskOf({CAP_FOWNER, CAP_CHOWN})),
            "CAP_CHOWN CAP_FOWNER");
  EXPECT_EQ(DescribeCapabilities(0), "none");
}

}  // namespace
}  // namespace runsc
