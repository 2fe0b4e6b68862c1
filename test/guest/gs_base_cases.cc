// The gs base (arch_prctl(2)), which nothing but the program itself uses.
#include <asm/prctl.h>
#include <pthread.h>

#include "test/guest/signals.h"

using namespace guest;

namespace {

long g_word = 4711;
long g_seen = 0;

long SetGs(const void* base) { return syscall(SYS_arch_prctl, ARCH_SET_GS, base); }
// Through the segment itself.
long AtGs() {
  long word = 0;
  asm volatile("movq %%gs:0, %0" : "=r"(word));
  return word;
}
void SeeGs(int) { g_seen = AtGs(); }

}  // namespace

CASE(set_and_get) {
  unsigned long base = 1;
  T(syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
  Record("at first", static_cast<long long>(base));
  T(SetGs(&g_word));
  Record("read", AtGs());
  T(syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
  Record("same", base == reinterpret_cast<unsigned long>(&g_word));
}
CASE(what_is_refused) {
  T(SetGs(reinterpret_cast<void*>(~0UL)));
  T(SetGs(reinterpret_cast<void*>(1UL << 62)));
  T(syscall(SYS_arch_prctl, ARCH_GET_GS, BadPointer()));
}
CASE(survives_calls_and_signals) {
  MUST(SetGs(&g_word));
  signal(SIGUSR1, SeeGs);
  raise(SIGUSR1);
  Record("in the handler", g_seen);
  Record("behind it", AtGs());
  SendLater(SIGUSR1);
  pause();
  SleepMs(5);
  Record("behind a sleep", AtGs());
}
CASE(a_child_has_it) {
  MUST(SetGs(&g_word));
  Record("child", InChild([] { return AtGs() == g_word ? 0 : 1; }));
  Record("parent", AtGs());
}
CASE(a_thread_has_it) {
  MUST(SetGs(&g_word));
  pthread_t thread;
  pthread_create(
      &thread, nullptr,
      [](void*) -> void* {
        g_seen = AtGs();
        static long other = 42;
        SetGs(&other);
        return nullptr;
      },
      nullptr);
  pthread_join(thread, nullptr);
  Record("thread", g_seen);
  Record("first", AtGs());
}
