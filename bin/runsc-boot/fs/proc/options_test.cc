#include "bin/runsc-boot/fs/proc/options.h"

#include <gtest/gtest.h>

namespace runsc::boot::proc {
namespace {

std::string Shown(std::string_view text) {
  Result<Options> options = ParseOptions(text, nullptr);
  return options.ok() ? options->ToString() : std::to_string(options.code());
}

TEST(ProcOptionsTest, AreShownAsLinuxShowsThem) {
  EXPECT_EQ(Shown(""), "");
  EXPECT_EQ(Shown("hidepid=0"), "");
  EXPECT_EQ(Shown("subset=pid,hidepid=2,gid=5"), "gid=5,hidepid=invisible,subset=pid");
  EXPECT_EQ(Shown("hidepid=noaccess"), "hidepid=noaccess");
  EXPECT_EQ(Shown("hidepid=1,hidepid=4"), "hidepid=ptraceable");
}

TEST(ProcOptionsTest, WrongOnesAreErrors) {
  for (const char* text : {"hidepid", "hidepid=", "hidepid=3", "gid=x", "gid=-1", "subset=sys",
                           "newinstance", "size=4"}) {
    EXPECT_EQ(Shown(text), std::to_string(EINVAL)) << text;
  }
}

}  // namespace
}  // namespace runsc::boot::proc
