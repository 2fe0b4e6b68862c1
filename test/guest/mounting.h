// What the programs about mounts have in common.
#ifndef RUNSC_TEST_GUEST_MOUNTING_H_
#define RUNSC_TEST_GUEST_MOUNTING_H_

#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <sstream>
#include <vector>

#include "test/guest/cases.h"

namespace guest {

// Mounts of the case's own, in a namespace of its own.
inline void Own() {
  MUST(unshare(CLONE_NEWNS));
  MUST(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
}
inline void Tmpfs(const char* path, unsigned long flags = 0) {
  if (mkdir(path, 0755) < 0 && errno != EEXIST) Broken("mkdir");
  MUST(mount("tmpfs", path, "tmpfs", flags, "mode=755"));
}
inline bool Exists(const std::string& path) {
  struct stat st;
  return lstat(path.c_str(), &st) == 0;
}
inline std::string Cwd() {
  char text[512];
  return getcwd(text, sizeof text) == nullptr ? "" : text;
}
// Fields of mountinfo of the top-most mount on `path`: options and propagation.
inline std::string Info(const std::string& path) {
  const std::string wanted = path[0] == '/' ? path : Cwd() + "/" + path;
  std::istringstream lines(Content("/proc/self/mountinfo"));
  std::string line, result = "absent";
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::vector<std::string> fields;
    std::string word;
    while (words >> word && word != "-") fields.push_back(word);
    if (fields.size() < 6 || fields[4] != wanted) continue;
    result = fields[5];
    for (size_t i = 6; i < fields.size(); ++i) {
      result += " " + fields[i].substr(0, fields[i].find(':'));
    }
  }
  return result;
}
inline int Count(const std::string& name) {
  std::istringstream lines(Content("/proc/self/mountinfo"));
  std::string line;
  int n = 0;
  while (std::getline(lines, line)) n += line.find(name) != std::string::npos;
  return n;
}
inline void EnterUser() {
  MUST(unshare(CLONE_NEWUSER | CLONE_NEWNS));
  for (const char* path : {"/proc/self/uid_map", "/proc/self/gid_map"}) {
    const int fd = open(path, O_WRONLY);
    if (write(fd, "0 0 1", 5) < 0) Broken(path);
    close(fd);
  }
}

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_MOUNTING_H_
