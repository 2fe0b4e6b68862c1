// seccomp(2): modes, actions, filters of natively executed calls, listeners.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <ucontext.h>

#include <vector>

#include "test/guest/cases.h"

using namespace guest;

namespace {

using Code = std::vector<sock_filter>;

sock_filter Do(uint16_t code, uint32_t k) { return {code, 0, 0, k}; }
sock_filter Load(uint32_t offset) { return Do(BPF_LD | BPF_W | BPF_ABS, offset); }
sock_filter Return(uint32_t action) { return Do(BPF_RET | BPF_K, action); }
sock_filter IfEqual(uint32_t k, uint8_t yes, uint8_t no) {
  return {BPF_JMP | BPF_JEQ | BPF_K, yes, no, k};
}
constexpr uint32_t Arg(int index) {
  return static_cast<uint32_t>(offsetof(seccomp_data, args)) + 8 * static_cast<uint32_t>(index);
}

Code On(uint32_t number, uint32_t action) {
  return {Load(0), IfEqual(number, 0, 1), Return(action), Return(SECCOMP_RET_ALLOW)};
}
// Only when the low half of an argument has that value.
Code OnArg(uint32_t number, int index, uint32_t value, uint32_t action) {
  return {Load(0),        IfEqual(number, 0, 3),    Load(Arg(index)), IfEqual(value, 0, 1),
          Return(action), Return(SECCOMP_RET_ALLOW)};
}

long Install(const Code& code, unsigned flags = 0) {
  sock_fprog program = {static_cast<unsigned short>(code.size()),
                        const_cast<sock_filter*>(code.data())};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}
void NoNewPrivileges() { MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }
constexpr uint32_t Errno(int error) { return SECCOMP_RET_ERRNO | static_cast<uint32_t>(error); }

std::string StatusField(const char* name) {
  const std::string text = Content("/proc/self/status");
  const size_t at = text.find(std::string("\n") + name + ":");
  if (at == std::string::npos) return "none";
  const size_t begin = text.find('\t', at) + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

siginfo_t g_info;
greg_t g_rax;
volatile sig_atomic_t g_traps;
void OnSigsys(int, siginfo_t* info, void* context) {
  g_info = *info;
  auto* machine = static_cast<ucontext_t*>(context);
  g_rax = machine->uc_mcontext.gregs[REG_RAX];
  g_traps = g_traps + 1;
  machine->uc_mcontext.gregs[REG_RAX] = 77;
}
void CatchSigsys() {
  struct sigaction action = {};
  action.sa_sigaction = OnSigsys;
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGSYS, &action, nullptr));
}

// --- Listeners.

// A supervisor in a child: it gets the listener over a socket and answers one
// report by `serve`.
int Listen(const Code& code, const std::function<void(int, seccomp_notif&)>& serve,
           unsigned flags = 0) {
  int pair[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  const pid_t child = fork();
  if (child == 0) {
    char control[CMSG_SPACE(sizeof(int))];
    char byte;
    iovec vec = {&byte, 1};
    msghdr message = {};
    message.msg_iov = &vec;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (recvmsg(pair[1], &message, 0) != 1) _exit(1);
    const int listener = *reinterpret_cast<int*>(CMSG_DATA(CMSG_FIRSTHDR(&message)));
    seccomp_notif report = {};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &report) != 0) _exit(2);
    serve(listener, report);
    _exit(0);
  }
  NoNewPrivileges();
  const long listener = Install(code, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags);
  if (listener < 0) Broken("listener");
  char control[CMSG_SPACE(sizeof(int))] = {};
  char byte = 0;
  iovec vec = {&byte, 1};
  msghdr message = {};
  message.msg_iov = &vec;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  *reinterpret_cast<int*>(CMSG_DATA(header)) = static_cast<int>(listener);
  MUST(sendmsg(pair[0], &message, 0));
  close(static_cast<int>(listener));
  return static_cast<int>(child);
}
void Answer(int listener, uint64_t id, int64_t value, int32_t error, uint32_t flags) {
  seccomp_notif_resp reply = {id, value, error, flags};
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply) != 0) _exit(3);
}

}  // namespace

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

