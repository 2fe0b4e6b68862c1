#include "bin/runsc-boot/seccomp/filter.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <sys/syscall.h>

#include "bin/runsc-boot/seccomp/bpf.h"

namespace runsc::boot::seccomp {
namespace {

using Code = std::vector<sock_filter>;

sock_filter Do(uint16_t code, uint32_t k = 0) { return {code, 0, 0, k}; }
sock_filter If(uint16_t condition, uint32_t k, uint8_t yes, uint8_t no) {
  return {static_cast<uint16_t>(BPF_JMP | condition | BPF_K), yes, no, k};
}
const sock_filter kAllow = Do(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

Code RefuseCall(uint32_t number, uint32_t action) {
  return {Do(BPF_LD | BPF_W | BPF_ABS, 0), If(BPF_JEQ, number, 0, 1), Do(BPF_RET | BPF_K, action),
          kAllow};
}

seccomp_data Call(int number) {
  seccomp_data data{};
  data.nr = number;
  data.arch = AUDIT_ARCH_X86_64;
  return data;
}

TEST(CheckProgram, RefusesWhatLinuxRefuses) {
  const Code bad[] = {
      {},
      {Do(BPF_LD | BPF_IMM, 1)},                                               // no return
      {Do(BPF_LD | BPF_W | BPF_ABS, 64), kAllow},                              // behind the data
      {Do(BPF_LD | BPF_W | BPF_ABS, 2), kAllow},                               // not aligned
      {Do(BPF_LD | BPF_H | BPF_ABS, 0), kAllow},                               // half words
      {Do(BPF_LD | BPF_MEM, 0), kAllow},                                       // never written
      {Do(BPF_ST, 16), kAllow},                                                // no such word
      {Do(BPF_ALU | BPF_DIV | BPF_K, 0), kAllow},                              //
      {Do(BPF_ALU | BPF_LSH | BPF_K, 32), kAllow},                             //
      {Do(BPF_ALU | BPF_MOD | BPF_K, 3), kAllow},                              // not in seccomp
      {Do(BPF_JMP | BPF_JA, 1), kAllow},                                       // behind the end
      {If(BPF_JEQ, 0, 0, 1), kAllow},                                          //
      {If(BPF_JEQ, 0, 0, 1), Do(BPF_ST, 3), Do(BPF_LD | BPF_MEM, 3), kAllow},  // one path only
      {Do(0xffff), kAllow},
      Code(4097, kAllow),
  };
  for (const Code& code : bad) EXPECT_EQ(CheckProgram(code).code(), EINVAL);
  EXPECT_TRUE(CheckProgram(Code(4096, kAllow)).ok());
}

TEST(Run, Computes) {
  const Code code = {Do(BPF_LD | BPF_W | BPF_ABS, 16),
                     Do(BPF_ST, 2),
                     Do(BPF_LDX | BPF_MEM, 2),
                     Do(BPF_ALU | BPF_ADD | BPF_X),
                     Do(BPF_ALU | BPF_LSH | BPF_K, 1),
                     Do(BPF_ALU | BPF_XOR | BPF_K, 1),
                     Do(BPF_RET | BPF_A)};
  ASSERT_TRUE(CheckProgram(code).ok());
  seccomp_data data = Call(0);
  data.args[0] = 5;
  EXPECT_EQ(seccomp::Run(code, data), 21u);
}

TEST(Run, DivisionByAZeroRegisterKills) {
  const Code code = {Do(BPF_LD | BPF_IMM, 7), Do(BPF_ALU | BPF_DIV | BPF_X), kAllow};
  ASSERT_TRUE(CheckProgram(code).ok());
  EXPECT_EQ(seccomp::Run(code, Call(0)), 0u);
}

TEST(Filter, KnowsWhatItAlwaysAllows) {
  auto filter = Filter::Create(RefuseCall(SYS_mprotect, SECCOMP_RET_ERRNO | 1), nullptr, {});
  ASSERT_TRUE(filter.ok());
  EXPECT_TRUE((*filter)->AlwaysAllows(SYS_getpid));
  EXPECT_FALSE((*filter)->AlwaysAllows(SYS_mprotect));
  EXPECT_FALSE((*filter)->AlwaysAllows(100000));
  EXPECT_EQ((*filter)->native_calls(), 1u << 2);
}

TEST(Filter, ArgumentsMakeACallUncertain) {
  const Code code = {Do(BPF_LD | BPF_W | BPF_ABS, 0), If(BPF_JEQ, SYS_futex, 0, 1),
                     Do(BPF_LD | BPF_W | BPF_ABS, 24), kAllow};
  auto filter = Filter::Create(code, nullptr, {});
  ASSERT_TRUE(filter.ok());
  EXPECT_FALSE((*filter)->AlwaysAllows(SYS_futex));
  EXPECT_TRUE((*filter)->AlwaysAllows(SYS_mmap));
}

TEST(Filter, TheStrongestActionWins) {
  FilterRef chain;
  for (uint32_t action : {uint32_t{SECCOMP_RET_LOG}, uint32_t{SECCOMP_RET_ERRNO | 7},
                          uint32_t{SECCOMP_RET_TRACE}, uint32_t{SECCOMP_RET_ERRNO | 9}}) {
    auto next = Filter::Create(RefuseCall(1, action), chain, {});
    ASSERT_TRUE(next.ok());
    chain = *next;
  }
  EXPECT_EQ(chain->count(), 4u);
  EXPECT_EQ(chain->Evaluate(Call(1)).action, SECCOMP_RET_ERRNO | 9u);
  EXPECT_EQ(chain->Evaluate(Call(1)).filter, chain.get());
  auto kill = Filter::Create(RefuseCall(1, SECCOMP_RET_KILL_PROCESS), chain, {});
  EXPECT_EQ((*kill)->Evaluate(Call(1)).action, SECCOMP_RET_KILL_PROCESS);
  EXPECT_TRUE((*kill)->DescendsFrom(chain.get()));
  EXPECT_FALSE(chain->DescendsFrom(kill->get()));
}

TEST(Filter, ChainsAreBounded) {
  FilterRef chain;
  int count = 0;
  while (true) {
    auto next = Filter::Create({kAllow}, chain, {});
    if (!next.ok()) {
      EXPECT_EQ(next.code(), ENOMEM);
      break;
    }
    chain = *next;
    ++count;
  }
  EXPECT_EQ(count, 6554);
}

}  // namespace
}  // namespace runsc::boot::seccomp
