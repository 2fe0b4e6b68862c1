// ptrace(2): registers and memory; process_vm_readv(2), process_vm_writev(2).
#include <elf.h>
#include <linux/ptrace.h>
#include <stddef.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <vector>

#include "test/guest/ptracing.h"

using namespace guest;

// --- Registers
CASE(ptrace_registers) {
  const pid_t pid = Traced([] { return 0; });
  const user_regs_struct registers = Registers(pid);
  Record("cs", static_cast<long long>(registers.cs));
  Record("ss", static_cast<long long>(registers.ss));
  Record("orig", static_cast<long long>(registers.orig_rax));
  Record("fs", registers.fs_base != 0);
  unsigned long value = 0;
  T(Ptrace(PTRACE_PEEKUSR, pid, offsetof(user_regs_struct, rip), At(&value)));
  Record("same", value == registers.rip);
  T(Ptrace(PTRACE_PEEKUSR, pid, offsetof(struct user, u_debugreg), At(&value)));
  Record("debug", static_cast<long long>(value));
  Kill(pid);
}
CASE(ptrace_sets_registers) {
  const pid_t pid = Traced([] { return static_cast<int>(syscall(SYS_getppid) == 4711); });
  Ptrace(PTRACE_SYSCALL, pid);
  while (true) {
    WaitStatus(pid);
    user_regs_struct registers = Registers(pid);
    if (registers.orig_rax == SYS_getppid && static_cast<long>(registers.rax) != -ENOSYS) {
      registers.rax = 4711;
      T(Ptrace(PTRACE_SETREGS, pid, 0, At(&registers)));
      break;
    }
    Ptrace(PTRACE_SYSCALL, pid);
  }
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}
CASE(ptrace_bad_registers) {
  const pid_t pid = Traced([] { return 0; });
  user_regs_struct registers = Registers(pid);
  registers.cs = 0;
  T(Ptrace(PTRACE_SETREGS, pid, 0, At(&registers)));
  registers = Registers(pid);
  registers.fs_base = ~0ul;
  T(Ptrace(PTRACE_SETREGS, pid, 0, At(&registers)));
  T(Ptrace(PTRACE_POKEUSR, pid, offsetof(user_regs_struct, ss), 3));
  T(Ptrace(PTRACE_POKEUSR, pid, offsetof(user_regs_struct, rbx), 3));
  Kill(pid);
}
CASE(ptrace_register_sets) {
  const pid_t pid = Traced([] { return 0; });
  user_regs_struct registers = {};
  iovec vector = {&registers, sizeof(registers) + 64};
  T(Ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, At(&vector)));
  Record("size", static_cast<long long>(vector.iov_len));
  vector.iov_len = 16;
  T(Ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, At(&vector)));
  Record("size", static_cast<long long>(vector.iov_len));
  vector.iov_len = 5;
  T(Ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, At(&vector)));
  T(Ptrace(PTRACE_GETREGSET, pid, 0x999, At(&vector)));
  T(Ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, At(BadPointer())));
  vector.iov_len = sizeof(registers);
  T(Ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, At(&vector)));
  registers.rbx = 77;
  T(Ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, At(&vector)));
  Record("rbx", static_cast<long long>(Registers(pid).rbx));
  Kill(pid);
}
CASE(ptrace_floating_point) {
  const pid_t pid = Traced([] { return 0; });
  user_fpregs_struct fp = {};
  T(Ptrace(PTRACE_GETFPREGS, pid, 0, At(&fp)));
  Record("cwd", fp.cwd);
  Record("mxcsr", fp.mxcsr);
  fp.xmm_space[0] = 0x12345678;
  T(Ptrace(PTRACE_SETFPREGS, pid, 0, At(&fp)));
  user_fpregs_struct again = {};
  iovec vector = {&again, sizeof(again)};
  T(Ptrace(PTRACE_GETREGSET, pid, NT_FPREGSET, At(&vector)));
  Record("xmm", again.xmm_space[0]);
  fp.mxcsr = 0xffffffff;
  T(Ptrace(PTRACE_SETFPREGS, pid, 0, At(&fp)));
  std::vector<char> state(16384);
  vector = {state.data(), state.size()};
  T(Ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, At(&vector)));
  Record("large", vector.iov_len > 512);
  memcpy(&fp, state.data(), sizeof(fp));
  Record("xmm", fp.xmm_space[0]);
  Kill(pid);
}
CASE(ptrace_xstate_reaches_the_program) {
  const pid_t pid = Traced([] {
    unsigned value = 1;
    asm volatile("movd %1, %%xmm5\n\tmov %2, %%eax\n\tsyscall\n\tmovd %%xmm5, %0"
                 : "=r"(value)
                 : "r"(2), "i"(SYS_getppid)
                 : "rax", "rcx", "r11", "xmm5");
    return static_cast<int>(value);
  });
  Ptrace(PTRACE_SYSCALL, pid);
  WaitStatus(pid);
  while (Registers(pid).orig_rax != SYS_getppid) {
    Ptrace(PTRACE_SYSCALL, pid);
    WaitStatus(pid);
  }
  user_fpregs_struct fp = {};
  Ptrace(PTRACE_GETFPREGS, pid, 0, At(&fp));
  Record("xmm5", fp.xmm_space[20]);
  fp.xmm_space[20] = 33;
  T(Ptrace(PTRACE_SETFPREGS, pid, 0, At(&fp)));
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}

