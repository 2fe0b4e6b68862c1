// seccomp(2): filters of natively executed calls.
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>

#include <vector>

#include "test/guest/filtering.h"

using namespace guest;

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
CASE(seccomp_native_getcpu) {
  // Pinned, so that the number is known.
  cpu_set_t set;
  MUST(sched_getaffinity(0, sizeof set, &set));
  unsigned first = 0, cpu = 9999, node = 9999;
  while (!CPU_ISSET(first, &set)) ++first;
  CPU_ZERO(&set);
  CPU_SET(first, &set);
  MUST(sched_setaffinity(0, sizeof set, &set));
  NoNewPrivileges();
  MUST(Install(OnArg(SYS_getcpu, 1, 0, Errno(EDOM))));
  T(syscall(SYS_getcpu, &cpu, nullptr, nullptr));
  T(syscall(SYS_getcpu, &cpu, &node, nullptr));
  Record("cpu", cpu == first);
  T(syscall(SYS_getcpu, BadPointer(), &node, nullptr));
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
