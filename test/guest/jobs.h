// What the programs about job control have in common.
#ifndef RUNSC_TEST_GUEST_JOBS_H_
#define RUNSC_TEST_GUEST_JOBS_H_

#include <pty.h>
#include <sys/ioctl.h>

#include <string>

#include "test/guest/cases.h"

namespace guest {

struct Pair {
  int master = -1, slave = -1;
};

inline Pair Open() {
  Pair pair;
  MUST(openpty(&pair.master, &pair.slave, nullptr, nullptr, nullptr));
  return pair;
}

// The leader of a new session whose controlling terminal is the pair's.
inline void BecomeLeader(const Pair& pair) {
  MUST(setsid());
  MUST(ioctl(pair.slave, TIOCSCTTY, 0));
}

inline volatile sig_atomic_t last_signal = 0;
inline volatile sig_atomic_t signal_count = 0;
inline void Note(int signo) {
  last_signal = signo;
  signal_count = signal_count + 1;
}
inline void Catch(int signo, int flags = 0) {
  struct sigaction action = {};
  action.sa_handler = Note;
  action.sa_flags = flags;
  MUST(sigaction(signo, &action, nullptr));
}

// A child in a group of its own, in the foreground or not, which runs `body`.
inline pid_t Job(const Pair& pair, bool foreground, const std::function<int()>& body) {
  int ready[2];
  MUST(pipe(ready));
  const pid_t child = fork();
  if (child == 0) {
    char c;
    close(ready[1]);
    if (read(ready[0], &c, 1) < 0) _exit(99);
    _exit(body());
  }
  MUST(setpgid(child, child));
  if (foreground) {
    signal(SIGTTOU, SIG_IGN);
    MUST(tcsetpgrp(pair.slave, child));
    signal(SIGTTOU, SIG_DFL);
  }
  close(ready[0]);
  close(ready[1]);
  return child;
}

// The next change of a child's state.
inline std::string Change(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, WUNTRACED | WCONTINUED) < 0) return strerrorname_np(errno);
  return StatusText(status);
}

// From a leader: several facts in one exit code are no use, so it writes a line.
class Report {
 public:
  Report() { MUST(pipe(ends_)); }
  void Add(const std::string& text) const {
    const std::string line = text + ";";
    MUST(write(ends_[1], line.data(), line.size()));
  }
  std::string Read() {
    close(ends_[1]);
    return Drain(ends_[0]);
  }

 private:
  int ends_[2];
};

inline std::string Code(long long result) { return result < 0 ? strerrorname_np(errno) : "ok"; }

// Runs `body` as the leader of a session with a terminal; what it adds to the
// report is recorded.
inline void Told(const std::function<void(const Pair&, const Report&)>& body) {
  Report report;
  const Pair pair = Open();
  const std::string end = InChild([&] {
    BecomeLeader(pair);
    body(pair, report);
    return 0;
  });
  std::string told = report.Read();
  for (char& c : told) {
    if (c == ' ' || c == '\n' || c == '\r') c = '_';
  }
  Record("told", told.empty() ? "(nothing)" : told);
  Record("end", end);
}

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_JOBS_H_
