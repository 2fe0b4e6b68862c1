// inotify: which events come, in which order, and what calls refuse.
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <utime.h>

#include <vector>

#include "test/guest/cases.h"

using namespace guest;

namespace {

int Init() {
  const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) Broken("inotify_init1");
  return fd;
}

int Watch(int fd, const char* path, uint32_t mask) {
  const int number = inotify_add_watch(fd, path, mask);
  if (number < 0) Broken("inotify_add_watch");
  return number;
}

std::string MaskText(uint32_t mask) {
  static const struct {
    uint32_t bit;
    const char* name;
  } kNames[] = {
      {IN_ACCESS, "ACCESS"},
      {IN_MODIFY, "MODIFY"},
      {IN_ATTRIB, "ATTRIB"},
      {IN_CLOSE_WRITE, "CLOSE_WRITE"},
      {IN_OPEN, "OPEN"},
      {IN_CLOSE_NOWRITE, "CLOSE"},
      {IN_MOVED_FROM, "FROM"},
      {IN_MOVED_TO, "TO"},
      {IN_CREATE, "CREATE"},
      {IN_DELETE, "DELETE"},
      {IN_DELETE_SELF, "SELF_GONE"},
      {IN_MOVE_SELF, "SELF_MOVED"},
      {IN_UNMOUNT, "UNMOUNT"},
      {IN_Q_OVERFLOW, "OVERFLOW"},
      {IN_IGNORED, "IGNORED"},
      {IN_ISDIR, "DIR"},
  };
  std::string text;
  for (const auto& name : kNames) {
    if ((mask & name.bit) == 0) continue;
    if (!text.empty()) text += "+";
    text += name.name;
    mask &= ~name.bit;
  }
  return mask == 0 ? text : text + "+?";
}

// All that is queued: number:MASK[:name][:cookie n], cookies counted from 1.
std::string Events(int fd) {
  std::string text;
  alignas(inotify_event) char buffer[8192];
  std::vector<uint32_t> cookies;
  while (true) {
    const ssize_t length = read(fd, buffer, sizeof buffer);
    if (length <= 0) break;
    for (ssize_t at = 0; at < length;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      text += (text.empty() ? "" : " ") + std::to_string(event->wd) + ":" + MaskText(event->mask);
      if (event->len > 0) text += std::string(":") + event->name;
      if (event->cookie != 0) {
        size_t index = 0;
        while (index < cookies.size() && cookies[index] != event->cookie) ++index;
        if (index == cookies.size()) cookies.push_back(event->cookie);
        text += "#" + std::to_string(index + 1);
      }
      at += static_cast<ssize_t>(sizeof *event) + event->len;
    }
  }
  return "[" + text + "]";
}

}  // namespace

