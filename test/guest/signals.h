// What the programs about signals have in common.
#ifndef RUNSC_TEST_GUEST_SIGNALS_H_
#define RUNSC_TEST_GUEST_SIGNALS_H_

#include <setjmp.h>

#include "test/guest/cases.h"

namespace guest {

inline volatile sig_atomic_t g_count;
inline volatile sig_atomic_t g_last;
inline siginfo_t g_info;

inline void Count(int signal_number) {
  g_count = g_count + 1;
  g_last = signal_number;
}
inline void CountInfo(int signal_number, siginfo_t* info, void*) {
  Count(signal_number);
  g_info = *info;
}
inline void Handle(int signal_number, int flags = 0) {
  struct sigaction action = {};
  action.sa_sigaction = CountInfo;
  action.sa_flags = flags | SA_SIGINFO;
  MUST(sigaction(signal_number, &action, nullptr));
}
inline sigset_t Set(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : signals) sigaddset(&set, s);
  return set;
}
inline void Block(std::initializer_list<int> signals) {
  const sigset_t set = Set(signals);
  MUST(sigprocmask(SIG_BLOCK, &set, nullptr));
}
inline void Unblock(std::initializer_list<int> signals) {
  const sigset_t set = Set(signals);
  MUST(sigprocmask(SIG_UNBLOCK, &set, nullptr));
}
// Sends `signal_number` to the caller from a child after a while.
inline void SendLater(int signal_number, int milliseconds = 50) {
  const pid_t parent = getpid();
  if (fork() == 0) {
    SleepMs(milliseconds);
    _exit(kill(parent, signal_number));
  }
}

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_SIGNALS_H_
