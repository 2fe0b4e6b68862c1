// ptrace(2): the debug registers in struct user, by which debuggers have
// breakpoints and watchpoints of the processor.
#include <sched.h>
#include <stddef.h>
#include <sys/user.h>

#include "test/guest/ptracing.h"

using namespace guest;

namespace {

constexpr unsigned long kTaskSize = 0x7ffffffff000;
enum Kind : unsigned long { kExecute = 0, kWrite = 1, kPort = 2, kReadWrite = 3 };
enum Length : unsigned long { kOne = 0, kTwo = 1, kEight = 2, kFour = 3 };

unsigned long Enabled(int number, Kind kind, Length length) {
  return 1ul << (2 * number) | (kind | length << 2) << (16 + 4 * number);
}
unsigned long Offset(int number) {
  return offsetof(struct user, u_debugreg) + 8ul * static_cast<unsigned long>(number);
}
long Set(pid_t pid, int number, unsigned long value) {
  return Ptrace(PTRACE_POKEUSR, pid, Offset(number), value);
}
unsigned long Get(pid_t pid, int number) {
  unsigned long value = 0;
  if (Ptrace(PTRACE_PEEKUSR, pid, Offset(number), At(&value)) != 0) Broken("PEEKUSER");
  return value;
}
void RecordRegister(pid_t pid, int number) {
  char text[32];
  snprintf(text, sizeof(text), "%lx", Get(pid, number));
  Record("dr" + std::to_string(number), text);
}
void RecordAll(pid_t pid) {
  for (int number : {0, 1, 2, 3, 4, 5, 6, 7}) RecordRegister(pid, number);
}
void Watch(pid_t pid, int number, unsigned long address, Kind kind, Length length) {
  if (Set(pid, number, address) != 0) Broken("address");
  if (Set(pid, 7, Get(pid, 7) | Enabled(number, kind, length)) != 0) Broken("control");
}

struct alignas(64) Data {
  volatile char bytes[64];
  volatile long words[8];
};
Data g_data;

// The stop, DR6, what siginfo says, and where it is.
void RecordStop(pid_t pid, unsigned long code = 0) {
  const std::string stop = WaitText(pid);
  Record("stop", stop);
  if (stop != "stopped 5") return;
  siginfo_t info = {};
  Ptrace(PTRACE_GETSIGINFO, pid, 0, At(&info));
  const user_regs_struct registers = Registers(pid);
  Record("code", info.si_code);
  Record("address", reinterpret_cast<unsigned long>(info.si_addr) == registers.rip);
  Record("rf", (registers.eflags & 0x10000) != 0);
  Record("tf", (registers.eflags & 0x100) != 0);
  if (code != 0) Record("offset", static_cast<long long>(registers.rip - code));
  RecordRegister(pid, 6);
}
void RecordNext(pid_t pid, int request = PTRACE_CONT, unsigned long code = 0) {
  Ptrace(request, pid);
  RecordStop(pid, code);
}

extern "C" const char DebugCode[], DebugBehindCall[];
// Eight times `nop`, and a call.
__attribute__((noinline)) int Code() {
  long result = 0;
  asm volatile(
      ".globl DebugCode, DebugBehindCall\n"
      "DebugCode: nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n"
      "syscall\n"
      "DebugBehindCall: nop\n"
      : "=a"(result)
      : "a"(SYS_getppid)
      : "rcx", "r11", "memory");
  return 42;
}

template <typename Body>
void Accesses(Kind kind, Length length, unsigned long address, Body body) {
  const pid_t pid = Traced([&] {
    body();
    return 7;
  });
  Watch(pid, 1, address, kind, length);
  for (int i = 0; i < 12; ++i) {
    Ptrace(PTRACE_CONT, pid);
    int status = WaitStatus(pid);
    if (!WIFSTOPPED(status)) return Record("end", StatusText(status));
    // Where in the code does not matter: which and how often.
    RecordRegister(pid, 6);
  }
  Kill(pid);
}

}  // namespace

