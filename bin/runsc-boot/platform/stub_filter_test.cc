// Evaluates the stub's filter for the calls that matter.
#include "bin/runsc-boot/platform/stub_filter.h"

#include <asm/prctl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <array>

#include "bin/runsc-boot/platform/stub/abi.h"
#include "bin/runsc-boot/platform/testing/bpf_interpreter.h"

namespace runsc::boot::platform {
namespace {

constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr uint32_t kNotify = SECCOMP_RET_USER_NOTIF;
constexpr uint32_t kTrap = SECCOMP_RET_TRAP;
constexpr uint32_t kNoSuchCall = SECCOMP_RET_ERRNO | ENOSYS;
constexpr uint32_t kNotPermitted = SECCOMP_RET_ERRNO | EPERM;

constexpr uint64_t kApplicationIp = 0x401000;
constexpr uint64_t kStubIp = stub::kImageBase + 0x123;
constexpr uint64_t kLow = 0x10000000, kHigh = 0x7f1234560000;

using Args = std::array<uint64_t, 6>;

class StubFilterTest : public ::testing::Test {
 protected:
  explicit StubFilterTest(bool native = true) : program_(*BuildStubFilter(native)) {}

  uint32_t Run(uint64_t ip, long number, Args args = {}, uint32_t arch = AUDIT_ARCH_X86_64) {
    seccomp_data data{};
    data.nr = static_cast<int>(number);
    data.arch = arch;
    data.instruction_pointer = ip;
    std::copy(args.begin(), args.end(), data.args);
    std::optional<uint32_t> action = testing::Evaluate(program_, data);
    EXPECT_TRUE(action.has_value()) << "no action for call " << number;
    return action.value_or(0);
  }
  uint32_t Application(long number, Args args = {}) { return Run(kApplicationIp, number, args); }
  uint32_t Stub(long number, Args args = {}) { return Run(kStubIp, number, args); }