// --- Calls that the host may execute by itself.
CASE(seccomp_native_mmap) {
  NoNewPrivileges();
  MUST(Install(On(SYS_mmap, Errno(EDOM))));
  TP(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
CASE(seccomp_native_mmap_by_protection) {
  NoNewPrivileges();
  MUST(Install(OnArg(SYS_mmap, 2, PROT_READ | PROT_WRITE | PROT_EXEC, Errno(EPERM))));
  TP(mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  void* page = mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  Record("page", page != MAP_FAILED);
  memset(page, 1, 8192);
  T(munmap(page, 8192));
}
CASE(seccomp_native_mmap_of_file) {
  Make("file", "hello");
  const int fd = open("file", O_RDONLY);
  NoNewPrivileges();
  MUST(Install(OnArg(SYS_mmap, 2, PROT_NONE, Errno(EPERM))));
  auto* text = static_cast<char*>(mmap(nullptr, 5, PROT_READ, MAP_PRIVATE, fd, 0));
  Record("text", std::string(text, 5));
  TP(mmap(nullptr, 5, PROT_NONE, MAP_PRIVATE, fd, 0));
}
CASE(seccomp_native_mprotect) {
  void* page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  NoNewPrivileges();
  MUST(Install(OnArg(SYS_mprotect, 2, PROT_READ | PROT_EXEC, Errno(EPERM))));
  T(mprotect(page, 4096, PROT_READ | PROT_EXEC));
  T(mprotect(page, 4096, PROT_READ | PROT_WRITE));
  *static_cast<char*>(page) = 1;
}
CASE(seccomp_native_munmap_and_mremap) {
  void* page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  NoNewPrivileges();
  MUST(Install(On(SYS_munmap, Errno(1))));
  MUST(Install(On(SYS_mremap, Errno(2))));
  MUST(Install(On(SYS_madvise, Errno(3))));
  T(munmap(page, 4096));
  TP(mremap(page, 4096, 8192, MREMAP_MAYMOVE));
  T(madvise(page, 4096, MADV_DONTNEED));
}
CASE(seccomp_native_brk) {
  NoNewPrivileges();
  MUST(Install(On(SYS_brk, Errno(EPERM))));
  T(syscall(SYS_brk, 0));
}
CASE(seccomp_native_sched_yield) {
  NoNewPrivileges();
  MUST(Install(On(SYS_sched_yield, Errno(EDOM))));
  T(sched_yield());
}
CASE(seccomp_native_nanosleep) {
  NoNewPrivileges();
  MUST(Install(On(SYS_nanosleep, Errno(EDOM))));
  const timespec time = {0, 1000};
  T(syscall(SYS_nanosleep, &time, nullptr));
  T(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, nullptr));
}
CASE(seccomp_native_futex) {
  NoNewPrivileges();
  MUST(Install(On(SYS_futex, Errno(EDOM))));
  int word = 0;
  T(syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0));
}
CASE(seccomp_native_futex_by_operation) {
  NoNewPrivileges();
  MUST(Install(OnArg(SYS_futex, 1, FUTEX_WAKE, Errno(EDOM))));
  int word = 0;
  T(syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0));
  T(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0));
  const timespec time = {0, 10'000'000};
  T(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &time, nullptr, 0));
  T(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, &time, nullptr, 0));
}
CASE(seccomp_threads_under_a_futex_filter) {
  NoNewPrivileges();
  MUST(Install(OnArg(SYS_futex, 1, 999, Errno(EDOM))));
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  static int count;
  std::vector<pthread_t> threads(4);
  for (pthread_t& thread : threads) {
    pthread_create(
        &thread, nullptr,
        [](void*) -> void* {
          for (int i = 0; i < 500; ++i) {
            pthread_mutex_lock(&mutex);
            ++count;
            if (i % 50 == 0) sched_yield();
            pthread_mutex_unlock(&mutex);
          }
          return nullptr;
        },
        nullptr);
  }
  for (pthread_t& thread : threads) pthread_join(thread, nullptr);
  Record("count", count);
}
CASE(seccomp_signal_ends_a_filtered_futex_wait) {
  NoNewPrivileges();
  MUST(Install(OnArg(SYS_futex, 1, 999, Errno(EDOM))));
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  MUST(sigaction(SIGALRM, &action, nullptr));
  alarm(1);
  int word = 0;
  T(syscall(SYS_futex, &word, FUTEX_WAIT, 0, nullptr, nullptr, 0));
}
CASE(seccomp_native_arch_prctl) {
  NoNewPrivileges();
  MUST(Install(On(SYS_arch_prctl, Errno(EDOM))));
  unsigned long base = 0;
  T(syscall(SYS_arch_prctl, 0x1003, &base));
}
CASE(seccomp_native_robust_list) {
  NoNewPrivileges();
  MUST(Install(On(SYS_set_robust_list, Errno(EDOM))));
  MUST(Install(On(SYS_set_tid_address, Errno(ERANGE))));
  T(syscall(SYS_set_robust_list, 0, 0));
  T(syscall(SYS_set_tid_address, 0));
}
CASE(seccomp_native_trap) {
  NoNewPrivileges();
  CatchSigsys();
  MUST(Install(On(SYS_sched_yield, SECCOMP_RET_TRAP | 5)));
  Record("result", syscall(SYS_sched_yield));
  Record("call", g_info.si_syscall);
  Record("errno", g_info.si_errno);
  Record("rax", g_rax);
}
CASE(seccomp_native_kill) {
  NoNewPrivileges();
  Record("child", InChild([] {
           Install(On(SYS_munmap, SECCOMP_RET_KILL_PROCESS));
           munmap(nullptr, 4096);
           return 0;
         }));
}