// --- The registers
CASE(debug_registers_at_first) {
  const pid_t pid = Traced([] { return 0; });
  RecordAll(pid);
  Kill(pid);
}
CASE(debug_registers_addresses) {
  const pid_t pid = Traced([] { return 0; });
  for (unsigned long address :
       {0x1000ul, 0x1001ul, kTaskSize - 1, kTaskSize, ~0ul, 0xffff800000000000ul, 0ul}) {
    T(Set(pid, 0, address));
    RecordRegister(pid, 0);
  }
  T(Set(pid, 3, 0x77));
  T(Set(pid, 4, 1));
  T(Set(pid, 5, 1));
  RecordAll(pid);
  Kill(pid);
}
CASE(debug_registers_status) {
  const pid_t pid = Traced([] { return 0; });
  for (unsigned long value : {0ul, 1ul, ~0ul, 0x1234567890ul, 0xffff0ff0ul}) {
    T(Set(pid, 6, value));
    RecordRegister(pid, 6);
  }
  Kill(pid);
}
CASE(debug_registers_control) {
  const pid_t pid = Traced([] { return 0; });
  for (unsigned long value :
       {0x400ul, 0x100ul, 0x300ul, 0xfc00ul, 0x2000ul, 0xffffffff00000000ul, 0x10001ul, 0x20001ul,
        0x30001ul, 0x40001ul, 0x50001ul, 0x80001ul, 0xc0001ul, 0xd0001ul, 0xf0001ul, 0x2ul, 0x0ul,
        0xffff0000ul, 0xffff00fful}) {
    T(Set(pid, 7, value));
    RecordRegister(pid, 7);
  }
  RecordAll(pid);
  Kill(pid);
}
CASE(debug_registers_control_of_registers_in_use) {
  const pid_t pid = Traced([] { return 0; });
  Set(pid, 0, 0x1000);
  // Not enabled, but the type counts for one that has an address.
  for (unsigned long value :
       {0x00020000ul, 0x00040000ul, 0x00080000ul, 0x00200000ul, 0x000d0000ul}) {
    T(Set(pid, 7, value));
    RecordRegister(pid, 7);
  }
  Kill(pid);
}
CASE(debug_registers_alignment) {
  const pid_t pid = Traced([] { return 0; });
  Set(pid, 0, 0x1002);
  for (Length length : {kOne, kTwo, kFour, kEight}) {
    T(Set(pid, 7, Enabled(0, kWrite, length)));
    RecordRegister(pid, 7);
  }
  T(Set(pid, 7, Enabled(0, kWrite, kTwo)));
  T(Set(pid, 0, 0x1003));
  RecordRegister(pid, 0);
  T(Set(pid, 0, 0x1004));
  T(Set(pid, 7, Enabled(0, kReadWrite, kFour)));
  T(Set(pid, 0, 0x1006));
  T(Set(pid, 7, 0));
  T(Set(pid, 0, 0x1006));
  RecordAll(pid);
  Kill(pid);
}
CASE(debug_registers_some_fail) {
  const pid_t pid = Traced([] { return 0; });
  Set(pid, 1, 0x1001);
  T(Set(pid, 7, Enabled(0, kWrite, kOne)));
  // The second is not aligned: neither changes.
  T(Set(pid, 7, Enabled(0, kWrite, kEight) | Enabled(1, kWrite, kFour)));
  RecordAll(pid);
  Kill(pid);
}
CASE(debug_registers_length_across_the_end) {
  const pid_t pid = Traced([] { return 0; });
  T(Set(pid, 0, kTaskSize - 8));
  T(Set(pid, 7, Enabled(0, kWrite, kEight)));
  T(Set(pid, 0, kTaskSize));
  RecordAll(pid);
  Kill(pid);
}

