// The code of ours inside every application process. It changes the state of
// its thread on boot's behalf; it decides nothing, keeps no data of its own,
// and is not trusted by boot once the application has run.
//
// Freestanding, at a fixed address, general registers only: the handlers must
// not disturb the extended state, and fork children run it without libraries.
#include <asm/prctl.h>
#include <asm/unistd_64.h>
#include <elf.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

#include "bin/runsc-boot/platform/stub/abi.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace runsc::boot::platform::stub {

constexpr int kSigIll = 4, kSigTrap = 5, kSigBus = 7, kSigFpe = 8, kSigKill = 9, kSigSegv = 11,
              kSigChld = 17, kSigSys = 31;
constexpr long kProtReadWrite = 3, kMapShared = 1, kMapPrivate = 2, kMapFixed = 16,
               kMapAnonymous = 32, kMapNoReserve = 0x4000, kDontFork = 10;
constexpr uint64_t kPage = 4096;

// Linked to the last page of the image: the heap, which begins behind what the
// image uses, then begins outside of the range.
asm(".pushsection .padding, \"aw\", @nobits; .skip 4096; .popsection");

static inline __attribute__((always_inline)) long Syscall(long number, uint64_t a = 0,
                                                          uint64_t b = 0, uint64_t c = 0,
                                                          uint64_t d = 0, uint64_t e = 0,
                                                          uint64_t f = 0) {
  long result;
  register uint64_t r10 asm("r10") = d;
  register uint64_t r8 asm("r8") = e;
  register uint64_t r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

template <typename T>
uint64_t Address(T* pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}

[[noreturn]] static void Die() {
  for (;;) asm volatile("ud2");
}

static uint64_t SlotOf(UContext* context) { return (Address(context) - 8) & ~(kSlotSize - 1); }
static Control* ControlOf(UContext* context) { return reinterpret_cast<Control*>(SlotOf(context)); }

static uint64_t FsBase(Control* control) {
  uint64_t base = 0;
  if (control->has_fsgsbase) {
    asm volatile("rdfsbase %0" : "=r"(base));
  } else {
    Syscall(__NR_arch_prctl, ARCH_GET_FS, Address(&control->scratch));
    base = control->scratch;
  }
  return base;
}

// Nothing of ours uses the gs base: whoever debugs the program wants to see it.
static void TellGsBase(Control* control) {
  if (control->has_fsgsbase) {
    uint64_t base = 0;
    asm volatile("rdgsbase %0" : "=r"(base));
    control->entered_gs_base = base;
  } else {
    Syscall(__NR_arch_prctl, ARCH_GET_GS, Address(&control->entered_gs_base));
  }
}

static void SetFsBase(Control* control) {
  if (control->has_fsgsbase) {
    asm volatile("wrfsbase %0" ::"r"(control->fs_base));
  } else {
    Syscall(__NR_arch_prctl, ARCH_SET_FS, control->fs_base);
  }
}

static void SetGsBase(Control* control) {
  if (control->has_fsgsbase) {
    asm volatile("wrgsbase %0" ::"r"(control->gs_base));
  } else {
    Syscall(__NR_arch_prctl, ARCH_SET_GS, control->gs_base);
  }
}

static long RunCalls(Control* control) {
  uint32_t count = control->call_count;
  uint32_t done = 0;
  while (done < count && done < kMaxCalls) {
    NativeCall& call = control->calls[done++];
    call.result = Syscall(static_cast<long>(call.number), call.args[0], call.args[1], call.args[2],
                          call.args[3], call.args[4], call.args[5]);
    if (control->stop_on_error && call.result < 0 && call.result >= -4095) break;
  }
  return done;
}

// clone(2) whose child continues on `context`, the frame in its slot.
extern "C" __attribute__((visibility("hidden"))) long StubClone(uint64_t flags,
                                                                uint64_t child_stack,
                                                                uint64_t parent_tid,
                                                                uint64_t child_tid, uint64_t tls,
                                                                uint64_t context);
asm(R"(
.globl StubClone
StubClone:
  push %rbx
  mov %r9, %rbx
  mov %rcx, %r10
  mov $56, %eax
  syscall
  test %rax, %rax
  jz 1f
  pop %rbx
  ret
1:
  xor %ebp, %ebp
  mov (%rsp), %rdi
  call StubTakeRegion
  lea -264(%rbx), %rsp
  and $-16, %rsp
  mov %rbx, %rdi
  call StubChild
  mov %rbx, %rsp
  mov $15, %eax
  syscall
  ud2
)");

static long DoClone(const CloneRequest& request) {
  // The top of the child's stack holds the token of a fork's child; a thread's
  // is in its Control.
  uint64_t* top = reinterpret_cast<uint64_t*>(request.child_stack) - 2;
  *top = (request.flags & CLONE_VM) ? 0 : request.token;
  return StubClone(request.flags, Address(top), request.parent_tid, request.child_tid, request.tls,
                   request.context);
}

static long DoExec() {
  char name[2] = {'s', 0};
  char* arguments[2] = {name, nullptr};
  return Syscall(__NR_execveat, kExecFd, Address(name + 1), Address(arguments),
                 Address(arguments + 1), 0x1000 /* AT_EMPTY_PATH */);
}

static long Park(Control* control) {
  auto* wake = static_cast<volatile uint32_t*>(&control->wake);
  while (*wake == control->park_value) {
    Syscall(__NR_futex, Address(&control->wake), FUTEX_WAIT, control->park_value);
  }
  return *static_cast<volatile int64_t*>(&control->op);
}

static void RunOps(Control* control, long op) {
  for (;;) {
    switch (op) {
      case kOpResume:
        if (control->set_fs_base) {
          control->set_fs_base = 0;
          SetFsBase(control);
        }
        if (control->set_gs_base) {
          control->set_gs_base = 0;
          SetGsBase(control);
        }
        return;
      case kOpNative:
        op = Syscall(kSysDone, RunCalls(control));
        break;
      case kOpClone:
        op = Syscall(kSysDone, DoClone(control->clone));
        break;
      case kOpExec:
        op = Syscall(kSysDone, DoExec());
        break;
      case kOpPark:
        op = Park(control);
        break;
      case kOpRenotify:
        op = Syscall(kSysDone, 0);
        break;
      case kOpExit:
        Syscall(__NR_exit, 0);
        Die();
      default:
        Die();
    }
  }
}

// Maps the region, which boot installs when it sees this call.
static void MapRegion(uint64_t token) {
  long result = Syscall(__NR_mmap, kRegionBase, kRegionSize, kProtReadWrite, kMapShared | kMapFixed,
                        static_cast<uint64_t>(kRegionFd) | token << 32, 0);
  if (result != static_cast<long>(kRegionBase)) Die();
  Syscall(__NR_close, kRegionFd);
  // The next child must not see this process's region.
  Syscall(__NR_madvise, kRegionBase, kRegionSize, kDontFork);
}

struct KernelSigaction {
  void (*handler)(int, void*, UContext*);
  uint64_t flags;
  void (*restorer)();
  uint64_t mask;
};

extern "C" __attribute__((visibility("hidden"))) void StubRestore();
asm(R"(
.globl StubRestore
StubRestore:
  mov $15, %eax
  syscall
  ud2
)");

extern "C" __attribute__((used)) void StubHandler(int signal, void* info, UContext* context) {
  Control* control = ControlOf(context);
  uint64_t extra = 0;
  if (signal == kSigSys && context->rax == kSysSelfTrap) {
    Syscall(__NR_munmap, context->rdi, context->rsi - context->rdi);
    extra = context->rdx;
  }
  TellGsBase(control);
  long op = Syscall(kSysEnter, Address(context), static_cast<uint64_t>(signal), Address(info),
                    FsBase(control), 0, extra);
  RunOps(control, op);
}

static void SetHandler(int signal, void (*handler)(int, void*, UContext*)) {
  // SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_RESTORER, everything blocked.
  KernelSigaction action{handler, 0x4 | 0x08000000 | 0x10000000 | 0x04000000, StubRestore, ~0ul};
  Syscall(__NR_rt_sigaction, static_cast<uint64_t>(signal), Address(&action), 0, 8);
}

static void Ignore(int signal) {
  KernelSigaction action{reinterpret_cast<void (*)(int, void*, UContext*)>(1), 0x04000000,
                         StubRestore, 0};
  Syscall(__NR_rt_sigaction, static_cast<uint64_t>(signal), Address(&action), 0, 8);
}

static uint64_t AuxiliaryValue(uint64_t* stack, uint64_t type) {
  uint64_t* p = stack + 1 + stack[0] + 1;
  while (*p++ != 0) {
  }
  for (; p[0] != AT_NULL; p += 2) {
    if (p[0] == type) return p[1];
  }
  return 0;
}

// A child of the zygote, which becomes a process of the container: says who it
// is and executes the image again, so that nothing is left of the zygote.
[[noreturn]] static void BecomeProcess(uint64_t token) {
  // The kernel of the host ends the container with its zygote.
  Syscall(__NR_prctl, PR_SET_PDEATHSIG, kSigKill);
  if (Syscall(kSysEnter, 0, 0, 0, 0, token, 0) == kOpExec) Syscall(kSysDone, DoExec());
  Die();
}

static void Wait(uint32_t* word, uint32_t value) {
  Syscall(__NR_futex, Address(word), FUTEX_WAIT, value);
}

static void Publish(uint32_t* word, uint32_t value) {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
  Syscall(__NR_futex, Address(word), FUTEX_WAKE, 1);
}

// The zygote: installs the filter, and makes a process whenever boot asks.
[[noreturn]] static void RunZygote() {
  long address = Syscall(__NR_mmap, 0, kBootstrapSize, kProtReadWrite, kMapShared, kBootstrapFd, 0);
  if (address < 0 && address >= -4095) Die();
  Syscall(__NR_close, kBootstrapFd);
  auto* page = reinterpret_cast<Bootstrap*>(address);
  struct {
    uint16_t length;
    SockFilter* filter;
  } program = {static_cast<uint16_t>(page->filter_length), page->filter};
  long listener = Syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER,
                          SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
                          Address(&program));
  if (listener < 0) {
    page->error = static_cast<int32_t>(-listener);
    __atomic_store_n(&page->state, kBootstrapFailed, __ATOMIC_RELEASE);
    Syscall(__NR_exit_group, 1);
  }
  page->listener_fd = static_cast<int32_t>(listener);
  Publish(&page->state, kBootstrapReady);
  for (uint32_t made = 0;;) {
    while (__atomic_load_n(&page->asked, __ATOMIC_ACQUIRE) == made) Wait(&page->asked, made);
    // Boot has taken it by now.
    if (made == 0) Syscall(__NR_close, static_cast<uint64_t>(listener));
    uint64_t token = page->token;
    long child = Syscall(__NR_clone, kSigChld, 0, 0, 0, 0);
    if (child == 0) BecomeProcess(token);
    page->child = static_cast<int32_t>(child);
    Publish(&page->made, ++made);
  }
}