// --- Inheritance.
CASE(seccomp_fork_inherits) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getuid, Errno(EDOM))));
  MUST(Install(On(SYS_sched_yield, Errno(EDOM))));
  Record("child", InChild([] {
           const bool notified = syscall(SYS_getuid) == -1 && errno == EDOM;
           const bool native = sched_yield() == -1 && errno == EDOM;
           return notified + 2 * native;
         }));
}
CASE(seccomp_child_does_not_affect_parent) {
  NoNewPrivileges();
  Record("child", InChild([] {
           Install(On(SYS_getuid, Errno(EDOM)));
           Install(On(SYS_sched_yield, Errno(EDOM)));
           return 0;
         }));
  T(syscall(SYS_getuid));
  T(sched_yield());
}
CASE(seccomp_exec_inherits) {
  NoNewPrivileges();
  MUST(Install(On(SYS_mkdir, Errno(EDOM))));
  Record("child", InChild([] {
           execl("/bin/sh", "sh", "-c", "mkdir x 2>/dev/null; test -d x; echo $? > out", nullptr);
           return 9;
         }));
  Record("out", Content("out"));
}
CASE(seccomp_exec_inherits_native) {
  NoNewPrivileges();
  MUST(Install(OnArg(SYS_nanosleep, 0, 1, Errno(EDOM))));
  MUST(Install(On(SYS_clock_nanosleep, Errno(EDOM))));
  Record("child", InChild([] {
           execl("/bin/sh", "sh", "-c", "exit 4", nullptr);
           return 9;
         }));
}
CASE(seccomp_thread_inherits) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getuid, Errno(EDOM))));
  pthread_t thread;
  pthread_create(
      &thread, nullptr,
      [](void*) -> void* { return reinterpret_cast<void*>(syscall(SYS_getuid) == -1); }, nullptr);
  void* result = nullptr;
  pthread_join(thread, &result);
  Record("thread", result != nullptr);
}
CASE(seccomp_is_per_thread) {
  NoNewPrivileges();
  pthread_t thread;
  pthread_create(
      &thread, nullptr,
      [](void*) -> void* {
        Install(On(SYS_getuid, Errno(EDOM)));
        Install(On(SYS_sched_yield, Errno(EDOM)));
        return nullptr;
      },
      nullptr);
  pthread_join(thread, nullptr);
  T(syscall(SYS_getuid));
  T(sched_yield());
}
CASE(seccomp_status_fields) {
  Record("mode", StatusField("Seccomp"));
  Record("count", StatusField("Seccomp_filters"));
  NoNewPrivileges();
  const std::string before = StatusField("Seccomp_filters");
  MUST(Install({Return(SECCOMP_RET_ALLOW)}));
  MUST(Install({Return(SECCOMP_RET_ALLOW)}));
  Record("mode", StatusField("Seccomp"));
  Record("more", atoi(StatusField("Seccomp_filters").c_str()) - atoi(before.c_str()));
  Record("nnp", StatusField("NoNewPrivs"));
}