// --- Watchpoints
CASE(watch_a_write) {
  const pid_t pid = Traced([] {
    g_data.words[0] = 1;
    g_data.words[1] = 2;
    g_data.words[0] = 1;
    return static_cast<int>(g_data.words[0]);
  });
  Watch(pid, 0, At(&g_data.words[0]), kWrite, kEight);
  for (int i = 0; i < 3; ++i) RecordNext(pid);
}
CASE(watch_reads_and_writes) {
  const pid_t pid = Traced([] {
    const long read = g_data.words[0];
    g_data.words[0] = 1;
    return static_cast<int>(g_data.words[0] + read);
  });
  Watch(pid, 3, At(&g_data.words[0]), kReadWrite, kEight);
  for (int i = 0; i < 4; ++i) RecordNext(pid);
}
CASE(watch_two_at_once) {
  const pid_t pid = Traced([] {
    g_data.words[0] = 1;
    g_data.words[1] = 1;
    return 3;
  });
  Watch(pid, 0, At(&g_data.words[0]), kWrite, kEight);
  Watch(pid, 1, At(&g_data.words[0]) + 4, kReadWrite, kFour);
  Watch(pid, 2, At(&g_data.words[1]) + 1, kWrite, kOne);
  for (int i = 0; i < 3; ++i) RecordNext(pid);
}
CASE(watch_status_stays_until_the_next) {
  const pid_t pid = Traced([] {
    g_data.words[0] = 1;
    raise(SIGSTOP);
    g_data.words[1] = 1;
    return 3;
  });
  Watch(pid, 0, At(&g_data.words[0]), kWrite, kEight);
  Watch(pid, 1, At(&g_data.words[1]), kWrite, kEight);
  RecordNext(pid);
  RecordNext(pid);
  RecordRegister(pid, 6);
  RecordNext(pid);
  Set(pid, 6, 0);
  RecordRegister(pid, 6);
  RecordNext(pid);
}
CASE(watch_bytes_beside) {
  Accesses(kWrite, kTwo, At(&g_data.bytes[2]), [] {
    g_data.bytes[1] = 1;
    g_data.bytes[4] = 1;
    raise(SIGUSR2);  // a mark
  });
}
CASE(watch_part_of_an_access) {
  Accesses(kWrite, kOne, At(&g_data.bytes[7]), [] {
    asm volatile("movq $1, %0" : "=m"(g_data.words[7]));
    asm volatile("movq $1, %0"
                 : "=m"(*const_cast<long*>(reinterpret_cast<volatile long*>(&g_data.bytes[0]))));
  });
}
CASE(watch_an_access_in_part) {
  Accesses(kWrite, kEight, At(&g_data.bytes[8]), [] {
    g_data.bytes[9] = 1;
    g_data.bytes[15] = 1;
    asm volatile("movl $1, %0"
                 : "=m"(*const_cast<int*>(reinterpret_cast<volatile int*>(&g_data.bytes[6]))));
  });
}
CASE(watch_string_instructions) {
  Accesses(kWrite, kOne, At(&g_data.bytes[5]), [] {
    void* to = const_cast<char*>(g_data.bytes);
    size_t count = 16;
    asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(1) : "memory");
    to = const_cast<char*>(g_data.bytes);
    count = 0;
    asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(1) : "memory");
    to = const_cast<char*>(g_data.bytes);
    const void* from = const_cast<char*>(g_data.bytes) + 32;
    count = 2;
    asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
  });
}
CASE(watch_the_stack) {
  Accesses(kReadWrite, kEight, At(&g_data.words[4]), [] {
    // push, pop, call, ret
    asm volatile(
        "mov %%rsp, %%rbx\n"
        "lea %0, %%rsp\n"
        "push %%rax\n"
        "pop %%rax\n"
        "call 1f\n"
        "jmp 2f\n"
        "1: ret\n"
        "2: mov %%rbx, %%rsp\n"
        :
        : "m"(g_data.words[5])
        : "rbx", "memory");
  });
}
CASE(watch_updates) {
  Accesses(kReadWrite, kEight, At(&g_data.words[0]), [] {
    asm volatile("addq $1, %0" : "+m"(g_data.words[0]));
    asm volatile("lock xaddq %1, %0" : "+m"(g_data.words[0]) : "r"(1l));
    asm volatile("cmpq $1, %0" : : "m"(g_data.words[0]));
    asm volatile("lea %0, %%rax" : : "m"(g_data.words[0]) : "rax");
    asm volatile("prefetcht0 %0" : : "m"(g_data.words[0]));
  });
}
CASE(watch_only_writes_of_updates) {
  Accesses(kWrite, kEight, At(&g_data.words[0]), [] {
    asm volatile("cmpq $1, %0" : : "m"(g_data.words[0]));
    asm volatile("addq $0, %0" : "+m"(g_data.words[0]));
    long expected = 12345;
    asm volatile("lock cmpxchgq %2, %0" : "+m"(g_data.words[0]), "+a"(expected) : "r"(1l));
    asm volatile("testq $1, %0" : : "m"(g_data.words[0]));
    asm volatile("btsq $3, %0" : "+m"(g_data.words[0]));
  });
}
CASE(watch_vectors) {
  Accesses(kReadWrite, kEight, At(&g_data.words[1]), [] {
    asm volatile("movups %0, %%xmm0" : : "m"(g_data.words[0]) : "xmm0");
    asm volatile("movups %%xmm0, %0" : "=m"(g_data.words[0]) : : "xmm0");
    asm volatile("movsd %%xmm0, %0" : "=m"(g_data.words[0]) : : "xmm0");
    asm volatile("movhps %%xmm0, %0" : "=m"(g_data.words[1]) : : "xmm0");
    asm volatile("fldl %0; fstpl %0" : "+m"(g_data.words[1]));
  });
}
CASE(watch_masked_elements) {
  if (!__builtin_cpu_supports("avx512bw")) return Record("skipped", 1);
  for (int watched : {2, 33, 48}) {
    Accesses(kWrite, kOne, At(&g_data.bytes[watched]), [] {
      asm volatile(
          "kmovq %0, %%k1\n"
          "vmovdqu8 %%zmm0, %1 %{%%k1%}\n"
          "vmovdqu64 %%zmm0, %1 %{%%k1%}\n"
          :
          : "r"(0xfffffffff0ul), "m"(g_data)
          : "memory");
    });
  }
}
CASE(watch_by_fs) {
  static thread_local volatile long variable;
  Accesses(kWrite, kEight, At(&variable), [] {
    asm volatile("movq $1, %%fs:%0" : : "m"(*reinterpret_cast<volatile long*>(16)));
    variable = 4;
    variable = 5;
  });
}
CASE(watch_does_not_see_the_kernel) {
  int pipes[2];
  MUST(pipe(pipes));
  MUST(write(pipes[1], "abcdefgh", 8));
  Accesses(kReadWrite, kEight, At(&g_data.words[0]), [&] {
    (void)!syscall(SYS_read, pipes[0], &g_data.words[0], 8);
    (void)!syscall(SYS_write, pipes[1], &g_data.words[0], 8);
    raise(SIGUSR2);
  });
}
CASE(watch_while_calls_stop) {
  const pid_t pid = Traced([] {
    syscall(SYS_getppid);
    g_data.words[0] = 1;
    syscall(SYS_getpid);
    return 5;
  });
  Watch(pid, 0, At(&g_data.words[0]), kWrite, kEight);
  Ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
  for (int i = 0; i < 6; ++i) RecordNext(pid, PTRACE_SYSCALL);
  Kill(pid);
}
CASE(watch_in_a_handler) {
  const pid_t pid = Traced([] {
    signal(SIGUSR1, [](int) { g_data.words[0] = 1; });
    raise(SIGUSR1);
    g_data.words[0] = 2;
    return 5;
  });
  Watch(pid, 0, At(&g_data.words[0]), kWrite, kEight);
  RecordNext(pid);
  Ptrace(PTRACE_CONT, pid, 0, SIGUSR1);
  RecordStop(pid);
  for (int i = 0; i < 2; ++i) RecordNext(pid);
}
CASE(watch_does_not_show_the_trap_flag) {
  Accesses(kWrite, kEight, At(&g_data.words[0]), [] {
    unsigned long flags = 0;
    asm volatile("pushfq\n pop %0" : "=r"(flags));
    if ((flags & 0x100) != 0) raise(SIGUSR2);
    asm volatile("push %0\n popfq" : : "r"(flags) : "cc");
    g_data.words[0] = 1;
  });
}
CASE(watch_a_program_that_steps_itself) {
  const pid_t pid = Traced([] {
    static volatile int steps;
    signal(SIGTRAP, [](int) { steps = steps + 1; });
    asm volatile(
        "pushfq\n"
        "orq $0x100, (%%rsp)\n"
        "popfq\n"
        "nop\n nop\n"
        "pushfq\n"
        "andq $~0x100, (%%rsp)\n"
        "popfq\n" ::
            : "cc", "memory");
    return static_cast<int>(steps);
  });
  Watch(pid, 0, At(&g_data.words[0]), kWrite, kEight);
  for (int i = 0; i < 9; ++i) {
    Ptrace(PTRACE_CONT, pid, 0, i == 0 ? 0 : SIGTRAP);
    const int status = WaitStatus(pid);
    if (!WIFSTOPPED(status)) return Record("end", StatusText(status));
    RecordRegister(pid, 6);
  }
  Kill(pid);
}
CASE(watch_sleeps_and_restarts) {
  Runner runner = Running([] {
    g_data.words[0] = 1;
    return 6;
  });
  Ptrace(PTRACE_ATTACH, runner.pid);
  WaitStatus(runner.pid);
  Watch(runner.pid, 0, At(&g_data.words[0]), kWrite, kEight);
  Ptrace(PTRACE_CONT, runner.pid);
  SleepMs(20);
  Tell(runner);
  RecordStop(runner.pid);
  RecordNext(runner.pid);
}
CASE(watch_steps) {
  const pid_t pid = Traced([] {
    g_data.words[0] = 1;
    return 5;
  });
  Watch(pid, 0, At(&g_data.words[0]), kWrite, kEight);
  for (int i = 0; i < 1000; ++i) {
    Ptrace(PTRACE_SINGLESTEP, pid);
    WaitStatus(pid);
    if (i == 3) RecordRegister(pid, 6);
    if ((Get(pid, 6) & 1) == 0) continue;
    siginfo_t info = {};
    Ptrace(PTRACE_GETSIGINFO, pid, 0, At(&info));
    Record("code", info.si_code);
    RecordRegister(pid, 6);
    break;
  }
  RecordNext(pid);
}

