// Terminals: output, flow control, packet mode, hang-ups.
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <string>

#include "test/guest/terminals.h"

using namespace guest;

// --- Output

CASE(tty_output_newline) {
  const Pair p = Open();
  T(write(p.slave, "a\nb\r\n", 5));
  Record("shown", Available(p.master));
}
CASE(tty_output_raw) {
  const Pair p = OpenRaw();
  T(write(p.slave, "a\nb\tc", 5));
  Record("shown", Available(p.master));
}
CASE(tty_output_expands_tabs) {
  const Pair p = Open();
  Change(p.slave, {}, {}, {XTABS, 0});
  MUST(write(p.slave, "ab\tc\b\b\td\n\te", 11));
  Record("shown", Available(p.master));
}
CASE(tty_output_carriage_returns) {
  const Pair p = Open();
  Change(p.slave, {}, {}, {ONOCR | OCRNL, ONLCR});
  MUST(write(p.slave, "\ra\rb\r\r", 6));
  Record("shown", Available(p.master));
}
CASE(tty_output_newline_returns) {
  const Pair p = Open();
  Change(p.slave, {}, {}, {ONLRET | ONOCR, ONLCR});
  MUST(write(p.slave, "ab\n\rc", 5));
  Record("shown", Available(p.master));
}
CASE(tty_output_upper_case) {
  const Pair p = Open();
  Change(p.slave, {}, {}, {OLCUC, 0});
  MUST(write(p.slave, "abC\344", 4));
  Record("shown", Available(p.master));
}
CASE(tty_output_queue) {
  const Pair p = Open();
  MUST(write(p.slave, "abc", 3));
  int count = -1;
  T(ioctl(p.slave, TIOCOUTQ, &count));
  Record("count", count);
  Record("master", Queued(p.master));
}
CASE(tty_output_of_megabytes) {
  const Pair p = Open();
  const pid_t child = fork();
  if (child == 0) {
    close(p.master);
    const std::string line(99, 'x');
    for (int i = 0; i < 10000; ++i) {
      MUST(write(p.slave, (line + "\n").data(), 100));
    }
    _exit(0);
  }
  close(p.slave);
  char b[65536];
  long long total = 0;
  ssize_t count;
  while ((count = read(p.master, b, sizeof(b))) > 0) total += count;
  Record("error", strerrorname_np(errno));
  Record("total", total);
  int status;
  waitpid(child, &status, 0);
  Record("child", StatusText(status));
}
CASE(tty_input_of_a_megabyte) {
  const Pair p = OpenRaw();
  const pid_t child = fork();
  if (child == 0) {
    const std::string block(4096, 'y');
    for (int i = 0; i < 256; ++i) {
      if (write(p.master, block.data(), block.size()) != 4096) _exit(1);
    }
    _exit(0);
  }
  char b[65536];
  long long total = 0;
  while (total < 256 * 4096) {
    const ssize_t count = read(p.slave, b, sizeof(b));
    if (count <= 0) break;
    total += count;
  }
  Record("total", total);
  int status;
  waitpid(child, &status, 0);
  Record("child", StatusText(status));
}

// --- Flow control

