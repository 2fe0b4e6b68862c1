#include "bin/runsc-boot/platform/stub_filter.h"

#include <asm/prctl.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <initializer_list>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bin/runsc-boot/platform/bpf_program.h"
#include "bin/runsc-boot/platform/stub/abi.h"

namespace runsc::boot::platform {
namespace {

constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr uint32_t kNotify = SECCOMP_RET_USER_NOTIF;
constexpr uint32_t kTrap = SECCOMP_RET_TRAP;
constexpr uint32_t kNoSuchCall = SECCOMP_RET_ERRNO | ENOSYS;
constexpr uint32_t kNotPermitted = SECCOMP_RET_ERRNO | EPERM;
constexpr uint32_t kX32Bit = 0x40000000;
// Newer than the C library's headers.
constexpr uint32_t kFutexWaitv = 449, kFutexWake = 454, kFutexWait = 455, kFutexRequeue = 456;

constexpr uint32_t kImageHigh = stub::kImageBase >> 32;
constexpr auto kImageLow = static_cast<uint32_t>(stub::kImageBase);
constexpr uint32_t kRangeBeginHigh = stub::kRangeBegin >> 32;
constexpr uint32_t kRangeEndHigh = stub::kRangeEnd >> 32;
static_assert((stub::kRangeBegin & 0xffffffff) == 0 && (stub::kRangeEnd & 0xffffffff) == 0);
static_assert(stub::kImageBase + stub::kImageSize == stub::kRangeEnd);

class StubFilter {
 public:
  explicit StubFilter(bool native_calls) : native_(native_calls) { Build(); }
  const BpfProgram& program() const { return p_; }

 private:
  using Label = BpfProgram::Label;
  static constexpr Label kNext = BpfProgram::kNext;

  // Goes on at `yes` when the calling instruction lies in the stub's image.
  void IfFromStub(Label yes, Label no) {
    p_.Load(BpfProgram::kIpHigh);
    p_.JumpIfEqual(kImageHigh, kNext, no);
    p_.Load(BpfProgram::kIpLow);
    p_.JumpIfAtLeast(kImageLow, yes, no);
  }

  // Falls through when [address, address + length) surely misses the stub's
  // range; else goes to `no`. Compares upper halves, so it is coarse.
  void RequireOutsideStub(int address, int length, Label no) {
    Label ok = p_.NewLabel();
    p_.Load(BpfProgram::ArgHigh(length));
    p_.JumpIfAtLeast(0x8000, no, kNext);
    p_.MoveToX();
    p_.Load(BpfProgram::ArgHigh(address));
    p_.JumpIfAtLeast(kRangeEndHigh, ok, kNext);
    p_.JumpIfAtLeast(kRangeBeginHigh, no, kNext);
    p_.AddX();
    p_.Add(1);
    p_.JumpIfAtLeast(kRangeBeginHigh, no, kNext);
    p_.Place(ok);
  }

  // Goes to `yes` when the low word of an argument is one of `values` and its
  // high word is 0 (or is not looked at by the host).
  void IfArgIn(int index, std::initializer_list<uint32_t> values, Label yes) {
    p_.Load(BpfProgram::ArgLow(index));
    for (uint32_t value : values) p_.JumpIfEqual(value, yes, kNext);
  }

  // Allows the call from the stub; from the application `action`.
  void StubOnly(uint32_t number, uint32_t action, const char* reason) {
    p_.Call(number, reason, [&] {
      Label yes = p_.NewLabel(), no = p_.NewLabel();
      IfFromStub(yes, no);
      p_.Place(yes);
      p_.Return(kAllow);
      p_.Place(no);
      p_.Return(action);
    });
  }

  void Always(uint32_t number, uint32_t action, const char* reason) {
    p_.Call(number, reason, [&] { p_.Return(action); });
  }
  // A call that the host executes for everybody, if native calls are on.
  void Native(uint32_t number, const char* reason) {
    if (native_) {
      Always(number, kAllow, reason);
    } else {
      StubOnly(number, kNotify, reason);
    }
  }

