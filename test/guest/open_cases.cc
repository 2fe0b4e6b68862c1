// open(2), creat(2), openat(2), close(2): flags, errors, paths.
#include <linux/openat2.h>

#include "test/guest/cases.h"

using namespace guest;

CASE(open_missing) { T(open("missing", O_RDONLY)); }
CASE(open_empty_path) { T(open("", O_RDONLY)); }
CASE(open_create_gives_lowest_descriptor) {
  T(open("a", O_CREAT | O_RDWR, 0644));
  T(open("b", O_CREAT | O_RDWR, 0644));
  T(close(3));
  T(open("c", O_CREAT | O_RDWR, 0644));
}
CASE(open_excl_existing) {
  Make("f");
  T(open("f", O_CREAT | O_EXCL | O_RDWR, 0644));
}
CASE(open_excl_new) { T(open("f", O_CREAT | O_EXCL | O_RDWR, 0644)); }
CASE(open_excl_on_dangling_symlink) {
  MUST(symlink("nowhere", "l"));
  T(open("l", O_CREAT | O_EXCL | O_RDWR, 0644));
}
CASE(open_create_through_dangling_symlink) {
  MUST(symlink("target", "l"));
  T(open("l", O_CREAT | O_RDWR, 0644));
  T(access("target", F_OK));
}
CASE(open_directory_for_writing) {
  MUST(mkdir("d", 0755));
  T(open("d", O_RDWR));
  T(open("d", O_WRONLY));
  T(open("d", O_RDONLY));
}
CASE(open_directory_with_create) {
  MUST(mkdir("d", 0755));
  T(open("d", O_RDONLY | O_CREAT, 0644));
}
CASE(open_o_directory_on_file) {
  Make("f");
  T(open("f", O_RDONLY | O_DIRECTORY));
}
CASE(open_o_directory_on_directory) {
  MUST(mkdir("d", 0755));
  T(open("d", O_RDONLY | O_DIRECTORY));
}
CASE(open_create_and_directory) { T(open("new", O_RDONLY | O_CREAT | O_DIRECTORY, 0755)); }
CASE(open_nofollow_on_symlink) {
  Make("f");
  MUST(symlink("f", "l"));
  T(open("l", O_RDONLY | O_NOFOLLOW));
  T(open("l", O_RDONLY));
}
CASE(open_o_path_on_symlink) {
  MUST(symlink("nowhere", "l"));
  const int fd = open("l", O_PATH | O_NOFOLLOW);
  Record("opened", fd >= 0);
  char buffer[64] = {};
  T(readlinkat(fd, "", buffer, sizeof buffer));
  Record("target", buffer);
  T(read(fd, buffer, 1));
}
CASE(open_o_path_refuses_io) {
  Make("f", "abc");
  const int fd = open("f", O_PATH);
  char c;
  T(read(fd, &c, 1));
  T(write(fd, &c, 1));
  T(fchmod(fd, 0600));
  T(fchown(fd, 1, 1));
  T(lseek(fd, 0, SEEK_SET));
  struct stat st;
  T(fstat(fd, &st));
  T(close(fd));
}
CASE(open_trunc_empties) {
  Make("f", "content");
  T(open("f", O_WRONLY | O_TRUNC));
  Record("content", Content("f"));
}
CASE(open_readonly_refuses_write) {
  Make("f", "abc");
  const int fd = open("f", O_RDONLY);
  T(write(fd, "x", 1));
  T(ftruncate(fd, 0));
}
CASE(open_writeonly_refuses_read) {
  Make("f", "abc");
  const int fd = open("f", O_WRONLY);
  char c;
  T(read(fd, &c, 1));
  T(pread(fd, &c, 1, 0));
}
CASE(open_through_file_component) {
  Make("f");
  T(open("f/x", O_RDONLY));
  T(open("f/", O_RDONLY));
  T(open("f/.", O_RDONLY));
  T(open("f/..", O_RDONLY));
}
CASE(open_trailing_slash_create) { T(open("new/", O_CREAT | O_RDWR, 0644)); }
CASE(open_name_too_long) {
  const std::string longest(255, 'n');
  const std::string too_long(256, 'n');
  T(open(longest.c_str(), O_CREAT | O_RDWR, 0644));
  T(open(too_long.c_str(), O_CREAT | O_RDWR, 0644));
}
CASE(open_path_too_long) {
  std::string path;
  while (path.size() < 4200) path += "./";
  path += "f";
  T(open(path.c_str(), O_CREAT | O_RDWR, 0644));
  std::string fits;
  while (fits.size() < 4000) fits += "./";
  fits += "f";
  T(open(fits.c_str(), O_CREAT | O_RDWR, 0644));
}
CASE(open_symlink_loop) {
  MUST(symlink("b", "a"));
  MUST(symlink("a", "b"));
  T(open("a", O_RDONLY));
  T(open("a/x", O_RDONLY));
}
CASE(open_forty_symlinks) {
  Make("l0", "end");
  for (int i = 1; i <= 41; i++) {
    MUST(symlink(("l" + std::to_string(i - 1)).c_str(), ("l" + std::to_string(i)).c_str()));
  }
  T(open("l40", O_RDONLY));
  T(open("l41", O_RDONLY));
}
CASE(open_umask_applies) {
  umask(027);
  MUST(open("f", O_CREAT | O_RDWR, 0777));
  struct stat st;
  T(stat("f", &st));
  Record("mode", Octal(st.st_mode));
}
CASE(open_mode_of_created_file_does_not_bind_creator) {
  const int fd = open("f", O_CREAT | O_RDWR, 0000);
  T(write(fd, "x", 1));
  T(lseek(fd, 0, SEEK_SET));
  char c;
  T(read(fd, &c, 1));
}
CASE(open_tmpfile_is_unnamed) {
  const int fd = open(".", O_TMPFILE | O_RDWR, 0600);
  if (fd < 0) {
    T(fd);
    return;
  }
  T(write(fd, "abc", 3));
  struct stat st;
  T(fstat(fd, &st));
  Record("links", st.st_nlink);
  Record("mode", Octal(st.st_mode));
}
CASE(open_tmpfile_keeps_its_flag) {
  const int fd = open(".", O_TMPFILE | O_EXCL | O_RDWR | O_APPEND, 0600);
  Record("flags", Octal(static_cast<unsigned long>(fcntl(fd, F_GETFL))));
  T(open(".", O_TMPFILE | O_CREAT | O_RDWR, 0600));
  open_how how = {};
  how.flags = O_TMPFILE | O_RDWR;
  how.mode = 0600;
  const auto by_how = [&how] { return syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how); };
  Record("flags", Octal(static_cast<unsigned long>(fcntl(static_cast<int>(by_how()), F_GETFL))));
  how.flags |= O_CREAT;
  T(by_how());
  how.flags = O_CREAT | O_DIRECTORY | O_RDWR;
  T(by_how());
}
CASE(open_tmpfile_without_write_access) { T(open(".", O_TMPFILE | O_RDONLY, 0600)); }
CASE(openat_relative_to_directory) {
  MUST(mkdir("d", 0755));
  Make("d/f", "abc");
  const int dir = open("d", O_RDONLY | O_DIRECTORY);
  T(openat(dir, "f", O_RDONLY));
  T(openat(dir, "missing", O_RDONLY));
  T(openat(dir, "../d/f", O_RDONLY));
}
CASE(openat_bad_directory_descriptor) {
  Make("f");
  const int file = open("f", O_RDONLY);
  T(openat(file, "x", O_RDONLY));
  T(openat(99, "x", O_RDONLY));
  T(openat(99, "/", O_RDONLY));
  T(openat(AT_FDCWD, "f", O_RDONLY));
}
CASE(openat_after_directory_was_renamed) {
  MUST(mkdir("d", 0755));
  Make("d/f", "abc");
  const int dir = open("d", O_RDONLY);
  MUST(rename("d", "e"));
  T(openat(dir, "f", O_RDONLY));
  T(openat(dir, "new", O_CREAT | O_RDWR, 0644));
  T(access("e/new", F_OK));
}
CASE(open_in_removed_directory) {
  MUST(mkdir("d", 0755));
  MUST(chdir("d"));
  MUST(rmdir("../d"));
  T(open("f", O_CREAT | O_RDWR, 0644));
  T(open(".", O_RDONLY));
  T(open("..", O_RDONLY));
  char buffer[4096];
  TP(getcwd(buffer, sizeof buffer));
}
CASE(creat_is_write_only) {
  const int fd = creat("f", 0644);
  char c;
  T(read(fd, &c, 1));
  T(write(fd, "x", 1));
  Record("flags", (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY);
}
CASE(open_bad_access_mode) {
  Make("f", "abc");
  // 3 is "check both, allow neither" for the host's open(2).
  const int fd = open("f", 3);
  Record("opened", fd >= 0);
  char c;
  T(read(fd, &c, 1));
}
CASE(close_twice) {
  Make("f");
  const int fd = open("f", O_RDONLY);
  T(close(fd));
  T(close(fd));
  T(close(-1));
}
CASE(open_dot_dot_at_root_stays) {
  const int fd = open("/../../..", O_RDONLY);
  Record("opened", fd >= 0);
  struct stat up, root;
  T(fstat(fd, &up));
  T(stat("/", &root));
  Record("same", up.st_ino == root.st_ino && up.st_dev == root.st_dev);
}
CASE(openat2_resolve_flags) {
  Make("f");
  MUST(symlink("f", "l"));
  MUST(symlink("/", "abs"));
  struct How {
    unsigned long long flags, mode, resolve;
  };
  How no_symlinks = {O_RDONLY, 0, 0x04};
  How beneath = {O_RDONLY, 0, 0x08};
  T(syscall(SYS_openat2, AT_FDCWD, "f", &no_symlinks, sizeof no_symlinks));
  T(syscall(SYS_openat2, AT_FDCWD, "l", &no_symlinks, sizeof no_symlinks));
  T(syscall(SYS_openat2, AT_FDCWD, "..", &beneath, sizeof beneath));
  T(syscall(SYS_openat2, AT_FDCWD, "abs", &beneath, sizeof beneath));
  T(syscall(SYS_openat2, AT_FDCWD, "l", &beneath, sizeof beneath));
  T(syscall(SYS_openat2, AT_FDCWD, "f", &beneath, 8));
}
CASE(open_unlinked_file_stays_usable) {
  const int fd = open("f", O_CREAT | O_RDWR, 0644);
  MUST(unlink("f"));
  T(write(fd, "abc", 3));
  T(lseek(fd, 0, SEEK_SET));
  char buffer[8];
  T(read(fd, buffer, sizeof buffer));
  struct stat st;
  T(fstat(fd, &st));
  Record("links", st.st_nlink);
  T(open("f", O_RDONLY));
}
CASE(open_same_file_twice_has_two_offsets) {
  Make("f", "abcdef");
  const int a = open("f", O_RDONLY);
  const int b = open("f", O_RDONLY);
  char buffer[4] = {};
  T(read(a, buffer, 3));
  T(lseek(b, 0, SEEK_CUR));
}
CASE(open_o_noatime_as_other_user) {
  Make("f", "abc", 0644);
  BecomeUser(1000, 1000);
  T(open("f", O_RDONLY | O_NOATIME));
  T(open("f", O_RDONLY));
}
