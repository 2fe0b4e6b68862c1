// What the programs about the files of /proc/PID have in common.
#ifndef RUNSC_TEST_GUEST_PROC_FILES_H_
#define RUNSC_TEST_GUEST_PROC_FILES_H_

#include <dirent.h>
#include <sys/inotify.h>

#include <algorithm>
#include <vector>

#include "test/guest/cases.h"

namespace guest {

inline std::string Line(const std::string& text, const std::string& key) {
  size_t at = text.compare(0, key.size(), key) == 0 ? 0 : text.find("\n" + key);
  if (at == std::string::npos) return "none";
  if (text[at] == '\n') ++at;
  return text.substr(at, text.find('\n', at) - at);
}
inline std::string Field(const std::string& stat, int number) {
  size_t at = stat.rfind(')') + 2;
  for (int field = 3; field < number; field++) at = stat.find(' ', at) + 1;
  return stat.substr(at, stat.find_first_of(" \n", at) - at);
}
inline std::string Of(pid_t pid, const char* name) {
  char path[96];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  return path;
}
inline std::string FdInfo(int fd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  return Content(path);
}
inline std::string Keys(const std::string& text) {
  std::string keys;
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const size_t colon = text.find(':', at);
    keys += text.substr(at, std::min(colon, end) - at) + ",";
    at = end + 1;
  }
  return keys;
}
inline long WriteTo(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY);
  if (fd < 0) return -1;
  const long result = write(fd, text.data(), text.size());
  const int error = errno;
  close(fd);
  errno = error;
  return result;
}
inline std::vector<std::string> Names(const char* path) {
  std::vector<std::string> names;
  DIR* directory = opendir(path);
  if (directory == nullptr) return names;
  while (dirent* entry = readdir(directory)) names.push_back(entry->d_name);
  closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}
inline bool Has(const std::vector<std::string>& names, const char* name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_PROC_FILES_H_
