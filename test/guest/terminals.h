// What the programs about terminals have in common.
#ifndef RUNSC_TEST_GUEST_TERMINALS_H_
#define RUNSC_TEST_GUEST_TERMINALS_H_

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

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

struct Flags {
  tcflag_t on = 0, off = 0;
};

inline void Change(int fd, Flags local, Flags input = {}, Flags output = {}) {
  termios t;
  MUST(tcgetattr(fd, &t));
  t.c_lflag = (t.c_lflag | local.on) & ~local.off;
  t.c_iflag = (t.c_iflag | input.on) & ~input.off;
  t.c_oflag = (t.c_oflag | output.on) & ~output.off;
  MUST(tcsetattr(fd, TCSANOW, &t));
}

inline void SetCharacter(int fd, int index, cc_t value) {
  termios t;
  MUST(tcgetattr(fd, &t));
  t.c_cc[index] = value;
  MUST(tcsetattr(fd, TCSANOW, &t));
}

inline Pair OpenRaw() {
  Pair pair = Open();
  termios t;
  MUST(tcgetattr(pair.slave, &t));
  cfmakeraw(&t);
  MUST(tcsetattr(pair.slave, TCSANOW, &t));
  return pair;
}

// Without bytes that would break a line of the report.
inline std::string Visible(const std::string& bytes) {
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
inline std::string Available(int fd) {
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

inline void Type(const Pair& pair, const std::string& bytes) {
  if (write(pair.master, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    Broken("write to the master end");
  }
}

// Types, and records what is read and what is shown.
inline void Dialogue(const Pair& pair, const std::string& typed) {
  Type(pair, typed);
  Record("read", Available(pair.slave));
  Record("shown", Available(pair.master));
}

inline short Events(int fd) {
  pollfd entry = {fd, POLLIN | POLLOUT | POLLPRI, 0};
  poll(&entry, 1, 30);
  return entry.revents;
}

inline int Queued(int fd) {
  SleepMs(20);
  int count = -1;
  ioctl(fd, FIONREAD, &count);
  return count;
}

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_TERMINALS_H_
