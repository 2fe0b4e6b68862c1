#include "bin/runsc-boot/fs/devpts/options.h"

#include <gtest/gtest.h>

namespace runsc::boot::devpts {
namespace {

std::string Shown(std::string_view text) {
  Result<Options> options = ParseOptions(text);
  return options.ok() ? options->ToString() : std::to_string(options.code());
}

TEST(DevptsOptionsTest, AreShownAsLinuxShowsThem) {
  EXPECT_EQ(Shown(""), "mode=600,ptmxmode=000");
  EXPECT_EQ(Shown("newinstance,ptmxmode=0666,mode=0620,gid=5"), "gid=5,mode=620,ptmxmode=666");
  EXPECT_EQ(Shown("uid=7,max=10"), "uid=7,mode=600,ptmxmode=000,max=10");
  EXPECT_EQ(Shown("mode=7777"), "mode=777,ptmxmode=000");
}

TEST(DevptsOptionsTest, WrongOnesAreErrors) {
  for (const char* text : {"gid", "gid=", "gid=x", "mode=8", "max=9999999", "size=4", "gid=-1"}) {
    EXPECT_EQ(Shown(text), std::to_string(EINVAL)) << text;
  }
}

}  // namespace
}  // namespace runsc::boot::devpts
