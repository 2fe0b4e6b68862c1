// /proc/locks.
#include <sys/file.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "test/guest/cases.h"
#include "test/guest/waiter.h"

using namespace guest;

namespace {

// The lines about the file of `fd`, sorted, without their number.
std::string LinesOf(int fd, pid_t known) {
  struct stat st;
  MUST(fstat(fd, &st));
  char place[64];
  snprintf(place, sizeof place, "%02x:%02x:%lu", major(st.st_dev), minor(st.st_dev), st.st_ino);
  std::vector<std::string> lines;
  std::istringstream text(Content("/proc/locks"));
  for (std::string number, kind, access, type, pid, file, begin, end;
       text >> number >> kind >> access >> type >> pid >> file >> begin >> end;) {
    if (file != place) continue;
    const char* who = pid == std::to_string(known) ? "known" : pid == "-1" ? "nobody" : "other";
    lines.push_back(kind + " " + access + " " + type + " " + who + " " + begin + " " + end);
  }
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const std::string& line : lines) all += line + ";";
  return all;
}
int Open() {
  const int fd = open("f", O_RDWR | O_CREAT, 0644);
  MUST(fd);
  return fd;
}
void Lock(int fd, short type, off_t start, off_t length, int command = F_SETLK) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_start = start;
  lock.l_len = length;
  MUST(fcntl(fd, command, &lock));
}

}  // namespace

CASE(record_locks) {
  const int fd = Open();
  Record("none", LinesOf(fd, getpid()));
  Lock(fd, F_RDLCK, 5, 10);
  Lock(fd, F_WRLCK, 50, 0);
  Record("two", LinesOf(fd, getpid()));
  Lock(fd, F_UNLCK, 8, 2);
  Record("split", LinesOf(fd, getpid()));
  Lock(fd, F_UNLCK, 0, 0);
  Record("gone", LinesOf(fd, getpid()));
}
CASE(locks_of_descriptions) {
  const int fd = Open();
  Lock(fd, F_WRLCK, 1, 1, F_OFD_SETLK);
  Record("one", LinesOf(fd, getpid()));
}
CASE(whole_file_locks) {
  const int fd = Open();
  MUST(flock(fd, LOCK_SH));
  Record("shared", LinesOf(fd, getpid()));
  MUST(flock(fd, LOCK_EX));
  Record("exclusive", LinesOf(fd, getpid()));
  Record("in_child", InChild([&] {
           return LinesOf(fd, getppid()) == "FLOCK ADVISORY WRITE known 0 EOF;" ? 0 : 1;
         }));
}
CASE(locks_of_others) {
  const int fd = Open();
  Waiter child([] { Lock(Open(), F_WRLCK, 0, 0); });
  Record("child", LinesOf(fd, child.pid()));
}
CASE(locks_seen_by_anybody) {
  const int fd = Open();
  Lock(fd, F_WRLCK, 0, 0);
  const pid_t self = getpid();
  Record("user", InChild([&] {
           BecomeUser(1000, 1000);
           return LinesOf(fd, self) == "POSIX ADVISORY WRITE known 0 EOF;" ? 0 : 1;
         }));
}
