// The gs base of a tracee, as its tracer sees and sets it.
#include <asm/prctl.h>
#include <stddef.h>

#include "test/guest/ptracing.h"

using namespace guest;

namespace {

constexpr int kArchPrctl = 30;  // PTRACE_ARCH_PRCTL

long g_first = 4711, g_other = 42;

long SetGs(const void* base) { return syscall(SYS_arch_prctl, ARCH_SET_GS, base); }
// Through the segment itself.
long AtGs() {
  long word = 0;
  asm volatile("movq %%gs:0, %0" : "=r"(word));
  return word;
}
void WriteGs(const void* base) { asm volatile("wrgsbase %0" ::"r"(base)); }
unsigned long AddressOf(const void* object) { return reinterpret_cast<unsigned long>(object); }

// The gs base of a stopped tracee, by each of the ways.
void ShowGs(const char* when, pid_t pid, const void* expected) {
  unsigned long base = 0;
  MUST(Ptrace(PTRACE_PEEKUSR, pid, offsetof(user_regs_struct, gs_base), At(&base)));
  const bool peeked = base == AddressOf(expected);
  const bool listed = Registers(pid).gs_base == AddressOf(expected);
  MUST(Ptrace(kArchPrctl, pid, At(&base), ARCH_GET_GS));
  const bool asked = base == AddressOf(expected);
  Record(when, (peeked ? "peek " : "- ") + std::string(listed ? "regs " : "- ") +
                   (asked ? "prctl" : "-"));
}

}  // namespace
CASE(a_tracer_sees_it) {
  const pid_t pid = Traced([] {
    MUST(SetGs(&g_first));
    raise(SIGSTOP);
    WriteGs(&g_other);
    raise(SIGSTOP);
    WriteGs(&g_first);
    raise(SIGUSR1);
    return AtGs() == g_other ? 7 : 8;
  });
  ShowGs("at first", pid, nullptr);
  MUST(Ptrace(PTRACE_CONT, pid));
  WaitStatus(pid);
  ShowGs("by a call", pid, &g_first);
  MUST(Ptrace(PTRACE_CONT, pid));
  WaitStatus(pid);
  ShowGs("by an instruction", pid, &g_other);
  MUST(Ptrace(PTRACE_CONT, pid));
  WaitStatus(pid);
  ShowGs("behind it", pid, &g_first);
  T(Ptrace(kArchPrctl, pid, At(&g_other), ARCH_SET_GS));
  ShowGs("set", pid, &g_other);
  MUST(Ptrace(PTRACE_CONT, pid));
  Record("end", WaitText(pid));
}
CASE(a_tracer_sets_it_with_the_registers) {
  const pid_t pid = Traced([] { return AtGs() == g_other ? 7 : 8; });
  user_regs_struct registers = Registers(pid);
  registers.gs_base = AddressOf(&g_other);
  T(Ptrace(PTRACE_SETREGS, pid, 0, At(&registers)));
  ShowGs("set", pid, &g_other);
  registers.gs_base = 1UL << 62;
  T(Ptrace(PTRACE_SETREGS, pid, 0, At(&registers)));
  T(Ptrace(PTRACE_POKEUSR, pid, offsetof(user_regs_struct, gs_base), ~0UL));
  T(Ptrace(kArchPrctl, pid, ~0UL, ARCH_SET_GS));
  T(Ptrace(kArchPrctl, pid, At(&g_other), 77));
  T(Ptrace(kArchPrctl, pid, 0, ARCH_GET_GS));
  MUST(Ptrace(PTRACE_CONT, pid));
  Record("end", WaitText(pid));
}
