#include "bin/runsc-boot/vfs/mount_data.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace runsc::boot {
namespace {

NamedOption Valued(std::string_view value) { return {"name", value}; }

TEST(MountDataTest, SplitsAtCommasAndSkipsWhatIsEmpty) {
  std::vector<std::string> seen;
  auto take = [&](const NamedOption& option) {
    seen.push_back(std::string(option.name) +
                   (option.value ? ":" + std::string(*option.value) : ""));
    return Ok();
  };
  EXPECT_TRUE(ForEachOption("x", ",a,,b=1,c=d=e,f=,", take).ok());
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b:1", "c:d=e", "f:"}));
}

TEST(MountDataTest, TheFirstErrorNamesFileSystemAndOption) {
  int calls = 0;
  const Status status = ForEachOption("proc", "a,b=2,c", [&](const NamedOption& option) -> Status {
    ++calls;
    return option.name == "b" ? Status(Error(EINVAL)) : Ok();
  });
  EXPECT_EQ(status.code(), EINVAL);
  EXPECT_NE(status.error().message().find("proc: bad option \"b=2\""), std::string::npos);
  EXPECT_EQ(calls, 2);
}

TEST(MountDataTest, NumbersAreThoseOfC) {
  EXPECT_EQ(Valued("10").Number().value(), 10u);
  EXPECT_EQ(Valued("010").Number().value(), 8u);
  EXPECT_EQ(Valued("0x10").Number().value(), 16u);
  EXPECT_EQ(Valued("0").Number().value(), 0u);
  EXPECT_EQ(Valued("17").Number(8).value(), 15u);
  EXPECT_EQ(Valued("2147483647").Number().value(), 2147483647u);
  for (const char* text : {"", "-1", "+1", "1x", " 1", "0x", "2147483648", "08"}) {
    EXPECT_EQ(Valued(text).Number().code(), EINVAL) << text;
  }
  EXPECT_EQ((NamedOption{"name", std::nullopt}.Number().code()), EINVAL);
}

TEST(MountDataTest, SizesHaveFactors) {
  EXPECT_EQ(Valued("3").Size().value(), 3u);
  EXPECT_EQ(Valued("3k").Size().value(), 3u << 10);
  EXPECT_EQ(Valued("3M").Size().value(), 3u << 20);
  EXPECT_EQ(Valued("010k").Size().value(), 8u << 10);
  EXPECT_EQ(Valued("0x1e").Size().value(), 0x1eu);
  EXPECT_EQ(Valued("1p").Size().value(), uint64_t{1} << 50);
  EXPECT_EQ(Valued("15E").Size().value(), uint64_t{15} << 60);
  EXPECT_EQ(Valued("k").Size().value(), 0u);
  for (const char* text : {"", "1x", "-1", "1kk", "16e", "99999999999999999999"}) {
    EXPECT_EQ(Valued(text).Size().code(), EINVAL) << text;
  }
}

TEST(MountDataTest, FlagsHaveNoValue) {
  EXPECT_TRUE((NamedOption{"noswap", std::nullopt}.Flag().ok()));
  EXPECT_EQ(Valued("").Flag().code(), EINVAL);
}

}  // namespace
}  // namespace runsc::boot