  // Allowed from the stub with any range; from the application outside the
  // stub's range and when `check` does not jump to its argument.
  void NativeRange(uint32_t number, int address, int length, const char* reason,
                   const std::function<void(Label no)>& check = nullptr) {
    p_.Call(number, reason, [&] {
      Label yes = p_.NewLabel(), application = p_.NewLabel(), no = p_.NewLabel();
      IfFromStub(yes, application);
      p_.Place(application);
      if (native_) {
        if (check) check(no);
        RequireOutsideStub(address, length, no);
      } else {
        p_.Return(kNotify);
      }
      p_.Place(yes);
      p_.Return(kAllow);
      p_.Place(no);
      p_.Return(kNotify);
    });
  }

  void Build();
  void StubCalls();
  void Memory();
  void MemoryMap();
  void MemoryAdvice();
  void Futexes();
  void Clocks();
  void ThreadClock(uint32_t number, const char* reason);
  void Own();
  void Clone();

  const bool native_;
  BpfProgram p_;
};

void StubFilter::Build() {
  Label native_abi = p_.NewLabel();
  p_.Load(BpfProgram::kArch);
  p_.JumpIfEqual(AUDIT_ARCH_X86_64, native_abi, kNext);
  p_.Return(kNoSuchCall);
  p_.Place(native_abi);
  p_.Load(BpfProgram::kNumber);
  Label not_x32 = p_.NewLabel();
  p_.JumpIfAtLeast(kX32Bit, kNext, not_x32);
  p_.Return(kNoSuchCall);
  p_.Place(not_x32);
  Futexes();
  Clocks();
  Memory();
  Own();
  StubCalls();
  p_.Return(kNotify);
}

void StubFilter::StubCalls() {
  for (uint32_t number : {SYS_clone3, SYS_fork, SYS_vfork, SYS_execve}) {
    Always(number, kTrap, "changes registers or memory: the stub's handler takes it");
  }
  for (uint32_t number : {SYS_tgkill, SYS_tkill, SYS_rt_sigsuspend, SYS_pause}) {
    Always(number, kTrap, "usually ends in a signal handler of the caller");
  }
  Clone();
  p_.Call(SYS_execveat, "the stub asks boot, which installs the stub's image", [&] {
    Label yes = p_.NewLabel(), no = p_.NewLabel();
    IfFromStub(yes, no);
    p_.Place(yes);
    p_.Return(kNotify);
    p_.Place(no);
    p_.Return(kTrap);
  });
  StubOnly(SYS_rt_sigreturn, kTrap, "leaves the stub's handler");
  StubOnly(SYS_rt_sigprocmask, kNotify, "the mask survives exec and must be cleared");
  StubOnly(SYS_rt_sigaction, kNotify, "installs the stub's handlers after exec");
  StubOnly(SYS_sigaltstack, kNotify, "the handlers run in the slot");
  StubOnly(SYS_close, kNotify, "the region's descriptor goes once it is mapped");
  StubOnly(SYS_close_range, kNotify, "a fork child drops its parent's descriptors");
  p_.Call(SYS_prctl, "a child of the zygote ends with it", [&] {
    Label stub = p_.NewLabel(), allow = p_.NewLabel(), no = p_.NewLabel();
    IfFromStub(stub, no);
    p_.Place(stub);
    p_.Load(BpfProgram::ArgLow(0));
    p_.JumpIfEqual(PR_SET_PDEATHSIG, allow, no);
    p_.Place(no);
    p_.Return(kNotify);
    p_.Place(allow);
    p_.Return(kAllow);
  });
  Always(stub::kSysSelfTrap, kTrap, "makes a signal frame after exec");
}

void StubFilter::Clone() {
  p_.Call(SYS_clone, "the stub makes processes and threads, without new namespaces", [&] {
    Label from_stub = p_.NewLabel(), application = p_.NewLabel(), allow = p_.NewLabel();
    IfFromStub(from_stub, application);
    p_.Place(application);
    p_.Return(kTrap);
    p_.Place(from_stub);
    Label refuse = p_.NewLabel();
    p_.Load(BpfProgram::ArgHigh(0));
    p_.JumpIfEqual(0, kNext, refuse);
    p_.Load(BpfProgram::ArgLow(0));
    p_.And(~static_cast<uint32_t>(kOptionalCloneFlags));
    for (uint64_t flags :
         {kCloneProcess, kCloneSuspended, kCloneSharedMemory, kCloneVfork, kCloneThread}) {
      p_.JumpIfEqual(static_cast<uint32_t>(flags), allow, kNext);
    }
    p_.Place(refuse);
    p_.Return(kNotPermitted);
    p_.Place(allow);
    p_.Return(kAllow);
  });
}

void StubFilter::Futexes() {
  // Priority inheritance is the host's too. Nobody else could do it right: the
  // owner's word must change atomically in the application's memory, and what
  // an owner leaves behind is settled where its thread ends. The host finds
  // owners by their ids in the caller's pid namespace, which holds nothing but
  // this container's stubs, so a forged word boosts the container's own
  // threads or fails with ESRCH. The price is that the code of the host's
  // rt-mutexes can be reached, as in every container under Docker's profile.
  p_.Call(SYS_futex, "waits and wakes in the caller's memory, among the container's threads", [&] {
    Label allow = p_.NewLabel(), no = p_.NewLabel(), from_application = p_.NewLabel();
    if (!native_) {
      // The stub itself sleeps in one.
      Label from_stub = p_.NewLabel();
      IfFromStub(from_stub, from_application);
      p_.Place(from_application);
      p_.Return(kNotify);
      p_.Place(from_stub);
    }
    p_.Load(BpfProgram::ArgLow(1));
    p_.And(~static_cast<uint32_t>(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME));
    // Its time-out is relative: boot notes when it ends and lets the host wait, so
    // that a stop does not end it early. The C library's waits have absolute ones.
    Label wait = p_.NewLabel();
    p_.JumpIfEqual(FUTEX_WAIT, wait, kNext);
    for (uint32_t op :
         {FUTEX_WAKE, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE,
          FUTEX_WAKE_OP, FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_TRYLOCK_PI, FUTEX_UNLOCK_PI,
          FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI}) {
      p_.JumpIfEqual(op, allow, kNext);
    }
    p_.Return(kNotify);
    p_.Place(wait);
    p_.Load(BpfProgram::ArgLow(3));
    p_.JumpIfEqual(0, kNext, no);
    p_.Load(BpfProgram::ArgHigh(3));
    p_.JumpIfEqual(0, allow, no);
    p_.Place(no);
    p_.Return(kNotify);
    p_.Place(allow);
    p_.Return(kAllow);
  });
  // The same waits and wakes with other arguments; hosts without them say ENOSYS.
  Native(kFutexWaitv, "waits for several words");
  Native(kFutexWake, "wakes, with sized words");
  Native(kFutexWait, "waits, with sized words");
  Native(kFutexRequeue, "moves waiters, with sized words");
}

void StubFilter::Clocks() {
  // The vDSO falls back to these for CPU clocks. Ids of threads are looked up in
  // the caller's pid namespace.
  ThreadClock(SYS_clock_gettime, "reads a clock, or CPU time of the container's own threads");
  ThreadClock(SYS_clock_getres, "tells the resolution of a clock");
  Native(SYS_gettimeofday, "reads the clock");
  Native(SYS_time, "reads the clock");
}

void StubFilter::ThreadClock(uint32_t number, const char* reason) {
  if (!native_) return StubOnly(number, kNotify, reason);
  p_.Call(number, reason, [&] {
    // Negative ids are of processes and threads. A process has ended for the
    // host before its parent has waited for it: the kernel still knows its time.
    constexpr uint32_t kNegative = 0x80000000, kThread = 4;
    Label allow = p_.NewLabel();
    p_.Load(BpfProgram::ArgLow(0));
    p_.JumpIfAnySet(kNegative, kNext, allow);
    p_.JumpIfAnySet(kThread, allow, kNext);
    p_.Return(kNotify);
    p_.Place(allow);
    p_.Return(kAllow);
  });
}

void StubFilter::Memory() {
  MemoryMap();
  NativeRange(SYS_munmap, 0, 1, "the caller's own memory outside the stub");
  NativeRange(SYS_mprotect, 0, 1, "the caller's own memory outside the stub");
  MemoryAdvice();
  NativeRange(SYS_mremap, 0, 1, "the caller's own memory outside the stub", [&](Label no) {
    // A growing mapping must not reach the stub either.
    RequireOutsideStub(0, 2, no);
    Label floating = p_.NewLabel();
    p_.Load(BpfProgram::ArgLow(3));
    p_.JumpIfAnySet(~static_cast<uint32_t>(MREMAP_MAYMOVE | MREMAP_FIXED), no, kNext);
    p_.JumpIfAnySet(MREMAP_FIXED, kNext, floating);
    RequireOutsideStub(4, 2, no);
    p_.Place(floating);
  });
  Native(SYS_brk, "the caller's own heap");
}

void StubFilter::MemoryMap() {
  p_.Call(SYS_mmap, "anonymous memory outside the stub; files are the kernel's to check", [&] {
    Label application = p_.NewLabel(), stub = p_.NewLabel(), allow = p_.NewLabel(),
          no = p_.NewLabel();
    // With MAP_ANONYMOUS the host does not look at the descriptor.
    p_.Load(BpfProgram::ArgLow(3));
    p_.JumpIfAnySet(MAP_ANONYMOUS, kNext, no);
    IfFromStub(stub, application);
    p_.Place(application);
    if (native_) {
      p_.Load(BpfProgram::ArgHigh(3));
      p_.JumpIfEqual(0, kNext, no);
      p_.Load(BpfProgram::ArgLow(3));
      p_.JumpIfAnySet(
          ~static_cast<uint32_t>(MAP_PRIVATE | MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED |
                                 MAP_FIXED_NOREPLACE | MAP_NORESERVE | MAP_STACK | MAP_POPULATE |
                                 MAP_32BIT | MAP_DENYWRITE | MAP_EXECUTABLE),
          no, kNext);
      Label floating = p_.NewLabel();
      p_.JumpIfAnySet(MAP_FIXED | MAP_FIXED_NOREPLACE, kNext, floating);
      RequireOutsideStub(0, 1, no);
      p_.Place(floating);
      p_.Return(kAllow);
    } else {
      p_.Return(kNotify);
    }
    p_.Place(stub);
    p_.Place(allow);
    p_.Return(kAllow);
    p_.Place(no);
    p_.Return(kNotify);
  });
}

void StubFilter::MemoryAdvice() {
  p_.Call(SYS_madvise, "advice on the caller's own anonymous or private memory", [&] {
    Label application = p_.NewLabel(), stub = p_.NewLabel(), known = p_.NewLabel(),
          allow = p_.NewLabel(), no = p_.NewLabel();
    IfFromStub(stub, application);
    p_.Place(stub);
    // MADV_REMOVE and the like reach files: never without the kernel.
    p_.Load(BpfProgram::ArgLow(2));
    p_.JumpIfEqual(MADV_DONTFORK, allow, kNext);
    p_.Place(application);
    if (!native_) {
      p_.Return(kNotify);
      p_.Place(no);
      p_.Return(kNotify);
    } else {
      IfArgIn(2,
              {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED, MADV_FREE,
               MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK,
               MADV_KEEPONFORK, MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE},
              known);
      p_.Place(no);
      p_.Return(kNotify);
      p_.Place(known);
      Label inside = p_.NewLabel();
      RequireOutsideStub(0, 1, inside);
      p_.Return(kAllow);
      p_.Place(inside);
      p_.Return(kNotify);
    }
    p_.Place(allow);
    p_.Return(kAllow);
  });
}

void StubFilter::Own() {
  // These start no work of the kernel's and carry no policy.
  // Sleeps are not here: boot notes when they end and lets the host do them, so
  // that a stop does not end them early.
  Native(SYS_sched_yield, "touches nothing");
  // The container's first pid namespace has the host's numbers; processes of
  // others have these calls trapped.
  Native(SYS_getpid, "the caller's number in the stubs' own pid namespace");
  Native(SYS_gettid, "the caller's number in the stubs' own pid namespace");
  Native(SYS_getcpu, "the processor that the caller runs on, as the vDSO tells it, too");
  Native(SYS_getrandom, "random bytes into the caller's memory");
  Native(SYS_set_robust_list, "a pointer that the host follows when the thread ends");
  Native(SYS_rseq, "the host's notes about the caller's own scheduling");
  // The host resumes its own interrupted waits by it.
  Always(SYS_restart_syscall, kAllow, "continues a wait of the host that a stop interrupted");
  p_.Call(SYS_arch_prctl, "segment bases of the caller", [&] {
    Label allow = p_.NewLabel(), application = p_.NewLabel(), stub = p_.NewLabel();
    if (!native_) {
      IfFromStub(stub, application);
      p_.Place(application);
      p_.Return(kNotify);
      p_.Place(stub);
    }
    IfArgIn(0, {ARCH_SET_FS, ARCH_GET_FS, ARCH_SET_GS, ARCH_GET_GS}, allow);
    p_.Return(kNotify);
    p_.Place(allow);
    p_.Return(kAllow);
  });
}

}  // namespace

bool IsPermittedClone(uint64_t flags) {
  uint64_t base = flags & ~kOptionalCloneFlags;
  return base == kCloneProcess || base == kCloneSuspended || base == kCloneSharedMemory ||
         base == kCloneVfork || base == kCloneThread;
}

Result<std::vector<sock_filter>> BuildStubFilter(bool native_calls) {
  return StubFilter(native_calls).program().Finish();
}

Result<std::vector<sock_filter>> BuildTrapFilter(std::span<const uint32_t> numbers) {
  BpfProgram p;
  BpfProgram::Label allow = p.NewLabel(), trap = p.NewLabel(), chosen = p.NewLabel();
  // What other call tables have at these numbers is the first filter's affair.
  p.Load(BpfProgram::kArch);
  p.JumpIfEqual(AUDIT_ARCH_X86_64, BpfProgram::kNext, allow);
  p.Load(BpfProgram::kNumber);
  for (uint32_t number : numbers) p.JumpIfEqual(number, chosen, BpfProgram::kNext);
  p.Return(kAllow);
  p.Place(chosen);
  p.Load(BpfProgram::kIpHigh);
  p.JumpIfEqual(kImageHigh, BpfProgram::kNext, trap);
  p.Load(BpfProgram::kIpLow);
  p.JumpIfAtLeast(kImageLow, allow, trap);
  p.Place(allow);
  p.Return(kAllow);
  p.Place(trap);
  p.Return(kTrap);
  return p.Finish();
}

std::string DescribeStubFilter(bool native_calls) {
  std::string text;
  StubFilter filter(native_calls);
  for (const BpfProgram::Rule& rule : filter.program().rules()) {
    absl::StrAppend(&text, absl::StrFormat("call %5u  ", rule.number), rule.reason, "\n");
  }
  absl::StrAppend(&text, "any other   notifies the application kernel\n");
  return text;
}

}  // namespace runsc::boot::platform
