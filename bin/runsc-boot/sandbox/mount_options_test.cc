#include "bin/runsc-boot/sandbox/mount_options.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

namespace runsc::boot {
namespace {

TEST(MountOptions, FlagsAreSetAndClearedInOrder) {
  EXPECT_EQ(ParseMountOptions({"ro", "nosuid", "nodev", "noexec"}).flags,
            MountFlags{MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC});
  EXPECT_EQ(ParseMountOptions({"ro", "nosuid", "rw", "suid"}).flags, MountFlags{0});
  EXPECT_EQ(ParseMountOptions({"noatime", "strictatime"}).flags, MountFlags{MS_STRICTATIME});
}

TEST(MountOptions, TheRestIsForTheFileSystem) {
  MountOptions options =
      ParseMountOptions({"nosuid", "mode=755", "ro", "size=65536k", "newinstance"});
  EXPECT_EQ(options.data, "mode=755,size=65536k,newinstance");
  EXPECT_EQ(ParseMountOptions({"rbind", "rprivate"}).data, "");
}

}  // namespace
}  // namespace runsc::boot
