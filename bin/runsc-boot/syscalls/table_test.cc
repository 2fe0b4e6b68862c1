#include "bin/runsc-boot/syscalls/table.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/docs.h"

namespace runsc::boot {
namespace {

TEST(SyscallTableTest, EveryNumberOfX86_64IsThereOnceAndInOrder) {
  int last = -1;
  for (const SyscallEntry& entry : AllSyscalls()) {
    EXPECT_LT(last, entry.number) << entry.name;
    last = entry.number;
    EXPECT_EQ(FindSyscall(static_cast<uint64_t>(entry.number)), &entry);
  }
  for (uint64_t number = 0; number <= 334; ++number) EXPECT_NE(FindSyscall(number), nullptr);
  for (uint64_t number = 424; number <= 462; ++number) EXPECT_NE(FindSyscall(number), nullptr);
}

TEST(SyscallTableTest, NamesAgreeWithTheHostsHeaders) {
  EXPECT_STREQ(FindSyscall(SYS_read)->name, "read");
  EXPECT_STREQ(FindSyscall(SYS_openat2)->name, "openat2");
  EXPECT_STREQ(FindSyscall(SYS_statx)->name, "statx");
  EXPECT_STREQ(FindSyscall(SYS_clone3)->name, "clone3");
  EXPECT_STREQ(FindSyscall(SYS_rt_tgsigqueueinfo)->name, "rt_tgsigqueueinfo");
}

TEST(SyscallTableTest, NumbersWithoutACallAreUnknown) {
  EXPECT_EQ(FindSyscall(335), nullptr);
  EXPECT_EQ(FindSyscall(423), nullptr);
  EXPECT_EQ(FindSyscall(463), nullptr);
  EXPECT_EQ(FindSyscall(~uint64_t{0}), nullptr);
}

TEST(SyscallTableTest, SupportAgreesWithFunctionAndNote) {
  for (const SyscallEntry& entry : AllSyscalls()) {
    EXPECT_EQ(entry.function == nullptr, entry.support == Support::kNone) << entry.name;
    EXPECT_EQ(entry.note != nullptr, entry.support == Support::kPartial) << entry.name;
  }
}

TEST(SyscallTableTest, EveryFunctionServesOneCallUnlessTheHostDoes) {
  std::set<SyscallFunction> seen;
  for (const SyscallEntry& entry : AllSyscalls()) {
    if (entry.function == nullptr || entry.function == SysOnHost) continue;
    EXPECT_TRUE(seen.insert(entry.function).second) << entry.name;
  }
}

TEST(SyscallTableTest, OnlyCallsOnTheCallersOwnMemoryAreTheHosts) {
  std::set<std::string> names;
  for (const SyscallEntry& entry : AllSyscalls()) {
    if (entry.function == SysOnHost) names.insert(entry.name);
  }
  EXPECT_EQ(names, (std::set<std::string>{"brk", "futex_requeue", "futex_wake", "mincore", "msync",
                                          "rseq", "set_robust_list"}));
}

TEST(SyscallTableTest, TheDocumentationIsCurrent) {
  std::ifstream file("docs/syscalls.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), RenderSyscallDocs()) << "run tools/gen-syscall-docs";
}

}  // namespace
}  // namespace runsc::boot
