#include "bin/runsc-boot/kernel/debug_registers.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace runsc::boot {
namespace {

constexpr uint64_t kWriteOfEight = 0x90001, kExecute = 1, kReadOrWriteOfFour = 0xf0001;

TEST(DebugRegisters, AreDisarmedAtFirst) {
  DebugRegisters registers;
  EXPECT_FALSE(registers.armed());
  EXPECT_EQ(registers.Get(6), 0xffff0ff0u);
  EXPECT_EQ(registers.Get(7), 0u);
  EXPECT_EQ(registers.Breakpoints(0), 0u);
}

TEST(DebugRegisters, ARejectedControlChangesNothing) {
  DebugRegisters registers;
  ASSERT_TRUE(registers.Set(0, 0x1000).ok());
  ASSERT_TRUE(registers.Set(1, 0x1001).ok());
  ASSERT_TRUE(registers.Set(7, kWriteOfEight).ok());
  EXPECT_FALSE(registers.Set(7, kExecute | 0x900004).ok());
  EXPECT_EQ(registers.Get(7), kWriteOfEight);
  EXPECT_EQ(registers.Breakpoints(0x1000), 0u);
}

TEST(DebugRegisters, RejectAddressesOfTheKernel) {
  DebugRegisters registers;
  EXPECT_FALSE(registers.Set(0, uint64_t{1} << 47).ok());
  EXPECT_FALSE(registers.Set(4, 0).ok());
  EXPECT_FALSE(registers.Set(8, 0).ok());
  EXPECT_FALSE(registers.Set(-1, 0).ok());
}

TEST(DebugRegisters, WatchpointsSeeWhatOverlaps) {
  DebugRegisters registers;
  ASSERT_TRUE(registers.Set(0, 0x1000).ok());
  ASSERT_TRUE(registers.Set(7, kWriteOfEight).ok());
  const auto write = [](uint64_t address, uint32_t size) {
    return MemoryAccess{address, size, false, true};
  };
  for (const MemoryAccess& access : {write(0x1000, 1), write(0x1007, 1), write(0xff9, 8)}) {
    EXPECT_EQ(registers.Watchpoints({&access, 1}), 1u) << access.address;
  }
  for (const MemoryAccess& access : {write(0xfff, 1), write(0x1008, 8), write(0x1000, 0)}) {
    EXPECT_EQ(registers.Watchpoints({&access, 1}), 0u) << access.address;
  }
  const MemoryAccess last = write(~uint64_t{0}, 64);
  EXPECT_EQ(registers.Watchpoints({&last, 1}), 0u);
}

TEST(DebugRegisters, OnlySomeWatchpointsSeeReads) {
  DebugRegisters registers;
  ASSERT_TRUE(registers.Set(0, 0x1000).ok());
  ASSERT_TRUE(registers.Set(7, kWriteOfEight).ok());
  const MemoryAccess read = {0x1000, 4, true, false};
  EXPECT_EQ(registers.Watchpoints({&read, 1}), 0u);
  ASSERT_TRUE(registers.Set(7, kReadOrWriteOfFour).ok());
  EXPECT_EQ(registers.Watchpoints({&read, 1}), 1u);
}

TEST(DebugRegisters, AChildSeesThemDisarmed) {
  DebugRegisters registers;
  ASSERT_TRUE(registers.Set(0, 0x1000).ok());
  ASSERT_TRUE(registers.Set(7, kExecute).ok());
  EXPECT_EQ(registers.Breakpoints(0x1000), 1u);
  const DebugRegisters child = registers.ForChild();
  EXPECT_FALSE(child.armed());
  EXPECT_EQ(child.Get(0), 0u);
  EXPECT_EQ(child.Get(7), kExecute);
}

}  // namespace
}  // namespace runsc::boot
