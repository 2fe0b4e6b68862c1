// Reading directories.
#include <dirent.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "test/guest/cases.h"

using namespace guest;

namespace {
std::string Sorted(DIR* directory) {
  std::vector<std::string> names;
  while (const dirent* entry = readdir(directory)) names.push_back(entry->d_name);
  std::sort(names.begin(), names.end());
  std::string text;
  for (const auto& name : names) text += name + ",";
  return text;
}
}  // namespace

CASE(directory_order_is_stable) {
  const auto names = [](const char* path) {
    std::string text;
    DIR* directory = opendir(path);
    while (const dirent* entry = readdir(directory)) text += entry->d_name + std::string(" ");
    closedir(directory);
    return text;
  };
  MUST(mkdir("d", 0755));
  for (int i = 0; i < 100; i++) Make(("d/" + std::to_string(i * 79 % 100)).c_str());
  // One of the case's own, and one that was there before the container.
  for (const char* path : {"d", "/bin", "/etc"}) {
    const std::string first = names(path);
    Record("same", names(path) == first);
  }
}
CASE(readdir_lists_all) {
  Make("a");
  Make("b");
  MUST(mkdir("c", 0755));
  DIR* directory = opendir(".");
  Record("names", Sorted(directory));
}
CASE(readdir_types) {
  Make("f");
  MUST(mkdir("d", 0755));
  MUST(symlink("f", "l"));
  MUST(mkfifo("p", 0644));
  DIR* directory = opendir(".");
  std::set<std::string> types;
  while (const dirent* entry = readdir(directory)) {
    types.insert(std::string(entry->d_name) + ":" + std::to_string(entry->d_type));
  }
  for (const auto& type : types) Record("t", type);
}
CASE(readdir_inode_agrees_with_stat) {
  Make("f");
  DIR* directory = opendir(".");
  while (const dirent* entry = readdir(directory)) {
    if (std::string_view(entry->d_name) != "f") continue;
    struct stat st;
    T(stat("f", &st));
    Record("same", st.st_ino == entry->d_ino);
  }
}
CASE(readdir_thousand_entries) {
  for (int i = 0; i < 1000; i++) Make(("file" + std::to_string(i)).c_str());
  DIR* directory = opendir(".");
  std::set<std::string> names;
  int count = 0;
  while (const dirent* entry = readdir(directory)) {
    names.insert(entry->d_name);
    count++;
  }
  Record("count", count);
  Record("distinct", names.size());
}
CASE(readdir_rewind_sees_new_files) {
  Make("a");
  DIR* directory = opendir(".");
  Record("first", Sorted(directory));
  Make("b");
  rewinddir(directory);
  Record("second", Sorted(directory));
}
CASE(readdir_telldir_seekdir) {
  for (const char* name : {"a", "b", "c", "d"}) Make(name);
  DIR* directory = opendir(".");
  readdir(directory);
  readdir(directory);
  const long position = telldir(directory);
  const std::string third = readdir(directory)->d_name;
  readdir(directory);
  seekdir(directory, position);
  Record("same", third == readdir(directory)->d_name);
}
CASE(readdir_while_unlinking) {
  for (int i = 0; i < 300; i++) Make(("f" + std::to_string(i)).c_str());
  DIR* directory = opendir(".");
  int removed = 0;
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] == 'f' && unlink(entry->d_name) == 0) removed++;
  }
  Record("removed", removed);
  rewinddir(directory);
  Record("left", Sorted(directory));
}
CASE(getdents_small_buffer) {
  Make("f");
  const int fd = open(".", O_RDONLY);
  char buffer[4];
  T(syscall(SYS_getdents64, fd, buffer, sizeof buffer));
  char larger[1024];
  Record("some", syscall(SYS_getdents64, fd, larger, sizeof larger) > 0);
  T(syscall(SYS_getdents64, fd, larger, sizeof larger));
}
CASE(getdents_on_file) {
  Make("f");
  const int fd = open("f", O_RDONLY);
  char buffer[1024];
  T(syscall(SYS_getdents64, fd, buffer, sizeof buffer));
  T(syscall(SYS_getdents64, 99, buffer, sizeof buffer));
}
CASE(getdents_one_entry_at_a_time) {
  for (const char* name : {"a", "b", "c"}) Make(name);
  const int fd = open(".", O_RDONLY);
  int calls = 0;
  char buffer[32];
  while (syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0) calls++;
  Record("calls", calls);
}
CASE(directory_lseek_to_start) {
  Make("a");
  const int fd = open(".", O_RDONLY);
  char buffer[1024];
  const long first = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
  T(lseek(fd, 0, SEEK_SET));
  Record("same", first == syscall(SYS_getdents64, fd, buffer, sizeof buffer));
}
CASE(directory_links_count_subdirectories) {
  struct stat st;
  MUST(mkdir("d", 0755));
  MUST(mkdir("d/a", 0755));
  MUST(mkdir("d/b", 0755));
  T(stat("d", &st));
  Record("links", st.st_nlink);
  MUST(rmdir("d/a"));
  T(stat("d", &st));
  Record("links", st.st_nlink);
}
CASE(directory_root_has_the_mounts) {
  DIR* directory = opendir("/");
  const std::string names = "," + Sorted(directory);
  for (const char* name : {",proc,", ",dev,", ",sys,", ",tmp,", ",data,"}) {
    Record(name, names.find(name) != std::string::npos);
  }
}
CASE(directory_dotdot_of_mount_is_outside) {
  struct stat up, root;
  T(stat("/proc/..", &up));
  T(stat("/", &root));
  Record("same", up.st_ino == root.st_ino && up.st_dev == root.st_dev);
}
CASE(inotify_reports_create_and_delete) {
  const int fd = syscall(SYS_inotify_init1, O_NONBLOCK);
  Record("opened", fd >= 0);
  T(syscall(SYS_inotify_add_watch, fd, ".", 0x100 | 0x200 | 0x40 | 0x80));
  Make("f");
  MUST(rename("f", "g"));
  MUST(unlink("g"));
  char buffer[1024];
  const ssize_t length = read(fd, buffer, sizeof buffer);
  for (ssize_t at = 0; at < length;) {
    unsigned mask, size;
    memcpy(&mask, buffer + at + 4, 4);
    memcpy(&size, buffer + at + 12, 4);
    Record("mask", mask);
    Record("name", buffer + at + 16);
    at += 16 + size;
  }
}
