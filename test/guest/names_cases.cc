// Names: rename, link, symlink, unlink, mkdir, rmdir, readlink, chdir.
#include <sys/syscall.h>

#include "test/guest/cases.h"

using namespace guest;

CASE(rename_moves) {
  Make("a", "1");
  T(rename("a", "b"));
  T(access("a", F_OK));
  Record("b", Content("b"));
}
CASE(rename_replaces_file) {
  Make("a", "new");
  Make("b", "old");
  T(rename("a", "b"));
  Record("b", Content("b"));
}
CASE(rename_over_open_file_keeps_old_content_readable) {
  Make("a", "new");
  Make("b", "old");
  const int fd = open("b", O_RDONLY);
  T(rename("a", "b"));
  Record("open", Drain(fd));
  Record("name", Content("b"));
}
CASE(rename_missing) { T(rename("missing", "b")); }
CASE(rename_to_missing_directory) {
  Make("a");
  T(rename("a", "missing/b"));
}
CASE(rename_file_over_directory) {
  Make("a");
  MUST(mkdir("d", 0755));
  T(rename("a", "d"));
}
CASE(rename_directory_over_file) {
  MUST(mkdir("d", 0755));
  Make("f");
  T(rename("d", "f"));
}
CASE(rename_directory_over_empty_directory) {
  MUST(mkdir("d", 0755));
  MUST(mkdir("e", 0755));
  Make("d/f");
  T(rename("d", "e"));
  T(access("e/f", F_OK));
}
CASE(rename_directory_over_full_directory) {
  MUST(mkdir("d", 0755));
  MUST(mkdir("e", 0755));
  Make("e/f");
  T(rename("d", "e"));
}
CASE(rename_directory_into_itself) {
  MUST(mkdir("d", 0755));
  T(rename("d", "d/e"));
  T(rename("d/..", "x"));
  T(rename(".", "x"));
}
CASE(rename_hard_links_of_one_file_does_nothing) {
  Make("a", "1");
  MUST(link("a", "b"));
  T(rename("a", "b"));
  T(access("a", F_OK));
  T(access("b", F_OK));
}
CASE(rename_same_name) {
  Make("a");
  T(rename("a", "a"));
}
CASE(rename_symlink_itself) {
  MUST(symlink("nowhere", "l"));
  T(rename("l", "m"));
  char buffer[32] = {};
  T(readlink("m", buffer, sizeof buffer));
}
CASE(renameat2_noreplace) {
  Make("a");
  Make("b");
  T(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE));
  T(renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE));
}
CASE(renameat2_exchange) {
  Make("a", "1");
  Make("b", "2");
  T(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE));
  Record("a", Content("a"));
  Record("b", Content("b"));
  T(renameat2(AT_FDCWD, "a", AT_FDCWD, "missing", RENAME_EXCHANGE));
}
CASE(renameat2_bad_flags) {
  Make("a");
  T(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE | RENAME_NOREPLACE));
  T(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", 1 << 20));
}
CASE(rename_open_descriptor_follows) {
  const int fd = open("a", O_CREAT | O_RDWR, 0644);
  MUST(rename("a", "b"));
  T(write(fd, "xyz", 3));
  Record("b", Content("b"));
}
CASE(rename_working_directory) {
  MUST(mkdir("d", 0755));
  MUST(chdir("d"));
  MUST(rename("../d", "../e"));
  Make("f", "1");
  Record("f", Content("../e/f"));
  char buffer[4096];
  const char* cwd = getcwd(buffer, sizeof buffer);
  Record("cwd", cwd ? strrchr(cwd, '/') : "none");
}
CASE(link_counts) {
  Make("a");
  T(link("a", "b"));
  struct stat st;
  T(stat("b", &st));
  Record("links", st.st_nlink);
  T(unlink("a"));
  T(stat("b", &st));
  Record("links", st.st_nlink);
}
CASE(link_shares_content) {
  Make("a", "1");
  MUST(link("a", "b"));
  Make("b", "22");
  Record("a", Content("a"));
}
CASE(link_errors) {
  Make("a");
  Make("b");
  MUST(mkdir("d", 0755));
  T(link("a", "b"));
  T(link("missing", "c"));
  T(link("d", "c"));
  T(link("a", "missing/c"));
}
CASE(linkat_of_symlink) {
  Make("a");
  MUST(symlink("a", "l"));
  T(linkat(AT_FDCWD, "l", AT_FDCWD, "m", 0));
  T(linkat(AT_FDCWD, "l", AT_FDCWD, "n", AT_SYMLINK_FOLLOW));
  struct stat st;
  T(lstat("m", &st));
  Record("m", S_ISLNK(st.st_mode) ? "link" : "file");
  T(lstat("n", &st));
  Record("n", S_ISLNK(st.st_mode) ? "link" : "file");
  T(linkat(AT_FDCWD, "l", AT_FDCWD, "o", 0x4000000));
}
CASE(symlink_readlink) {
  T(symlink("target/of/link", "l"));
  char buffer[64] = {};
  T(readlink("l", buffer, sizeof buffer));
  Record("text", buffer);
  char tiny[4] = {};
  T(readlink("l", tiny, 3));
  Record("cut", std::string_view(tiny, 3));
  T(readlink("l", buffer, 0));
}
CASE(symlink_errors) {
  Make("f");
  T(symlink("x", "f"));
  T(symlink("", "e"));
  T(symlink("x", "missing/l"));
  char buffer[8];
  T(readlink("f", buffer, sizeof buffer));
  T(readlink("missing", buffer, sizeof buffer));
  T(readlink(".", buffer, sizeof buffer));
}
CASE(symlink_size_is_its_text) {
  MUST(symlink("12345", "l"));
  struct stat st;
  T(lstat("l", &st));
  Record("size", st.st_size);
  Record("mode", Octal(st.st_mode));
}
CASE(symlink_absolute_within_path) {
  MUST(symlink("/", "root"));
  T(access("root/proc", F_OK));
  T(access("root/../proc", F_OK));
}
CASE(symlink_relative_with_dots) {
  MUST(mkdir("d", 0755));
  Make("f", "1");
  MUST(symlink("../f", "d/l"));
  Record("content", Content("d/l"));
}
CASE(unlink_errors) {
  MUST(mkdir("d", 0755));
  Make("f");
  T(unlink("missing"));
  T(unlink("d"));
  T(unlink("f/"));
  T(unlink("f/x"));
  T(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR));
  T(unlinkat(AT_FDCWD, "f", 1));
}
CASE(unlink_symlink_not_target) {
  Make("f");
  MUST(symlink("f", "l"));
  T(unlink("l"));
  T(access("f", F_OK));
}
CASE(mkdir_errors) {
  Make("f");
  MUST(mkdir("d", 0755));
  T(mkdir("d", 0755));
  T(mkdir("f", 0755));
  T(mkdir("f/d", 0755));
  T(mkdir("missing/d", 0755));
  T(mkdir("", 0755));
  T(mkdir("/", 0755));
  T(mkdir(".", 0755));
  T(mkdir("d/..", 0755));
}
CASE(mkdir_trailing_slash) { T(mkdir("d/", 0755)); }
CASE(mkdir_mode_and_links) {
  umask(022);
  T(mkdir("d", 01777));
  struct stat st;
  T(stat("d", &st));
  Record("mode", Octal(st.st_mode));
}
CASE(mkdir_setgid_directory_inherits_group) {
  MUST(mkdir("d", 0755));
  MUST(chown("d", 0, 77));
  MUST(chmod("d", 02755));
  MUST(mkdir("d/e", 0755));
  Make("d/f");
  struct stat st;
  T(stat("d/e", &st));
  Record("dir", Octal(st.st_mode));
  Record("gid", st.st_gid);
  T(stat("d/f", &st));
  Record("file_gid", st.st_gid);
}
CASE(rmdir_errors) {
  Make("f");
  MUST(mkdir("d", 0755));
  Make("d/x");
  T(rmdir("d"));
  T(rmdir("f"));
  T(rmdir("missing"));
  T(rmdir("."));
  T(rmdir("d/.."));
  T(rmdir("/"));
}
CASE(rmdir_through_symlink) {
  MUST(mkdir("d", 0755));
  MUST(symlink("d", "l"));
  T(rmdir("l"));
  T(rmdir("d"));
}
CASE(rmdir_open_directory_lists_nothing) {
  MUST(mkdir("d", 0755));
  const int fd = open("d", O_RDONLY);
  T(rmdir("d"));
  struct stat st;
  T(fstat(fd, &st));
  Record("links", st.st_nlink);
  T(openat(fd, "f", O_CREAT | O_RDWR, 0644));
  char buffer[512];
  T(syscall(SYS_getdents64, fd, buffer, sizeof buffer));
}
CASE(chdir_and_getcwd) {
  MUST(mkdir("d", 0755));
  char before[4096], after[4096];
  TP(getcwd(before, sizeof before));
  T(chdir("d"));
  TP(getcwd(after, sizeof after));
  Record("tail", after + strlen(before));
  T(chdir("missing"));
  Make("f");
  T(chdir("f"));
  char tiny[2];
  T(syscall(SYS_getcwd, tiny, sizeof tiny));
}
CASE(chdir_through_symlink_gives_real_path) {
  MUST(mkdir("d", 0755));
  MUST(symlink("d", "l"));
  T(chdir("l"));
  char buffer[4096];
  Record("name", strrchr(getcwd(buffer, sizeof buffer), '/'));
}
CASE(fchdir_works) {
  MUST(mkdir("d", 0755));
  Make("d/f", "1");
  const int fd = open("d", O_RDONLY);
  T(fchdir(fd));
  Record("f", Content("f"));
  const int file = open("f", O_RDONLY);
  T(fchdir(file));
  T(fchdir(99));
}
CASE(chroot_confines) {
  MUST(mkdir("d", 0755));
  Make("d/f", "inside");
  T(chroot("d"));
  T(chdir("/"));
  Record("f", Content("/f"));
  Record("up", Content("/../../f"));
  T(access("/proc", F_OK));
}
CASE(chroot_needs_privilege) {
  BecomeUser(1000, 1000);
  T(chroot("/"));
}
CASE(dots_and_slashes_in_paths) {
  MUST(mkdir("d", 0755));
  Make("d/f", "1");
  Record("a", Content(".//d///f"));
  Record("b", Content("d/./f"));
  Record("c", Content("d/../d/f"));
  T(access("d/f/..", F_OK));
  T(access("missing/../d", F_OK));
}
CASE(names_with_strange_bytes) {
  Make("a b\tc", "1");
  Make("\xff\xfe", "2");
  Make("-rf", "3");
  Record("space", Content("a b\tc"));
  Record("bytes", Content("\xff\xfe"));
  Record("dash", Content("-rf"));
}
CASE(deep_directories) {
  for (int i = 0; i < 100; i++) {
    MUST(mkdir("deeper", 0755));
    MUST(chdir("deeper"));
  }
  Make("f", "deep");
  Record("f", Content("f"));
  for (int i = 0; i < 100; i++) MUST(chdir(".."));
  T(access("deeper/deeper/deeper", F_OK));
}