CASE(tty_stop_and_start_characters) {
  const Pair p = Open();
  fcntl(p.slave, F_SETFL, O_NONBLOCK);
  Type(p, "\023");
  SleepMs(20);
  T(write(p.slave, "held", 4));
  Record("events", Events(p.slave));
  Type(p, "ab");
  Record("shown", Available(p.master));
  Type(p, "\021");
  Record("shown", Available(p.master));
  T(write(p.slave, "free", 4));
}
CASE(tty_any_character_starts) {
  const Pair p = Open();
  Change(p.slave, {}, {IXANY, 0});
  fcntl(p.slave, F_SETFL, O_NONBLOCK);
  Type(p, "\023");
  SleepMs(20);
  T(write(p.slave, "held", 4));
  Type(p, "x");
  SleepMs(20);
  T(write(p.slave, "free", 4));
  Record("shown", Available(p.master));
}
CASE(tty_flow_requests) {
  const Pair p = Open();
  fcntl(p.slave, F_SETFL, O_NONBLOCK);
  T(tcflow(p.slave, TCOOFF));
  T(write(p.slave, "held", 4));
  Type(p, "\021");
  SleepMs(20);
  T(write(p.slave, "held", 4));
  T(tcflow(p.slave, TCOON));
  T(write(p.slave, "free", 4));
  Record("shown", Available(p.master));
  T(tcflow(p.slave, TCIOFF));
  Record("shown", Available(p.master));
  T(tcflow(p.slave, TCION));
  Record("shown", Available(p.master));
  T(tcflow(p.slave, 17));
}
CASE(tty_stop_without_ixon) {
  const Pair p = Open();
  Change(p.slave, {}, {0, IXON});
  Dialogue(p, "\023\021x\n");
}
CASE(tty_ixon_off_starts) {
  const Pair p = Open();
  fcntl(p.slave, F_SETFL, O_NONBLOCK);
  Type(p, "\023");
  SleepMs(20);
  T(write(p.slave, "held", 4));
  Change(p.slave, {}, {0, IXON});
  T(write(p.slave, "free", 4));
}
CASE(tty_flush_input) {
  const Pair p = Open();
  Type(p, "line\npart");
  SleepMs(20);
  T(tcflush(p.slave, TCIFLUSH));
  Record("queued", Queued(p.slave));
  Record("events", Events(p.slave) & POLLIN);
  Dialogue(p, "x\n");
  T(tcflush(p.slave, 9));
}
CASE(tty_flush_output) {
  const Pair p = Open();
  MUST(write(p.slave, "abc", 3));
  SleepMs(20);
  T(tcflush(p.slave, TCOFLUSH));
  Record("shown", Available(p.master));
}
CASE(tty_flush_by_the_master) {
  const Pair p = Open();
  MUST(write(p.slave, "abc", 3));
  SleepMs(20);
  T(tcflush(p.master, TCIFLUSH));
  Record("shown", Available(p.master));
}
CASE(tty_flush_with_attributes) {
  const Pair p = Open();
  Type(p, "line\n");
  SleepMs(20);
  termios t;
  MUST(tcgetattr(p.slave, &t));
  T(tcsetattr(p.slave, TCSAFLUSH, &t));
  Record("queued", Queued(p.slave));
  Type(p, "more\n");
  SleepMs(20);
  T(tcsetattr(p.slave, TCSADRAIN, &t));
  Record("queued", Queued(p.slave));
}
CASE(tty_fake_input) {
  const Pair p = Open();
  char c = 'x';
  T(ioctl(p.slave, TIOCSTI, &c));
  c = '\n';
  T(ioctl(p.slave, TIOCSTI, &c));
  Record("read", Available(p.slave));
  Record("shown", Available(p.master));
  T(ioctl(p.slave, TIOCSTI, BadPointer()));
}

// --- Packet mode

CASE(tty_packet_data) {
  const Pair p = Open();
  int on = 1;
  T(ioctl(p.master, TIOCPKT, &on));
  on = -1;
  T(ioctl(p.master, TIOCGPKT, &on));
  Record("on", on);
  MUST(write(p.slave, "abc", 3));
  char b[16];
  const ssize_t count = read(p.master, b, sizeof(b));
  Record("got", Visible(std::string(b, static_cast<size_t>(count))));
}
CASE(tty_packet_status) {
  const Pair p = Open();
  int on = 1;
  MUST(ioctl(p.master, TIOCPKT, &on));
  Record("events", Events(p.master));
  Type(p, "\023");
  SleepMs(20);
  Record("events", Events(p.master));
  Record("got", Available(p.master));
  Type(p, "\021");
  SleepMs(20);
  Record("got", Available(p.master));
  MUST(tcflush(p.slave, TCIFLUSH));
  Record("got", Available(p.master));
  MUST(tcflush(p.slave, TCIOFLUSH));
  Record("got", Available(p.master));
  Change(p.slave, {}, {0, IXON});
  Record("got", Available(p.master));
  Change(p.slave, {}, {IXON, 0});
  Record("got", Available(p.master));
}

