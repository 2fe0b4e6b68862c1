#include "bin/runsc-boot/sandbox/home_directory.h"

#include <gtest/gtest.h>

namespace runsc::boot {
namespace {

TEST(HomeInPasswdTest, TakesTheFirstEntryOfTheUser) {
  const char* text =
      "root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\nyou:x:1000:1:::\n";
  EXPECT_EQ(HomeInPasswd(text, 0), "/root");
  EXPECT_EQ(HomeInPasswd(text, 1000), "/home/me");
}

TEST(HomeInPasswdTest, IsEmptyForStrangers) {
  EXPECT_EQ(HomeInPasswd("root:x:0:0:root:/root:/bin/sh\n", 7), "");
  EXPECT_EQ(HomeInPasswd("", 0), "");
}

TEST(HomeInPasswdTest, PassesOverLinesThatAreNone) {
  EXPECT_EQ(HomeInPasswd(":::\n\n0:0:0\nx:x:zero:0::/a:\nx:x:-1:0::/b:\nx:x:0:0::/c:", 0), "/c");
}

}  // namespace
}  // namespace runsc::boot