  std::vector<sock_filter> program_;
};

class NoNativeCallsTest : public StubFilterTest {
 protected:
  NoNativeCallsTest() : StubFilterTest(false) {}
};

TEST_F(StubFilterTest, EveryNumberHasAnActionOfTheKnownOnes) {
  for (bool native : {true, false}) {
    program_ = *BuildStubFilter(native);
    for (uint64_t ip : {kApplicationIp, kStubIp}) {
      for (long number = 0; number < 40000; ++number) {
        uint32_t action = Run(ip, number, {~0ul, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul});
        ASSERT_TRUE(action == kAllow || action == kNotify || action == kTrap ||
                    action == kNotPermitted)
            << number << " " << action;
      }
    }
  }
}

TEST_F(StubFilterTest, WhatTheApplicationMayDoAloneIsThisListAndNoMore) {
  // With arguments that pass every check.
  std::vector<long> allowed;
  for (long number = 0; number < 40000; ++number) {
    if (Application(number, {0, FUTEX_WAKE, 0, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0}) == kAllow) {
      allowed.push_back(number);
    }
  }
  EXPECT_EQ(allowed, (std::vector<long>{SYS_mmap,
                                        SYS_mprotect,
                                        SYS_munmap,
                                        SYS_brk,
                                        SYS_sched_yield,
                                        SYS_madvise,
                                        SYS_getpid,
                                        SYS_gettimeofday,
                                        SYS_gettid,
                                        SYS_time,
                                        SYS_futex,
                                        SYS_restart_syscall,
                                        SYS_clock_gettime,
                                        SYS_clock_getres,
                                        SYS_set_robust_list,
                                        SYS_getcpu,
                                        SYS_getrandom,
                                        SYS_rseq,
                                        449,
                                        454,
                                        455,
                                        456}));
}

TEST_F(StubFilterTest, ClocksOfProcessesAreTheKernelsOthersTheHosts) {
  constexpr int kThread = 4;
  for (long number : {SYS_clock_gettime, SYS_clock_getres}) {
    for (int kind = 0; kind < 3; ++kind) {
      const int process = static_cast<int>(~4711U << 3) | kind;
      EXPECT_EQ(Application(number, {static_cast<uint32_t>(process)}), kNotify);
      EXPECT_EQ(Application(number, {static_cast<uint64_t>(int64_t{process})}), kNotify);
      EXPECT_EQ(Application(number, {static_cast<uint32_t>(process | kThread)}), kAllow);
    }
    for (uint64_t clock : {CLOCK_REALTIME, CLOCK_PROCESS_CPUTIME_ID, CLOCK_TAI}) {
      EXPECT_EQ(Application(number, {clock}), kAllow);
    }
  }
}

TEST_F(StubFilterTest, ThirtyTwoBitAndX32CallsDoNotExist) {
  EXPECT_EQ(Run(kApplicationIp, 1, {}, AUDIT_ARCH_I386), kNoSuchCall);
  EXPECT_EQ(Run(kStubIp, 15, {}, AUDIT_ARCH_I386), kNoSuchCall);
  EXPECT_EQ(Application(0x40000000 | SYS_sched_yield), kNoSuchCall);
  EXPECT_EQ(Stub(0x40000000 | SYS_rt_sigreturn), kNoSuchCall);
  EXPECT_EQ(Application(-1), kNoSuchCall);
}

TEST_F(StubFilterTest, CallsThatChangeRegistersTrap) {
  for (long number :
       {SYS_clone, SYS_clone3, SYS_fork, SYS_vfork, SYS_execve, SYS_execveat, SYS_rt_sigreturn}) {
    EXPECT_EQ(Application(number), kTrap) << number;
  }
}

TEST_F(StubFilterTest, TheStubsRangeIsExact) {
  for (uint64_t ip : {stub::kImageBase, stub::kImageBase + stub::kImageSize - 1}) {
    EXPECT_EQ(Run(ip, SYS_rt_sigreturn), kAllow);
  }
  for (uint64_t ip : {stub::kImageBase - 1, stub::kImageBase + stub::kImageSize,
                      stub::kImageBase + (uint64_t{1} << 32), stub::kImageBase & 0xffffffff,
                      stub::kImageBase | uint64_t{1} << 63}) {
    EXPECT_EQ(Run(ip, SYS_rt_sigreturn), kTrap) << ip;
  }
}

TEST_F(StubFilterTest, TheStubClonesOnlyTheKnownCombinations) {
  for (uint64_t base : {kCloneProcess, kCloneSharedMemory, kCloneVfork, kCloneThread}) {
    EXPECT_EQ(Stub(SYS_clone, {base}), kAllow);
    EXPECT_EQ(Stub(SYS_clone, {base | kOptionalCloneFlags}), kAllow);
    EXPECT_TRUE(IsPermittedClone(base));
    for (int bit = 0; bit < 64; ++bit) {
      uint64_t flags = base ^ (uint64_t{1} << bit);
      EXPECT_EQ(Stub(SYS_clone, {flags}) == kAllow, IsPermittedClone(flags)) << base << " " << bit;
    }
    for (uint64_t flag : {uint64_t{CLONE_NEWUSER}, uint64_t{CLONE_NEWNS}, uint64_t{CLONE_NEWPID},
                          uint64_t{CLONE_NEWNET}, uint64_t{CLONE_PARENT}, uint64_t{CLONE_PTRACE},
                          uint64_t{CLONE_UNTRACED}, uint64_t{CLONE_PIDFD}, uint64_t{CLONE_IO}}) {
      EXPECT_EQ(Stub(SYS_clone, {base | flag}), kNotPermitted) << flag;
    }
  }
}

TEST_F(StubFilterTest, FileMappingsAlwaysReachTheKernel) {
  Args file{0, 4096, PROT_READ, MAP_PRIVATE, 3, 0};
  EXPECT_EQ(Application(SYS_mmap, file), kNotify);
  EXPECT_EQ(Stub(SYS_mmap, file), kNotify);
  Args shared{0, 4096, PROT_READ, MAP_SHARED, 3, 0};
  EXPECT_EQ(Application(SYS_mmap, shared), kNotify);
  EXPECT_EQ(Stub(SYS_mmap, shared), kNotify);
}

TEST_F(StubFilterTest, AnonymousMappingsAreNative) {
  constexpr uint64_t kAnonymous = MAP_PRIVATE | MAP_ANONYMOUS;
  EXPECT_EQ(Application(SYS_mmap, {0, 4096, 3, kAnonymous, ~0ul, 0}), kAllow);
  EXPECT_EQ(Application(SYS_mmap, {0, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, ~0ul, 0}), kAllow);
  EXPECT_EQ(Application(SYS_mmap, {kLow, 4096, 3, kAnonymous | MAP_FIXED, ~0ul, 0}), kAllow);
  EXPECT_EQ(Application(SYS_mmap, {kHigh, 4096, 3, kAnonymous | MAP_FIXED, ~0ul, 0}), kAllow);
  for (uint64_t flag : {uint64_t{MAP_HUGETLB}, uint64_t{MAP_GROWSDOWN}, uint64_t{MAP_LOCKED},
                        uint64_t{MAP_SYNC}, uint64_t{1} << 40}) {
    EXPECT_EQ(Application(SYS_mmap, {0, 4096, 3, kAnonymous | flag, ~0ul, 0}), kNotify) << flag;
  }
}

// Every address and length at the edges of the stub's range.
TEST_F(StubFilterTest, NoNativeCallTouchesTheStubsRange) {
  constexpr uint64_t kFixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  std::vector<uint64_t> edges;
  for (uint64_t around : {stub::kRangeBegin, stub::kRangeEnd, stub::kImageBase, uint64_t{0},
                          uint64_t{1} << 32, uint64_t{1} << 47, uint64_t{1} << 63}) {
    for (int64_t offset : {-0x100001000l, -0x100000000l, -4096l, -1l, 0l, 4096l, 0x100000000l}) {
      edges.push_back(around + static_cast<uint64_t>(offset));
    }
  }
  int native = 0;
  for (uint64_t address : edges) {
    for (uint64_t length : edges) {
      // The host refuses what wraps or leaves the user's half.
      bool valid = length <= uint64_t{1} << 47 && address <= (uint64_t{1} << 47) - length;
      bool touches =
          valid && length > 0 && address < stub::kRangeEnd && address + length > stub::kRangeBegin;
      for (auto action :
           {Application(SYS_munmap, {address, length}),
            Application(SYS_mprotect, {address, length}),
            Application(SYS_madvise, {address, length, MADV_DONTNEED}),
            Application(SYS_mremap, {address, length, 4096, MREMAP_MAYMOVE}),
            Application(SYS_mremap, {kLow, 4096, length, MREMAP_MAYMOVE | MREMAP_FIXED, address}),
            Application(SYS_mmap, {address, length, 3, kFixed, ~0ul, 0})}) {
        if (touches) {
          EXPECT_EQ(action, kNotify) << std::hex << address << " " << length;
        }
        if (action == kAllow) ++native;
      }
    }
  }
  EXPECT_GT(native, 100);
}

TEST_F(StubFilterTest, MemoryCallsOutsideTheStubAreNative) {
  for (uint64_t address : {kLow, kHigh}) {
    EXPECT_EQ(Application(SYS_munmap, {address, 0x10000}), kAllow);
    EXPECT_EQ(Application(SYS_mprotect, {address, 0x10000, PROT_READ}), kAllow);
    EXPECT_EQ(Application(SYS_mremap, {address, 0x10000, 0x20000, MREMAP_MAYMOVE}), kAllow);
    for (uint64_t advice : {MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE}) {
      EXPECT_EQ(Application(SYS_madvise, {address, 0x10000, advice}), kAllow);
    }
  }
}

TEST_F(StubFilterTest, AdviceThatReachesFilesOrForksGoesToTheKernel) {
  for (uint64_t advice : {MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE, 100, 101}) {
    EXPECT_EQ(Application(SYS_madvise, {kLow, 4096, advice}), kNotify) << advice;
  }
  EXPECT_EQ(Stub(SYS_madvise, {stub::kRegionBase, stub::kRegionSize, MADV_DONTFORK}), kAllow);
  EXPECT_EQ(Stub(SYS_madvise, {stub::kRegionBase, stub::kRegionSize, MADV_DOFORK}), kNotify);
  EXPECT_EQ(Stub(SYS_madvise, {stub::kRegionBase, stub::kRegionSize, MADV_REMOVE}), kNotify);
}

TEST_F(StubFilterTest, KnownFutexOperationsAreNative) {
  for (uint64_t op :
       {FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_WAIT_BITSET,
        FUTEX_WAKE_BITSET, FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI,
        FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI}) {
    EXPECT_EQ(Application(SYS_futex, {kLow, op}), kAllow);
    EXPECT_EQ(Application(SYS_futex, {kLow, op | FUTEX_PRIVATE_FLAG}), kAllow);
  }
  EXPECT_EQ(Application(SYS_futex, {kLow, FUTEX_WAIT_BITSET, 0, kLow}), kAllow);
  for (uint64_t op : {uint64_t{FUTEX_FD}, uint64_t{14}, uint64_t{127}}) {
    EXPECT_EQ(Application(SYS_futex, {kLow, op}), kNotify);
    EXPECT_EQ(Application(SYS_futex, {kLow, op | FUTEX_PRIVATE_FLAG}), kNotify);
  }
}

TEST_F(StubFilterTest, RelativeFutexWaitsAreSeenByTheKernel) {
  for (uint64_t timeout : {kLow, kHigh, uint64_t{1} << 32}) {
    EXPECT_EQ(Application(SYS_futex, {kLow, FUTEX_WAIT, 0, timeout}), kNotify);
    EXPECT_EQ(Application(SYS_futex, {kLow, FUTEX_WAIT_PRIVATE, 0, timeout}), kNotify);
  }
}

TEST_F(StubFilterTest, TheHostSaysWhoTheCallerIsAndWhereItRuns) {
  for (long number : {SYS_getpid, SYS_gettid, SYS_getrandom, SYS_getcpu}) {
    EXPECT_EQ(Application(number, {kLow, 16, 0}), kAllow) << number;
  }
  // Parents are the kernel's to know.
  EXPECT_EQ(Application(SYS_getppid), kNotify);
}

TEST_F(StubFilterTest, ArchPrctlSetsSegmentBasesOnly) {
  for (uint64_t code : {ARCH_SET_FS, ARCH_GET_FS, ARCH_SET_GS, ARCH_GET_GS}) {
    EXPECT_EQ(Application(SYS_arch_prctl, {code}), kAllow);
  }
  for (uint64_t code : {0x1011ul, 0x1012ul, 0x1021ul, 0x1023ul, 0x5001ul, 0x4001ul}) {
    EXPECT_EQ(Application(SYS_arch_prctl, {code}), kNotify);
    EXPECT_EQ(Stub(SYS_arch_prctl, {code}), kNotify);
  }
}

TEST_F(StubFilterTest, TheStubItselfMayDoThisAloneAndNoMore) {
  std::vector<long> allowed;
  for (long number = 0; number < 40000; ++number) {
    if (Stub(number, {SIGCHLD, 0, 0, 0, 0, 0}) == kAllow &&
        Application(number, {SIGCHLD, 0, 0, 0, 0, 0}) != kAllow) {
      allowed.push_back(number);
    }
  }
  EXPECT_EQ(allowed,
            (std::vector<long>{SYS_close, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
                               SYS_clone, SYS_sigaltstack, SYS_close_range}));
  EXPECT_EQ(Stub(SYS_execveat, {3, 0, 0, 0, 0x1000}), kNotify);
  EXPECT_EQ(Stub(SYS_exit), kNotify);
}

TEST_F(NoNativeCallsTest, ApplicationCallsAllReachTheKernel) {
  for (long number = 0; number < 40000; ++number) {
    uint32_t action = Application(number, {0, 0, 0, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0});
    if (number == SYS_restart_syscall) continue;
    EXPECT_TRUE(action == kNotify || action == kTrap) << number;
  }
}

TEST_F(NoNativeCallsTest, TheStubKeepsWhatItNeeds) {
  EXPECT_EQ(Stub(SYS_futex, {stub::kRegionBase, FUTEX_WAIT}), kAllow);
  EXPECT_EQ(Stub(SYS_madvise, {stub::kRegionBase, stub::kRegionSize, MADV_DONTFORK}), kAllow);
  EXPECT_EQ(Stub(SYS_munmap, {kHigh, 4096}), kAllow);
  EXPECT_EQ(Stub(SYS_mmap, {0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, ~0ul, 0}), kAllow);
  EXPECT_EQ(Stub(SYS_arch_prctl, {ARCH_SET_FS}), kAllow);
}

TEST(StubFilterTextTest, EachRuleHasAReason) {
  std::string text = DescribeStubFilter(true);
  EXPECT_NE(text.find("waits and wakes in the caller"), std::string::npos);
  EXPECT_NE(text.find("notifies the application kernel"), std::string::npos);
}

}  // namespace
}  // namespace runsc::boot::platform
