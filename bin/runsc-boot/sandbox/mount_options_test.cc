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

TEST(MountOptions, SizesHaveSuffixesAndPercentages) {
  EXPECT_EQ(**ParseMountOptions({"size=65536k"}).Size(0), 65536u << 10);
  EXPECT_EQ(**ParseMountOptions({"size=64m"}).Size(0), 64u << 20);
  EXPECT_EQ(**ParseMountOptions({"size=67108864"}).Size(0), 67108864u);
  EXPECT_EQ(**ParseMountOptions({"size=50%"}).Size(1000), 500u);
  EXPECT_FALSE(ParseMountOptions({"mode=755"}).Size(1000)->has_value());
}

TEST(MountOptions, BadValuesAreNamed) {
  auto size = ParseMountOptions({"size=12q"}).Size(0);
  EXPECT_EQ(size.code(), EINVAL);
  EXPECT_NE(size.error().message().find("size"), std::string::npos);
  EXPECT_EQ(ParseMountOptions({"size=99999999999g"}).Size(0).code(), EINVAL);
  EXPECT_EQ(ParseMountOptions({"mode=98"}).Mode().code(), EINVAL);
  EXPECT_EQ(ParseMountOptions({"uid=-1"}).Id("uid").code(), EINVAL);
}

TEST(MountOptions, ModesAreOctal) {
  EXPECT_EQ(**ParseMountOptions({"mode=1777"}).Mode(), mode_t{01777});
  EXPECT_EQ(**ParseMountOptions({"gid=5"}).Id("gid"), 5u);
}

}  // namespace
}  // namespace runsc::boot
