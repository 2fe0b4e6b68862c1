// Faults and the frames of handlers: what siginfo says, what the machine context
// holds, that unwinders find their way, that wide registers survive.
#include <execinfo.h>
#include <setjmp.h>
#include <ucontext.h>

#include <stdexcept>

#include "test/guest/cases.h"

using namespace guest;

namespace {
sigjmp_buf g_jump;
siginfo_t g_info;
long long g_trap, g_error, g_address;

void Catch(int, siginfo_t* info, void* context) {
  g_info = *info;
  const auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  g_trap = registers[REG_TRAPNO];
  g_error = registers[REG_ERR];
  g_address = registers[REG_CR2];
  siglongjmp(g_jump, 1);
}
void Fault(const std::function<void()>& body) {
  struct sigaction action = {};
  action.sa_sigaction = Catch;
  action.sa_flags = SA_SIGINFO;
  for (const int s : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP}) {
    MUST(sigaction(s, &action, nullptr));
  }
  memset(&g_info, 0, sizeof g_info);
  g_trap = g_error = g_address = -1;
  if (sigsetjmp(g_jump, 1) == 0) body();
  Record("signo", g_info.si_signo);
  Record("code", g_info.si_code);
  Record("trap", g_trap);
  Record("error", g_error);
}
char* Map(int protection) {
  return static_cast<char*>(mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
void Write(void* at) { *static_cast<volatile char*>(at) = 1; }
__attribute__((noinline)) void FaultingCall() { asm volatile("movb $1, 0x10" ::: "memory"); }
char Read(const void* at) { return *static_cast<const volatile char*>(at); }
}  // namespace

CASE(fault_read_unmapped) {
  Fault([] { Read(BadPointer()); });
  Record("cr2", g_address);
}
CASE(fault_write_unmapped) {
  Fault([] { Write(BadPointer()); });
}
CASE(fault_write_readonly) {
  char* page = Map(PROT_READ);
  Fault([page] { Write(page + 5); });
  Record("offset", static_cast<char*>(g_info.si_addr) - page);
}
CASE(fault_read_protected) {
  char* page = Map(PROT_NONE);
  Fault([page] { Read(page); });
}
CASE(fault_execute_data) {
  char* page = Map(PROT_READ | PROT_WRITE);
  page[0] = '\303';
  Fault([page] { reinterpret_cast<void (*)()>(page)(); });
  Record("offset", static_cast<char*>(g_info.si_addr) - page);
}
CASE(fault_jump_to_nowhere) {
  Fault([] { reinterpret_cast<void (*)()>(BadPointer())(); });
}
CASE(fault_noncanonical) {
  static volatile unsigned long address = 0x8000000000000000UL;
  Fault([] { Read(reinterpret_cast<void*>(address)); });
  Record("address", reinterpret_cast<long>(g_info.si_addr));
}
CASE(fault_bus_behind_file) {
  Make("f", "x");
  const int fd = open("f", O_RDWR);
  char* map = static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  Fault([map] { Read(map + 4096); });
  Record("offset", static_cast<char*>(g_info.si_addr) - map);
  Fault([map] { Write(map + 5000); });
}
CASE(fault_divide) {
  static volatile int zero = 0;
  Fault([] { zero = 1 / zero; });
}
CASE(fault_divide_overflow) {
  static volatile int least = -2147483647 - 1, minus = -1;
  Fault([] { least = least / minus; });
}
CASE(fault_sse_exception) {
  Fault([] {
    unsigned control = 0x1f80 & ~0x200u;  // division by zero unmasked
    asm volatile("ldmxcsr %0" ::"m"(control));
    volatile double zero = 0, one = 1;
    zero = one / zero;
  });
  unsigned control = 0x1f80;
  asm volatile("ldmxcsr %0" ::"m"(control));
}
CASE(fault_x87_exception) {
  Fault([] {
    unsigned short control = 0x37f & ~4;
    asm volatile("fldcw %0\n fldz\n fld1\n fdivp\n fwait" ::"m"(control));
  });
}
CASE(fault_illegal_kinds) {
  Fault([] { asm volatile("ud2"); });
  Fault([] { asm volatile("hlt"); });
  Fault([] { asm volatile("cli"); });
}
CASE(fault_traps) {
  Fault([] { asm volatile("int3"); });
  Fault([] {
    asm volatile("pushfq\n orq $0x100, (%%rsp)\n popfq\n nop\n nop\n nop" ::: "memory", "cc");
  });
  Fault([] { asm volatile("int $0x80" ::"a"(20)); });
}
CASE(fault_codes_stay_for_later_signals) {
  Fault([] { Write(BadPointer()); });
  struct sigaction action = {};
  action.sa_sigaction = Catch;
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGUSR1, &action, nullptr));
  if (sigsetjmp(g_jump, 1) == 0) raise(SIGUSR1);
  Record("trap", g_trap);
  Record("error", g_error);
}
CASE(fault_killed_by_kill_has_other_code) {
  struct sigaction action = {};
  action.sa_sigaction = Catch;
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGSEGV, &action, nullptr));
  if (sigsetjmp(g_jump, 1) == 0) kill(getpid(), SIGSEGV);
  Record("code", g_info.si_code);
}
CASE(fault_double_is_fatal) {
  Record("child", InChild([] {
           struct sigaction action = {};
           action.sa_handler = [](int) { Write(BadPointer()); };
           sigaction(SIGSEGV, &action, nullptr);
           Write(BadPointer());
           return 1;
         }));
  Record(
      "bad_stack", InChild([] {
        signal(SIGUSR1, [](int) { _exit(1); });
        asm volatile(
            "mov %0, %%edi\n mov $10, %%esi\n mov $0x10, %%rsp\n mov $62, %%eax\n syscall\n ud2" ::
                "r"(getpid()));
        return 2;
      }));
}
CASE(fault_in_system_call_is_an_error) {
  T(write(1, BadPointer(), 1));
  T(syscall(SYS_clock_gettime, CLOCK_REALTIME, BadPointer()));
  T(syscall(SYS_futex, BadPointer(), 0, 0, nullptr, nullptr, 0));
}
CASE(frame_context_fields) {
  static unsigned long flags, mask;
  static bool stack_matches, aligned, has_state;
  static char stack[65536];
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  MUST(sigaltstack(&alternate, nullptr));
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t*, void* given) {
    auto* context = static_cast<ucontext_t*>(given);
    flags = context->uc_flags;
    memcpy(&mask, &context->uc_sigmask, 8);
    stack_matches = context->uc_stack.ss_sp == stack && context->uc_stack.ss_size == sizeof stack;
    aligned = reinterpret_cast<unsigned long>(context->uc_mcontext.fpregs) % 64 == 0;
    has_state = context->uc_mcontext.fpregs != nullptr;
  };
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  MUST(sigaction(SIGUSR1, &action, nullptr));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  MUST(sigprocmask(SIG_BLOCK, &set, nullptr));
  MUST(raise(SIGUSR1));
  Record("flags", static_cast<long long>(flags));
  Record("mask", static_cast<long long>(mask));
  Record("stack", stack_matches);
  Record("aligned", aligned);
  Record("state", has_state);
}
CASE(frame_xstate_magic) {
  static unsigned magic1, magic2;
  static bool features;
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t*, void* given) {
    const char* state =
        reinterpret_cast<char*>(static_cast<ucontext_t*>(given)->uc_mcontext.fpregs);
    struct Software {
      unsigned magic1, extended_size;
      unsigned long features;
      unsigned xstate_size;
    } software;
    memcpy(&software, state + 464, sizeof software);
    magic1 = software.magic1;
    features = (software.features & 7) == 7 || (software.features & 3) == 3;
    memcpy(&magic2, state + software.extended_size - 4, 4);
  };
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGUSR1, &action, nullptr));
  MUST(raise(SIGUSR1));
  Record("magic1", magic1);
  Record("magic2", magic2);
  Record("features", features);
}
CASE(frame_mask_can_be_changed) {
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t*, void* given) {
    sigaddset(&static_cast<ucontext_t*>(given)->uc_sigmask, SIGTERM);
  };
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGUSR1, &action, nullptr));
  MUST(raise(SIGUSR1));
  sigset_t now;
  MUST(sigprocmask(SIG_BLOCK, nullptr, &now));
  Record("term", sigismember(&now, SIGTERM));
}
CASE(frame_avx_survives) {
  if (!__builtin_cpu_supports("avx")) return Record("kept", 1);
  struct sigaction action = {};
  action.sa_handler = [](int) { asm volatile("vzeroall" ::: "memory"); };
  MUST(sigaction(SIGUSR1, &action, nullptr));
  alignas(32) double in[4] = {1.5, 2.5, 3.5, 4.5}, out[4] = {};
  const long pid = getpid();
  asm volatile("vmovapd %1, %%ymm6\n syscall\n vmovapd %%ymm6, %0\n vzeroupper"
               : "=m"(out)
               : "m"(in), "a"(SYS_kill), "D"(pid), "S"(SIGUSR1)
               : "rcx", "r11", "xmm6", "memory");
  Record("kept", memcmp(in, out, sizeof in) == 0);
}
CASE(frame_avx_survives_a_kick) {
  if (!__builtin_cpu_supports("avx")) return Record("kept", 1);
  static volatile int hits;
  struct sigaction action = {};
  action.sa_handler = [](int) {
    hits = hits + 1;
    asm volatile("vzeroall" ::: "memory");
  };
  MUST(sigaction(SIGUSR1, &action, nullptr));
  const pid_t me = getpid();
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 50; i++) {
      usleep(1000);
      kill(me, SIGUSR1);
    }
    _exit(0);
  }
  alignas(32) long in[4] = {11, 22, 33, 44}, out[4] = {};
  bool kept = true;
  for (int i = 0; i < 200000000 && hits < 20; i++) {
    asm volatile("vmovdqa %1, %%ymm9\n mov $2000, %%ecx\n1: dec %%ecx\n jnz 1b\n vmovdqa %%ymm9, %0"
                 : "=m"(out)
                 : "m"(in)
                 : "ecx", "xmm9", "memory", "cc");
    kept = kept && memcmp(in, out, sizeof in) == 0;
  }
  asm volatile("vzeroupper");
  Record("kept", kept);
  Record("hit", hits >= 20);
  kill(child, SIGKILL);
}
CASE(frame_handler_starts_with_clean_control) {
  static unsigned inside;
  struct sigaction action = {};
  action.sa_handler = [](int) { asm volatile("stmxcsr %0" : "=m"(inside)); };
  MUST(sigaction(SIGUSR1, &action, nullptr));
  unsigned control = 0x1f80 | 0x8000, after = 0;
  asm volatile("ldmxcsr %0" ::"m"(control));
  raise(SIGUSR1);
  asm volatile("stmxcsr %0" : "=m"(after));
  Record("inside", inside);
  Record("after", after);
}
CASE(frame_direction_flag_is_clear) {
  static unsigned long flags;
  struct sigaction action = {};
  action.sa_handler = [](int) { asm volatile("pushfq\n pop %0" : "=r"(flags)); };
  MUST(sigaction(SIGUSR1, &action, nullptr));
  const long pid = getpid();
  unsigned long after = 0;
  asm volatile("std\n syscall\n pushfq\n pop %0\n cld"
               : "=r"(after)
               : "a"(SYS_kill), "D"(pid), "S"(SIGUSR1)
               : "rcx", "r11", "memory");
  Record("inside", (flags & 0x400) != 0);
  Record("after", (after & 0x400) != 0);
}
CASE(frame_exception_out_of_fault_handler) {
  struct sigaction action = {};
  action.sa_handler = [](int) { throw std::runtime_error("from the handler"); };
  action.sa_flags = SA_NODEFER;
  MUST(sigaction(SIGSEGV, &action, nullptr));
  std::string caught;
  try {
    FaultingCall();
  } catch (const std::exception& error) {
    caught = error.what();
  }
  Record("caught", caught.empty() ? "no" : "yes");
}
CASE(frame_exception_inside_handler) {
  static int caught;
  struct sigaction action = {};
  action.sa_handler = [](int) {
    try {
      throw 5;
    } catch (int value) {
      caught = value;
    }
  };
  MUST(sigaction(SIGUSR1, &action, nullptr));
  MUST(raise(SIGUSR1));
  Record("caught", caught);
}
CASE(frame_backtrace_reaches_beyond_handler) {
  static int depth;
  struct sigaction action = {};
  action.sa_handler = [](int) {
    void* frames[64];
    depth = backtrace(frames, 64);
  };
  MUST(sigaction(SIGUSR1, &action, nullptr));
  MUST(raise(SIGUSR1));
  // The handler, its trampoline, raise, this case and main.
  Record("deep", depth >= 5);
}
CASE(frame_sigreturn_of_garbage_is_fatal) {
  Record("child", InChild([] {
           asm volatile("mov $0x10, %rsp\n mov $15, %eax\n syscall");
           return 1;
         }));
}
CASE(frame_sigreturn_of_bad_xstate_returns_all_the_same) {
  static volatile sig_atomic_t faults;
  struct sigaction action = {};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t*, void* context) {
    // A reserved word of the header behind the legacy area.
    auto* state = reinterpret_cast<char*>(static_cast<ucontext_t*>(context)->uc_mcontext.fpregs);
    reinterpret_cast<uint64_t*>(state + 512)[2] = 0xfffffff;
  };
  MUST(sigaction(SIGUSR1, &action, nullptr));
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    faults = faults + 1;
    g_info = *info;
    if (faults > 3) _exit(1);
  };
  MUST(sigaction(SIGSEGV, &action, nullptr));
  T(raise(SIGUSR1));
  Record("faults", faults);
  Record("code", g_info.si_code);
}
CASE(frame_swapcontext) {
  static ucontext_t main_context, other;
  static char stack[65536];
  static int steps;
  MUST(getcontext(&other));
  other.uc_stack.ss_sp = stack;
  other.uc_stack.ss_size = sizeof stack;
  other.uc_link = &main_context;
  makecontext(&other, +[] { steps++; }, 0);
  T(swapcontext(&main_context, &other));
  Record("steps", steps);
}
CASE(frame_setcontext_from_handler_context) {
  static volatile int step;
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t*, void* given) {
    auto* context = static_cast<ucontext_t*>(given);
    // Goes on behind the faulting two-byte instruction.
    context->uc_mcontext.gregs[REG_RIP] += 2;
    step = step + 1;
  };
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGILL, &action, nullptr));
  asm volatile("ud2");
  asm volatile("ud2");
  Record("steps", step);
}
