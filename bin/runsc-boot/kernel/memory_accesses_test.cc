#include "bin/runsc-boot/kernel/memory_accesses.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace runsc::boot {
namespace {

platform::Registers SomeRegisters() {
  platform::Registers r{};
  r.rax = 0x100, r.rbx = 0x2000, r.rcx = 3, r.rsp = 0x7000, r.rbp = 0x8000;
  r.rsi = 0x30000, r.rdi = 0x40000, r.r8 = 0x500, r.rip = 0x10000, r.fs_base = 0x900000;
  return r;
}

// "2000/8w" for eight bytes written at 0x2000.
std::string Accesses(const std::vector<uint8_t>& code,
                     const platform::Registers& registers = SomeRegisters(), uint64_t mask = 0) {
  std::string text;
  const auto masks = [&](int) { return mask; };
  const Instruction instruction = DecodeInstruction(code, registers, masks);
  for (const MemoryAccess& access : instruction.accesses()) {
    char part[64];
    snprintf(part, sizeof(part), "%s%lx/%u%s%s", text.empty() ? "" : " ", access.address,
             access.size, access.reads ? "r" : "", access.writes ? "w" : "");
    text += part;
  }
  return text;
}

TEST(MemoryAccesses, MovesHaveTheLengthOfTheirOperand) {
  EXPECT_EQ(Accesses({0x88, 0x03}), "2000/1w");                          // mov %al,(%rbx)
  EXPECT_EQ(Accesses({0x66, 0x89, 0x03}), "2000/2w");                    // mov %ax,(%rbx)
  EXPECT_EQ(Accesses({0x8b, 0x43, 0xfc}), "1ffc/4r");                    // mov -4(%rbx),%eax
  EXPECT_EQ(Accesses({0x48, 0x89, 0x84, 0xc3, 1, 0, 0, 0}), "2801/8w");  // 1(%rbx,%rax,8)
  EXPECT_EQ(Accesses({0x89, 0xc3}), "");                                 // mov %eax,%ebx
}

TEST(MemoryAccesses, AddressesFollowTheInstructionPointerAndTheImmediate) {
  EXPECT_EQ(Accesses({0xc6, 0x05, 0x10, 0, 0, 0, 7}), "10017/1w");  // movb $7,16(%rip)
  EXPECT_EQ(Accesses({0xc7, 0x05, 0x10, 0, 0, 0, 7, 0, 0, 0}), "1001a/4w");
  EXPECT_EQ(Accesses({0x64, 0x48, 0x8b, 0x04, 0x25, 0x10, 0, 0, 0}), "900010/8r");  // %fs:16
}

TEST(MemoryAccesses, UpdatesReadAndWrite) {
  EXPECT_EQ(Accesses({0x48, 0x83, 0x03, 1}), "2000/8rw");           // addq $1,(%rbx)
  EXPECT_EQ(Accesses({0x48, 0x83, 0x3b, 1}), "2000/8r");            // cmpq $1,(%rbx)
  EXPECT_EQ(Accesses({0xf0, 0x48, 0x0f, 0xb1, 0x0b}), "2000/8rw");  // lock cmpxchg
  EXPECT_EQ(Accesses({0x48, 0x8d, 0x03}), "");                      // lea
  EXPECT_EQ(Accesses({0x0f, 0x18, 0x0b}), "");                      // prefetcht0
  EXPECT_EQ(Accesses({0x0f, 0x1f, 0x40, 0}), "");                   // nopl
}

TEST(MemoryAccesses, BitsLieOutsideOfTheOperand) {
  platform::Registers r = SomeRegisters();
  r.rcx = 64 * 5 + 3;
  EXPECT_EQ(Accesses({0x48, 0x0f, 0xab, 0x0b}, r), "2028/8rw");  // bts %rcx,(%rbx)
  r.rcx = static_cast<uint64_t>(-1);
  EXPECT_EQ(Accesses({0x48, 0x0f, 0xa3, 0x0b}, r), "1ff8/8r");  // bt %rcx,(%rbx)
}

TEST(MemoryAccesses, TheStackIsMemory) {
  EXPECT_EQ(Accesses({0x50}), "6ff8/8w");                      // push %rax
  EXPECT_EQ(Accesses({0x58}), "7000/8r");                      // pop %rax
  EXPECT_EQ(Accesses({0xe8, 0, 0, 0, 0}), "6ff8/8w");          // call
  EXPECT_EQ(Accesses({0xc3}), "7000/8r");                      // ret
  EXPECT_EQ(Accesses({0xc9}), "8000/8r");                      // leave
  EXPECT_EQ(Accesses({0xff, 0x33}), "6ff8/8w 2000/8r");        // push (%rbx)
  EXPECT_EQ(Accesses({0x8f, 0x04, 0x24}), "7000/8r 7008/8w");  // pop (%rsp)
}

TEST(MemoryAccesses, FlagsOnTheStackAreTold) {
  const auto decode = [](uint8_t opcode) {
    return DecodeInstruction({&opcode, 1}, SomeRegisters(), [](int) { return uint64_t{0}; });
  };
  EXPECT_TRUE(decode(0x9c).pushes_flags);
  EXPECT_TRUE(decode(0x9d).pops_flags);
  EXPECT_FALSE(decode(0x90).pops_flags);
}

TEST(MemoryAccesses, StringsAreRepeatedOneByOne) {
  EXPECT_EQ(Accesses({0xf3, 0x48, 0xa5}), "30000/8r 40000/8w");  // rep movsq
  EXPECT_EQ(Accesses({0xf3, 0xaa}), "40000/1w");                 // rep stosb
  platform::Registers r = SomeRegisters();
  r.rcx = 0;
  EXPECT_EQ(Accesses({0xf3, 0xaa}, r), "");
  EXPECT_EQ(Accesses({0xaa}, r), "40000/1w");
}

TEST(MemoryAccesses, VectorsHaveTheLengthOfTheirEncoding) {
  EXPECT_EQ(Accesses({0x0f, 0x11, 0x03}), "2000/16w");                       // movups %xmm0,(%rbx)
  EXPECT_EQ(Accesses({0xf2, 0x0f, 0x10, 0x03}), "2000/8r");                  // movsd (%rbx),%xmm0
  EXPECT_EQ(Accesses({0xc5, 0xfe, 0x7f, 0x03}), "2000/32w");                 // vmovdqu %ymm0,(%rbx)
  EXPECT_EQ(Accesses({0x62, 0xf1, 0xfe, 0x48, 0x7f, 0x43, 1}), "2040/64w");  // vmovdqu64
  EXPECT_EQ(Accesses({0xdb, 0x3b}), "2000/10w");                             // fstpt (%rbx)
}

TEST(MemoryAccesses, MasksSelectElements) {
  const std::vector<uint8_t> bytes = {0x62, 0xe1, 0x7f, 0x49, 0x7f, 0x03};  // vmovdqu8 {%k1}
  EXPECT_EQ(Accesses(bytes, SomeRegisters(), 0xff0), "2004/8w");
  EXPECT_EQ(Accesses(bytes, SomeRegisters(), ~uint64_t{0}), "2000/64w");
  EXPECT_EQ(Accesses(bytes, SomeRegisters(), 0), "");
  const std::vector<uint8_t> words = {0x62, 0xf1, 0xfe, 0x49, 0x7f, 0x03};  // vmovdqu64 {%k1}
  EXPECT_EQ(Accesses(words, SomeRegisters(), 0xff02), "2008/8w");
}

TEST(MemoryAccesses, WhatIsCutOffHasNone) {
  EXPECT_EQ(Accesses({}), "");
  EXPECT_EQ(Accesses({0x48, 0x89}), "");
  EXPECT_EQ(Accesses({0x89, 0x83, 0, 0}), "");
  EXPECT_EQ(Accesses(std::vector<uint8_t>(15, 0x66)), "");
}

}  // namespace
}  // namespace runsc::boot