// --- Breakpoints
CASE(break_before_the_instruction) {
  const pid_t pid = Traced([] { return Code() + Code(); });
  Watch(pid, 2, At(DebugCode), kExecute, kOne);
  for (int i = 0; i < 3; ++i) RecordNext(pid, PTRACE_CONT, At(DebugCode));
}
CASE(break_and_step) {
  const pid_t pid = Traced([] { return Code(); });
  Watch(pid, 0, At(DebugCode), kExecute, kOne);
  RecordNext(pid, PTRACE_CONT, At(DebugCode));
  RecordNext(pid, PTRACE_SINGLESTEP, At(DebugCode));
  RecordNext(pid, PTRACE_SINGLESTEP, At(DebugCode));
  // Into another one.
  Watch(pid, 1, At(DebugCode) + 3, kExecute, kOne);
  for (int i = 0; i < 4; ++i) RecordNext(pid, PTRACE_SINGLESTEP, At(DebugCode));
  RecordNext(pid);
}
CASE(break_in_a_row) {
  const pid_t pid = Traced([] { return Code(); });
  for (int i = 0; i < 3; ++i) {
    Watch(pid, i, At(DebugCode) + static_cast<unsigned long>(i), kExecute, kOne);
  }
  for (int i = 0; i < 4; ++i) RecordNext(pid, PTRACE_CONT, At(DebugCode));
}
CASE(break_again_without_the_resume_flag) {
  const pid_t pid = Traced([] { return Code(); });
  Watch(pid, 0, At(DebugCode) + 2, kExecute, kOne);
  RecordNext(pid, PTRACE_CONT, At(DebugCode));
  user_regs_struct registers = Registers(pid);
  registers.eflags &= ~0x10000ul;
  Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
  RecordNext(pid, PTRACE_CONT, At(DebugCode));
  registers.eflags |= 0x10000ul;
  Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
  RecordNext(pid, PTRACE_CONT, At(DebugCode));
}
CASE(break_behind_a_call) {
  const pid_t pid = Traced([] { return Code(); });
  Watch(pid, 0, At(DebugBehindCall), kExecute, kOne);
  for (int i = 0; i < 2; ++i) RecordNext(pid, PTRACE_CONT, At(DebugBehindCall));
}
CASE(break_at_a_call) {
  const pid_t pid = Traced([] { return Code(); });
  Watch(pid, 0, At(DebugBehindCall) - 2, kExecute, kOne);
  for (int i = 0; i < 2; ++i) RecordNext(pid, PTRACE_SYSCALL, At(DebugBehindCall));
  for (int i = 0; i < 1; ++i) RecordNext(pid, PTRACE_CONT, At(DebugBehindCall));
}
CASE(break_at_a_handler) {
  const pid_t pid = Traced([] {
    signal(SIGUSR1, Count);
    raise(SIGUSR1);
    return static_cast<int>(g_signals);
  });
  Watch(pid, 0, At(&Count), kExecute, kOne);
  RecordNext(pid);
  Ptrace(PTRACE_CONT, pid, 0, SIGUSR1);
  RecordStop(pid, At(&Count));
  RecordNext(pid);
}
CASE(break_when_set_to_the_place_of_the_stop) {
  const pid_t pid = Traced([] { return Code(); });
  Watch(pid, 0, At(DebugCode), kExecute, kOne);
  RecordNext(pid, PTRACE_CONT, At(DebugCode));
  RecordNext(pid, PTRACE_SINGLESTEP, At(DebugCode));
  Set(pid, 7, 0);
  Watch(pid, 1, Registers(pid).rip, kExecute, kOne);
  RecordNext(pid, PTRACE_CONT, At(DebugCode));
  RecordNext(pid, PTRACE_CONT, At(DebugCode));
}
CASE(break_and_go_elsewhere) {
  const pid_t pid = Traced([] { return Code(); });
  Watch(pid, 0, At(DebugCode), kExecute, kOne);
  Watch(pid, 1, At(DebugCode) + 4, kExecute, kOne);
  RecordNext(pid, PTRACE_CONT, At(DebugCode));
  user_regs_struct registers = Registers(pid);
  registers.rip += 4;
  Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
  RecordNext(pid, PTRACE_CONT, At(DebugCode));
}
CASE(break_global_enable) {
  const pid_t pid = Traced([] { return Code(); });
  Set(pid, 0, At(DebugCode));
  T(Set(pid, 7, 2));
  RecordNext(pid, PTRACE_CONT, At(DebugCode));
  T(Set(pid, 7, 0));
  RecordNext(pid);
}

