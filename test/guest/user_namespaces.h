// What the programs about user namespaces have in common.
#ifndef RUNSC_TEST_GUEST_USER_NAMESPACES_H_
#define RUNSC_TEST_GUEST_USER_NAMESPACES_H_

#include <grp.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/prctl.h>

#include "test/guest/cases.h"
#include "test/guest/waiter.h"

namespace guest {

inline int WriteFile(const std::string& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY);
  if (fd < 0) return -1;
  const ssize_t n = write(fd, text.data(), text.size());
  const int code = errno;
  close(fd);
  errno = code;
  return n < 0 ? -1 : 0;
}
inline std::string ReadLink(const std::string& path) {
  char text[256];
  const ssize_t n = readlink(path.c_str(), text, sizeof text);
  return n < 0 ? strerrorname_np(errno) : std::string(text, n);
}
inline void Ids() {
  Record("ids", std::to_string(getuid()) + "," + std::to_string(geteuid()) + "," +
                    std::to_string(getgid()) + "," + std::to_string(getegid()));
}
// In a user namespace with the caller as root.
inline void EnterMapped() {
  const std::string uid = "0 " + std::to_string(geteuid()) + " 1";
  const std::string gid = "0 " + std::to_string(getegid()) + " 1";
  // Else the files belong to root.
  MUST(prctl(PR_SET_DUMPABLE, 1));
  MUST(unshare(CLONE_NEWUSER));
  MUST(WriteFile("/proc/self/setgroups", "deny"));
  MUST(WriteFile("/proc/self/uid_map", uid));
  MUST(WriteFile("/proc/self/gid_map", gid));
}
inline int OpenNs(const std::string& path) { return open(path.c_str(), O_RDONLY | O_CLOEXEC); }

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_USER_NAMESPACES_H_
