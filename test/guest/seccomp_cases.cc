// seccomp(2): validation, modes, actions.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>

#include "test/guest/filtering.h"

using namespace guest;

// --- Validation.
CASE(seccomp_bad_operation) {
  T(syscall(SYS_seccomp, 99, 0, nullptr));
  T(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, nullptr));
  T(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, BadPointer()));
  T(prctl(PR_SET_SECCOMP, 7, 0));
  T(prctl(PR_GET_SECCOMP));
}
CASE(seccomp_bad_flags) {
  NoNewPrivileges();
  const Code code = {Return(SECCOMP_RET_ALLOW)};
  T(Install(code, 0x1000));
  T(Install(code, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER));
  T(Install(code, 1u << 5));
}
CASE(seccomp_bad_pointers) {
  NoNewPrivileges();
  T(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, BadPointer()));
  T(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, nullptr));
  sock_fprog program = {1, static_cast<sock_filter*>(BadPointer())};
  T(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}
CASE(seccomp_needs_privilege) {
  BecomeUser(1000, 1000);
  T(Install({Return(SECCOMP_RET_ALLOW)}));
  T(Install({}));
  T(Install({Do(0xffff, 0)}));
  NoNewPrivileges();
  T(Install({Return(SECCOMP_RET_ALLOW)}));
}
CASE(seccomp_needs_admin_capability) {
  T(Install({Return(SECCOMP_RET_ALLOW)}));
  T(prctl(PR_GET_SECCOMP));
}
CASE(seccomp_program_sizes) {
  NoNewPrivileges();
  T(Install({}));
  T(Install(Code(4096, Return(SECCOMP_RET_ALLOW))));
  T(Install(Code(4097, Return(SECCOMP_RET_ALLOW))));
}
CASE(seccomp_bad_instructions) {
  NoNewPrivileges();
  const sock_filter allow = Return(SECCOMP_RET_ALLOW);
  T(Install({Load(0)}));
  T(Install({Load(64), allow}));
  T(Install({Load(60), allow}));
  T(Install({Load(2), allow}));
  T(Install({Do(BPF_LD | BPF_H | BPF_ABS, 0), allow}));
  T(Install({Do(BPF_LD | BPF_W | BPF_IND, 0), allow}));
  T(Install({Do(BPF_LD | BPF_MEM, 1), allow}));
  T(Install({Do(BPF_ST, 1), Do(BPF_LD | BPF_MEM, 1), allow}));
  T(Install({Do(BPF_ST, 16), allow}));
  T(Install({Do(BPF_ALU | BPF_DIV | BPF_K, 0), allow}));
  T(Install({Do(BPF_ALU | BPF_MOD | BPF_K, 3), allow}));
  T(Install({Do(BPF_ALU | BPF_LSH | BPF_K, 32), allow}));
  T(Install({Do(BPF_ALU | BPF_LSH | BPF_K, 31), allow}));
  T(Install({Do(BPF_JMP | BPF_JA, 1), allow}));
  T(Install({IfEqual(0, 1, 0), allow}));
  T(Install({IfEqual(0, 0, 1), Do(BPF_ST, 3), Do(BPF_LD | BPF_MEM, 3), allow}));
  T(Install({Do(BPF_RET | BPF_X, 0)}));
  T(Install({Do(0xffff, 0), allow}));
}
CASE(seccomp_chain_is_bounded) {
  NoNewPrivileges();
  // How many fit is a matter of how the host translates them.
  int installed = 0;
  while (Install(Code(4096, Return(SECCOMP_RET_ALLOW))) == 0) ++installed;
  Record("errno", errno);
  Record("some", installed > 1 && installed < 9);
}
CASE(seccomp_actions_available) {
  for (uint32_t action : {0x80000000u, 0u, 0x30000u, 0x50000u, 0x7fc00000u, 0x7ff00000u,
                          0x7ffc0000u, 0x7fff0000u, 0x12340000u, 0x30001u}) {
    T(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
  }
  uint32_t action = 0;
  T(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &action));
  T(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, BadPointer()));
}
CASE(seccomp_notification_sizes) {
  seccomp_notif_sizes sizes = {};
  T(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes));
  Record("notif", sizes.seccomp_notif);
  Record("resp", sizes.seccomp_notif_resp);
  Record("data", sizes.seccomp_data);
  T(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 1, &sizes));
  T(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, BadPointer()));
}

