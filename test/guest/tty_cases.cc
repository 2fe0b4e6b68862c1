// Terminals: pairs, attributes, line editing, flow control, packet mode, hang-ups.
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
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

struct Flags {
  tcflag_t on = 0, off = 0;
};

void Change(int fd, Flags local, Flags input = {}, Flags output = {}) {
  termios t;
  MUST(tcgetattr(fd, &t));
  t.c_lflag = (t.c_lflag | local.on) & ~local.off;
  t.c_iflag = (t.c_iflag | input.on) & ~input.off;
  t.c_oflag = (t.c_oflag | output.on) & ~output.off;
  MUST(tcsetattr(fd, TCSANOW, &t));
}

void SetCharacter(int fd, int index, cc_t value) {
  termios t;
  MUST(tcgetattr(fd, &t));
  t.c_cc[index] = value;
  MUST(tcsetattr(fd, TCSANOW, &t));
}

Pair OpenRaw() {
  Pair pair = Open();
  termios t;
  MUST(tcgetattr(pair.slave, &t));
  cfmakeraw(&t);
  MUST(tcsetattr(pair.slave, TCSANOW, &t));
  return pair;
}

// Without bytes that would break a line of the report.
std::string Visible(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    char buffer[8];
    if (byte > ' ' && byte < 0x7f && byte != '\\') {
      text += c;
    } else {
      snprintf(buffer, sizeof(buffer), "\\%03o", byte);
      text += buffer;
    }
  }
  return text.empty() ? "(nothing)" : text;
}

// What can be read within a moment; the name of an error behind it.
std::string Available(int fd) {
  std::string bytes;
  while (true) {
    pollfd entry = {fd, POLLIN, 0};
    if (poll(&entry, 1, 30) <= 0) break;
    char buffer[4096];
    const ssize_t count = read(fd, buffer, sizeof(buffer));
    if (count < 0) return Visible(bytes) + "+" + strerrorname_np(errno);
    if (count == 0) return Visible(bytes) + "+end";
    bytes.append(buffer, static_cast<size_t>(count));
  }
  return Visible(bytes);
}

void Type(const Pair& pair, const std::string& bytes) {
  if (write(pair.master, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    Broken("write to the master end");
  }
}

// Types, and records what is read and what is shown.
void Dialogue(const Pair& pair, const std::string& typed) {
  Type(pair, typed);
  Record("read", Available(pair.slave));
  Record("shown", Available(pair.master));
}

short Events(int fd) {
  pollfd entry = {fd, POLLIN | POLLOUT | POLLPRI, 0};
  poll(&entry, 1, 30);
  return entry.revents;
}

int Queued(int fd) {
  SleepMs(20);
  int count = -1;
  ioctl(fd, FIONREAD, &count);
  return count;
}

}  // namespace

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

// --- Canonical input

