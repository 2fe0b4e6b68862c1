// Sessions, controlling terminals, foreground groups.
#include <pty.h>
#include <sys/ioctl.h>

#include <string>

#include "test/guest/jobs.h"

using namespace guest;

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