// --- Synchronisation of threads.
namespace {
volatile int g_go;
struct Waiting {
  pthread_t thread;
  long (*probe)();
  long result;
  long (*before)();
  volatile int ready;
};
void Start(Waiting& waiting) {
  pthread_create(
      &waiting.thread, nullptr,
      [](void* argument) -> void* {
        auto* w = static_cast<Waiting*>(argument);
        if (w->before != nullptr) w->before();
        w->ready = 1;
        while (!g_go) usleep(1000);
        w->result = w->probe();
        return nullptr;
      },
      &waiting);
  while (!waiting.ready) usleep(1000);
}
long GetUid() { return syscall(SYS_getuid) == -1 ? errno : 0; }
long Yield() { return sched_yield() == -1 ? errno : 0; }
long Diverge() { return Install(On(SYS_getgid, Errno(1))); }
}  // namespace
CASE(seccomp_tsync) {
  NoNewPrivileges();
  Waiting other = {0, GetUid, 0, nullptr, 0};
  Start(other);
  T(Install(On(SYS_getuid, Errno(EDOM)), SECCOMP_FILTER_FLAG_TSYNC));
  g_go = 1;
  pthread_join(other.thread, nullptr);
  Record("other", other.result);
}
CASE(seccomp_tsync_native) {
  NoNewPrivileges();
  Waiting other = {0, Yield, 0, nullptr, 0};
  Start(other);
  T(Install(On(SYS_sched_yield, Errno(EDOM)), SECCOMP_FILTER_FLAG_TSYNC));
  g_go = 1;
  pthread_join(other.thread, nullptr);
  Record("other", other.result);
  Record("me", Yield());
}
CASE(seccomp_tsync_diverged) {
  NoNewPrivileges();
  Waiting other = {0, GetUid, 0, Diverge, 0};
  Start(other);
  const Code code = On(SYS_getuid, Errno(EDOM));
  Record("tid", Install(code, SECCOMP_FILTER_FLAG_TSYNC) > 0);
  T(Install(code, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH));
  T(syscall(SYS_getuid));
  g_go = 1;
  pthread_join(other.thread, nullptr);
  Record("other", other.result);
}
CASE(seccomp_tsync_spreads_no_new_privs) {
  Waiting other = {0, [] { return static_cast<long>(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); }, 0,
                   nullptr, 0};
  Start(other);
  NoNewPrivileges();
  T(Install({Return(SECCOMP_RET_ALLOW)}, SECCOMP_FILTER_FLAG_TSYNC));
  g_go = 1;
  pthread_join(other.thread, nullptr);
  Record("other", other.result);
}
CASE(seccomp_flags_log_and_spec_allow) {
  NoNewPrivileges();
  T(Install({Return(SECCOMP_RET_ALLOW)}, SECCOMP_FILTER_FLAG_LOG));
  T(Install({Return(SECCOMP_RET_ALLOW)}, SECCOMP_FILTER_FLAG_SPEC_ALLOW));
  T(Install({Return(SECCOMP_RET_ALLOW)}, SECCOMP_FILTER_FLAG_TSYNC_ESRCH));
}

