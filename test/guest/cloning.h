// What the programs about tasks have in common: clone(2), clone3(2).
#ifndef RUNSC_TEST_GUEST_CLONING_H_
#define RUNSC_TEST_GUEST_CLONING_H_

#include <linux/sched.h>
#include <sched.h>

#include <atomic>

#include "test/guest/cases.h"

namespace guest {

constexpr uint64_t kClearSighand = 0x100000000;
constexpr uint64_t kIntoCgroup = 0x200000000;

struct Clone3 {
  uint64_t flags = 0, pidfd = 0, child_tid = 0, parent_tid = 0, exit_signal = 0, stack = 0,
           stack_size = 0, tls = 0, set_tid = 0, set_tid_size = 0, cgroup = 0;
};
static_assert(sizeof(Clone3) == 88);

inline long DoClone3(Clone3& args, size_t size = sizeof(Clone3)) {
  return syscall(SYS_clone3, &args, size);
}

// clone3 that must fail: a child that exists after all ends at once.
inline void Refused(const char* name, Clone3 args, size_t size = sizeof(Clone3)) {
  errno = 0;
  const long result = DoClone3(args, size);
  if (result == 0) _exit(0);
  RecordCall(name, result < 0 ? result : 1);
  if (result > 0) waitpid(static_cast<pid_t>(result), nullptr, __WALL);
}

inline void RefusedClone(const char* name, unsigned long flags) {
  errno = 0;
  const long result = syscall(SYS_clone, flags, 0, 0, 0, 0);
  if (result == 0) _exit(0);
  RecordCall(name, result < 0 ? result : 1);
  if (result > 0) waitpid(static_cast<pid_t>(result), nullptr, __WALL);
}

// Runs `body` in a child made with `flags` and the parent's memory copied.
inline pid_t CloneChild(unsigned long flags, const std::function<int()>& body) {
  const long child = syscall(SYS_clone, flags, 0, 0, 0, 0);
  if (child == 0) _exit(body());
  return static_cast<pid_t>(child);
}

inline std::string WaitText(pid_t child, int options = 0) {
  int status = 0;
  if (waitpid(child, &status, options) != child) return strerrorname_np(errno);
  return StatusText(status);
}

inline std::atomic<int> g_signals{0};
inline void Count(int) { ++g_signals; }

inline void Handle(int signo) {
  struct sigaction action = {};
  action.sa_handler = Count;
  sigaction(signo, &action, nullptr);
}

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_CLONING_H_
