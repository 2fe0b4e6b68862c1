// Terminals: nodes, pairs, attributes.
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include <string>

#include "test/guest/terminals.h"

using namespace guest;

// --- Nodes and pairs

CASE(tty_ptmx_node) {
  struct stat st;
  MUST(stat("/dev/ptmx", &st));
  Record("type", S_ISCHR(st.st_mode));
  Record("major", major(st.st_rdev));
  Record("minor", minor(st.st_rdev));
  MUST(stat("/dev/tty", &st));
  Record("tty", major(st.st_rdev) * 1000 + minor(st.st_rdev));
  Record("tty_mode", Octal(st.st_mode));
}
CASE(tty_slave_is_locked_at_first) {
  const int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
  MUST(master);
  int locked = -1, number = -1;
  T(ioctl(master, TIOCGPTLCK, &locked));
  Record("locked", locked);
  T(ioctl(master, TIOCGPTN, &number));
  const std::string name = "/dev/pts/" + std::to_string(number);
  Record("open", open(name.c_str(), O_RDWR | O_NOCTTY) < 0 ? strerrorname_np(errno) : "ok");
  T(unlockpt(master));
  Record("open", open(name.c_str(), O_RDWR | O_NOCTTY) < 0 ? strerrorname_np(errno) : "ok");
}
CASE(tty_slave_node) {
  const Pair p = Open();
  struct stat st;
  MUST(fstat(p.slave, &st));
  int number = -1;
  MUST(ioctl(p.master, TIOCGPTN, &number));
  Record("type", S_ISCHR(st.st_mode));
  Record("major", major(st.st_rdev));
  Record("minor_is_number", minor(st.st_rdev) == static_cast<unsigned>(number));
  Record("mode", Octal(st.st_mode));
  Record("uid", st.st_uid);
  Record("gid", st.st_gid);
  Record("nlink", st.st_nlink);
  Record("name", std::string(ttyname(p.slave)) == "/dev/pts/" + std::to_string(number));
}
CASE(tty_slave_of_another_user) {
  BecomeUser(1234, 567);
  const Pair p = Open();
  struct stat st;
  MUST(fstat(p.slave, &st));
  Record("uid", st.st_uid);
  Record("gid", st.st_gid);
  T(fchmod(p.slave, 0666));
  MUST(fstat(p.slave, &st));
  Record("mode", Octal(st.st_mode));
}
CASE(tty_node_goes_with_the_master) {
  const Pair p = Open();
  const std::string name = ttyname(p.slave);
  Record("before", access(name.c_str(), F_OK));
  close(p.master);
  Record("after", access(name.c_str(), F_OK));
  Record("open", open(name.c_str(), O_RDWR) < 0 ? strerrorname_np(errno) : "ok");
}
CASE(tty_number_is_free_after_both_ends) {
  Pair p = Open();
  int first = -1, second = -1, third = -1;
  MUST(ioctl(p.master, TIOCGPTN, &first));
  close(p.master);
  Pair q = Open();
  MUST(ioctl(q.master, TIOCGPTN, &second));
  Record("another", second != first);
  close(p.slave);
  Pair r = Open();
  MUST(ioctl(r.master, TIOCGPTN, &third));
  Record("again", third == first);
}
CASE(tty_directory_changes) {
  T(mkdir("/dev/pts/x", 0755));
  T(open("/dev/pts/x", O_RDWR | O_CREAT, 0644));
  T(unlink("/dev/pts/ptmx"));
  T(open("/dev/pts/0123", O_RDWR));
  T(open("/dev/pts/-1", O_RDWR));
  T(open("/dev/pts/99999", O_RDWR));
}
CASE(tty_peer) {
  const int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
  MUST(master);
  T(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY) < 0);
  MUST(unlockpt(master));
  const int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  Record("ok", slave >= 0);
  Record("tty", isatty(slave));
  Record("cloexec", fcntl(slave, F_GETFD));
  Record("flags", Octal(fcntl(slave, F_GETFL) & (O_ACCMODE | O_NONBLOCK | O_NOCTTY)));
  T(ioctl(slave, TIOCGPTPEER, O_RDWR));
}
CASE(tty_device_number_request) {
  const Pair p = Open();
  unsigned device = 0, number = 0;
  T(ioctl(p.slave, TIOCGDEV, &device));
  MUST(ioctl(p.master, TIOCGPTN, &number));
  Record("same", device == (136u << 8 | number));
  T(ioctl(p.master, TIOCGDEV, &device));
  Record("same", device == (136u << 8 | number));
}
CASE(tty_mknod_opens_nothing) {
  Record("mknod", mknod("copy", S_IFCHR | 0666, makedev(136, 0)));
  T(open("copy", O_RDWR | O_NOCTTY));
}
CASE(tty_seek_and_offsets) {
  const Pair p = Open();
  char c = 0;
  T(lseek(p.slave, 0, SEEK_SET));
  T(lseek(p.master, 5, SEEK_CUR));
  T(pread(p.slave, &c, 1, 0));
  T(pwrite(p.master, &c, 1, 0));
  T(ftruncate(p.slave, 0));
  T(fsync(p.slave));
  TP(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, p.slave, 0));
}
CASE(tty_open_flags) {
  const Pair p = Open();
  const int again = open(ttyname(p.slave), O_RDONLY | O_NOCTTY);
  MUST(again);
  Record("flags", Octal(static_cast<unsigned long>(fcntl(again, F_GETFL))));
  char c = 'x';
  T(write(again, &c, 1));
  T(isatty(again));
}

