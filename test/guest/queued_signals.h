// What the programs about queued signals have in common.
#ifndef RUNSC_TEST_GUEST_QUEUED_SIGNALS_H_
#define RUNSC_TEST_GUEST_QUEUED_SIGNALS_H_

#include <sys/resource.h>

#include "test/guest/signals.h"

namespace guest {

inline long QueueInfo(pid_t pid, int signo, int code, int value) {
  siginfo_t info = {};
  info.si_signo = 1;  // the argument counts
  info.si_code = code;
  info.si_pid = 4321;
  info.si_uid = 1234;
  info.si_value.sival_int = value;
  return syscall(SYS_rt_sigqueueinfo, pid, signo, &info);
}
inline long QueueThread(pid_t tgid, pid_t tid, int signo, int code) {
  siginfo_t info = {};
  info.si_code = code;
  info.si_value.sival_int = 5;
  return syscall(SYS_rt_tgsigqueueinfo, tgid, tid, signo, &info);
}
inline void End(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}
inline void LimitPending(rlim_t soft) {
  rlimit limit;
  MUST(getrlimit(RLIMIT_SIGPENDING, &limit));
  limit.rlim_cur = soft;
  MUST(setrlimit(RLIMIT_SIGPENDING, &limit));
}

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_QUEUED_SIGNALS_H_