// --- Strict mode.
CASE(seccomp_strict_allows_read_and_write) {
  Record("child", InChild([] {
           int fds[2];
           if (pipe(fds) != 0) return 9;
           if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) return 8;
           char byte = 1;
           if (write(fds[1], &byte, 1) != 1 || read(fds[0], &byte, 1) != 1) syscall(SYS_exit, 7);
           syscall(SYS_exit, 5);
           return 0;
         }));
}
CASE(seccomp_strict_kills_getpid) {
  Record("child", InChild([] {
           syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, nullptr);
           syscall(SYS_getpid);
           return 0;
         }));
}
CASE(seccomp_strict_kills_mmap) {
  Record("child", InChild([] {
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
           syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
           syscall(SYS_exit, 0);
           return 0;
         }));
}
CASE(seccomp_strict_kills_exit_group) {
  Record("child", InChild([] {
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
           syscall(SYS_exit_group, 0);
           return 0;
         }));
}
CASE(seccomp_strict_after_filter) {
  NoNewPrivileges();
  MUST(Install({Return(SECCOMP_RET_ALLOW)}));
  T(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
}

// --- Actions.
CASE(seccomp_errno) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getuid, Errno(EXDEV))));
  T(syscall(SYS_getuid));
  T(syscall(SYS_geteuid));
  T(prctl(PR_GET_SECCOMP));
}
CASE(seccomp_errno_zero_is_success) {
  NoNewPrivileges();
  MUST(Install(On(SYS_mkdir, Errno(0))));
  T(mkdir("d", 0755));
  T(access("d", F_OK));
}
CASE(seccomp_errno_is_clamped) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getuid, Errno(0xffff))));
  Record("result", syscall(SYS_getuid));
  Record("errno", errno);
}
CASE(seccomp_errno_of_restart_is_plain) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getuid, Errno(512))));
  syscall(SYS_getuid);
  Record("errno", errno);
}
CASE(seccomp_errno_by_argument) {
  NoNewPrivileges();
  MUST(Install(OnArg(SYS_kill, 1, SIGUSR1, Errno(EPERM))));
  T(kill(getpid(), SIGUSR1));
  T(kill(getpid(), 0));
}
CASE(seccomp_log_allows) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getuid, SECCOMP_RET_LOG)));
  T(syscall(SYS_getuid));
}
CASE(seccomp_trace_without_tracer) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getuid, SECCOMP_RET_TRACE)));
  T(syscall(SYS_getuid));
}
CASE(seccomp_notify_without_listener) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getuid, SECCOMP_RET_USER_NOTIF)));
  T(syscall(SYS_getuid));
}
CASE(seccomp_kill_process) {
  NoNewPrivileges();
  Record("child", InChild([] {
           Install(On(SYS_getuid, SECCOMP_RET_KILL_PROCESS));
           syscall(SYS_getuid);
           return 0;
         }));
}
CASE(seccomp_kill_thread_of_one) {
  NoNewPrivileges();
  Record("child", InChild([] {
           Install(On(SYS_getuid, SECCOMP_RET_KILL_THREAD));
           syscall(SYS_getuid);
           return 0;
         }));
}
CASE(seccomp_unknown_action_kills) {
  NoNewPrivileges();
  Record("child", InChild([] {
           Install(On(SYS_getuid, 0x12340000));
           syscall(SYS_getuid);
           return 0;
         }));
}
CASE(seccomp_division_by_zero_kills) {
  NoNewPrivileges();
  Record("child", InChild([] {
           Install({Load(0), Do(BPF_ALU | BPF_DIV | BPF_X, 0), Return(SECCOMP_RET_ALLOW)});
           syscall(SYS_getuid);
           return 0;
         }));
}
CASE(seccomp_kill_thread_leaves_others) {
  NoNewPrivileges();
  Record("child", InChild([] {
           Install(On(SYS_getuid, SECCOMP_RET_KILL_THREAD));
           pthread_t thread;
           pthread_create(
               &thread, nullptr,
               [](void*) -> void* {
                 syscall(SYS_getuid);
                 _exit(1);
               },
               nullptr);
           pthread_join(thread, nullptr);
           return 6;
         }));
}
CASE(seccomp_kill_process_from_thread) {
  NoNewPrivileges();
  Record("child", InChild([] {
           Install(On(SYS_getuid, SECCOMP_RET_KILL_PROCESS));
           pthread_t thread;
           pthread_create(
               &thread, nullptr,
               [](void*) -> void* {
                 syscall(SYS_getuid);
                 return nullptr;
               },
               nullptr);
           pthread_join(thread, nullptr);
           return 6;
         }));
}
CASE(seccomp_trap) {
  NoNewPrivileges();
  CatchSigsys();
  MUST(Install(On(SYS_getuid, SECCOMP_RET_TRAP | 42)));
  Record("result", syscall(SYS_getuid));
  Record("signal", g_info.si_signo);
  Record("code", g_info.si_code);
  Record("errno", g_info.si_errno);
  Record("call", g_info.si_syscall);
  Record("arch", g_info.si_arch == AUDIT_ARCH_X86_64);
  Record("rax", g_rax);
}
CASE(seccomp_trap_has_the_address) {
  NoNewPrivileges();
  CatchSigsys();
  MUST(Install(On(SYS_getuid, SECCOMP_RET_TRAP)));
  syscall(SYS_getuid);
  const auto* behind = static_cast<const unsigned char*>(g_info.si_call_addr);
  Record("opcode", behind[-2] == 0x0f && behind[-1] == 0x05);
}
CASE(seccomp_trap_without_handler) {
  NoNewPrivileges();
  Record("child", InChild([] {
           Install(On(SYS_getuid, SECCOMP_RET_TRAP));
           syscall(SYS_getuid);
           return 0;
         }));
}
CASE(seccomp_trap_while_blocked) {
  NoNewPrivileges();
  Record("child", InChild([] {
           CatchSigsys();
           sigset_t set;
           sigfillset(&set);
           sigprocmask(SIG_SETMASK, &set, nullptr);
           Install(On(SYS_getuid, SECCOMP_RET_TRAP));
           syscall(SYS_getuid);
           return 0;
         }));
}
CASE(seccomp_trap_while_ignored) {
  NoNewPrivileges();
  Record("child", InChild([] {
           signal(SIGSYS, SIG_IGN);
           Install(On(SYS_getuid, SECCOMP_RET_TRAP));
           syscall(SYS_getuid);
           return 0;
         }));
}

// --- Several filters.
CASE(seccomp_strongest_action_wins) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getuid, Errno(7))));
  MUST(Install(On(SYS_getuid, SECCOMP_RET_LOG)));
  MUST(Install(On(SYS_getuid, SECCOMP_RET_TRACE)));
  T(syscall(SYS_getuid));
  CatchSigsys();
  MUST(Install(On(SYS_getuid, SECCOMP_RET_TRAP)));
  T(syscall(SYS_getuid));
}
CASE(seccomp_youngest_errno_wins) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getuid, Errno(7))));
  MUST(Install(On(SYS_getuid, Errno(9))));
  syscall(SYS_getuid);
  Record("errno", errno);
}
CASE(seccomp_filters_add_up) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getuid, Errno(7))));
  MUST(Install(On(SYS_getgid, Errno(8))));
  T(syscall(SYS_getuid));
  T(syscall(SYS_getgid));
  T(syscall(SYS_getpgrp) > 0);
}
CASE(seccomp_can_forbid_itself) {
  NoNewPrivileges();
  MUST(Install(On(SYS_seccomp, Errno(EPERM))));
  T(Install({Return(SECCOMP_RET_ALLOW)}));
  T(prctl(PR_GET_SECCOMP));
}
