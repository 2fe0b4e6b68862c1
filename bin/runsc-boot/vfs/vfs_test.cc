#include "bin/runsc-boot/vfs/vfs.h"

#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include <set>
#include <string>

#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"
#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot {
namespace {

CredentialsRef User(uid_t uid, gid_t gid = 100) {
  auto credentials = std::make_shared<Credentials>();
  credentials->fsuid = credentials->euid = credentials->ruid = uid;
  credentials->fsgid = credentials->egid = credentials->rgid = gid;
  return credentials;
}

class VfsTest : public ::testing::Test {
 protected:
  VfsTest() {
    TmpfsOptions options;
    options.mode = 0755;
    auto tmpfs = std::make_shared<TmpfsFilesystem>(options);
    auto root = std::make_shared<Dentry>(nullptr, "", tmpfs->root());
    auto mount = std::make_shared<Mount>(1, tmpfs, root, 0, "tmpfs");
    mounts_ = std::make_shared<MountNamespace>(mount);
    root_ = Path{mount, root};
    fs_ = std::make_shared<FsContext>(mounts_, root_, root_, 022);
  }

  Caller Root() { return Caller{root_context_, *fs_}; }
  WalkOptions Cwd() { return WalkOptions{.start = fs_->cwd()}; }
  WalkOptions NoFollow() { return WalkOptions{.start = fs_->cwd(), .follow_last = false}; }
  int WalkError(const std::string& path) { return vfs_.Walk(Root(), Cwd(), path).code(); }
  Path At(const std::string& path, bool follow = true) {
    WalkOptions options = Cwd();
    options.follow_last = follow;
    auto result = vfs_.Walk(Root(), options, path);
    EXPECT_TRUE(result.ok()) << path << ": " << result.code();
    return result.ok() ? *result : Path{};
  }
  void Mkdir(const std::string& path, mode_t mode = 0755) {
    ASSERT_EQ(vfs_.Mkdir(Root(), Cwd(), path, mode).code(), 0) << path;
  }
  Result<FileRef> Open(Caller caller, const std::string& path, int flags, mode_t mode = 0644) {
    return vfs_.Open(caller, Cwd(), path, {flags, mode});
  }
  void Write(const std::string& path, std::string text, mode_t mode = 0644) {
    auto file = Open(Root(), path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    ASSERT_TRUE(file.ok()) << path << ": " << file.code();
    KernelBuffer buffer(text.data(), text.size());
    auto count = (*file)->Write(root_context_, buffer);
    ASSERT_TRUE(count.ok());
    ASSERT_EQ(*count, text.size());
  }
  std::string Read(const FileRef& file) {
    std::string text(1 << 16, 0);
    KernelBuffer buffer(text.data(), text.size());
    auto count = file->Read(root_context_, buffer);
    EXPECT_TRUE(count.ok());
    text.resize(count.ok() ? *count : 0);
    return text;
  }
  std::string ReadPath(const std::string& path) {
    auto file = Open(Root(), path, O_RDONLY);
    EXPECT_TRUE(file.ok()) << path << ": " << file.code();
    return file.ok() ? Read(*file) : "";
  }
  std::string Name(const Path& path) { return vfs_.PathName(*mounts_, path, root_); }
  Path MountTmpfs(const std::string& path, unsigned long flags = 0) {
    auto tmpfs = std::make_shared<TmpfsFilesystem>(TmpfsOptions{});
    auto root = std::make_shared<Dentry>(nullptr, "", tmpfs->root());
    auto mount = mounts_->Attach(tmpfs, root, At(path), flags, "tmpfs");
    EXPECT_TRUE(mount.ok());
    return Path{*mount, root};
  }

  Vfs vfs_;
  KernelContext root_context_;
  std::shared_ptr<MountNamespace> mounts_;
  Path root_;
  std::shared_ptr<FsContext> fs_;
};

TEST_F(VfsTest, WalkReportsWhatIsMissingOrNoDirectory) {
  Mkdir("/a");
  Write("/a/file", "x");
  EXPECT_EQ(WalkError("/a/file"), 0);
  EXPECT_EQ(WalkError("/a/none"), ENOENT);
  EXPECT_EQ(WalkError("/none/file"), ENOENT);
  EXPECT_EQ(WalkError("/a/file/x"), ENOTDIR);
  EXPECT_EQ(WalkError("/a/file/"), ENOTDIR);
  EXPECT_EQ(WalkError("/a/file/.."), ENOTDIR);
  EXPECT_EQ(WalkError("/a/"), 0);
  EXPECT_EQ(WalkError(""), ENOENT);
  EXPECT_EQ(WalkError("/" + std::string(256, 'x')), ENAMETOOLONG);
  EXPECT_EQ(WalkError("/" + std::string(255, 'x')), ENOENT);
  std::string deep;
  for (int i = 0; i < 2048; ++i) deep += "/.";
  EXPECT_EQ(WalkError(deep), ENAMETOOLONG);
}

TEST_F(VfsTest, DotDotStopsAtTheRoot) {
  Mkdir("/a");
  EXPECT_EQ(At("/../../a/../a"), At("/a"));
  EXPECT_EQ(At(".."), root_);
  fs_->set_root(At("/a"));
  EXPECT_EQ(At("/.."), fs_->root());
}

TEST_F(VfsTest, SymbolicLinksAreFollowedAndCounted) {
  Mkdir("/dir");
  Write("/dir/file", "content");
  ASSERT_TRUE(vfs_.Symlink(Root(), "dir", Cwd(), "/relative").ok());
  ASSERT_TRUE(vfs_.Symlink(Root(), "/dir/file", Cwd(), "/dir/absolute").ok());
  ASSERT_TRUE(vfs_.Symlink(Root(), "loop", Cwd(), "/loop").ok());
  EXPECT_EQ(ReadPath("/relative/absolute"), "content");
  EXPECT_EQ(WalkError("/loop"), ELOOP);
  EXPECT_EQ(At("/relative", false).dentry->name(), "relative");
  EXPECT_EQ(At("/relative/", false), At("/dir"));
  ASSERT_TRUE(vfs_.Symlink(Root(), "dir/file", Cwd(), "/link0").ok());
  for (int i = 1; i <= 40; ++i) {
    ASSERT_TRUE(
        vfs_.Symlink(Root(), "link" + std::to_string(i - 1), Cwd(), "/link" + std::to_string(i))
            .ok());
  }
  EXPECT_EQ(WalkError("/link39"), 0);
  EXPECT_EQ(WalkError("/link40"), ELOOP);
}

TEST_F(VfsTest, ResolveFlagsKeepTheWalkInside) {
  Mkdir("/jail");
  Mkdir("/jail/in");
  ASSERT_TRUE(vfs_.Symlink(Root(), "/in", Cwd(), "/jail/absolute").ok());
  ASSERT_TRUE(vfs_.Symlink(Root(), "../..", Cwd(), "/jail/up").ok());
  WalkOptions options{.start = At("/jail"), .resolve_flags = RESOLVE_BENEATH};
  EXPECT_EQ(vfs_.Walk(Root(), options, "in").code(), 0);
  EXPECT_EQ(vfs_.Walk(Root(), options, "absolute").code(), EXDEV);
  EXPECT_EQ(vfs_.Walk(Root(), options, "up").code(), EXDEV);
  EXPECT_EQ(vfs_.Walk(Root(), options, "/in").code(), EXDEV);
  options.resolve_flags = RESOLVE_IN_ROOT;
  EXPECT_EQ(*vfs_.Walk(Root(), options, "absolute"), At("/jail/in"));
  EXPECT_EQ(*vfs_.Walk(Root(), options, "up"), At("/jail"));
  options.resolve_flags = RESOLVE_NO_SYMLINKS;
  EXPECT_EQ(vfs_.Walk(Root(), options, "absolute").code(), ELOOP);
  MountTmpfs("/jail/in");
  options.resolve_flags = RESOLVE_NO_XDEV;
  EXPECT_EQ(vfs_.Walk(Root(), options, "in").code(), EXDEV);
}

TEST_F(VfsTest, MountsCoverDirectoriesAndStack) {
  Mkdir("/mnt");
  Write("/mnt/below", "1");
  Path first = MountTmpfs("/mnt");
  EXPECT_EQ(WalkError("/mnt/below"), ENOENT);
  Write("/mnt/first", "2");
  EXPECT_EQ(At("/mnt"), first);
  EXPECT_EQ(At("/mnt/.."), root_);
  EXPECT_EQ(Name(At("/mnt/first")), "/mnt/first");
  Path second = MountTmpfs("/mnt");
  EXPECT_EQ(At("/mnt"), second);
  EXPECT_EQ(Name(second), "/mnt");
  EXPECT_EQ(vfs_.Rmdir(Root(), Cwd(), "/mnt").code(), EBUSY);
  EXPECT_EQ(vfs_.Rename(Root(), Cwd(), "/mnt", Cwd(), "/other", 0).code(), EBUSY);
  ASSERT_TRUE(mounts_->Detach(second, false).ok());
  EXPECT_EQ(At("/mnt"), first);
  // Who holds a path of a mount keeps it busy.
  EXPECT_EQ(mounts_->Detach(At("/mnt"), false).code(), EBUSY);
  first = Path();
  ASSERT_TRUE(mounts_->Detach(At("/mnt"), false).ok());
  EXPECT_EQ(ReadPath("/mnt/below"), "1");
  EXPECT_EQ(mounts_->Detach(At("/mnt"), false).code(), EINVAL);
}

TEST_F(VfsTest, AMountWithMountsBelowIsBusyUnlessLazy) {
  Mkdir("/mnt");
  Path outer = MountTmpfs("/mnt");
  Mkdir("/mnt/inner");
  MountTmpfs("/mnt/inner");
  EXPECT_EQ(mounts_->Detach(outer, false).code(), EBUSY);
  EXPECT_EQ(mounts_->Detach(outer, true).code(), 0);
  EXPECT_EQ(mounts_->List().size(), 1u);
}

TEST_F(VfsTest, AClonedNamespaceHasMountsOfItsOwn) {
  Mkdir("/mnt");
  MountTmpfs("/mnt");
  Mkdir("/mnt/inside");
  auto copy = fs_->Clone();
  copy->UnshareMounts(nullptr);
  Caller other{root_context_, *copy};
  WalkOptions walk{.start = copy->cwd()};
  auto inside = vfs_.Walk(other, walk, "/mnt/inside");
  ASSERT_TRUE(inside.ok());
  EXPECT_NE(inside->mount, At("/mnt/inside").mount);
  *inside = Path();
  ASSERT_TRUE(copy->mounts()->Detach(*vfs_.Walk(other, walk, "/mnt"), false).ok());
  EXPECT_EQ(vfs_.Walk(other, walk, "/mnt/inside").code(), ENOENT);
  EXPECT_EQ(WalkError("/mnt/inside"), 0);
}

TEST_F(VfsTest, SearchNeedsExecutePermissionOnEachDirectory) {
  Mkdir("/open");
  Mkdir("/open/closed", 0700);
  Write("/open/closed/file", "x");
  KernelContext user(User(1000));
  Caller caller{user, *fs_};
  EXPECT_EQ(vfs_.Walk(caller, Cwd(), "/open/closed").code(), 0);
  EXPECT_EQ(vfs_.Walk(caller, Cwd(), "/open/closed/file").code(), EACCES);
  EXPECT_EQ(vfs_.Walk(caller, Cwd(), "/open/closed/none").code(), EACCES);
}

TEST_F(VfsTest, OpenChecksInLinuxOrder) {
  Mkdir("/dir");
  Write("/file", "0123");
  ASSERT_TRUE(vfs_.Symlink(Root(), "file", Cwd(), "/link").ok());
  ASSERT_TRUE(vfs_.Symlink(Root(), "made", Cwd(), "/dangling").ok());
  EXPECT_EQ(Open(Root(), "/dir", O_WRONLY).code(), EISDIR);
  EXPECT_EQ(Open(Root(), "/dir", O_RDONLY | O_CREAT).code(), EISDIR);
  EXPECT_EQ(Open(Root(), "/new/", O_RDONLY | O_CREAT).code(), EISDIR);
  EXPECT_EQ(Open(Root(), "/file", O_RDONLY | O_DIRECTORY).code(), ENOTDIR);
  EXPECT_EQ(Open(Root(), "/file", O_WRONLY | O_CREAT | O_EXCL).code(), EEXIST);
  EXPECT_EQ(Open(Root(), "/link", O_WRONLY | O_CREAT | O_EXCL).code(), EEXIST);
  EXPECT_EQ(Open(Root(), "/link", O_RDONLY | O_NOFOLLOW).code(), ELOOP);
  EXPECT_EQ(Open(Root(), "/link", O_PATH | O_NOFOLLOW).code(), 0);
  EXPECT_EQ(Open(Root(), "/none", O_RDONLY).code(), ENOENT);
  EXPECT_EQ(Open(Root(), "/dangling", O_WRONLY | O_CREAT).code(), 0);
  EXPECT_EQ(WalkError("/made"), 0);
  auto truncated = Open(Root(), "/file", O_RDWR | O_TRUNC);
  ASSERT_TRUE(truncated.ok());
  EXPECT_EQ((*truncated)->GetAttributes()->size, 0u);
  EXPECT_EQ((*truncated)->flags() & (O_CREAT | O_TRUNC), 0);
}

TEST_F(VfsTest, ANewFileMayBeOpenedAgainstItsOwnMode) {
  Mkdir("/home", 0777);
  ASSERT_TRUE(vfs_.Chmod(Root(), At("/home"), 0777).ok());
  KernelContext user(User(1000));
  Caller caller{user, *fs_};
  EXPECT_EQ(Open(caller, "/home/secret", O_WRONLY | O_CREAT, 0400).code(), 0);
  EXPECT_EQ(Open(caller, "/home/secret", O_WRONLY | O_CREAT, 0400).code(), EACCES);
  Attributes attributes = *vfs_.GetAttributes(At("/home/secret"));
  EXPECT_EQ(attributes.uid, 1000u);
  EXPECT_EQ(attributes.mode, mode_t{S_IFREG | 0400});
}

TEST_F(VfsTest, ReadOnlyMountsRefuseEveryChange) {
  Mkdir("/ro");
  Path mounted = MountTmpfs("/ro");
  Mkdir("/ro/dir");
  Write("/ro/file", "x");
  mounted.mount->set_flags(MS_RDONLY);
  EXPECT_EQ(Open(Root(), "/ro/file", O_RDONLY).code(), 0);
  EXPECT_EQ(Open(Root(), "/ro/file", O_WRONLY).code(), EROFS);
  EXPECT_EQ(Open(Root(), "/ro/new", O_WRONLY | O_CREAT).code(), EROFS);
  EXPECT_EQ(Open(Root(), "/ro/file", O_RDONLY | O_CREAT).code(), 0);
  EXPECT_EQ(vfs_.Mkdir(Root(), Cwd(), "/ro/dir", 0755).code(), EEXIST);
  EXPECT_EQ(vfs_.Mkdir(Root(), Cwd(), "/ro/new", 0755).code(), EROFS);
  EXPECT_EQ(vfs_.Unlink(Root(), Cwd(), "/ro/none").code(), EROFS);
  EXPECT_EQ(vfs_.Rmdir(Root(), Cwd(), "/ro/dir").code(), EROFS);
  EXPECT_EQ(vfs_.Rename(Root(), Cwd(), "/ro/dir", Cwd(), "/ro/x", 0).code(), EROFS);
  EXPECT_EQ(vfs_.Chmod(Root(), At("/ro/file"), 0).code(), EROFS);
  EXPECT_EQ(vfs_.Chown(Root(), At("/ro/file"), 1, 1).code(), EROFS);
  EXPECT_EQ(vfs_.Truncate(Root(), At("/ro/file"), 0).code(), EROFS);
  EXPECT_EQ(vfs_.SetXattr(Root(), At("/ro/file"), "user.a", "b", 0).code(), EROFS);
  EXPECT_EQ(vfs_.CheckAccess(Root(), At("/ro/file"), kWrite).code(), EROFS);
}

TEST_F(VfsTest, DevicesAreRefusedOnNodevMountsAndUnknownOnes) {
  Mkdir("/dev");
  Path mounted = MountTmpfs("/dev");
  ASSERT_TRUE(vfs_.Mknod(Root(), Cwd(), "/dev/null", S_IFCHR | 0666, makedev(1, 3)).ok());
  EXPECT_EQ(Open(Root(), "/dev/null", O_RDWR).code(), ENXIO);
  vfs_.RegisterDevice(S_IFCHR, makedev(1, 3), [](Context&, const Path& path, int flags) {
    return Result<FileRef>(std::make_shared<File>(path, flags));
  });
  EXPECT_EQ(Open(Root(), "/dev/null", O_RDWR).code(), 0);
  mounted.mount->set_flags(MS_NODEV);
  EXPECT_EQ(Open(Root(), "/dev/null", O_RDWR).code(), EACCES);
  EXPECT_EQ(Open(Root(), "/dev/null", O_PATH).code(), 0);
  KernelContext user(User(1000));
  Caller caller{user, *fs_};
  EXPECT_EQ(vfs_.Mknod(caller, Cwd(), "/dev/x", S_IFCHR | 0666, makedev(1, 3)).code(), EPERM);
}

TEST_F(VfsTest, UnlinkedFilesLiveAsLongAsTheyAreOpen) {
  Write("/file", "still here");
  auto file = Open(Root(), "/file", O_RDONLY);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(vfs_.Unlink(Root(), Cwd(), "/file").ok());
  EXPECT_EQ(WalkError("/file"), ENOENT);
  EXPECT_EQ(Read(*file), "still here");
  EXPECT_EQ((*file)->GetAttributes()->nlink, 0u);
  EXPECT_EQ(Name((*file)->path()), "/file (deleted)");
}

TEST_F(VfsTest, RemovalChecksTypes) {
  Mkdir("/dir");
  Mkdir("/dir/sub");
  Write("/file", "x");
  EXPECT_EQ(vfs_.Unlink(Root(), Cwd(), "/dir").code(), EISDIR);
  EXPECT_EQ(vfs_.Unlink(Root(), Cwd(), "/file/").code(), ENOTDIR);
  EXPECT_EQ(vfs_.Unlink(Root(), Cwd(), "/.").code(), EISDIR);
  EXPECT_EQ(vfs_.Rmdir(Root(), Cwd(), "/file").code(), ENOTDIR);
  EXPECT_EQ(vfs_.Rmdir(Root(), Cwd(), "/dir").code(), ENOTEMPTY);
  EXPECT_EQ(vfs_.Rmdir(Root(), Cwd(), "/dir/sub/.").code(), EINVAL);
  EXPECT_EQ(vfs_.Rmdir(Root(), Cwd(), "/dir/sub/..").code(), ENOTEMPTY);
  EXPECT_EQ(vfs_.Rmdir(Root(), Cwd(), "/").code(), EBUSY);
  EXPECT_EQ(vfs_.Rmdir(Root(), Cwd(), "/dir/sub/").code(), 0);
  EXPECT_EQ(vfs_.Rmdir(Root(), Cwd(), "/dir").code(), 0);
}

TEST_F(VfsTest, NothingComesIntoBeingInARemovedDirectory) {
  Mkdir("/dir");
  fs_->set_cwd(At("/dir"));
  ASSERT_TRUE(vfs_.Rmdir(Root(), Cwd(), "/dir").ok());
  EXPECT_EQ(vfs_.Mkdir(Root(), Cwd(), "new", 0755).code(), ENOENT);
  EXPECT_EQ(Open(Root(), "new", O_WRONLY | O_CREAT).code(), ENOENT);
}

TEST_F(VfsTest, RenameOverOpenFileKeepsTheOldContentReadable) {
  Write("/old", "old");
  Write("/new", "new");
  auto file = Open(Root(), "/old", O_RDONLY);
  ASSERT_TRUE(vfs_.Rename(Root(), Cwd(), "/new", Cwd(), "/old", 0).ok());
  EXPECT_EQ(Read(*file), "old");
  EXPECT_EQ(ReadPath("/old"), "new");
  EXPECT_EQ(WalkError("/new"), ENOENT);
}

TEST_F(VfsTest, RenameMovesDirectoriesWithWhatIsInThem) {
  Mkdir("/a");
  Mkdir("/a/b");
  Write("/a/b/file", "x");
  Mkdir("/c");
  auto file = Open(Root(), "/a/b/file", O_RDONLY);
  ASSERT_TRUE(vfs_.Rename(Root(), Cwd(), "/a/b", Cwd(), "/c/d", 0).ok());
  EXPECT_EQ(Name((*file)->path()), "/c/d/file");
  EXPECT_EQ(At("/c/d/.."), At("/c"));
  EXPECT_EQ(vfs_.Rename(Root(), Cwd(), "/c", Cwd(), "/c/d/e", 0).code(), EINVAL);
  EXPECT_EQ(vfs_.Rename(Root(), Cwd(), "/c/d/file", Cwd(), "/c", 0).code(), ENOTEMPTY);
  EXPECT_EQ(vfs_.Rename(Root(), Cwd(), "/c/d/file", Cwd(), "/a", 0).code(), EISDIR);
  Write("/plain", "x");
  EXPECT_EQ(vfs_.Rename(Root(), Cwd(), "/a", Cwd(), "/plain", 0).code(), ENOTDIR);
  EXPECT_EQ(vfs_.Rename(Root(), Cwd(), "/plain", Cwd(), "/plain2/", 0).code(), ENOTDIR);
  EXPECT_EQ(vfs_.Rename(Root(), Cwd(), "/a", Cwd(), "/a2/", 0).code(), 0);
  EXPECT_EQ(vfs_.Rename(Root(), Cwd(), "/none", Cwd(), "/x", 0).code(), ENOENT);
  EXPECT_EQ(vfs_.Rename(Root(), Cwd(), "/c/.", Cwd(), "/x", 0).code(), EBUSY);
}

TEST_F(VfsTest, RenameFlagsExchangeAndRefuseToReplace) {
  Mkdir("/dir");
  Write("/dir/one", "1");
  Write("/two", "2");
  EXPECT_EQ(vfs_.Rename(Root(), Cwd(), "/dir/one", Cwd(), "/two", RENAME_NOREPLACE).code(), EEXIST);
  EXPECT_EQ(vfs_.Rename(Root(), Cwd(), "/two", Cwd(), "/none", RENAME_EXCHANGE).code(), ENOENT);
  ASSERT_TRUE(vfs_.Rename(Root(), Cwd(), "/dir/one", Cwd(), "/two", RENAME_EXCHANGE).ok());
  EXPECT_EQ(ReadPath("/dir/one"), "2");
  EXPECT_EQ(ReadPath("/two"), "1");
  EXPECT_EQ(vfs_.Rename(Root(), Cwd(), "/dir", Cwd(), "/two", 1 << 10).code(), EINVAL);
}

TEST_F(VfsTest, StickyDirectoriesProtectOthersFiles) {
  Mkdir("/tmp");
  ASSERT_TRUE(vfs_.Chmod(Root(), At("/tmp"), 01777).ok());
  KernelContext alice(User(1000)), bob(User(1001));
  ASSERT_TRUE(Open(Caller{alice, *fs_}, "/tmp/hers", O_WRONLY | O_CREAT, 0666).ok());
  EXPECT_EQ(vfs_.Unlink(Caller{bob, *fs_}, Cwd(), "/tmp/hers").code(), EPERM);
  EXPECT_EQ(vfs_.Rename(Caller{bob, *fs_}, Cwd(), "/tmp/hers", Cwd(), "/tmp/x", 0).code(), EPERM);
  EXPECT_EQ(vfs_.Unlink(Caller{alice, *fs_}, Cwd(), "/tmp/hers").code(), 0);
}

TEST_F(VfsTest, SymlinksOfOthersInStickyDirectoriesAreNotFollowed) {
  Mkdir("/tmp");
  ASSERT_TRUE(vfs_.Chmod(Root(), At("/tmp"), 01777).ok());
  Write("/target", "x");
  KernelContext alice(User(1000)), bob(User(1001));
  ASSERT_TRUE(vfs_.Symlink(Caller{alice, *fs_}, "/target", Cwd(), "/tmp/trap").ok());
  EXPECT_EQ(Open(Caller{alice, *fs_}, "/tmp/trap", O_RDONLY).code(), 0);
  EXPECT_EQ(Open(Caller{bob, *fs_}, "/tmp/trap", O_RDONLY).code(), EACCES);
}

TEST_F(VfsTest, SetGidDirectoriesPassOnTheirGroup) {
  Mkdir("/shared");
  ASSERT_TRUE(vfs_.Chown(Root(), At("/shared"), 0, 500).ok());
  ASSERT_TRUE(vfs_.Chmod(Root(), At("/shared"), 02777).ok());
  KernelContext user(User(1000));
  Caller caller{user, *fs_};
  ASSERT_TRUE(vfs_.Mkdir(caller, Cwd(), "/shared/sub", 0755).ok());
  ASSERT_TRUE(Open(caller, "/shared/file", O_WRONLY | O_CREAT, 02755).ok());
  EXPECT_EQ(vfs_.GetAttributes(At("/shared/sub"))->gid, 500u);
  EXPECT_EQ(vfs_.GetAttributes(At("/shared/sub"))->mode, mode_t{S_IFDIR | 02755});
  EXPECT_EQ(vfs_.GetAttributes(At("/shared/file"))->gid, 500u);
  EXPECT_EQ(vfs_.GetAttributes(At("/shared/file"))->mode, mode_t{S_IFREG | 0755});
}

TEST_F(VfsTest, ChownAndWriteTakeSetIdBitsAway) {
  Write("/program", "x", 0755);
  ASSERT_TRUE(vfs_.Chmod(Root(), At("/program"), 06755).ok());
  ASSERT_TRUE(vfs_.Chown(Root(), At("/program"), 1000, -1).ok());
  EXPECT_EQ(vfs_.GetAttributes(At("/program"))->mode, mode_t{S_IFREG | 0755});
  ASSERT_TRUE(vfs_.Chmod(Root(), At("/program"), 04777).ok());
  KernelContext user(User(1001));
  auto file = Open(Caller{user, *fs_}, "/program", O_WRONLY);
  ASSERT_TRUE(file.ok());
  char text[] = "y";
  KernelBuffer buffer(text, 1);
  ASSERT_TRUE((*file)->Write(user, buffer).ok());
  EXPECT_EQ(vfs_.GetAttributes(At("/program"))->mode, mode_t{S_IFREG | 0777});
}

TEST_F(VfsTest, OwnershipRulesOfChmodChownAndTimes) {
  Write("/file", "x", 0666);
  ASSERT_TRUE(vfs_.Chmod(Root(), At("/file"), 0666).ok());
  KernelContext user(User(1000));
  Caller caller{user, *fs_};
  EXPECT_EQ(vfs_.Chmod(caller, At("/file"), 0600).code(), EPERM);
  EXPECT_EQ(vfs_.Chown(caller, At("/file"), 1000, -1).code(), EPERM);
  timespec now{0, UTIME_NOW}, past{100, 5}, bad{0, 1'000'000'000};
  EXPECT_EQ(vfs_.SetTimes(caller, At("/file"), now, now).code(), 0);
  EXPECT_EQ(vfs_.SetTimes(caller, At("/file"), past, past).code(), EPERM);
  EXPECT_EQ(vfs_.SetTimes(Root(), At("/file"), bad, now).code(), EINVAL);
  ASSERT_TRUE(vfs_.SetTimes(Root(), At("/file"), past, timespec{0, UTIME_OMIT}).ok());
  EXPECT_EQ(vfs_.GetAttributes(At("/file"))->atime.tv_nsec, 5);
  EXPECT_GT(vfs_.GetAttributes(At("/file"))->mtime.tv_sec, 100);
}

TEST_F(VfsTest, HardLinksShareTheInode) {
  Write("/one", "text");
  ASSERT_TRUE(vfs_.Link(Root(), At("/one"), Cwd(), "/two").ok());
  EXPECT_EQ(vfs_.GetAttributes(At("/two"))->nlink, 2u);
  EXPECT_EQ(At("/two").dentry->inode(), At("/one").dentry->inode());
  EXPECT_EQ(vfs_.Link(Root(), At("/one"), Cwd(), "/two").code(), EEXIST);
  EXPECT_EQ(vfs_.Link(Root(), At("/"), Cwd(), "/dir").code(), EPERM);
  Mkdir("/mnt");
  MountTmpfs("/mnt");
  EXPECT_EQ(vfs_.Link(Root(), At("/one"), Cwd(), "/mnt/x").code(), EXDEV);
  EXPECT_EQ(vfs_.Rename(Root(), Cwd(), "/one", Cwd(), "/mnt/x", 0).code(), EXDEV);
  KernelContext user(User(1000));
  EXPECT_EQ(vfs_.Link(Caller{user, *fs_}, At("/one"), Cwd(), "/three").code(), EPERM);
}

TEST_F(VfsTest, TemporaryFilesHaveNoNameUntilTheyAreLinked) {
  auto file = Open(Root(), "/", O_RDWR | O_TMPFILE, 0600);
  ASSERT_TRUE(file.ok()) << file.code();
  EXPECT_EQ((*file)->GetAttributes()->nlink, 0u);
  ASSERT_TRUE(vfs_.Link(Root(), (*file)->path(), Cwd(), "/named").ok());
  EXPECT_EQ(vfs_.GetAttributes(At("/named"))->nlink, 1u);
  EXPECT_EQ(Open(Root(), "/", O_RDONLY | O_TMPFILE).code(), EINVAL);
}

TEST_F(VfsTest, XattrRulesOfNamespaces) {
  Write("/file", "x");
  Path file = At("/file");
  EXPECT_EQ(vfs_.SetXattr(Root(), file, "user.a", "1", 0).code(), 0);
  EXPECT_EQ(vfs_.SetXattr(Root(), file, "trusted.b", "2", 0).code(), 0);
  EXPECT_EQ(vfs_.SetXattr(Root(), file, "other.c", "3", 0).code(), EOPNOTSUPP);
  EXPECT_EQ(*vfs_.GetXattr(Root(), file, "user.a"), "1");
  EXPECT_EQ(vfs_.ListXattr(Root(), file)->size(), 2u);
  KernelContext user(User(1000));
  Caller caller{user, *fs_};
  EXPECT_EQ(vfs_.ListXattr(caller, file)->size(), 1u);
  EXPECT_EQ(vfs_.GetXattr(caller, file, "trusted.b").code(), ENODATA);
  EXPECT_EQ(vfs_.SetXattr(caller, file, "user.a", "x", 0).code(), EACCES);
  EXPECT_EQ(vfs_.RemoveXattr(Root(), file, "user.a").code(), 0);
  EXPECT_EQ(vfs_.RemoveXattr(Root(), file, "user.a").code(), ENODATA);
}

// A file system that counts how often it is asked.
class CountingDirectory : public Inode {
 public:
  CountingDirectory(Filesystem& filesystem, InodeRef inner, bool cache)
      : Inode(filesystem), inner_(std::move(inner)), cache_(cache) {}
  Result<Attributes> GetAttributes() override {
    Attributes attributes;
    attributes.mode = S_IFDIR | 0755;
    return attributes;
  }
  Result<InodeRef> Lookup(Context& context, std::string_view name,
                          std::span<const std::string_view> ahead) override {
    ++lookups;
    last_ahead.assign(ahead.begin(), ahead.end());
    return inner_->Lookup(context, name, {});
  }
  bool CacheLookups() const override { return cache_; }
  Result<FileRef> Open(Context&, const Path&, int) override { return Error(EIO); }

  int lookups = 0;
  std::vector<std::string> last_ahead;

 private:
  InodeRef inner_;
  const bool cache_;
};

class CountingTest : public VfsTest {
 protected:
  std::shared_ptr<CountingDirectory> Count(bool cache) {
    Mkdir("/counted");
    tmpfs_ = std::make_shared<TmpfsFilesystem>(TmpfsOptions{});
    EXPECT_TRUE(tmpfs_->root()->Create(root_context_, "sub", {.mode = S_IFDIR | 0755}).ok());
    auto counting = std::make_shared<CountingDirectory>(*tmpfs_, tmpfs_->root(), cache);
    auto root = std::make_shared<Dentry>(nullptr, "", counting);
    EXPECT_TRUE(mounts_->Attach(tmpfs_, root, At("/counted"), 0, "x").ok());
    return counting;
  }
  std::shared_ptr<TmpfsFilesystem> tmpfs_;
};

TEST_F(CountingTest, CachedNamesAreNotLookedUpAgain) {
  auto counting = Count(true);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(WalkError("/counted/sub"), 0);
    EXPECT_EQ(WalkError("/counted/none"), ENOENT);
  }
  EXPECT_EQ(counting->lookups, 2);
  EXPECT_EQ(WalkError("/counted/none2/./b//c"), ENOENT);
  EXPECT_EQ(counting->last_ahead, (std::vector<std::string>{"b", "c"}));
}

TEST_F(CountingTest, UncachedDirectoriesAreAskedEachTimeButKeepUsedDentries) {
  auto counting = Count(false);
  Path first = At("/counted/sub");
  Path second = At("/counted/sub");
  EXPECT_EQ(counting->lookups, 2);
  EXPECT_EQ(first, second);
  MountTmpfs("/counted/sub");
  EXPECT_NE(At("/counted/sub").mount, first.mount);
}

TEST_F(VfsTest, TheCacheOfNamesIsBounded) {
  Mkdir("/many");
  for (int i = 0; i < 40000; ++i) {
    ASSERT_EQ(WalkError("/many/none" + std::to_string(i)), ENOENT);
  }
  // Still right after evictions.
  Write("/many/none1", "x");
  EXPECT_EQ(ReadPath("/many/none1"), "x");
}

TEST_F(VfsTest, TreesDeeperThanTheStackEnd) {
  // The detector's own time grows with the square of the depth.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  Mkdir("/mnt");
  MountTmpfs("/mnt");
  WalkOptions here = Cwd();
  here.start = At("/mnt");
  std::weak_ptr<Inode> top = here.start.dentry->inode();
  for (int depth = 0; depth < 100'000; ++depth) {
    ASSERT_TRUE(vfs_.Mkdir(Root(), here, "d", 0755).ok());
    auto below = vfs_.Walk(Root(), here, "d");
    ASSERT_TRUE(below.ok());
    here.start = *below;
  }
  ASSERT_TRUE(mounts_->Detach(At("/mnt"), /*lazy=*/true).ok());
  EXPECT_FALSE(top.expired());
  here.start = Path();
  EXPECT_TRUE(top.expired());
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kAbort);
}

}  // namespace
}  // namespace runsc::boot
