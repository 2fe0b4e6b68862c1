// Job control: what background and orphaned groups may do.
#include <sys/ioctl.h>
#include <termios.h>

#include <string>

#include "test/guest/jobs.h"

using namespace guest;

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
