#include "bin/runsc-boot/fs/proc/host_proc.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace runsc::boot::proc {
namespace {

TEST(HostProc, StatIsReadBehindANameWithParenthesesAndSpaces) {
  auto stat = ParseHostStat(
      "66 (a) b (c) R 1 66 66 0 -1 4194304 129 7 3 8 11 12 1 2 20 0 1 0 172075 2998272 423 "
      "18446744073709551615 1 2 3 0 0 0 0 0 0 0 0 0 17 1 5 6 0 0 0 1 2 3 4 5 6 7 0\n");
  ASSERT_TRUE(stat.ok());
  EXPECT_EQ(stat->state, 'R');
  EXPECT_EQ(stat->minflt, 129u);
  EXPECT_EQ(stat->majflt, 3u);
  EXPECT_EQ(stat->utime, 11u);
  EXPECT_EQ(stat->stime, 12u);
  EXPECT_EQ(stat->priority, 20);
  EXPECT_EQ(stat->vsize, 2998272u);
  EXPECT_EQ(stat->rss, 423);
  EXPECT_EQ(stat->processor, 1);
  EXPECT_EQ(stat->rt_priority, 5u);
  EXPECT_EQ(stat->policy, 6u);
}

TEST(HostProc, TruncatedStatIsRefused) {
  EXPECT_EQ(ParseHostStat("66 (a) R 1 66").code(), EINVAL);
  EXPECT_EQ(ParseHostStat("").code(), EINVAL);
}

TEST(HostProc, MapsGiveRangeProtectionDeviceInodeAndName) {
  auto maps = ParseHostMaps(
      "55b1ad20b000-55b1ad20d000 r--p 00002000 fe:01 247498                     /memfd:a b\n"
      "7ffc768fa000-7ffc768fc000 rw-p 00000000 00:00 0 \n");
  ASSERT_TRUE(maps.ok());
  ASSERT_EQ(maps->size(), 2u);
  EXPECT_EQ((*maps)[0].start, 0x55b1ad20b000u);
  EXPECT_EQ((*maps)[0].end, 0x55b1ad20d000u);
  EXPECT_EQ((*maps)[0].protection, "r--p");
  EXPECT_EQ((*maps)[0].offset, 0x2000u);
  EXPECT_EQ((*maps)[0].device, makedev(0xfe, 1));
  EXPECT_EQ((*maps)[0].inode, 247498u);
  EXPECT_EQ((*maps)[0].name, "/memfd:a b");
  EXPECT_EQ((*maps)[1].name, "");
}

TEST(HostProc, DetailsBelongToTheMappingBeforeThem) {
  auto maps = ParseHostMaps(
      "1000-2000 r--p 00000000 00:00 0 \nSize:  4 kB\nVmFlags: rd mr\n"
      "3000-4000 rw-p 00000000 00:00 0 \nSize:  8 kB\n");
  ASSERT_TRUE(maps.ok());
  EXPECT_EQ((*maps)[0].details, "Size:  4 kB\nVmFlags: rd mr\n");
  EXPECT_EQ((*maps)[1].details, "Size:  8 kB\n");
}

TEST(HostProc, ReadsTheHostsOwnFiles) {
  HostProc host(FileDescriptor(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC)));
  auto stat = host.ProcessStat(getpid());
  ASSERT_TRUE(stat.ok());
  EXPECT_GT(stat->vsize, 0u);
  EXPECT_TRUE(host.ThreadStat(getpid(), getpid()).ok());
  EXPECT_GT(host.Statm(getpid())->resident, 0u);
  EXPECT_FALSE(host.Maps(getpid(), false)->empty());
  EXPECT_FALSE(host.Maps(getpid(), true)->front().details.empty());
}

TEST(HostProc, StatusFieldsAreFoundByTheirWholeName) {
  EXPECT_EQ(HostProc::StatusKib("VmRSS:\t    1740 kB\nRssAnon:\t     112 kB\n", "RssAnon"), 112u);
  EXPECT_EQ(HostProc::StatusKib("VmRSS:\t    1740 kB\n", "Vm"), 0u);
}

}  // namespace
}  // namespace runsc::boot::proc