// In the child of a fork, which has a token: trades the private stack for a
// region of its own.
extern "C" __attribute__((used)) void StubTakeRegion(uint64_t token) {
  if (token == 0) return;
  Syscall(__NR_close_range, 0, ~0u, 0);
  MapRegion(token);
}

extern "C" __attribute__((used)) void StubChild(UContext* context) {
  Control* control = ControlOf(context);
  long op = *static_cast<volatile int64_t*>(&control->op);
  if (uint64_t token = control->token; token != 0) {
    long tid = Syscall(__NR_gettid);
    TellGsBase(control);
    op = Syscall(kSysEnter, Address(context), 0, 0, FsBase(control), token,
                 static_cast<uint64_t>(tid));
  }
  RunOps(control, op);
}

extern "C" [[noreturn, gnu::used]] void StubMain(uint64_t* stack) {
  // A kick from before the exec may be pending, and its default action ends
  // the process.
  Ignore(kKickSignal);
  Ignore(kSigChld);
  uint64_t no_signals = 0;
  Syscall(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, Address(&no_signals), 0, 8);
  if (*reinterpret_cast<char*>(stack[1]) == 'z') RunZygote();
  MapRegion(0);
  Syscall(__NR_mmap, kForkStackBase, kForkStackSize * kForkStacks, kProtReadWrite,
          kMapPrivate | kMapAnonymous | kMapFixed | kMapNoReserve, ~0ul, 0);
  struct {
    uint64_t pointer;
    uint32_t flags;
    uint64_t size;
  } alternate = {kRegionBase + kControlSize, 0, kSlotSize - kControlSize};
  Syscall(__NR_sigaltstack, Address(&alternate), 0);
  const int signals[] = {kSigSys, kSigSegv, kSigBus, kSigFpe, kSigIll, kSigTrap, kKickSignal};
  for (int signal : signals) SetHandler(signal, StubHandler);
  // The name of the executed file, "/dev/fd/3", is the last thing on the
  // stack but for a null pointer.
  uint64_t end = (AuxiliaryValue(stack, AT_EXECFN) + 18 + kPage - 1) & ~(kPage - 1);
  uint64_t begin = (Address(stack) - (uint64_t{1} << 20)) & ~(kPage - 1);
  uint64_t vdso = AuxiliaryValue(stack, AT_SYSINFO_EHDR);
  Syscall(kSysSelfTrap, begin, end, vdso);
  Die();
}

}  // namespace runsc::boot::platform::stub

// Right before the entry point, by which boot finds it: a system call for the
// application whose end boot gets to know. It is kHostCallSize bytes long.
asm(R"(
StubHostCall:
  syscall
  int3
.globl _start
_start:
  xor %ebp, %ebp
  mov %rsp, %rdi
  and $-16, %rsp
  call StubMain
  ud2
)");