CASE(tty_a_line) { Dialogue(Open(), "hello\n"); }
CASE(tty_carriage_return_ends_a_line) { Dialogue(Open(), "a\rb\r"); }
CASE(tty_a_part_of_a_line) {
  const Pair p = Open();
  Dialogue(p, "abc");
  Record("events", Events(p.slave));
  Record("queued", Queued(p.slave));
  Dialogue(p, "d\n");
}
CASE(tty_one_line_at_a_time) {
  const Pair p = Open();
  Type(p, "one\ntwo\n");
  SleepMs(20);
  char b[64];
  Record("queued", Queued(p.slave));
  T(read(p.slave, b, 2));
  T(read(p.slave, b, 64));
  T(read(p.slave, b, 64));
}
CASE(tty_end_of_file) {
  const Pair p = Open();
  char b[64];
  Type(p, "\004");
  T(read(p.slave, b, 64));
  Type(p, "abc\004");
  T(read(p.slave, b, 64));
  Type(p, "xyz\004");
  SleepMs(20);
  Record("queued", Queued(p.slave));
  T(read(p.slave, b, 3));
  Record("events", Events(p.slave) & POLLIN);
  Dialogue(p, "q\004\004");
}
CASE(tty_erase) { Dialogue(Open(), "abc\177\177x\n"); }
CASE(tty_erase_nothing) { Dialogue(Open(), "\177\177a\n"); }
CASE(tty_erase_control_character) { Dialogue(Open(), "a\001\002\177b\n"); }
CASE(tty_erase_tabs) { Dialogue(Open(), "ab\tc\t\177\177\177d\n"); }
CASE(tty_erase_tab_after_prompt) {
  const Pair p = Open();
  MUST(write(p.slave, "prompt> ", 8));
  Dialogue(p, "a\t\177b\n");
}
CASE(tty_erase_word) { Dialogue(Open(), "one two.three  \027four\027\027\n"); }
CASE(tty_kill) { Dialogue(Open(), "gone\025kept\n"); }
CASE(tty_kill_without_echoke) {
  const Pair p = Open();
  Change(p.slave, {0, ECHOKE});
  Dialogue(p, "gone\025kept\n");
}
CASE(tty_kill_without_echok) {
  const Pair p = Open();
  Change(p.slave, {0, ECHOKE | ECHOK});
  Dialogue(p, "gone\025kept\n");
}
CASE(tty_erase_without_echoe) {
  const Pair p = Open();
  Change(p.slave, {0, ECHOE});
  Dialogue(p, "abc\177\177d\n");
}
CASE(tty_erase_printing) {
  const Pair p = Open();
  Change(p.slave, {ECHOPRT, 0});
  Dialogue(p, "abc\177\177d\177e\n");
}
CASE(tty_erase_utf8) {
  const Pair p = Open();
  Change(p.slave, {}, {IUTF8, 0});
  Dialogue(p, "a\303\244\342\202\254\177\177b\n");
}
CASE(tty_erase_utf8_bytes) { Dialogue(Open(), "a\303\244\177b\n"); }
CASE(tty_reprint) { Dialogue(Open(), "abc\022d\n"); }
CASE(tty_literal_next) { Dialogue(Open(), "a\026\003b\026\177\026\nc\n"); }
CASE(tty_without_extensions) {
  const Pair p = Open();
  Change(p.slave, {0, IEXTEN});
  Dialogue(p, "one two\027\022\026x\n");
}
CASE(tty_end_of_line_characters) {
  const Pair p = Open();
  SetCharacter(p.slave, VEOL, ';');
  SetCharacter(p.slave, VEOL2, '!');
  Type(p, "a;b!c\n");
  SleepMs(20);
  char b[64];
  T(read(p.slave, b, 64));
  T(read(p.slave, b, 64));
  T(read(p.slave, b, 64));
  Record("shown", Available(p.master));
}
CASE(tty_disabled_characters) {
  const Pair p = Open();
  SetCharacter(p.slave, VERASE, 0);
  SetCharacter(p.slave, VINTR, 0);
  Dialogue(p, std::string("a\177\003b\000c\n", 7));
}
CASE(tty_changed_erase) {
  const Pair p = Open();
  SetCharacter(p.slave, VERASE, '#');
  Dialogue(p, "abc##d\177\n");
}
CASE(tty_line_that_is_too_long) {
  const Pair p = Open();
  Change(p.slave, {0, ECHO});
  Type(p, std::string(5000, 'x'));
  SleepMs(20);
  Type(p, "yz\n");
  SleepMs(20);
  char b[8192];
  const ssize_t count = read(p.slave, b, sizeof(b));
  Record("count", count);
  Record("end", Visible(std::string(b + count - 3, 3)));
  fcntl(p.slave, F_SETFL, O_NONBLOCK);
  T(read(p.slave, b, sizeof(b)));
}
CASE(tty_no_echo) {
  const Pair p = Open();
  Change(p.slave, {0, ECHO});
  Dialogue(p, "secret\177\n");
}
CASE(tty_echo_newline_only) {
  const Pair p = Open();
  Change(p.slave, {ECHONL, ECHO});
  Dialogue(p, "secret\n");
}
CASE(tty_echo_control_as_it_is) {
  const Pair p = Open();
  Change(p.slave, {0, ECHOCTL});
  Dialogue(p, "a\001b\177\n");
}
CASE(tty_echo_control_characters) { Dialogue(Open(), "\001\033\t\037x\n"); }

// --- Input flags

