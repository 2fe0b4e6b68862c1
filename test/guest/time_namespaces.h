// What the programs about time namespaces have in common.
#ifndef RUNSC_TEST_GUEST_TIME_NAMESPACES_H_
#define RUNSC_TEST_GUEST_TIME_NAMESPACES_H_

#include <sched.h>

#include "test/guest/user_namespaces.h"

namespace guest {

// In seconds: far from each other, and more than any test takes.
constexpr long kMonotonic = 100'000, kBoottime = 3'000'000;
// Whoever has new memory after this is in a time namespace of its own.
inline void MoveClocks(long monotonic = kMonotonic, long boottime = kBoottime) {
  MUST(unshare(CLONE_NEWTIME));
  MUST(WriteFile("/proc/self/timens_offsets", "monotonic " + std::to_string(monotonic) +
                                                  " 0\nboottime " + std::to_string(boottime) +
                                                  " 0"));
}
// What `body` says as text in a child of the caller.
inline std::string Said(const std::function<std::string()>& body) {
  int pipe_fds[2];
  MUST(pipe(pipe_fds));
  const pid_t child = fork();
  if (child == 0) {
    const std::string text = body();
    (void)!write(pipe_fds[1], text.data(), text.size());
    _exit(0);
  }
  close(pipe_fds[1]);
  std::string text = Drain(pipe_fds[0]);
  close(pipe_fds[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0 ? text : text + " " + StatusText(status);
}
inline std::string InMovedTime(const std::function<std::string()>& body) {
  return Said([&] {
    MoveClocks();
    return Said(body);
  });
}

// By the C library, which asks the vDSO, and by the system call.
inline long Seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec;
}
inline long CalledSeconds(clockid_t clock) {
  timespec time{};
  syscall(SYS_clock_gettime, clock, &time);
  return time.tv_sec;
}
// How far ahead a time is of an earlier one, when the clock has been moved by one
// of the usual offsets meanwhile.
inline std::string Ahead(long now, long before) {
  constexpr long kSlack = 300;
  const long ahead = now - before;
  for (long offset : {0L, kMonotonic, -kMonotonic, kBoottime, -kBoottime}) {
    if (ahead >= offset - 1 && ahead < offset + kSlack) return std::to_string(offset);
  }
  return "elsewhere by " + std::to_string(ahead);
}

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_TIME_NAMESPACES_H_
