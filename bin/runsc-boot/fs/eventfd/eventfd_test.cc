#include "bin/runsc-boot/fs/eventfd/eventfd.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot {
namespace {

class EventFdTest : public ::testing::Test {
 protected:
  FileRef Make(unsigned initial, int flags) { return *MakeEventFd(vfs_, context_, initial, flags); }
  int Write(const FileRef& file, uint64_t value) {
    KernelBuffer buffer(&value, sizeof value);
    return file->Write(context_, buffer).code();
  }
  Result<uint64_t> Read(const FileRef& file) {
    uint64_t value = 0;
    KernelBuffer buffer(&value, sizeof value);
    TRY(file->Read(context_, buffer));
    return value;
  }
  Vfs vfs_;
  KernelContext context_;
};

TEST_F(EventFdTest, AddsUpAndIsResetByRead) {
  FileRef file = Make(1, 0);
  EXPECT_EQ(Write(file, 41), 0);
  EXPECT_EQ(*Read(file), 42u);
  EXPECT_EQ(Read(file).code(), EAGAIN);
  EXPECT_EQ(file->Poll() & EPOLLIN, 0u);
}

TEST_F(EventFdTest, ASemaphoreGivesOneAtATime) {
  FileRef file = Make(2, EFD_SEMAPHORE);
  EXPECT_EQ(*Read(file), 1u);
  EXPECT_EQ(*Read(file), 1u);
  EXPECT_EQ(Read(file).code(), EAGAIN);
}

TEST_F(EventFdTest, DoesNotOverflow) {
  FileRef file = Make(1, 0);
  EXPECT_EQ(Write(file, ~uint64_t{0}), EINVAL);
  EXPECT_EQ(Write(file, ~uint64_t{0} - 1), EAGAIN);
  EXPECT_EQ(Write(file, ~uint64_t{0} - 2), 0);
  EXPECT_EQ(file->Poll() & EPOLLOUT, 0u);
  EXPECT_EQ(MakeEventFd(vfs_, context_, 0, 1 << 5).code(), EINVAL);
}

}  // namespace
}  // namespace runsc::boot
