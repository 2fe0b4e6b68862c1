// Signals of faults.
#include <setjmp.h>

#include "test/guest/signals.h"

using namespace guest;

CASE(fault_null_pointer) {
  static sigjmp_buf jump;
  static siginfo_t info;
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t* given, void*) {
    info = *given;
    siglongjmp(jump, 1);
  };
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGSEGV, &action, nullptr));
  if (sigsetjmp(jump, 1) == 0) *static_cast<volatile char*>(BadPointer()) = 1;
  Record("signo", info.si_signo);
  Record("code", info.si_code);
  Record("address", reinterpret_cast<long>(info.si_addr));
}
CASE(fault_readonly_page) {
  static sigjmp_buf jump;
  static siginfo_t info;
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t* given, void*) {
    info = *given;
    siglongjmp(jump, 1);
  };
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGSEGV, &action, nullptr));
  char* page =
      static_cast<char*>(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (sigsetjmp(jump, 1) == 0) *const_cast<volatile char*>(page + 7) = 1;
  Record("code", info.si_code);
  Record("offset", static_cast<char*>(info.si_addr) - page);
}
CASE(fault_repaired_in_handler) {
  static char* page;
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t*, void*) {
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    Count(SIGSEGV);
  };
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGSEGV, &action, nullptr));
  page = static_cast<char*>(mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  *const_cast<volatile char*>(page) = 42;
  Record("value", page[0]);
  Record("faults", g_count);
}
CASE(fault_divide_by_zero) {
  Record("child", InChild([] {
           volatile int zero = 0;
           return 100 / zero;
         }));
  static sigjmp_buf jump;
  static siginfo_t info;
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t* given, void*) {
    info = *given;
    siglongjmp(jump, 1);
  };
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGFPE, &action, nullptr));
  volatile int zero = 0;
  if (sigsetjmp(jump, 1) == 0) zero = 100 / zero;
  Record("code", info.si_code);
}
CASE(fault_illegal_instruction) {
  Record("child", InChild([] {
           asm volatile("ud2");
           return 0;
         }));
}
CASE(fault_breakpoint) {
  struct sigaction action = {};
  action.sa_handler = Count;
  MUST(sigaction(SIGTRAP, &action, nullptr));
  asm volatile("int3");
  Record("count", g_count);
}
CASE(fault_blocked_segv_kills) {
  Record("child", InChild([] {
           signal(SIGSEGV, Count);
           Block({SIGSEGV});
           *static_cast<volatile char*>(BadPointer()) = 1;
           return 0;
         }));
  Record("ignored", InChild([] {
           signal(SIGSEGV, SIG_IGN);
           *static_cast<volatile char*>(BadPointer()) = 1;
           return 0;
         }));
}
CASE(fault_past_end_of_mapped_file_is_bus) {
  Make("f", "x");
  const int fd = open("f", O_RDWR);
  char* map = static_cast<char*>(mmap(nullptr, 8192, PROT_READ, MAP_SHARED, fd, 0));
  Record("child", InChild([map] { return static_cast<volatile char*>(map)[4096]; }));
}