CASE(inotify_init_flags) {
  const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  Record("flags", fcntl(fd, F_GETFL));
  Record("fdflags", fcntl(fd, F_GETFD));
  T(inotify_init1(1));
  char link[64] = {};
  MUST(readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), link, sizeof link - 1));
  Record("link", link);
}
CASE(inotify_add_watch_errors) {
  const int fd = Init();
  Make("f");
  MUST(symlink("f", "link"));
  T(inotify_add_watch(fd, "f", 0));
  T(inotify_add_watch(fd, "f", 0x00800000));
  T(inotify_add_watch(fd, "missing", IN_OPEN));
  T(inotify_add_watch(-1, "f", IN_OPEN));
  T(inotify_add_watch(0, "f", IN_OPEN));
  T(inotify_add_watch(fd, "f", IN_OPEN | IN_ONLYDIR));
  T(inotify_add_watch(fd, "link", IN_OPEN | IN_ONLYDIR | IN_DONT_FOLLOW));
  T(inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE));
  T(inotify_add_watch(fd, static_cast<const char*>(BadPointer()), IN_OPEN));
  T(inotify_add_watch(fd, "", IN_OPEN));
}
CASE(inotify_add_watch_needs_read_permission) {
  Make("f", "", 0222);
  MUST(chmod("f", 0222));
  BecomeUser(1000, 1000);
  const int fd = Init();
  T(inotify_add_watch(fd, "f", IN_OPEN));
}
CASE(inotify_watch_numbers) {
  const int fd = Init();
  Make("a");
  Make("b");
  T(inotify_add_watch(fd, "a", IN_OPEN));
  T(inotify_add_watch(fd, "b", IN_OPEN));
  T(inotify_add_watch(fd, "a", IN_OPEN));
  T(inotify_add_watch(fd, "a", IN_OPEN | IN_MASK_CREATE));
  T(inotify_rm_watch(fd, 1));
  T(inotify_add_watch(fd, "a", IN_OPEN));
  Record("events", Events(fd));
}
CASE(inotify_rm_watch_errors) {
  const int fd = Init();
  T(inotify_rm_watch(fd, 1));
  T(inotify_rm_watch(fd, -1));
  T(inotify_rm_watch(-1, 1));
  T(inotify_rm_watch(0, 1));
}
CASE(inotify_rm_watch_says_ignored) {
  const int fd = Init();
  const int number = Watch(fd, ".", IN_ALL_EVENTS);
  T(inotify_rm_watch(fd, number));
  Record("events", Events(fd));
  Make("f");
  Record("later", Events(fd));
}
CASE(inotify_read_write_of_file_in_directory) {
  Make("f", "abc");
  const int fd = Init();
  Watch(fd, ".", IN_ALL_EVENTS);
  const int file = open("f", O_RDWR);
  char c;
  MUST(read(file, &c, 1));
  MUST(read(file, &c, 1));
  MUST(write(file, "x", 1));
  MUST(close(file));
  Record("events", Events(fd));
}
CASE(inotify_read_at_end_is_no_access) {
  Make("f");
  const int fd = Init();
  Watch(fd, "f", IN_ALL_EVENTS);
  const int file = open("f", O_RDONLY);
  char c;
  MUST(read(file, &c, 1));
  MUST(close(file));
  Record("events", Events(fd));
}
CASE(inotify_watch_of_file_and_directory) {
  Make("f", "abc");
  const int fd = Init();
  Watch(fd, ".", IN_ALL_EVENTS);
  Watch(fd, "f", IN_ALL_EVENTS);
  const int file = open("f", O_WRONLY);
  MUST(write(file, "x", 1));
  MUST(close(file));
  Record("events", Events(fd));
}
CASE(inotify_create_and_open) {
  const int fd = Init();
  Watch(fd, ".", IN_ALL_EVENTS);
  const int file = open("new", O_CREAT | O_WRONLY | O_TRUNC, 0644);
  MUST(close(file));
  Record("events", Events(fd));
}
CASE(inotify_open_truncates) {
  Make("f", "abc");
  const int fd = Init();
  Watch(fd, "f", IN_ALL_EVENTS);
  const int file = open("f", O_WRONLY | O_TRUNC);
  MUST(close(file));
  Record("events", Events(fd));
}
CASE(inotify_truncate_calls) {
  Make("f", "abc");
  const int file = open("f", O_RDWR);
  const int fd = Init();
  Watch(fd, "f", IN_ALL_EVENTS);
  MUST(truncate("f", 1));
  Record("truncate", Events(fd));
  MUST(ftruncate(file, 5));
  Record("ftruncate", Events(fd));
  MUST(fallocate(file, 0, 0, 100));
  Record("fallocate", Events(fd));
  MUST(pwrite(file, "y", 1, 0));
  Record("pwrite", Events(fd));
}
CASE(inotify_attributes) {
  Make("f", "abc");
  const int fd = Init();
  Watch(fd, ".", IN_ALL_EVENTS);
  MUST(chmod("f", 0600));
  Record("chmod", Events(fd));
  MUST(chown("f", 1, 1));
  Record("chown", Events(fd));
  MUST(utime("f", nullptr));
  Record("utime", Events(fd));
  const timespec access_only[2] = {{1, 0}, {0, UTIME_OMIT}};
  MUST(utimensat(AT_FDCWD, "f", access_only, 0));
  Record("atime", Events(fd));
  const timespec modify_only[2] = {{0, UTIME_OMIT}, {1, 0}};
  MUST(utimensat(AT_FDCWD, "f", modify_only, 0));
  Record("mtime", Events(fd));
}
CASE(inotify_trusted_xattr) {
  Make("f");
  const int fd = Init();
  Watch(fd, "f", IN_ALL_EVENTS);
  if (setxattr("f", "user.x", "1", 1, 0) == 0) {
    removexattr("f", "user.x");
    Record("events", Events(fd));
  }
}
CASE(inotify_link_and_symlink) {
  Make("f");
  const int fd = Init();
  Watch(fd, ".", IN_ALL_EVENTS);
  Watch(fd, "f", IN_ALL_EVENTS);
  MUST(link("f", "g"));
  Record("link", Events(fd));
  MUST(symlink("f", "s"));
  Record("symlink", Events(fd));
  MUST(mkfifo("p", 0600));
  Record("mkfifo", Events(fd));
}
CASE(inotify_unlink_last_name) {
  Make("f");
  const int fd = Init();
  Watch(fd, ".", IN_ALL_EVENTS);
  Watch(fd, "f", IN_ALL_EVENTS);
  MUST(unlink("f"));
  Record("events", Events(fd));
}
CASE(inotify_unlink_one_of_two_names) {
  Make("f");
  MUST(link("f", "g"));
  const int fd = Init();
  Watch(fd, "f", IN_ALL_EVENTS);
  MUST(unlink("f"));
  Record("first", Events(fd));
  MUST(unlink("g"));
  Record("second", Events(fd));
}
CASE(inotify_unlink_while_open) {
  Make("f", "abc");
  const int fd = Init();
  Watch(fd, ".", IN_ALL_EVENTS);
  Watch(fd, "f", IN_ALL_EVENTS);
  const int file = open("f", O_RDWR);
  MUST(unlink("f"));
  Record("unlinked", Events(fd));
  MUST(write(file, "x", 1));
  Record("written", Events(fd));
  MUST(close(file));
  Record("closed", Events(fd));
}
CASE(inotify_excl_unlink) {
  Make("f", "abc");
  const int fd = Init();
  Watch(fd, ".", IN_ALL_EVENTS | IN_EXCL_UNLINK);
  const int file = open("f", O_RDWR);
  MUST(unlink("f"));
  Events(fd);
  MUST(write(file, "x", 1));
  MUST(close(file));
  Record("events", Events(fd));
}
CASE(inotify_directories) {
  const int fd = Init();
  Watch(fd, ".", IN_ALL_EVENTS);
  MUST(mkdir("d", 0755));
  Record("mkdir", Events(fd));
  Watch(fd, "d", IN_ALL_EVENTS);
  Make("d/f");
  Record("inside", Events(fd));
  MUST(chmod("d", 0700));
  Record("chmod", Events(fd));
  MUST(unlink("d/f"));
  Record("unlink", Events(fd));
  MUST(rmdir("d"));
  Record("rmdir", Events(fd));
}
CASE(inotify_list_directory) {
  MUST(mkdir("d", 0755));
  const int fd = Init();
  Watch(fd, "d", IN_ALL_EVENTS);
  const int directory = open("d", O_RDONLY | O_DIRECTORY);
  char buffer[1024];
  MUST(syscall(SYS_getdents64, directory, buffer, sizeof buffer));
  MUST(close(directory));
  Record("events", Events(fd));
}
CASE(inotify_rename_within_directory) {
  Make("f");
  const int fd = Init();
  Watch(fd, ".", IN_ALL_EVENTS);
  Watch(fd, "f", IN_ALL_EVENTS);
  MUST(rename("f", "g"));
  Record("events", Events(fd));
  const int file = open("g", O_RDONLY);
  MUST(close(file));
  Record("under_new_name", Events(fd));
}
CASE(inotify_rename_between_directories) {
  MUST(mkdir("a", 0755));
  MUST(mkdir("b", 0755));
  Make("a/f");
  const int fd = Init();
  Watch(fd, "a", IN_ALL_EVENTS);
  Watch(fd, "b", IN_ALL_EVENTS);
  MUST(rename("a/f", "b/g"));
  Record("events", Events(fd));
}
CASE(inotify_rename_into_unwatched) {
  MUST(mkdir("a", 0755));
  MUST(mkdir("b", 0755));
  Make("a/f");
  const int fd = Init();
  Watch(fd, "a", IN_MOVE);
  MUST(rename("a/f", "b/f"));
  Record("from", Events(fd));
  MUST(rename("b/f", "a/f"));
  Record("to", Events(fd));
}
CASE(inotify_rename_replaces) {
  Make("f");
  Make("g");
  const int fd = Init();
  Watch(fd, ".", IN_ALL_EVENTS);
  Watch(fd, "f", IN_ALL_EVENTS);
  Watch(fd, "g", IN_ALL_EVENTS);
  MUST(rename("f", "g"));
  Record("events", Events(fd));
}
CASE(inotify_rename_of_directory) {
  MUST(mkdir("d", 0755));
  const int fd = Init();
  Watch(fd, ".", IN_ALL_EVENTS);
  Watch(fd, "d", IN_ALL_EVENTS);
  MUST(rename("d", "e"));
  Record("events", Events(fd));
}
CASE(inotify_rename_exchange) {
  Make("f");
  MUST(mkdir("d", 0755));
  const int fd = Init();
  Watch(fd, ".", IN_ALL_EVENTS);
  Watch(fd, "f", IN_ALL_EVENTS);
  Watch(fd, "d", IN_ALL_EVENTS);
  if (syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "d", 2 /* RENAME_EXCHANGE */) == 0) {
    Record("events", Events(fd));
  }
}
CASE(inotify_oneshot) {
  const int fd = Init();
  Watch(fd, ".", IN_CREATE | IN_ONESHOT);
  Make("a");
  Make("b");
  Record("events", Events(fd));
  T(inotify_rm_watch(fd, 1));
}
CASE(inotify_mask_add_and_replace) {
  const int fd = Init();
  Watch(fd, ".", IN_CREATE);
  Watch(fd, ".", IN_DELETE | IN_MASK_ADD);
  Make("a");
  MUST(unlink("a"));
  Record("added", Events(fd));
  Watch(fd, ".", IN_DELETE);
  Make("a");
  MUST(unlink("a"));
  Record("replaced", Events(fd));
}
CASE(inotify_equal_events_merge) {
  Make("f", "abc");
  const int file = open("f", O_RDWR);
  const int fd = Init();
  Watch(fd, "f", IN_MODIFY | IN_ATTRIB);
  for (int i = 0; i < 5; ++i) MUST(pwrite(file, "x", 1, 0));
  MUST(chmod("f", 0600));
  MUST(pwrite(file, "x", 1, 0));
  Record("events", Events(fd));
}
CASE(inotify_two_instances) {
  const int one = Init(), two = Init();
  Watch(one, ".", IN_CREATE);
  Watch(two, ".", IN_CREATE | IN_DELETE);
  Make("a");
  MUST(unlink("a"));
  Record("one", Events(one));
  Record("two", Events(two));
}
CASE(inotify_watch_through_symlink) {
  Make("f");
  MUST(symlink("f", "s"));
  const int fd = Init();
  Watch(fd, "s", IN_ALL_EVENTS);
  Watch(fd, "s", IN_ALL_EVENTS | IN_DONT_FOLLOW);
  const int file = open("s", O_RDONLY);
  MUST(close(file));
  MUST(unlink("s"));
  Record("events", Events(fd));
}
CASE(inotify_read_sizes) {
  const int fd = Init();
  Watch(fd, ".", IN_CREATE);
  char buffer[256];
  T(read(fd, buffer, sizeof buffer));
  T(read(fd, buffer, 0));
  Make("a");
  Make("a_name_of_more_than_sixteen_bytes");
  int size = 0;
  T(ioctl(fd, FIONREAD, &size));
  Record("size", size);
  T(read(fd, buffer, 16));
  T(read(fd, buffer, 31));
  T(read(fd, buffer, 32));
  T(read(fd, buffer, sizeof buffer));
  T(write(fd, buffer, 1));
  T(lseek(fd, 0, SEEK_CUR));
}
CASE(inotify_blocking_read_is_woken) {
  const int fd = inotify_init();
  Watch(fd, ".", IN_CREATE);
  const pid_t child = fork();
  if (child == 0) {
    SleepMs(50);
    Make("late");
    _exit(0);
  }
  char buffer[256];
  T(read(fd, buffer, sizeof buffer));
  MUST(waitpid(child, nullptr, 0));
}
CASE(inotify_exec_of_file) {
  MUST(system("cp /bin/busybox prog") == 0 ? 0 : -1);
  const int fd = Init();
  Watch(fd, "prog", IN_OPEN);
  Record("child", InChild([] {
           execl("./prog", "true", nullptr);
           return 9;
         }));
  Record("events", Events(fd));
}
CASE(inotify_umount) {
  MUST(mkdir("m", 0755));
  if (syscall(SYS_mount, "none", "m", "tmpfs", 0, nullptr) != 0) return;
  Make("m/f");
  const int fd = Init();
  Watch(fd, "m", IN_ALL_EVENTS);
  T(syscall(SYS_umount2, "m", 0));
  Record("events", Events(fd));
}
CASE(inotify_sigio) {
  signal(SIGIO, [](int) {});
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGIO);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  const int fd = Init();
  Watch(fd, ".", IN_CREATE);
  T(fcntl(fd, F_SETOWN, getpid()));
  T(fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC));
  Make("f");
  const timespec none = {0, 0};
  T(sigtimedwait(&set, nullptr, &none));
}