// --- Listeners.
CASE(seccomp_listener_value) {
  Listen(On(SYS_getppid, SECCOMP_RET_USER_NOTIF),
         [](int listener, seccomp_notif& report) { Answer(listener, report.id, 4711, 0, 0); });
  T(syscall(SYS_getppid));
  T(wait(nullptr) > 0);
}
CASE(seccomp_listener_error) {
  Listen(On(SYS_getppid, SECCOMP_RET_USER_NOTIF),
         [](int listener, seccomp_notif& report) { Answer(listener, report.id, 0, -EXDEV, 0); });
  T(syscall(SYS_getppid));
}
CASE(seccomp_listener_continue) {
  Listen(On(SYS_mkdir, SECCOMP_RET_USER_NOTIF), [](int listener, seccomp_notif& report) {
    Answer(listener, report.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
  });
  T(mkdir("made", 0755));
  T(access("made", F_OK));
}
CASE(seccomp_listener_sees_the_call) {
  const pid_t self = getpid();
  const pid_t child =
      Listen(On(SYS_dup2, SECCOMP_RET_USER_NOTIF), [self](int listener, seccomp_notif& report) {
        const bool right = report.data.nr == SYS_dup2 && report.data.args[0] == 901 &&
                           report.data.args[1] == 902 && report.data.arch == AUDIT_ARCH_X86_64 &&
                           report.flags == 0 && report.pid == static_cast<uint32_t>(self);
        Answer(listener, report.id, right, 0, 0);
      });
  Record("right", syscall(SYS_dup2, 901, 902));
  int status = 0;
  waitpid(child, &status, 0);
  Record("supervisor", StatusText(status));
}
CASE(seccomp_listener_native_call) {
  Listen(On(SYS_sched_yield, SECCOMP_RET_USER_NOTIF),
         [](int listener, seccomp_notif& report) { Answer(listener, report.id, 33, 0, 0); });
  T(syscall(SYS_sched_yield));
}
CASE(seccomp_listener_adds_a_descriptor) {
  Make("file", "content");
  Listen(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), [](int listener, seccomp_notif& report) {
    seccomp_notif_addfd add = {};
    add.id = report.id;
    add.srcfd = static_cast<uint32_t>(open("file", O_RDONLY));
    add.newfd = 50;
    add.flags = SECCOMP_ADDFD_FLAG_SETFD;
    const int fd = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
    Answer(listener, report.id, fd, 0, 0);
  });
  T(syscall(SYS_getppid));
  Record("content", Drain(50));
}
CASE(seccomp_listener_adds_and_answers) {
  Make("file", "content");
  Listen(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), [](int listener, seccomp_notif& report) {
    seccomp_notif_addfd add = {};
    add.id = report.id;
    add.srcfd = static_cast<uint32_t>(open("file", O_RDONLY));
    add.flags = 1u << 1;  // SECCOMP_ADDFD_FLAG_SEND
    add.newfd_flags = O_CLOEXEC;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
  });
  const auto fd = static_cast<int>(syscall(SYS_getppid));
  Record("cloexec", fcntl(fd, F_GETFD));
  Record("content", Drain(fd));
}
CASE(seccomp_listener_bad_requests) {
  NoNewPrivileges();
  const auto listener = static_cast<int>(
      Install(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), SECCOMP_FILTER_FLAG_NEW_LISTENER));
  Record("cloexec", fcntl(listener, F_GETFD));
  seccomp_notif_resp reply = {12345, 0, 0, 0};
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply));
  reply.flags = 8;
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply));
  reply = {12345, 1, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply));
  uint64_t id = 12345;
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id));
  seccomp_notif report = {};
  report.flags = 1;
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &report));
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, BadPointer()));
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, BadPointer()));
  seccomp_notif_addfd add = {};
  add.id = 12345;
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
  add.newfd = 7;
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
  add.newfd = 0;
  add.srcfd = 999;
  T(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
  T(ioctl(listener, FIONREAD, &id));
  char byte;
  T(read(listener, &byte, 1));
  T(write(listener, &byte, 1));
}
CASE(seccomp_listener_only_once) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), SECCOMP_FILTER_FLAG_NEW_LISTENER));
  T(Install(On(SYS_getuid, SECCOMP_RET_USER_NOTIF), SECCOMP_FILTER_FLAG_NEW_LISTENER));
  T(Install(On(SYS_getuid, Errno(EDOM))));
}
CASE(seccomp_listener_closed) {
  NoNewPrivileges();
  close(static_cast<int>(
      Install(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), SECCOMP_FILTER_FLAG_NEW_LISTENER)));
  T(syscall(SYS_getppid));
}
CASE(seccomp_listener_closed_meanwhile) {
  Listen(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), [](int, seccomp_notif&) { SleepMs(20); });
  T(syscall(SYS_getppid));
}
CASE(seccomp_listener_polls) {
  Listen(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), [](int listener, seccomp_notif& report) {
    pollfd item = {listener, POLLIN | POLLOUT, 0};
    poll(&item, 1, 0);
    uint64_t id = report.id;
    const int valid = ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
    Answer(listener, report.id, item.revents * 10 + valid, 0, 0);
  });
  T(syscall(SYS_getppid));
}
CASE(seccomp_listener_hangs_up) {
  int pair[2];
  MUST(pipe(pair));
  NoNewPrivileges();
  const pid_t child = fork();
  if (child == 0) {
    const long listener =
        Install(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), SECCOMP_FILTER_FLAG_NEW_LISTENER);
    _exit(listener >= 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  Record("child", StatusText(status));
}
CASE(seccomp_listener_signal_interrupts) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  MUST(sigaction(SIGUSR1, &action, nullptr));
  const pid_t self = getpid();
  Listen(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), [self](int listener, seccomp_notif& report) {
    SleepMs(30);
    kill(self, SIGUSR1);
    SleepMs(100);
    uint64_t id = report.id;
    _exit(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0 ? 0 : errno == ENOENT ? 5 : 6);
  });
  T(syscall(SYS_getppid));
  int status = 0;
  T(wait(&status) > 0);
  Record("supervisor", StatusText(status));
}
CASE(seccomp_listener_errno_beats_it) {
  NoNewPrivileges();
  MUST(Install(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), SECCOMP_FILTER_FLAG_NEW_LISTENER));
  MUST(Install(On(SYS_getppid, Errno(EDOM))));
  T(syscall(SYS_getppid));
}