// --- Who has them
CASE(debug_registers_after_fork) {
  const pid_t pid = Traced([] {
    const pid_t child = fork();
    g_data.words[0] = 1;
    if (child == 0) return 3;
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 50;
  });
  Ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK);
  Watch(pid, 0, At(&g_data.words[0]), kWrite, kEight);
  Set(pid, 6, 0);
  RecordNext(pid);
  unsigned long child = 0;
  Ptrace(PTRACE_GETEVENTMSG, pid, 0, At(&child));
  const auto child_pid = static_cast<pid_t>(child);
  Record("child", WaitText(child_pid));
  RecordAll(child_pid);
  RecordNext(child_pid);
  RecordNext(pid);
  RecordNext(pid);
  // By SIGCHLD, or the end.
  RecordNext(pid);
  if (kill(pid, 0) == 0) RecordNext(pid);
}
CASE(debug_registers_of_a_thread) {
  const pid_t pid = Traced([] {
    static char stack[16384];
    const int tid = clone(
        [](void*) {
          g_data.words[0] = 1;
          return 0;
        },
        stack + sizeof(stack), CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD,
        nullptr);
    while (tid > 0 && g_data.words[0] == 0) sched_yield();
    return tid > 0 ? 3 : 4;
  });
  Watch(pid, 0, At(&g_data.words[0]), kWrite, kEight);
  RecordNext(pid);
}
CASE(debug_registers_after_exec) {
  const pid_t pid = Traced([] {
    execl("/proc/self/exe", "x", "no_such_case", nullptr);
    return 9;
  });
  Watch(pid, 0, At(&g_data.words[0]), kWrite, kEight);
  Watch(pid, 1, At(&Count), kExecute, kOne);
  RecordNext(pid);
  for (int number : {0, 1, 2, 3, 7}) {
    Record("dr" + std::to_string(number) + " is zero", Get(pid, number) == 0);
  }
  Kill(pid);
}
CASE(debug_registers_disarmed) {
  const pid_t pid = Traced([] {
    g_data.words[0] = 1;
    g_data.words[0] = 2;
    return 4;
  });
  Watch(pid, 0, At(&g_data.words[0]), kWrite, kEight);
  RecordNext(pid);
  T(Set(pid, 7, 0));
  RecordRegister(pid, 0);
  RecordNext(pid);
}
CASE(debug_registers_signal_is_not_delivered_unless_asked) {
  const pid_t pid = Traced([] {
    signal(SIGTRAP, Count);
    g_data.words[0] = 1;
    g_data.words[0] = 2;
    return 10 + static_cast<int>(g_signals);
  });
  Watch(pid, 0, At(&g_data.words[0]), kWrite, kEight);
  RecordNext(pid);
  RecordNext(pid);
  Ptrace(PTRACE_CONT, pid, 0, SIGTRAP);
  RecordStop(pid);
}
CASE(step_over_fork) {
  const pid_t pid = Traced([] {
    const pid_t child = fork();
    if (child == 0) _exit(3);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 50;
  });
  int steps = 0;
  while (true) {
    Ptrace(PTRACE_SINGLESTEP, pid);
    const int status = WaitStatus(pid);
    if (!WIFSTOPPED(status)) return Record("end", StatusText(status));
    if (++steps > 5000) break;
  }
  Kill(pid);
}
CASE(step_status) {
  const pid_t pid = Traced([] { return Code(); });
  RecordNext(pid, PTRACE_SINGLESTEP);
  Set(pid, 6, 0);
  RecordNext(pid, PTRACE_SINGLESTEP);
  RecordNext(pid);
}
