// Job control: hang-ups.
#include <sys/ioctl.h>

#include <string>

#include "test/guest/jobs.h"

using namespace guest;

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
