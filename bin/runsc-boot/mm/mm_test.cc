#include <gtest/gtest.h>

#include "bin/runsc-boot/mm/fake_address_space.h"
#include "bin/runsc-boot/mm/memory_manager.h"
#include "bin/runsc-boot/mm/user_io.h"

namespace runsc::boot {
namespace {

class MmTest : public testing::Test {
 protected:
  MmTest() { space_->Map(0x10000, 0x2000); }

  std::shared_ptr<FakeAddressSpace> space_ = std::make_shared<FakeAddressSpace>();
  MemoryManager memory_{space_};
};

TEST_F(MmTest, CopiesThatReachUnmappedMemoryFailAsAWhole) {
  char buffer[16] = {};
  EXPECT_TRUE(memory_.CopyIn(0x11ff0, buffer, 16).ok());
  EXPECT_EQ(memory_.CopyIn(0x11ff8, buffer, 16).code(), EFAULT);
  EXPECT_EQ(memory_.CopyOut(0x11ff8, buffer, 16).code(), EFAULT);
  EXPECT_TRUE(memory_.CopyIn(0x90000, buffer, 0).ok());
}

TEST_F(MmTest, AStringMayEndAtTheLastMappedByte) {
  ASSERT_TRUE(memory_.CopyOut(0x11ffc, "abc", 4).ok());
  EXPECT_EQ(memory_.CopyInString(0x11ffc, 4095).value(), "abc");
}

TEST_F(MmTest, AStringMayCrossAPage) {
  ASSERT_TRUE(memory_.CopyOut(0x10ffd, "abcdef", 7).ok());
  EXPECT_EQ(memory_.CopyInString(0x10ffd, 4095).value(), "abcdef");
  EXPECT_EQ(memory_.CopyInString(0x10ffd, 6).value(), "abcdef");
}

TEST_F(MmTest, AStringWithoutEndIsAnError) {
  ASSERT_TRUE(memory_.CopyOut(0x10ffd, "abcdef", 7).ok());
  EXPECT_EQ(memory_.CopyInString(0x10ffd, 5).code(), ENAMETOOLONG);
  ASSERT_TRUE(memory_.CopyOut(0x11ffc, "abcd", 4).ok());
  EXPECT_EQ(memory_.CopyInString(0x11ffc, 4095).code(), EFAULT);
  EXPECT_EQ(memory_.CopyInString(0x90000, 4095).code(), EFAULT);
}

TEST_F(MmTest, AForkedManagerKnowsTheSameImage) {
  MemoryManager::Image image;
  image.entry = 42;
  memory_.set_image(image);
  EXPECT_EQ(memory_.CloneFor(space_)->image().entry, 42u);
}

iovec Range(uint64_t address, size_t size) { return {reinterpret_cast<void*>(address), size}; }

TEST_F(MmTest, UserIoFillsRangesInOrderWithOneTransfer) {
  UserIo io(memory_, {Range(0x10000, 3), Range(0x10100, 0), Range(0x10200, 4)});
  EXPECT_EQ(io.remaining(), 7u);
  EXPECT_EQ(io.Put("ab", 2).value(), 2u);
  const int before = space_->transfers();
  EXPECT_EQ(io.Put("cdefgh", 6).value(), 5u);
  EXPECT_LE(space_->transfers() - before, 2);
  EXPECT_EQ(io.remaining(), 0u);
  EXPECT_EQ(io.transferred(), 7u);
  EXPECT_EQ(memory_.CopyInString(0x10000, 10).value(), "abc");
  EXPECT_EQ(memory_.CopyInString(0x10200, 10).value(), "defg");
}

TEST_F(MmTest, UserIoStopsAtUnmappedMemory) {
  UserIo io(memory_, {Range(0x11ffe, 8)});
  EXPECT_EQ(io.Put("abcdefgh", 8).value(), 2u);
  EXPECT_EQ(io.Put("cdefgh", 6).code(), EFAULT);
}

TEST_F(MmTest, UserIoTakesFromRanges) {
  ASSERT_TRUE(memory_.CopyOut(0x10000, "hello", 5).ok());
  ASSERT_TRUE(memory_.CopyOut(0x10800, "world", 5).ok());
  UserIo io(memory_, {Range(0x10000, 5), Range(0x10800, 5)});
  char buffer[11] = {};
  EXPECT_EQ(io.Take(buffer, 7).value(), 7u);
  EXPECT_EQ(io.Take(buffer + 7, 4).value(), 3u);
  EXPECT_STREQ(buffer, "helloworld");
}

TEST_F(MmTest, IovecArraysAreChecked) {
  EXPECT_EQ(UserIo::FromIovecs(memory_, 0x10000, 1025).code(), EINVAL);
  EXPECT_EQ(UserIo::FromIovecs(memory_, 0x90000, 1).code(), EFAULT);
  iovec bad = Range(0x10000, ~size_t{0});
  ASSERT_TRUE(memory_.CopyOut(0x10000, &bad, sizeof(bad)).ok());
  EXPECT_EQ(UserIo::FromIovecs(memory_, 0x10000, 1).code(), EINVAL);
}

TEST_F(MmTest, TransfersAreCutAtTheHostsMaximum) {
  EXPECT_EQ(UserIo(memory_, 0x10000, size_t{1} << 40).remaining(), 0x7ffff000u);
}

}  // namespace
}  // namespace runsc::boot