// --- Ends

CASE(tty_master_without_slaves) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  MUST(master);
  fcntl(master, F_SETFL, O_NONBLOCK);
  char c = 'x';
  T(read(master, &c, 1));
  Record("events", Events(master));
  T(write(master, "abc\n", 4));
  MUST(unlockpt(master));
  const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  MUST(slave);
  Record("read", Available(slave));
}
CASE(tty_master_after_the_last_slave) {
  const Pair p = Open();
  MUST(write(p.slave, "last", 4));
  const std::string name = ttyname(p.slave);
  close(p.slave);
  Record("events", Events(p.master));
  Record("got", Available(p.master));
  char c;
  T(read(p.master, &c, 1));
  T(write(p.master, "abc\n", 4));
  const int slave = open(name.c_str(), O_RDWR | O_NOCTTY);
  MUST(slave);
  SleepMs(20);
  Record("events", Events(p.master));
  Record("read", Available(slave));
}
CASE(tty_attributes_outlive_slaves) {
  const Pair p = Open();
  const std::string name = ttyname(p.slave);
  Change(p.slave, {0, ECHO});
  close(p.slave);
  const int slave = open(name.c_str(), O_RDWR | O_NOCTTY);
  MUST(slave);
  termios t;
  MUST(tcgetattr(slave, &t));
  Record("echo", (t.c_lflag & ECHO) != 0);
}
CASE(tty_slave_after_the_master) {
  const Pair p = Open();
  Type(p, "left\n");
  SleepMs(20);
  close(p.master);
  Record("events", Events(p.slave));
  char b[16];
  T(read(p.slave, b, 16));
  T(write(p.slave, "x", 1));
  termios t;
  T(tcgetattr(p.slave, &t));
  winsize size;
  T(ioctl(p.slave, TIOCGWINSZ, &size));
  pid_t group = getpgrp();
  T(ioctl(p.slave, TIOCSPGRP, &group));
  T(isatty(p.slave));
}
CASE(tty_reader_is_woken_by_the_masters_end) {
  const Pair p = Open();
  const pid_t child = fork();
  if (child == 0) {
    close(p.master);
    char c;
    const ssize_t count = read(p.slave, &c, 1);
    _exit(count == 0 ? 0 : errno);
  }
  SleepMs(50);
  close(p.master);
  int status;
  waitpid(child, &status, 0);
  Record("child", StatusText(status));
}
CASE(tty_hang_up_request) {
  const Pair p = Open();
  const std::string name = ttyname(p.slave);
  Change(p.slave, {0, ECHO});
  T(ioctl(p.slave, TIOCVHANGUP, 0));
  char c;
  T(read(p.slave, &c, 1));
  T(write(p.slave, "x", 1));
  T(isatty(p.slave));
  const int again = open(name.c_str(), O_RDWR | O_NOCTTY);
  Record("again", again >= 0);
  termios t;
  T(tcgetattr(again, &t));
  Record("echo", (t.c_lflag & ECHO) != 0);
  T(write(again, "y", 1));
  Record("shown", Available(p.master));
  Record("user", InChild([&] {
           BecomeUser(1000, 1000);
           return ioctl(again, TIOCVHANGUP, 0) == 0 ? 0 : errno;
         }));
}
CASE(tty_poll_both_ends) {
  const Pair p = Open();
  Record("slave", Events(p.slave));
  Record("master", Events(p.master));
  Type(p, "x\n");
  SleepMs(20);
  Record("slave", Events(p.slave));
  Record("master", Events(p.master));
}