// --- Memory
CASE(ptrace_peek_and_poke) {
  const pid_t pid = Traced([] { return g_word == 0x55; });
  long value = 0;
  T(Ptrace(PTRACE_PEEKDATA, pid, At(&g_word), At(&value)));
  Record("value", value);
  T(Ptrace(PTRACE_POKEDATA, pid, At(&g_word), 0x55));
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}
CASE(ptrace_pokes_read_only_text) {
  const pid_t pid = Traced([] { return Answer(); });
  // ret with 11 in eax.
  T(Ptrace(PTRACE_POKETEXT, pid, At(&Answer), 0x9090c30000000bb8));
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
  Record("own", Answer());
}
CASE(ptrace_breakpoint) {
  const pid_t pid = Traced([] { return Answer(); });
  long text = 0;
  Ptrace(PTRACE_PEEKTEXT, pid, At(&Answer), At(&text));
  T(Ptrace(PTRACE_POKETEXT, pid, At(&Answer), (static_cast<unsigned long>(text) & ~0xfful) | 0xcc));
  Ptrace(PTRACE_CONT, pid);
  Record("stop", WaitText(pid));
  siginfo_t info = {};
  Ptrace(PTRACE_GETSIGINFO, pid, 0, At(&info));
  Record("code", info.si_code);
  user_regs_struct registers = Registers(pid);
  Record("rip", registers.rip == At(&Answer) + 1);
  Record("orig", static_cast<long long>(registers.orig_rax));
  registers.rip -= 1;
  Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
  T(Ptrace(PTRACE_POKETEXT, pid, At(&Answer), static_cast<unsigned long>(text)));
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}

// --- Others' memory
CASE(process_vm_reads_and_writes) {
  const pid_t pid = fork();
  if (pid == 0) {
    g_word = 99;
    pause();
    _exit(0);
  }
  SleepMs(20);
  long value = 0;
  iovec local = {&value, sizeof(value)};
  iovec remote = {const_cast<long*>(&g_word), sizeof(g_word)};
  T(process_vm_readv(pid, &local, 1, &remote, 1, 0));
  Record("value", value);
  value = 100;
  T(process_vm_writev(pid, &local, 1, &remote, 1, 0));
  value = 0;
  T(process_vm_readv(pid, &local, 1, &remote, 1, 0));
  Record("value", value);
  Record("own", g_word == 0x1122334455667788);
  Kill(pid);
}
CASE(process_vm_vectors) {
  char a[3] = {}, b[5] = {};
  const char source[] = "abcdefgh";
  iovec local[] = {{a, 3}, {nullptr, 0}, {b, 5}};
  iovec remote[] = {{const_cast<char*>(source), 2}, {const_cast<char*>(source) + 2, 6}};
  T(process_vm_readv(getpid(), local, 3, remote, 2, 0));
  Record("text", std::string(a, 3) + "|" + std::string(b, 5));
  T(process_vm_readv(getpid(), local, 1, remote, 2, 0));
  T(process_vm_readv(getpid(), local, 0, remote, 2, 0));
  T(process_vm_readv(getpid(), local, 3, remote, 0, 0));
}
CASE(process_vm_errors) {
  char buffer[16];
  iovec local = {buffer, sizeof(buffer)};
  iovec remote = {buffer, sizeof(buffer)};
  iovec bad = {BadPointer(), 16};
  T(process_vm_readv(getpid(), &local, 1, &remote, 1, 1));
  T(process_vm_readv(0x3fffff, &local, 1, &remote, 1, 0));
  T(process_vm_readv(getpid(), &local, 1, &bad, 1, 0));
  T(process_vm_readv(getpid(), &bad, 1, &remote, 1, 0));
  T(process_vm_readv(getpid(), &local, 2000, &remote, 1, 0));
  T(process_vm_readv(getpid(), static_cast<iovec*>(BadPointer()), 1, &remote, 1, 0));
  iovec negative = {buffer, static_cast<size_t>(-1)};
  T(process_vm_readv(getpid(), &negative, 1, &remote, 1, 0));
}
CASE(process_vm_stops_at_a_hole) {
  auto* pages = static_cast<char*>(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  munmap(pages + 4096, 4096);
  char buffer[64];
  iovec local = {buffer, sizeof(buffer)};
  iovec remote = {pages + 4096 - 10, 20};
  T(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}
CASE(process_vm_of_another_user) {
  Runner runner = Running();
  Record("child", InChild([&] {
           BecomeUser(1000, 1000);
           char buffer[8];
           iovec local = {buffer, 8}, remote = {const_cast<long*>(&g_word), 8};
           return process_vm_readv(runner.pid, &local, 1, &remote, 1, 0) == -1 ? errno : 0;
         }));
  Kill(runner.pid);
}
