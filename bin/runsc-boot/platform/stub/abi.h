// What the stub and boot agree on: addresses, numbers and the layout of the
// memory that they share. Included by the freestanding stub: no library.
//
// Whatever boot reads from this memory may have been written by the
// application.
#ifndef RUNSC_BOOT_PLATFORM_STUB_ABI_H_
#define RUNSC_BOOT_PLATFORM_STUB_ABI_H_

#include <stdint.h>

namespace runsc::boot::platform::stub {

// --- Address space. All of it lies in one range that the application must not
// map over. The filter compares the upper halves of addresses with these.
inline constexpr uint64_t kRegionBase = 0x7e1000000000;
inline constexpr uint64_t kSlotSize = 0x10000;
inline constexpr uint64_t kControlSize = 0x1000;
inline constexpr uint32_t kMaxSlots = 16384;
inline constexpr uint64_t kRegionSize = kSlotSize * kMaxSlots;
// Private stacks on which the child of a fork runs until it has its region.
inline constexpr uint64_t kForkStackBase = 0x7e2000000000;
inline constexpr uint64_t kForkStackSize = 0x1000;
inline constexpr uint32_t kForkStacks = 64;
// Last, because the host puts the application's heap behind it: that must be
// free to be mapped over, protected and read by debuggers.
inline constexpr uint64_t kImageBase = 0x7e2fffff0000;
inline constexpr uint64_t kImageSize = 0x10000;
inline constexpr uint64_t kRangeBegin = kRegionBase;
inline constexpr uint64_t kRangeEnd = kImageBase + kImageSize;

// --- Calls from the stub to boot: numbers that no kernel has, so the filter
// sends them to the listener. Each returns the next Op.
//
// kSysEnter(ucontext, signal (0: a new thread), siginfo, fs base, token, extra)
// `extra` is the vDSO's address after exec, else the caller's gettid(). A child
// of the zygote has no ucontext yet; its answer is kOpExec.
inline constexpr uint32_t kSysEnter = 30000;
// kSysDone(result): the end of an Op.
inline constexpr uint32_t kSysDone = 30001;
// Trapped: makes a signal frame of the caller. kSysSelfTrap(stack begin, stack
// end, vDSO address), once after exec.
inline constexpr uint32_t kSysSelfTrap = 30002;

// A process asks for its region by mapping this descriptor, with the token of
// its clone in the upper half of the register; boot installs it on the way.
// For the child of a fork this is the report of its start too: it finds its
// first Op in the Control of its slot.
inline constexpr int kRegionFd = 3;
// The descriptor of the stub's image during exec.
inline constexpr int kExecFd = 3;
// The descriptor of the Bootstrap page in the zygote.
inline constexpr int kBootstrapFd = 3;

// `syscall; int3` ends at the image's entry point.
inline constexpr uint64_t kHostCallSize = 3;
inline constexpr uint64_t kSyscallSize = 2;

// The signal that brings a running thread into the stub.
inline constexpr int kKickSignal = 16;  // SIGSTKFLT

enum Op : int64_t {
  kOpResume = 1,    // return to the application
  kOpNative = 2,    // execute Control::calls
  kOpClone = 3,     // clone with Control::clone
  kOpExec = 4,      // execveat of kExecFd
  kOpPark = 5,      // sleep until Control::wake changes, then take Control::op
  kOpRenotify = 6,  // report at once
  kOpExit = 7,      // exit(2)
};

struct NativeCall {
  uint64_t number;
  uint64_t args[6];
  int64_t result;
};
inline constexpr uint32_t kMaxCalls = 32;

struct CloneRequest {
  uint64_t flags;
  uint64_t stack;
  uint64_t parent_tid;
  uint64_t child_tid;
  uint64_t tls;
  // The child's signal frame in its slot, which boot has prepared.
  uint64_t context;
  // The end of the stack on which the child starts.
  uint64_t child_stack;
  uint64_t token;
};

// The first page of a slot.
struct Control {
  // Park: the futex word, and the value on which to sleep.
  alignas(64) uint32_t wake;
  uint32_t park_value;
  int64_t op;
  // By which a new thread says who it is; 0 when boot knows already.
  uint64_t token;
  // kOpResume loads them when `set_fs_base` and `set_gs_base` are not 0.
  uint64_t fs_base, gs_base;
  uint32_t set_fs_base, set_gs_base;
  uint32_t has_fsgsbase;
  uint64_t scratch;
  // What kSysEnter says of the gs base.
  uint64_t entered_gs_base;

  alignas(64) CloneRequest clone;
  uint32_t call_count;
  uint32_t stop_on_error;
  NativeCall calls[kMaxCalls];

  // What Thread::Lend shows to the host.
  alignas(64) uint8_t lent[64];
  // Room for calls that the application posts without entering the host.
  alignas(64) uint8_t fast_path[1024];
};
static_assert(sizeof(Control) <= kControlSize);

// The page by which boot and the zygote talk: first about the listener, then
// about each child. Trusted: no application code runs in the zygote.
struct SockFilter {
  uint16_t code;
  uint8_t jt, jf;
  uint32_t k;
};
inline constexpr uint32_t kMaxFilter = 1024;
struct Bootstrap {
  uint32_t state;  // 0, then kBootstrapReady or kBootstrapFailed
  int32_t listener_fd;
  int32_t error;
  // Futex words: how many children boot has asked for, how many have been made.
  uint32_t asked;
  uint32_t made;
  uint32_t token;  // by which the child says who it is
  int32_t child;   // its pid as boot sees it, or a negative errno
  uint32_t filter_length;
  SockFilter filter[kMaxFilter];
};
inline constexpr uint32_t kBootstrapReady = 1;
inline constexpr uint32_t kBootstrapFailed = 2;
inline constexpr uint64_t kBootstrapSize = 0x4000;
static_assert(sizeof(Bootstrap) <= kBootstrapSize);

// The host's ucontext for x86-64 as it lies in a signal frame.
struct UContext {
  uint64_t flags;
  uint64_t link;
  uint64_t stack_pointer;
  uint32_t stack_flags;
  uint32_t padding;
  uint64_t stack_size;
  uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
  uint64_t eflags;
  uint16_t cs, gs, fs, ss;
  uint64_t error, trap, old_mask, cr2;
  uint64_t fpstate;
  uint64_t reserved[8];
  uint64_t signal_mask;
};
static_assert(sizeof(UContext) == 304);

}  // namespace runsc::boot::platform::stub

#endif  // RUNSC_BOOT_PLATFORM_STUB_ABI_H_