CASE(tty_ignore_carriage_return) {
  const Pair p = Open();
  Change(p.slave, {}, {IGNCR, 0});
  Dialogue(p, "a\rb\n");
}
CASE(tty_newline_to_carriage_return) {
  const Pair p = Open();
  Change(p.slave, {}, {INLCR, ICRNL});
  Dialogue(p, "a\nb\004");
}
CASE(tty_strip) {
  const Pair p = Open();
  Change(p.slave, {}, {ISTRIP, 0});
  Dialogue(p, "\341\342\n");
}
CASE(tty_lower_case) {
  const Pair p = Open();
  Change(p.slave, {}, {IUCLC, 0});
  Dialogue(p, "ABC\n");
}
CASE(tty_parity_mark) {
  const Pair p = Open();
  Change(p.slave, {}, {PARMRK, 0});
  Dialogue(p, "a\377b\n");
}

// --- Non-canonical input

CASE(tty_raw_bytes) { Dialogue(OpenRaw(), std::string("a\003\004\r\n\000\177", 7)); }
CASE(tty_raw_with_echo) {
  const Pair p = OpenRaw();
  Change(p.slave, {ECHO, 0});
  Dialogue(p, "ab\r\n\001");
}
CASE(tty_minimum) {
  const Pair p = OpenRaw();
  SetCharacter(p.slave, VMIN, 3);
  Type(p, "ab");
  Record("events", Events(p.slave) & POLLIN);
  Type(p, "c");
  Record("events", Events(p.slave) & POLLIN);
  char b[16];
  T(read(p.slave, b, 16));
  Type(p, "defg");
  T(read(p.slave, b, 2));
  T(read(p.slave, b, 2));
}
CASE(tty_minimum_and_nonblocking) {
  const Pair p = OpenRaw();
  SetCharacter(p.slave, VMIN, 3);
  fcntl(p.slave, F_SETFL, O_NONBLOCK);
  char b[16];
  T(read(p.slave, b, 16));
  Type(p, "ab");
  SleepMs(20);
  T(read(p.slave, b, 16));
}
CASE(tty_no_minimum_no_time) {
  const Pair p = OpenRaw();
  SetCharacter(p.slave, VMIN, 0);
  char b[16];
  T(read(p.slave, b, 16));
  Type(p, "ab");
  SleepMs(20);
  T(read(p.slave, b, 16));
  fcntl(p.slave, F_SETFL, O_NONBLOCK);
  T(read(p.slave, b, 16));
}
CASE(tty_time_without_minimum) {
  const Pair p = OpenRaw();
  SetCharacter(p.slave, VMIN, 0);
  SetCharacter(p.slave, VTIME, 2);
  char b[16];
  const long long begun = NowMs();
  T(read(p.slave, b, 16));
  Record("waited", NowMs() - begun >= 150);
  Type(p, "x");
  T(read(p.slave, b, 16));
}
CASE(tty_time_between_bytes) {
  const Pair p = OpenRaw();
  SetCharacter(p.slave, VMIN, 10);
  SetCharacter(p.slave, VTIME, 2);
  Type(p, "abc");
  char b[16];
  const long long begun = NowMs();
  T(read(p.slave, b, 16));
  Record("waited", NowMs() - begun >= 150);
}
CASE(tty_canonical_to_raw) {
  const Pair p = Open();
  Type(p, "part");
  SleepMs(20);
  Record("queued", Queued(p.slave));
  Change(p.slave, {0, ICANON});
  Record("queued", Queued(p.slave));
  Record("read", Available(p.slave));
}
CASE(tty_raw_to_canonical) {
  const Pair p = OpenRaw();
  Type(p, "part");
  SleepMs(20);
  Change(p.slave, {ICANON, 0});
  Record("events", Events(p.slave) & POLLIN);
  Record("read", Available(p.slave));
  Dialogue(p, "x\n");
}
CASE(tty_end_of_file_seen_raw) {
  const Pair p = Open();
  Type(p, "ab\004");
  SleepMs(20);
  Change(p.slave, {0, ICANON});
  Record("read", Available(p.slave));
}
CASE(tty_zero_reads) {
  const Pair p = Open();
  char b[4];
  T(read(p.slave, b, 0));
  T(read(p.master, b, 0));
  T(write(p.slave, b, 0));
  T(write(p.master, b, 0));
}
CASE(tty_nonblocking) {
  const Pair p = Open();
  fcntl(p.slave, F_SETFL, O_NONBLOCK);
  fcntl(p.master, F_SETFL, O_NONBLOCK);
  char b[4];
  T(read(p.slave, b, 4));
  T(read(p.master, b, 4));
}

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
