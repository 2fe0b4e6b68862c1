#include "bin/runsc-create/cgroup/cgroup.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace runsc::create {
namespace {

TEST(Cgroup, MountsOfBothVersionsAreFound) {
  auto mounts = ParseCgroupMounts(
      "22 1 0:20 / /proc rw - proc proc rw\n"
      "30 29 0:26 / /sys/fs/cgroup/cpuset rw,relatime shared:9 - cgroup cgroup rw,cpuset\n"
      "31 29 0:27 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n");
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(mounts[0].path, "/sys/fs/cgroup/cpuset");
  EXPECT_TRUE(mounts[0].cpuset);
  EXPECT_FALSE(mounts[0].unified);
  EXPECT_EQ(mounts[1].path, "/sys/fs/cgroup/unified");
  EXPECT_TRUE(mounts[1].unified);
}

TEST(Cgroup, PathsOfTheSystemdDriverAreExpanded) {
  EXPECT_EQ(CgroupPath("/docker/abc"), "/docker/abc");
  EXPECT_EQ(CgroupPath("docker/abc"), "/docker/abc");
  EXPECT_EQ(CgroupPath("system.slice:docker:abc"), "/system.slice/docker-abc.scope");
  EXPECT_EQ(CgroupPath("a-b.slice:cri:abc"), "/a.slice/a-b.slice/cri-abc.scope");
  EXPECT_EQ(CgroupPath(":x:abc"), "/system.slice/x-abc.scope");
}

TEST(Cgroup, ProcessJoinsAndNothingIsLeft) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  std::string name = "/runsc-cgroup-test-" + std::to_string(getpid());
  auto cgroups = CreateCgroups(name + "/inner");
  if (!cgroups.ok()) GTEST_SKIP() << cgroups.error().ToString();
  if (cgroups->directories.empty()) GTEST_SKIP() << "no cgroup file system";
  EXPECT_EQ(cgroups->made.size(), 2 * cgroups->directories.size());
  pid_t pid = fork();
  if (pid == 0) {
    pause();
    _exit(0);
  }
  Status joined = JoinCgroups(cgroups->directories, pid);
  EXPECT_TRUE(joined.ok()) << joined.error().ToString();
  std::ifstream file("/proc/" + std::to_string(pid) + "/cgroup");
  int count = 0;
  for (std::string line; std::getline(file, line);) count += line.find(name) != line.npos;
  EXPECT_EQ(count, static_cast<int>(cgroups->directories.size()));
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  RemoveCgroups(cgroups->made);
  for (const std::string& directory : cgroups->made) {
    EXPECT_EQ(access(directory.c_str(), F_OK), -1) << directory;
  }
}

}  // namespace
}  // namespace runsc::create
