// Attributes: stat, statx, chmod, chown, utimens, xattrs, statfs, mknod.
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <time.h>
#include <utime.h>

#include "test/guest/cases.h"

using namespace guest;

namespace {
void RecordMode(const char* path) {
  struct stat st;
  if (lstat(path, &st) < 0) return Record("mode", strerrorname_np(errno));
  Record("mode", Octal(st.st_mode));
}
}  // namespace

CASE(stat_kinds) {
  Make("f", "12345");
  MUST(mkdir("d", 0700));
  MUST(symlink("f", "l"));
  MUST(mkfifo("p", 0600));
  struct stat st;
  T(stat("f", &st));
  Record("mode", Octal(st.st_mode));
  Record("size", st.st_size);
  Record("uid", st.st_uid);
  RecordMode("d");
  RecordMode("l");
  RecordMode("p");
  RecordMode("/dev/null");
  T(stat("/dev/null", &st));
  Record("rdev", st.st_rdev);
  T(stat("/dev/tty", &st));
  Record("rdev", st.st_rdev);
}
CASE(stat_errors) {
  struct stat st;
  Make("f");
  T(stat("missing", &st));
  T(stat("", &st));
  T(stat("f/x", &st));
  T(fstat(99, &st));
  T(fstatat(AT_FDCWD, "f", &st, 0x40));
}
CASE(fstatat_empty_path) {
  Make("f", "123");
  const int fd = open("f", O_RDONLY);
  struct stat st;
  T(fstatat(fd, "", &st, AT_EMPTY_PATH));
  Record("size", st.st_size);
  T(fstatat(fd, "", &st, 0));
  T(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
  Record("directory", S_ISDIR(st.st_mode));
}
CASE(stat_same_inode_by_any_way) {
  Make("f");
  MUST(link("f", "g"));
  struct stat a, b, c;
  T(stat("f", &a));
  T(stat("g", &b));
  const int fd = open("f", O_RDONLY);
  T(fstat(fd, &c));
  Record("same", a.st_ino == b.st_ino && b.st_ino == c.st_ino && a.st_dev == c.st_dev);
}
CASE(stat_different_files_differ) {
  Make("f");
  Make("g");
  struct stat a, b;
  MUST(stat("f", &a));
  MUST(stat("g", &b));
  Record("differ", a.st_ino != b.st_ino);
  Record("same_device", a.st_dev == b.st_dev);
}
CASE(statx_fields) {
  Make("f", "12345");
  struct statx sx;
  T(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &sx));
  Record("mask", (sx.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
  Record("size", sx.stx_size);
  Record("mode", Octal(sx.stx_mode));
  Record("links", sx.stx_nlink);
  T(statx(AT_FDCWD, "missing", 0, STATX_BASIC_STATS, &sx));
  T(statx(AT_FDCWD, "f", 0x80000, STATX_BASIC_STATS, &sx));
  T(statx(AT_FDCWD, "f", 0, 0x80000000, &sx));
}
CASE(chmod_forms) {
  Make("f");
  T(chmod("f", 04751));
  RecordMode("f");
  const int fd = open("f", O_RDONLY);
  T(fchmod(fd, 0600));
  RecordMode("f");
  T(fchmodat(AT_FDCWD, "f", 0777, 0));
  RecordMode("f");
  T(chmod("missing", 0777));
  T(fchmod(99, 0777));
}
CASE(chmod_follows_symlink) {
  Make("f");
  MUST(symlink("f", "l"));
  T(chmod("l", 0600));
  RecordMode("f");
  RecordMode("l");
}
CASE(chmod_by_other_user) {
  Make("f");
  BecomeUser(1000, 1000);
  T(chmod("f", 0777));
}
CASE(chmod_setgid_cleared_for_foreign_group) {
  Make("f");
  MUST(chown("f", 1000, 55));
  BecomeUser(1000, 1000);
  T(chmod("f", 02755));
  RecordMode("f");
}
CASE(chown_forms) {
  Make("f");
  struct stat st;
  T(chown("f", 5, 6));
  T(stat("f", &st));
  Record("uid", st.st_uid);
  Record("gid", st.st_gid);
  T(chown("f", -1, 7));
  T(stat("f", &st));
  Record("uid", st.st_uid);
  Record("gid", st.st_gid);
  const int fd = open("f", O_RDONLY);
  T(fchown(fd, 8, -1));
  T(fstat(fd, &st));
  Record("uid", st.st_uid);
}
CASE(lchown_changes_link_only) {
  Make("f");
  MUST(symlink("f", "l"));
  T(lchown("l", 9, 9));
  struct stat st;
  T(lstat("l", &st));
  Record("link", st.st_uid);
  T(stat("l", &st));
  Record("file", st.st_uid);
}
CASE(chown_clears_setuid) {
  Make("f");
  MUST(chmod("f", 06755));
  T(chown("f", 5, 5));
  RecordMode("f");
}
CASE(chown_by_other_user) {
  Make("f");
  MUST(chown("f", 1000, 1000));
  BecomeUser(1000, 1000);
  T(chown("f", 1001, -1));
  T(chown("f", -1, 1000));
  T(chown("f", -1, 1001));
}
CASE(write_clears_setuid) {
  Make("f");
  MUST(chown("f", 1000, 1000));
  MUST(chmod("f", 04777));
  BecomeUser(1000, 1000);
  const int fd = open("f", O_WRONLY);
  T(write(fd, "x", 1));
  RecordMode("f");
}
CASE(utimens_sets_both) {
  Make("f");
  const timespec times[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
  T(utimensat(AT_FDCWD, "f", times, 0));
  struct stat st;
  T(stat("f", &st));
  Record("atime", st.st_atim.tv_sec);
  Record("atime_ns", st.st_atim.tv_nsec);
  Record("mtime", st.st_mtim.tv_sec);
  Record("mtime_ns", st.st_mtim.tv_nsec);
}
CASE(utimens_omit_and_now) {
  Make("f");
  const timespec base[2] = {{1000, 0}, {2000, 0}};
  MUST(utimensat(AT_FDCWD, "f", base, 0));
  const timespec change[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
  T(utimensat(AT_FDCWD, "f", change, 0));
  struct stat st;
  T(stat("f", &st));
  Record("atime", st.st_atim.tv_sec);
  Record("mtime_recent", llabs(time(nullptr) - st.st_mtim.tv_sec) < 5);
}
CASE(utimens_errors) {
  Make("f");
  const timespec bad[2] = {{0, 1000000000}, {0, 0}};
  T(utimensat(AT_FDCWD, "f", bad, 0));
  T(utimensat(AT_FDCWD, "missing", nullptr, 0));
  const timespec some[2] = {{1, 0}, {1, 0}};
  BecomeUser(1000, 1000);
  T(utimensat(AT_FDCWD, "f", some, 0));
  T(utimensat(AT_FDCWD, "f", nullptr, 0));
}
CASE(futimens_and_symlink) {
  Make("f");
  MUST(symlink("f", "l"));
  const timespec times[2] = {{10, 0}, {20, 0}};
  T(utimensat(AT_FDCWD, "l", times, AT_SYMLINK_NOFOLLOW));
  struct stat st;
  T(lstat("l", &st));
  Record("link", st.st_mtim.tv_sec);
  const int fd = open("f", O_RDONLY);
  T(futimens(fd, times));
  T(fstat(fd, &st));
  Record("file", st.st_mtim.tv_sec);
}
CASE(utime_and_utimes) {
  Make("f");
  utimbuf old_style = {100, 200};
  T(utime("f", &old_style));
  struct stat st;
  T(stat("f", &st));
  Record("mtime", st.st_mtim.tv_sec);
  const timeval values[2] = {{300, 0}, {400, 500000}};
  T(utimes("f", values));
  T(stat("f", &st));
  Record("mtime", st.st_mtim.tv_sec);
  Record("ns", st.st_mtim.tv_nsec);
}
CASE(write_updates_mtime) {
  Make("f");
  const timespec old_times[2] = {{1000, 0}, {1000, 0}};
  MUST(utimensat(AT_FDCWD, "f", old_times, 0));
  const int fd = open("f", O_WRONLY);
  T(write(fd, "x", 1));
  struct stat st;
  T(fstat(fd, &st));
  Record("updated", st.st_mtim.tv_sec > 1000);
  T(stat("f", &st));
  Record("updated", st.st_mtim.tv_sec > 1000);
}
CASE(create_updates_directory_mtime) {
  MUST(mkdir("d", 0755));
  const timespec old_times[2] = {{1000, 0}, {1000, 0}};
  MUST(utimensat(AT_FDCWD, "d", old_times, 0));
  Make("d/f");
  struct stat st;
  T(stat("d", &st));
  Record("updated", st.st_mtim.tv_sec > 1000);
}
CASE(xattr_user) {
  Make("f");
  char buffer[64] = {};
  T(setxattr("f", "user.one", "value", 5, 0));
  T(getxattr("f", "user.one", buffer, sizeof buffer));
  Record("value", buffer);
  T(getxattr("f", "user.one", buffer, 0));
  T(getxattr("f", "user.one", buffer, 2));
  T(getxattr("f", "user.none", buffer, 2));
  T(setxattr("f", "user.one", "x", 1, XATTR_CREATE));
  T(setxattr("f", "user.two", "x", 1, XATTR_REPLACE));
  T(listxattr("f", buffer, sizeof buffer));
  T(removexattr("f", "user.one"));
  T(removexattr("f", "user.one"));
}
CASE(xattr_errors) {
  Make("f");
  T(setxattr("f", "nonamespace", "v", 1, 0));
  T(setxattr("f", "", "v", 1, 0));
  T(setxattr("missing", "user.a", "v", 1, 0));
  T(setxattr("f", ("user." + std::string(300, 'x')).c_str(), "v", 1, 0));
}
CASE(access_as_root) {
  Make("f", "", 0000);
  T(access("f", R_OK | W_OK));
  T(access("f", X_OK));
  MUST(chmod("f", 0001));
  T(access("f", X_OK));
  T(access("missing", F_OK));
  T(access("f", 99));
}
CASE(access_uses_real_uid) {
  Make("f", "", 0600);
  MUST(setresuid(1000, 0, 0));
  T(access("f", R_OK));
  T(faccessat(AT_FDCWD, "f", R_OK, AT_EACCESS));
  T(open("f", O_RDONLY));
}
CASE(permission_bits_for_owner_group_other) {
  Make("f");
  MUST(chown("f", 1000, 2000));
  MUST(chmod("f", 0042));
  Record("owner", InChild([] {
           BecomeUser(1000, 2000);
           return open("f", O_RDONLY) < 0 ? errno : 0;
         }));
  Record("group", InChild([] {
           BecomeUser(3000, 2000);
           return open("f", O_RDONLY) < 0 ? errno : 0;
         }));
  Record("other_read", InChild([] {
           BecomeUser(3000, 3000);
           return open("f", O_RDONLY) < 0 ? errno : 0;
         }));
  Record("other_write", InChild([] {
           BecomeUser(3000, 3000);
           return open("f", O_WRONLY) < 0 ? errno : 0;
         }));
}
CASE(permission_supplementary_groups) {
  Make("f");
  MUST(chown("f", 0, 4000));
  MUST(chmod("f", 0640));
  Record("with", InChild([] {
           const gid_t groups[] = {4000, 5000};
           syscall(SYS_setgroups, 2, groups);
           setresgid(1000, 1000, 1000);
           setresuid(1000, 1000, 1000);
           return open("f", O_RDONLY) < 0 ? errno : 0;
         }));
  Record("without", InChild([] {
           BecomeUser(1000, 1000);
           return open("f", O_RDONLY) < 0 ? errno : 0;
         }));
}
CASE(permission_search_directory) {
  MUST(mkdir("d", 0700));
  Make("d/f", "1");
  BecomeUser(1000, 1000);
  T(open("d/f", O_RDONLY));
  T(open("d", O_RDONLY));
  struct stat st;
  T(stat("d", &st));
  T(stat("d/f", &st));
  T(chdir("d"));
}
CASE(permission_create_in_foreign_directory) {
  MUST(mkdir("d", 0755));
  BecomeUser(1000, 1000);
  T(open("d/f", O_CREAT | O_RDWR, 0644));
  T(mkdir("d/e", 0755));
  T(symlink("x", "d/l"));
}
CASE(permission_sticky_directory) {
  MUST(mkdir("d", 0777));
  MUST(chmod("d", 01777));
  Make("d/root");
  BecomeUser(1000, 1000);
  T(unlink("d/root"));
  T(rename("d/root", "d/x"));
  T(open("d/mine", O_CREAT | O_RDWR, 0644));
  T(unlink("d/mine"));
}
CASE(permission_created_files_belong_to_user) {
  BecomeUser(1000, 1001);
  Make("f");
  struct stat st;
  T(stat("f", &st));
  Record("uid", st.st_uid);
  Record("gid", st.st_gid);
}
CASE(mknod_forms) {
  T(mknod("plain", S_IFREG | 0640, 0));
  RecordMode("plain");
  T(mknod("fifo", S_IFIFO | 0600, 0));
  RecordMode("fifo");
  T(mknod("bare", 0600, 0));
  RecordMode("bare");
  T(mknod("plain", S_IFREG | 0640, 0));
  T(mknod("dir", S_IFDIR | 0755, 0));
  T(mknod("strange", 0170000 | 0755, 0));
}
CASE(mknod_device_needs_privilege) {
  BecomeUser(1000, 1000);
  T(mknod("c", S_IFCHR | 0600, makedev(1, 3)));
  T(mknod("f", S_IFIFO | 0600, 0));
}
CASE(statfs_sanity) {
  struct statfs fs;
  T(statfs(".", &fs));
  Record("bsize", fs.f_bsize);
  Record("namelen", fs.f_namelen);
  Record("blocks", fs.f_blocks > 0);
  T(statfs("missing", &fs));
  T(statfs("/proc", &fs));
  Record("proc", fs.f_type == 0x9fa0);
  const int fd = open(".", O_RDONLY);
  T(fstatfs(fd, &fs));
  T(fstatfs(99, &fs));
}
