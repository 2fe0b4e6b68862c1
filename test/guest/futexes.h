// What the programs about futexes have in common.
#ifndef RUNSC_TEST_GUEST_FUTEXES_H_
#define RUNSC_TEST_GUEST_FUTEXES_H_

#include <linux/futex.h>
#include <sys/syscall.h>

#include "test/guest/cases.h"

namespace guest {

constexpr long kWaitv = 449, kWake2 = 454, kWait2 = 455, kRequeue2 = 456;
constexpr unsigned kSize32 = 2, kPrivate2 = 128;
struct Waitv {
  unsigned long value;
  unsigned long address;
  unsigned flags;
  unsigned reserved;
};

inline long Futex(void* word, int operation, unsigned long value, const void* timeout = nullptr,
                  void* second = nullptr, unsigned last = 0) {
  return syscall(SYS_futex, word, operation, value, timeout, second, last);
}
inline unsigned long Number(unsigned long value) { return value; }
inline const void* AsTimeout(unsigned long value) { return reinterpret_cast<const void*>(value); }
inline unsigned Tid() { return static_cast<unsigned>(syscall(SYS_gettid)); }
template <typename T>
T* Shared(size_t count = 1) {
  return static_cast<T*>(
      mmap(nullptr, sizeof(T) * count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}
inline timespec In(clockid_t clock, int milliseconds) {
  timespec time;
  clock_gettime(clock, &time);
  time.tv_nsec += milliseconds * 1000000L;
  time.tv_sec += time.tv_nsec / 1000000000;
  time.tv_nsec %= 1000000000;
  return time;
}

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_FUTEXES_H_
