// ptrace(2): system calls and single steps.
#include <linux/audit.h>
#include <linux/ptrace.h>
#include <sched.h>
#include <sys/user.h>

#include "test/guest/ptracing.h"

using namespace guest;

// --- System calls
CASE(ptrace_syscall_stops) {
  const pid_t pid = Traced([] {
    syscall(SYS_getppid);
    return 0;
  });
  T(Ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
  for (int i = 0; i < 2; ++i) {
    Ptrace(PTRACE_SYSCALL, pid);
    Record("stop", WaitText(pid));
    const user_regs_struct registers = Registers(pid);
    Record("call", static_cast<long long>(registers.orig_rax));
    Record("enosys", static_cast<long>(registers.rax) == -ENOSYS);
  }
  Ptrace(PTRACE_SYSCALL, pid);
  Record("stop", WaitText(pid));
  Record("call", static_cast<long long>(Registers(pid).orig_rax));
  Ptrace(PTRACE_SYSCALL, pid);
  Record("end", WaitText(pid));
}
CASE(ptrace_syscall_stop_without_sysgood) {
  const pid_t pid = Traced([] { return 0; });
  Ptrace(PTRACE_SYSCALL, pid);
  Record("stop", WaitText(pid));
  siginfo_t info = {};
  Ptrace(PTRACE_GETSIGINFO, pid, 0, At(&info));
  Record("code", info.si_code);
  Kill(pid);
}
CASE(ptrace_sees_native_calls) {
  const pid_t pid = Traced([] {
    void* page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    munmap(page, 4096);
    sched_yield();
    return 0;
  });
  std::string calls;
  bool entry = true;
  while (true) {
    Ptrace(PTRACE_SYSCALL, pid);
    const int status = WaitStatus(pid);
    if (!WIFSTOPPED(status)) break;
    if (entry) calls += std::to_string(Registers(pid).orig_rax) + ",";
    entry = !entry;
  }
  Record("calls", calls);
}
CASE(ptrace_changes_a_call) {
  const pid_t pid = Traced([] { return mkdir("one", 0755) == 0 && access("one", F_OK) != 0; });
  while (true) {
    Ptrace(PTRACE_SYSCALL, pid);
    WaitStatus(pid);
    user_regs_struct registers = Registers(pid);
    if (registers.orig_rax != SYS_mkdir) continue;
    registers.orig_rax = SYS_getppid;
    Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
    Ptrace(PTRACE_SYSCALL, pid);
    WaitStatus(pid);
    registers = Registers(pid);
    Record("orig", static_cast<long long>(registers.orig_rax));
    registers.rax = 0;
    Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
    break;
  }
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
  T(access("one", F_OK));
}
CASE(ptrace_skips_a_call) {
  const pid_t pid = Traced([] { return mkdir("one", 0755) == -1 ? errno : 0; });
  while (true) {
    Ptrace(PTRACE_SYSCALL, pid);
    WaitStatus(pid);
    user_regs_struct registers = Registers(pid);
    if (registers.orig_rax != SYS_mkdir) continue;
    registers.orig_rax = ~0ul;
    registers.rax = static_cast<unsigned long>(-EDOM);
    Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
    break;
  }
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
  T(access("one", F_OK));
}
CASE(ptrace_emulates_a_call) {
  const pid_t pid = Traced([] { return static_cast<int>(syscall(SYS_getppid)); });
  T(Ptrace(PTRACE_SYSEMU, pid));
  Record("stop", WaitText(pid));
  user_regs_struct registers = Registers(pid);
  Record("call", static_cast<long long>(registers.orig_rax));
  registers.rax = 21;
  Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}
CASE(ptrace_syscall_info) {
  struct Info {
    uint8_t op;
    uint8_t padding[3];
    uint32_t arch;
    uint64_t ip, sp;
    uint64_t words[8];
  };
  const pid_t pid = Traced([] {
    syscall(SYS_dup2, 901, 902);
    return 0;
  });
  Info info = {};
  T(Ptrace(0x420e, pid, sizeof(info), At(&info)));
  Record("op", info.op);
  Ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
  Ptrace(PTRACE_SYSCALL, pid);
  WaitStatus(pid);
  T(Ptrace(0x420e, pid, sizeof(info), At(&info)));
  Record("op", info.op);
  Record("arch", info.arch == AUDIT_ARCH_X86_64);
  Record("call", static_cast<long long>(info.words[0]));
  Record("arg", static_cast<long long>(info.words[1]));
  Record("arg", static_cast<long long>(info.words[2]));
  unsigned long message = 0;
  T(Ptrace(PTRACE_GETEVENTMSG, pid, 0, At(&message)));
  Record("message", static_cast<long long>(message));
  Ptrace(PTRACE_SYSCALL, pid);
  WaitStatus(pid);
  T(Ptrace(0x420e, pid, sizeof(info), At(&info)));
  Record("op", info.op);
  Record("value", static_cast<long long>(info.words[0]));
  Record("error", static_cast<long long>(info.words[1] & 0xff));
  T(Ptrace(0x420e, pid, 4, At(&info)));
  Kill(pid);
}
CASE(ptrace_interrupted_call) {
  const pid_t pid = Traced([] {
    struct sigaction action = {};
    action.sa_handler = Count;
    sigaction(SIGALRM, &action, nullptr);
    alarm(1);
    return pause() == -1 ? errno : 0;
  });
  long rax = 0;
  while (true) {
    Ptrace(PTRACE_SYSCALL, pid);
    const int status = WaitStatus(pid);
    if (WSTOPSIG(status) == SIGALRM) break;
    rax = static_cast<long>(Registers(pid).rax);
  }
  Record("rax", rax);
  Record("now", static_cast<long long>(Registers(pid).rax));
  Ptrace(PTRACE_CONT, pid, 0, SIGALRM);
  Record("end", WaitText(pid));
}
CASE(ptrace_restarted_call) {
  const pid_t pid = Traced([] {
    alarm(1);
    const timespec time = {1, 200'000'000};
    return syscall(SYS_nanosleep, &time, nullptr) == 0 ? 3 : errno;
  });
  std::string calls;
  while (true) {
    Ptrace(PTRACE_SYSCALL, pid);
    const int status = WaitStatus(pid);
    if (!WIFSTOPPED(status)) break;
    if (WSTOPSIG(status) == SIGALRM) {
      calls += "signal,";
      continue;
    }
    const user_regs_struct registers = Registers(pid);
    calls += std::to_string(registers.orig_rax) + "=" +
             std::to_string(static_cast<long>(registers.rax)) + ",";
  }
  Record("calls", calls.substr(calls.find("35=")));
}

// --- Single steps
CASE(ptrace_single_step) {
  const pid_t pid = Traced([] { return 3; });
  unsigned long before = Registers(pid).rip;
  int moved = 0;
  for (int i = 0; i < 20; ++i) {
    if (Ptrace(PTRACE_SINGLESTEP, pid) != 0) break;
    const int status = WaitStatus(pid);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) break;
    const user_regs_struct registers = Registers(pid);
    moved += registers.rip != before;
    before = registers.rip;
    if ((registers.eflags & 0x100) != 0) Record("trap flag", i);
  }
  Record("moved", moved);
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}
CASE(ptrace_steps_one_instruction) {
  const pid_t pid = Traced([] { return Answer(); });
  long text = 0;
  Ptrace(PTRACE_PEEKTEXT, pid, At(&Answer), At(&text));
  Ptrace(PTRACE_POKETEXT, pid, At(&Answer), (static_cast<unsigned long>(text) & ~0xfful) | 0xcc);
  Ptrace(PTRACE_CONT, pid);
  WaitStatus(pid);
  user_regs_struct registers = Registers(pid);
  registers.rip -= 1;
  Ptrace(PTRACE_SETREGS, pid, 0, At(&registers));
  // Eight times `nop`.
  Ptrace(PTRACE_POKETEXT, pid, At(&Answer), 0x9090909090909090);
  for (int i = 0; i < 3; ++i) {
    T(Ptrace(PTRACE_SINGLESTEP, pid));
    Record("stop", WaitText(pid));
    Record("offset", static_cast<long long>(Registers(pid).rip - At(&Answer)));
  }
  siginfo_t info = {};
  Ptrace(PTRACE_GETSIGINFO, pid, 0, At(&info));
  Record("code", info.si_code);
  Kill(pid);
}
CASE(ptrace_steps_over_a_call) {
  const pid_t pid = Traced([] {
    syscall(SYS_getppid);
    return 0;
  });
  Ptrace(PTRACE_SYSCALL, pid);
  WaitStatus(pid);
  const unsigned long entry = Registers(pid).rip;
  T(Ptrace(PTRACE_SINGLESTEP, pid));
  Record("stop", WaitText(pid));
  Record("same", Registers(pid).rip == entry);
  Kill(pid);
}
CASE(ptrace_steps_into_a_handler) {
  const pid_t pid = Traced([] {
    signal(SIGUSR1, Count);
    raise(SIGUSR1);
    return static_cast<int>(g_signals);
  });
  Ptrace(PTRACE_CONT, pid);
  WaitStatus(pid);
  T(Ptrace(PTRACE_SINGLESTEP, pid, 0, SIGUSR1));
  Record("stop", WaitText(pid));
  Record("handler", Registers(pid).rip == At(&Count));
  Record("signal", static_cast<long long>(Registers(pid).rdi));
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}
CASE(ptrace_syscall_after_many_calls_that_nobody_wants_to_see) {
  const pid_t pid = Traced([] {
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 100; ++i) {
        syscall(SYS_getppid);
        syscall(SYS_getpid);
      }
      raise(SIGSTOP);
      syscall(SYS_getpid);
      syscall(SYS_getuid);
    }
    return 9;
  });
  for (int round = 0; round < 3; ++round) {
    Ptrace(PTRACE_CONT, pid);
    Record("stop", WaitText(pid));
    // Behind the call that has sent the signal, and two more.
    for (int i = 0; i < 5; ++i) {
      Ptrace(PTRACE_SYSCALL, pid);
      WaitStatus(pid);
      Record("call", static_cast<long long>(Registers(pid).orig_rax));
    }
  }
  Ptrace(PTRACE_CONT, pid);
  Record("end", WaitText(pid));
}
