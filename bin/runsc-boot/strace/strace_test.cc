#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cstring>

#include "bin/runsc-boot/strace/arguments.h"
#include "bin/runsc-boot/strace/names.h"
#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot {
namespace {

// Memory of an application at address 0x1000.
class FakeMemory final : public KernelContext {
 public:
  static constexpr uint64_t kBase = 0x1000;
  explicit FakeMemory(std::string bytes) : bytes_(std::move(bytes)) {}
  Status CopyIn(uint64_t address, void* buffer, size_t size) override {
    if (address < kBase || address - kBase + size > bytes_.size()) return Error(EFAULT);
    memcpy(buffer, bytes_.data() + (address - kBase), size);
    return Ok();
  }

 private:
  std::string bytes_;
};

std::string Format(Context& memory, uint64_t number, std::array<uint64_t, 6> args,
                   std::optional<uint64_t> result = std::nullopt) {
  platform::SyscallInfo call;
  call.number = number;
  call.args = args;
  ArgumentText text(memory, *FindSyscall(number), call);
  if (result) text.AddResults(*result);
  return text.Joined();
}

TEST(StraceTest, PathsAreQuotedAndFlagsNamed) {
  FakeMemory memory(std::string("/etc/pass\nwd\0", 13));
  EXPECT_EQ(Format(memory, SYS_openat,
                   {static_cast<uint64_t>(AT_FDCWD), FakeMemory::kBase,
                    O_RDWR | O_CREAT | O_CLOEXEC, 0644}),
            "AT_FDCWD, \"/etc/pass\\nwd\", O_RDWR|O_CREAT|O_CLOEXEC, 0644");
}

TEST(StraceTest, UnreadableMemoryShowsItsAddress) {
  FakeMemory memory("no end");
  EXPECT_EQ(Format(memory, SYS_unlink, {FakeMemory::kBase}), "0x1000");
  EXPECT_EQ(Format(memory, SYS_unlink, {0}), "NULL");
  EXPECT_EQ(Format(memory, SYS_unlink, {0xdead0000}), "0xdead0000");
}

TEST(StraceTest, WhatACallWritesIsShownWhenItHasEnded) {
  FakeMemory memory("hello world");
  EXPECT_EQ(Format(memory, SYS_read, {3, FakeMemory::kBase, 11}), "3, 0x1000, 11");
  EXPECT_EQ(Format(memory, SYS_read, {3, FakeMemory::kBase, 11}, 5), "3, \"hello\", 11");
}

TEST(StraceTest, LongBuffersAreCut) {
  FakeMemory memory(std::string(100, 'x'));
  EXPECT_EQ(Format(memory, SYS_write, {1, FakeMemory::kBase, 100}),
            "1, \"" + std::string(48, 'x') + "\"..., 100");
}

TEST(StraceTest, UnknownBitsAreShownInHexadecimal) {
  EXPECT_EQ(MapFlags(0x80000002), "MAP_PRIVATE|0x80000000");
  EXPECT_EQ(AtFlags(0), "0");
}

TEST(StraceTest, ErrorsAndSignalsHaveTheirNames) {
  EXPECT_EQ(ErrnoName(ENOENT), "ENOENT");
  EXPECT_EQ(SignalName(15), "SIGTERM");
  EXPECT_EQ(SignalName(35), "SIGRT_3");
}

}  // namespace
}  // namespace runsc::boot
