// Sessions, controlling terminals, foreground groups and their signals.
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <string>

#include "test/guest/cases.h"

using namespace guest;

namespace {

struct Pair {
  int master = -1, slave = -1;
};

Pair Open() {
  Pair pair;
  MUST(openpty(&pair.master, &pair.slave, nullptr, nullptr, nullptr));
  return pair;
}

// The leader of a new session whose controlling terminal is the pair's.
void BecomeLeader(const Pair& pair) {
  MUST(setsid());
  MUST(ioctl(pair.slave, TIOCSCTTY, 0));
}

volatile sig_atomic_t last_signal = 0;
volatile sig_atomic_t signal_count = 0;
void Note(int signo) {
  last_signal = signo;
  signal_count = signal_count + 1;
}
void Catch(int signo, int flags = 0) {
  struct sigaction action = {};
  action.sa_handler = Note;
  action.sa_flags = flags;
  MUST(sigaction(signo, &action, nullptr));
}

// A child in a group of its own, in the foreground or not, which runs `body`.
pid_t Job(const Pair& pair, bool foreground, const std::function<int()>& body) {
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
std::string Change(pid_t child) {
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

std::string Code(long long result) { return result < 0 ? strerrorname_np(errno) : "ok"; }

// Runs `body` as the leader of a session with a terminal; what it adds to the
// report is recorded.
void Told(const std::function<void(const Pair&, const Report&)>& body) {
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

}  // namespace

CASE(job_no_terminal) {
  Record("open", InChild([] {
           setsid();
           return open("/dev/tty", O_RDWR) < 0 ? errno : 0;
         }));
}
CASE(job_set_terminal) {
  const Pair p = Open();
  Record("leader", InChild([&] {
           setsid();
           if (ioctl(p.slave, TIOCSCTTY, 0) != 0) return errno;
           return open("/dev/tty", O_RDWR) < 0 ? errno : 0;
         }));
  Record("no_leader", InChild([&] { return ioctl(p.slave, TIOCSCTTY, 0) != 0 ? errno : 0; }));
}
CASE(job_set_terminal_twice) {
  Told([](const Pair& p, const Report& r) {
    r.Add(Code(ioctl(p.slave, TIOCSCTTY, 0)));
    const Pair q = Open();
    r.Add(Code(ioctl(q.slave, TIOCSCTTY, 0)));
  });
}
CASE(job_steal_terminal) {
  const Pair p = Open();
  Report r;
  const std::string end = InChild([&] {
    BecomeLeader(p);
    r.Add(InChild([&] {
      setsid();
      if (ioctl(p.slave, TIOCSCTTY, 0) == 0) return 1;
      const int first = errno;
      if (ioctl(p.slave, TIOCSCTTY, 1) != 0) return 2;
      return first;
    }));
    r.Add(Code(open("/dev/tty", O_RDWR)));
    return 0;
  });
  Record("told", r.Read());
  Record("end", end);
}
CASE(job_set_terminal_by_the_master_end) {
  const Pair p = Open();
  Record("leader", InChild([&] {
           setsid();
           if (ioctl(p.master, TIOCSCTTY, 0) != 0) return errno;
           pid_t group = 0;
           if (ioctl(p.slave, TIOCGPGRP, &group) != 0) return errno;
           return group == getpgrp() ? 0 : 200;
         }));
}
CASE(job_opening_makes_the_terminal) {
  const Pair p = Open();
  const std::string name = ttyname(p.slave);
  Record("plain", InChild([&] {
           setsid();
           open(name.c_str(), O_RDWR);
           return open("/dev/tty", O_RDWR) < 0 ? errno : 0;
         }));
  Record("noctty", InChild([&] {
           setsid();
           open(name.c_str(), O_RDWR | O_NOCTTY);
           return open("/dev/tty", O_RDWR) < 0 ? errno : 0;
         }));
  Record("no_leader", InChild([&] {
           open(name.c_str(), O_RDWR);
           pid_t group;
           return ioctl(p.slave, TIOCGPGRP, &group) < 0 ? errno : 0;
         }));
}
CASE(job_ptmx_does_not_make_a_terminal) {
  Record("open", InChild([] {
           setsid();
           open("/dev/ptmx", O_RDWR);
           return open("/dev/tty", O_RDWR) < 0 ? errno : 0;
         }));
}
CASE(job_dev_tty_is_the_terminal) {
  Told([](const Pair& p, const Report& r) {
    const int tty = open("/dev/tty", O_RDWR);
    r.Add(Code(tty));
    r.Add(isatty(tty) ? "tty" : "none");
    MUST(write(tty, "hello", 5));
    char b[16] = {};
    MUST(read(p.master, b, 16));
    r.Add(b);
    r.Add(std::to_string(fcntl(tty, F_GETFL) & O_NONBLOCK));
  });
}
CASE(job_give_up_the_terminal) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGHUP);
    Catch(SIGCONT);
    r.Add(Code(ioctl(p.master, TIOCNOTTY, 0)));
    r.Add(Code(ioctl(p.slave, TIOCNOTTY, 0)));
    r.Add(std::to_string(signal_count));
    r.Add(Code(open("/dev/tty", O_RDWR)));
    r.Add(Code(ioctl(p.slave, TIOCNOTTY, 0)));
    r.Add(Code(write(p.slave, "x", 1)));
    r.Add(Code(ioctl(p.slave, TIOCSCTTY, 0)));
  });
}
CASE(job_a_child_gives_up_its_own_only) {
  Told([](const Pair& p, const Report& r) {
    r.Add(InChild([&] {
      if (ioctl(p.slave, TIOCNOTTY, 0) != 0) return errno;
      return open("/dev/tty", O_RDWR) < 0 ? errno : 0;
    }));
    r.Add(Code(open("/dev/tty", O_RDWR)));
  });
}
CASE(job_children_inherit_the_terminal) {
  Told([](const Pair& p, const Report& r) {
    r.Add(InChild([] { return open("/dev/tty", O_RDWR) < 0 ? errno : 0; }));
    r.Add(InChild([] {
      setsid();
      return open("/dev/tty", O_RDWR) < 0 ? errno : 0;
    }));
    (void)p;
  });
}
CASE(job_foreground_group) {
  Told([](const Pair& p, const Report& r) {
    r.Add(tcgetpgrp(p.slave) == getpid() ? "own" : "other");
    pid_t group = 0;
    r.Add(Code(ioctl(p.master, TIOCGPGRP, &group)));
    r.Add(group == getpid() ? "own" : "other");
    r.Add(tcgetsid(p.slave) == getpid() ? "own" : "other");
    pid_t session = 0;
    r.Add(Code(ioctl(p.master, TIOCGSID, &session)));
    r.Add(session == getpid() ? "own" : "other");
  });
}
CASE(job_foreground_group_of_others) {
  const Pair p = Open();
  pid_t id = -7;
  T(ioctl(p.slave, TIOCGPGRP, &id));
  T(ioctl(p.slave, TIOCGSID, &id));
  T(ioctl(p.master, TIOCGPGRP, &id));
  Record("id", id);
  T(ioctl(p.master, TIOCGSID, &id));
  id = getpgrp();
  T(ioctl(p.slave, TIOCSPGRP, &id));
  T(ioctl(p.master, TIOCSPGRP, &id));
}
CASE(job_set_foreground_errors) {
  Told([](const Pair& p, const Report& r) {
    r.Add(Code(tcsetpgrp(p.slave, 999999)));
    r.Add(Code(tcsetpgrp(p.slave, -3)));
    r.Add(Code(ioctl(p.slave, TIOCSPGRP, BadPointer())));
    const pid_t child = fork();
    if (child == 0) {
      setsid();
      pause();
      _exit(0);
    }
    SleepMs(50);
    r.Add(Code(tcsetpgrp(p.slave, child)));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    r.Add(Code(tcsetpgrp(p.slave, getpgrp())));
  });
}
CASE(job_interrupt_character) {
  Told([](const Pair& p, const Report& r) {
    const pid_t child = Job(p, true, [] {
      pause();
      return 0;
    });
    SleepMs(30);
    MUST(write(p.master, "\003", 1));
    r.Add(Change(child));
    const pid_t second = Job(p, true, [] {
      pause();
      return 0;
    });
    SleepMs(30);
    MUST(write(p.master, "\034", 1));
    int status;
    waitpid(second, &status, 0);
    r.Add(std::to_string(WTERMSIG(status)));
  });
}
CASE(job_stop_character_and_continue) {
  Told([](const Pair& p, const Report& r) {
    const pid_t child = Job(p, true, [] {
      pause();
      return 0;
    });
    SleepMs(30);
    MUST(write(p.master, "\032", 1));
    r.Add(Change(child));
    kill(child, SIGCONT);
    r.Add(Change(child));
    kill(child, SIGTERM);
    r.Add(Change(child));
  });
}
CASE(job_signals_reach_the_foreground_only) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGINT);
    const pid_t child = Job(p, true, [] {
      pause();
      return 0;
    });
    SleepMs(30);
    MUST(write(p.master, "\003", 1));
    r.Add(Change(child));
    SleepMs(30);
    r.Add(std::to_string(signal_count));
  });
}
CASE(job_no_signals_without_isig) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGINT);
    termios t;
    MUST(tcgetattr(p.slave, &t));
    t.c_lflag &= ~ISIG;
    MUST(tcsetattr(p.slave, TCSANOW, &t));
    MUST(write(p.master, "a\003\n", 3));
    char b[16] = {};
    r.Add(std::to_string(read(p.slave, b, 16)));
    r.Add(std::to_string(signal_count));
  });
}
CASE(job_interrupt_flushes_input) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGINT);
    MUST(write(p.master, "lost\003kept\n", 10));
    SleepMs(30);
    char b[16] = {};
    const ssize_t count = read(p.slave, b, 16);
    r.Add(std::string(b, static_cast<size_t>(count)));
    r.Add(std::to_string(signal_count));
  });
}
CASE(job_interrupt_with_noflsh) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGINT);
    termios t;
    MUST(tcgetattr(p.slave, &t));
    t.c_lflag |= NOFLSH;
    MUST(tcsetattr(p.slave, TCSANOW, &t));
    MUST(write(p.master, "kept\003too\n", 9));
    SleepMs(30);
    char b[16] = {};
    const ssize_t count = read(p.slave, b, 16);
    r.Add(std::string(b, static_cast<size_t>(count)));
    r.Add(std::to_string(signal_count));
  });
}
CASE(job_read_is_interrupted) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGINT);
    const pid_t child = fork();
    if (child == 0) {
      SleepMs(60);
      MUST(write(p.master, "\003", 1));
      _exit(0);
    }
    char b[4];
    r.Add(Code(read(p.slave, b, 4)));
    r.Add(std::to_string(last_signal));
    waitpid(child, nullptr, 0);
  });
}
CASE(job_background_read_stops) {
  Told([](const Pair& p, const Report& r) {
    const pid_t child = Job(p, false, [&] {
      char b[4];
      return static_cast<int>(read(p.slave, b, 4));
    });
    r.Add(Change(child));
    MUST(tcsetpgrp(p.slave, child));
    kill(child, SIGCONT);
    r.Add(Change(child));
    MUST(write(p.master, "ab\n", 3));
    r.Add(Change(child));
  });
}
CASE(job_background_read_of_who_ignores) {
  Told([](const Pair& p, const Report& r) {
    const pid_t child = Job(p, false, [&] {
      signal(SIGTTIN, SIG_IGN);
      char b[4];
      return read(p.slave, b, 4) < 0 ? errno : 0;
    });
    r.Add(Change(child));
  });
}
CASE(job_background_read_of_who_blocks) {
  Told([](const Pair& p, const Report& r) {
    const pid_t child = Job(p, false, [&] {
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGTTIN);
      sigprocmask(SIG_BLOCK, &set, nullptr);
      char b[4];
      return read(p.slave, b, 4) < 0 ? errno : 0;
    });
    r.Add(Change(child));
  });
}
CASE(job_background_read_of_who_catches) {
  Told([](const Pair& p, const Report& r) {
    const pid_t child = Job(p, false, [&] {
      Catch(SIGTTIN);
      char b[4];
      if (read(p.slave, b, 4) >= 0) return 0;
      return errno * 10 + signal_count;
    });
    r.Add(Change(child));
  });
}
CASE(job_background_write) {
  Told([](const Pair& p, const Report& r) {
    pid_t child = Job(p, false, [&] { return static_cast<int>(write(p.slave, "abc", 3)); });
    r.Add(Change(child));
    termios t;
    MUST(tcgetattr(p.slave, &t));
    t.c_lflag |= TOSTOP;
    MUST(tcsetattr(p.slave, TCSANOW, &t));
    child = Job(p, false, [&] { return static_cast<int>(write(p.slave, "abc", 3)); });
    r.Add(Change(child));
    kill(child, SIGKILL);
    r.Add(Change(child));
    child = Job(p, false, [&] {
      signal(SIGTTOU, SIG_IGN);
      return static_cast<int>(write(p.slave, "abc", 3));
    });
    r.Add(Change(child));
  });
}
CASE(job_background_change) {
  Told([](const Pair& p, const Report& r) {
    pid_t child = Job(p, false, [&] {
      termios t;
      if (tcgetattr(p.slave, &t) != 0) return 1;
      return tcsetattr(p.slave, TCSANOW, &t) == 0 ? 0 : errno;
    });
    r.Add(Change(child));
    kill(child, SIGKILL);
    r.Add(Change(child));
    child = Job(p, false, [&] {
      signal(SIGTTOU, SIG_IGN);
      termios t;
      if (tcgetattr(p.slave, &t) != 0) return 1;
      return tcsetattr(p.slave, TCSANOW, &t) == 0 ? 0 : errno;
    });
    r.Add(Change(child));
    child = Job(p, false, [&] { return tcsetpgrp(p.slave, getpgrp()) == 0 ? 0 : errno; });
    r.Add(Change(child));
    kill(child, SIGKILL);
    r.Add(Change(child));
    child = Job(p, false, [&] {
      winsize size = {1, 2, 3, 4};
      return ioctl(p.slave, TIOCSWINSZ, &size) == 0 ? 0 : errno;
    });
    r.Add(Change(child));
  });
}
CASE(job_orphaned_group_gets_errors) {
  Report r;
  const Pair p = Open();
  const std::string end = InChild([&] {
    BecomeLeader(p);
    const pid_t middle = fork();
    if (middle == 0) {
      const pid_t orphan = fork();
      if (orphan == 0) {
        setpgid(0, 0);
        SleepMs(60);
        char b[4];
        r.Add("read=" + Code(read(p.slave, b, 4)));
        termios t;
        r.Add("get=" + Code(tcgetattr(p.slave, &t)));
        r.Add("set=" + Code(tcsetattr(p.slave, TCSANOW, &t)));
        r.Add("group=" + Code(tcsetpgrp(p.slave, getpgrp())));
        _exit(0);
      }
      setpgid(0, 0);
      _exit(0);
    }
    waitpid(middle, nullptr, 0);
    SleepMs(200);
    return 0;
  });
  Record("told", r.Read());
  Record("end", end);
}
CASE(job_orphaned_group_does_not_stop) {
  Report r;
  const Pair p = Open();
  const std::string end = InChild([&] {
    BecomeLeader(p);
    r.Add(InChild([&] {
      MUST(setsid());
      raise(SIGTSTP);
      return 7;
    }));
    return 0;
  });
  Record("told", r.Read());
  Record("end", end);
}
CASE(job_window_signal) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGWINCH);
    winsize size = {10, 20, 0, 0};
    r.Add(Code(ioctl(p.master, TIOCSWINSZ, &size)));
    SleepMs(20);
    r.Add(std::to_string(signal_count));
    r.Add(Code(ioctl(p.master, TIOCSWINSZ, &size)));
    SleepMs(20);
    r.Add(std::to_string(signal_count));
    size.ws_col = 30;
    r.Add(Code(ioctl(p.slave, TIOCSWINSZ, &size)));
    SleepMs(20);
    r.Add(std::to_string(signal_count));
  });
}
CASE(job_signal_request) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGINT);
    Catch(SIGTSTP);
    r.Add(Code(ioctl(p.master, TIOCSIG, SIGINT)));
    SleepMs(20);
    r.Add(std::to_string(last_signal));
    r.Add(Code(ioctl(p.master, TIOCSIG, SIGTSTP)));
    SleepMs(20);
    r.Add(std::to_string(last_signal));
    r.Add(Code(ioctl(p.master, TIOCSIG, SIGTERM)));
    r.Add(Code(ioctl(p.slave, TIOCSIG, SIGINT)));
  });
}
CASE(job_hang_up_by_the_masters_end) {
  Report r;
  const Pair p = Open();
  int ready[2];
  MUST(pipe(ready));
  const pid_t leader = fork();
  if (leader == 0) {
    close(p.master);
    BecomeLeader(p);
    Catch(SIGHUP);
    Catch(SIGCONT);
    MUST(write(ready[1], "x", 1));
    while (signal_count < 2) SleepMs(5);
    r.Add("signals");
    r.Add(Code(open("/dev/tty", O_RDWR)));
    char c;
    r.Add("read=" + std::to_string(read(p.slave, &c, 1)));
    _exit(0);
  }
  char c;
  MUST(read(ready[0], &c, 1));
  close(p.master);
  int status;
  waitpid(leader, &status, 0);
  Record("told", r.Read());
  Record("end", StatusText(status));
}
CASE(job_hang_up_ends_a_leader) {
  const Pair p = Open();
  int ready[2];
  MUST(pipe(ready));
  const pid_t leader = fork();
  if (leader == 0) {
    close(p.master);
    BecomeLeader(p);
    MUST(write(ready[1], "x", 1));
    pause();
    _exit(0);
  }
  char c;
  MUST(read(ready[0], &c, 1));
  close(p.master);
  int status;
  waitpid(leader, &status, 0);
  Record("end", StatusText(status));
}
CASE(job_end_of_the_leader_hangs_up_the_foreground) {
  Report r;
  const Pair p = Open();
  const std::string end = InChild([&] {
    BecomeLeader(p);
    const pid_t child = fork();
    if (child == 0) {
      Catch(SIGHUP);
      while (signal_count == 0) SleepMs(5);
      r.Add(std::to_string(last_signal));
      r.Add(Code(open("/dev/tty", O_RDWR)));
      r.Add(Code(write(p.slave, "x", 1)));
      _exit(0);
    }
    SleepMs(50);
    return 3;
  });
  Record("end", end);
  SleepMs(100);
  Record("told", r.Read());
}
CASE(job_terminal_is_free_after_its_leader) {
  const Pair p = Open();
  for (const char* key : {"first", "second"}) {
    Record(key, InChild([&] {
             setsid();
             return ioctl(p.slave, TIOCSCTTY, 0) == 0 ? 0 : errno;
           }));
  }
}
CASE(job_vhangup) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGHUP);
    Catch(SIGCONT);
    r.Add(InChild([] {
      BecomeUser(1000, 1000);
      return vhangup() == 0 ? 0 : errno;
    }));
    r.Add(Code(vhangup()));
    r.Add(std::to_string(signal_count));
    r.Add(Code(write(p.slave, "x", 1)));
    r.Add(Code(open("/dev/tty", O_RDWR)));
  });
  Record("without", InChild([] {
           setsid();
           return vhangup() == 0 ? 0 : errno;
         }));
}
CASE(job_proc_stat) {
  Told([](const Pair& p, const Report& r) {
    const std::string stat = Content("/proc/self/stat");
    int group = 0, session = 0, tty = 0, foreground = 0;
    sscanf(stat.c_str() + stat.rfind(')'), ") %*c %*d %d %d %d %d", &group, &session, &tty,
           &foreground);
    int number = -1;
    MUST(ioctl(p.master, TIOCGPTN, &number));
    r.Add(tty == (136 << 8 | number) ? "tty" : "other");
    r.Add(foreground == getpid() ? "own" : "other");
    r.Add(session == getpid() ? "own" : "other");
  });
  Record("without", InChild([] {
           setsid();
           const std::string stat = Content("/proc/self/stat");
           int tty = 0, foreground = 0;
           sscanf(stat.c_str() + stat.rfind(')'), ") %*c %*d %*d %*d %d %d", &tty, &foreground);
           return tty == 0 && foreground == -1 ? 0 : 1;
         }));
}
CASE(job_login_terminal) {
  Pair p;
  winsize size = {33, 44, 0, 0};
  const pid_t child = forkpty(&p.master, nullptr, nullptr, &size);
  if (child == 0) {
    winsize seen = {};
    ioctl(0, TIOCGWINSZ, &seen);
    printf("%d %d %d %d\n", isatty(0), tcgetpgrp(0) == getpid(), seen.ws_row, seen.ws_col);
    fflush(stdout);
    _exit(5);
  }
  std::string shown;
  char b[256];
  ssize_t count;
  while ((count = read(p.master, b, sizeof(b))) > 0) shown.append(b, static_cast<size_t>(count));
  while (!shown.empty() && shown.back() < ' ') shown.pop_back();
  Record("shown", shown);
  int status;
  waitpid(child, &status, 0);
  Record("end", StatusText(status));
}
