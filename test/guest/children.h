// What the programs about children have in common.
#ifndef RUNSC_TEST_GUEST_CHILDREN_H_
#define RUNSC_TEST_GUEST_CHILDREN_H_

#include <sys/times.h>

#include <atomic>
#include <limits>

#include "test/guest/cases.h"

namespace guest {

constexpr idtype_t kPidFd = static_cast<idtype_t>(3);

inline pid_t Child(int code, int delay_ms = 0) {
  const pid_t child = fork();
  if (child == 0) {
    if (delay_ms > 0) SleepMs(delay_ms);
    _exit(code);
  }
  return child;
}
inline std::string WaitText(pid_t child, int options = 0) {
  int status = 0;
  const pid_t result = waitpid(child, &status, options);
  if (result < 0) return strerrorname_np(errno);
  return result == 0 ? "nothing" : StatusText(status);
}
inline void End(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, __WALL);
}
inline std::string Info(const siginfo_t& info, pid_t child) {
  return std::to_string(info.si_signo) + "/" + std::to_string(info.si_code) + "/" +
         std::to_string(info.si_status) + (info.si_pid == child ? "/child" : "/other");
}
inline std::string WaitInfo(idtype_t type, id_t id, int options, pid_t child) {
  siginfo_t info = {};
  if (waitid(type, id, &info, options) < 0) return strerrorname_np(errno);
  return Info(info, child);
}

inline volatile sig_atomic_t g_signals = 0;
inline siginfo_t g_info;
inline void Note(int, siginfo_t* info, void*) {
  g_signals = g_signals + 1;
  g_info = *info;
}
inline void OnChild(int flags) {
  struct sigaction action = {};
  action.sa_sigaction = Note;
  action.sa_flags = SA_SIGINFO | flags;
  sigaction(SIGCHLD, &action, nullptr);
}

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_CHILDREN_H_