// --- Attributes

CASE(tty_default_attributes) {
  const Pair p = Open();
  termios t;
  MUST(tcgetattr(p.slave, &t));
  Record("i", Octal(t.c_iflag));
  Record("o", Octal(t.c_oflag));
  Record("c", Octal(t.c_cflag));
  Record("l", Octal(t.c_lflag));
  Record("line", t.c_line);
  std::string characters;
  for (int i = 0; i < 19; ++i) characters += std::to_string(t.c_cc[i]) + ",";
  Record("cc", characters);
}
CASE(tty_attributes_are_the_slaves_from_both_ends) {
  const Pair p = Open();
  Change(p.master, {0, ECHO});
  termios t;
  MUST(tcgetattr(p.slave, &t));
  Record("echo", (t.c_lflag & ECHO) != 0);
  MUST(tcgetattr(p.master, &t));
  Record("echo", (t.c_lflag & ECHO) != 0);
}
CASE(tty_size_and_parity_are_fixed) {
  const Pair p = Open();
  termios t;
  MUST(tcgetattr(p.slave, &t));
  t.c_cflag = (t.c_cflag & ~CSIZE) | CS7 | PARENB | CSTOPB | CLOCAL;
  T(tcsetattr(p.slave, TCSANOW, &t));
  MUST(tcgetattr(p.slave, &t));
  Record("c", Octal(t.c_cflag));
}
CASE(tty_speeds) {
  const Pair p = Open();
  termios t;
  MUST(tcgetattr(p.slave, &t));
  cfsetispeed(&t, B9600);
  cfsetospeed(&t, B115200);
  T(tcsetattr(p.slave, TCSANOW, &t));
  MUST(tcgetattr(p.slave, &t));
  Record("in", cfgetispeed(&t));
  Record("out", cfgetospeed(&t));
  unsigned t2[11] = {};
  T(ioctl(p.slave, _IOC(_IOC_READ, 'T', 0x2A, 44), t2));
  Record("out", t2[10]);
}
CASE(tty_arbitrary_speed) {
  const Pair p = Open();
  unsigned t2[11] = {};
  MUST(ioctl(p.slave, _IOC(_IOC_READ, 'T', 0x2A, 44), t2));
  t2[2] = (t2[2] & ~010017u) | 010000u;
  t2[9] = t2[10] = 12345;
  T(ioctl(p.slave, _IOC(_IOC_WRITE, 'T', 0x2B, 44), t2));
  MUST(ioctl(p.slave, _IOC(_IOC_READ, 'T', 0x2A, 44), t2));
  Record("out", t2[10]);
  Record("in", t2[9]);
}
CASE(tty_old_attributes) {
  const Pair p = Open();
  unsigned short t[9] = {};
  T(ioctl(p.slave, TCGETA, t));
  Record("i", t[0]);
  Record("o", t[1]);
  Record("c", t[2]);
  Record("l", t[3]);
  t[3] &= static_cast<unsigned short>(~ECHO);
  T(ioctl(p.slave, TCSETA, t));
  termios now;
  MUST(tcgetattr(p.slave, &now));
  Record("l", Octal(now.c_lflag));
}
CASE(tty_attribute_errors) {
  const Pair p = Open();
  T(ioctl(p.slave, TCGETS, BadPointer()));
  T(ioctl(p.slave, TCSETS, BadPointer()));
  T(ioctl(p.slave, TIOCGWINSZ, BadPointer()));
  T(ioctl(p.slave, TIOCSWINSZ, BadPointer()));
  T(ioctl(p.slave, FIONREAD, BadPointer()));
  int pipe_ends[2];
  MUST(pipe(pipe_ends));
  termios t;
  T(ioctl(pipe_ends[0], TCGETS, &t));
  T(ioctl(pipe_ends[0], TIOCGWINSZ, &t));
}
CASE(tty_requests_that_a_pty_lacks) {
  const Pair p = Open();
  int value = 0;
  T(ioctl(p.slave, TIOCMGET, &value));
  T(ioctl(p.slave, TIOCMSET, &value));
  T(ioctl(p.slave, TIOCGSERIAL, &value));
  T(ioctl(p.slave, TIOCGICOUNT, &value));
  T(ioctl(p.slave, TIOCPKT, &value));
  T(ioctl(p.slave, TIOCGPTN, &value));
  T(ioctl(p.slave, TIOCSPTLCK, &value));
  T(ioctl(p.slave, 0x5499, &value));
  T(ioctl(p.slave, TIOCSBRK, 0));
  T(ioctl(p.slave, TIOCCBRK, 0));
  T(tcsendbreak(p.slave, 0));
  T(tcdrain(p.slave));
}
CASE(tty_discipline_number) {
  const Pair p = Open();
  int number = -1;
  T(ioctl(p.slave, TIOCGETD, &number));
  Record("number", number);
  number = 0;
  T(ioctl(p.slave, TIOCSETD, &number));
  number = 29;
  T(ioctl(p.slave, TIOCSETD, &number));
}
CASE(tty_soft_carrier) {
  const Pair p = Open();
  int on = -1;
  T(ioctl(p.slave, TIOCGSOFTCAR, &on));
  Record("on", on);
  on = 1;
  T(ioctl(p.slave, TIOCSSOFTCAR, &on));
  on = -1;
  T(ioctl(p.slave, TIOCGSOFTCAR, &on));
  Record("on", on);
}
CASE(tty_exclusive) {
  const Pair p = Open();
  int on = -1;
  T(ioctl(p.slave, TIOCGEXCL, &on));
  Record("on", on);
  T(ioctl(p.slave, TIOCEXCL, 0));
  T(ioctl(p.slave, TIOCGEXCL, &on));
  Record("on", on);
  const std::string name = ttyname(p.slave);
  MUST(fchmod(p.slave, 0666));
  Record("root", open(name.c_str(), O_RDWR | O_NOCTTY) >= 0);
  Record("user", InChild([&] {
           BecomeUser(1000, 1000);
           return open(name.c_str(), O_RDWR | O_NOCTTY) >= 0 ? 0 : errno;
         }));
  T(ioctl(p.slave, TIOCNXCL, 0));
  Record("user", InChild([&] {
           BecomeUser(1000, 1000);
           return open(name.c_str(), O_RDWR | O_NOCTTY) >= 0 ? 0 : errno;
         }));
}
CASE(tty_window_size) {
  const Pair p = Open();
  winsize size = {};
  T(ioctl(p.slave, TIOCGWINSZ, &size));
  Record("rows", size.ws_row);
  size = {24, 80, 640, 480};
  T(ioctl(p.master, TIOCSWINSZ, &size));
  size = {};
  T(ioctl(p.slave, TIOCGWINSZ, &size));
  Record("rows", size.ws_row);
  Record("columns", size.ws_col);
  Record("x", size.ws_xpixel);
  size.ws_row = 50;
  T(ioctl(p.slave, TIOCSWINSZ, &size));
  size = {};
  T(ioctl(p.master, TIOCGWINSZ, &size));
  Record("rows", size.ws_row);
}
