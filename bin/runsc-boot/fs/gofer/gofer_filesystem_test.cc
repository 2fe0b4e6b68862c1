// The file system against a real gofer, through the VFS.
#include "bin/runsc-boot/fs/gofer/gofer_filesystem.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "bin/runsc-boot/vfs/kernel_context.h"
#include "bin/runsc-boot/vfs/vfs.h"
#include "bin/runsc-gofer/gofer_process.h"

namespace runsc::boot {
namespace {

namespace stdfs = std::filesystem;

class GoferFilesystemTest : public ::testing::TestWithParam<GoferFilesystem::Mode> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    char pattern[] = "/tmp/gofer_fs_test.XXXXXX";
    host_ = mkdtemp(pattern);
    chmod(host_.c_str(), 0755);
    stdfs::create_directories(host_ + "/usr/lib/deep");
    HostWrite("/usr/lib/deep/file", "content");
    HostWrite("/usr/lib/other", "other");
    stdfs::create_symlink("lib/deep", host_ + "/usr/link");
    Attach();
  }
  void TearDown() override {
    if (root_.valid()) root_.dentry->Prune();
    root_ = Path();
    fs_.reset();
    mounts_.reset();
    filesystem_.reset();
    gofer_.reset();
    if (!host_.empty()) stdfs::remove_all(host_);
  }
  void Attach() {
    gofer::GoferRequest request;
    request.set_root(host_);
    request.set_xattrs(true);
    auto started = gofer::GoferProcess::Start("bin/runsc-gofer/runsc-gofer", request);
    ASSERT_TRUE(started.ok()) << started.error().ToString();
    gofer_ = std::move(*started);
    auto attached = GoferFilesystem::Attach(gofer_->TakeChannel(0), GetParam(), makedev(0, 7));
    ASSERT_TRUE(attached.ok()) << attached.error().ToString();
    filesystem_ = attached->filesystem;
    auto root = std::make_shared<Dentry>(nullptr, "", filesystem_->root());
    auto mount = std::make_shared<Mount>(1, filesystem_, root, 0, "root");
    mounts_ = std::make_shared<MountNamespace>(mount);
    root_ = Path{mount, root};
    fs_ = std::make_shared<FsContext>(mounts_, root_, root_, 022);
  }

  bool exclusive() const { return GetParam() == GoferFilesystem::Mode::kExclusive; }
  Caller Root() { return Caller{context_, *fs_}; }
  WalkOptions Cwd() { return WalkOptions{.start = fs_->cwd()}; }
  void HostWrite(const std::string& path, const std::string& text) {
    std::ofstream(host_ + path) << text;
  }
  std::string HostRead(const std::string& path) {
    std::ifstream file(host_ + path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  Result<FileRef> Open(const std::string& path, int flags, mode_t mode = 0644) {
    return vfs_.Open(Root(), Cwd(), path, {flags, mode});
  }
  std::string Read(const FileRef& file) {
    std::string text(1 << 16, 0);
    KernelBuffer buffer(text.data(), text.size());
    auto count = file->Read(context_, buffer);
    EXPECT_TRUE(count.ok());
    text.resize(count.ok() ? *count : 0);
    return text;
  }
  std::string ReadPath(const std::string& path) {
    auto file = Open(path, O_RDONLY);
    EXPECT_TRUE(file.ok()) << path << ": " << file.code();
    return file.ok() ? Read(*file) : "";
  }
  void WriteTo(const FileRef& file, std::string text) {
    KernelBuffer buffer(text.data(), text.size());
    auto count = file->Write(context_, buffer);
    ASSERT_TRUE(count.ok()) << count.error().ToString();
    ASSERT_EQ(*count, text.size());
  }
  void WritePath(const std::string& path, const std::string& text) {
    auto file = Open(path, O_WRONLY | O_CREAT | O_TRUNC);
    ASSERT_TRUE(file.ok()) << path << ": " << file.code();
    WriteTo(*file, text);
  }
  int WalkError(const std::string& path) { return vfs_.Walk(Root(), Cwd(), path).code(); }
  Attributes Stat(const std::string& path) {
    auto found = vfs_.Walk(Root(), Cwd(), path);
    EXPECT_TRUE(found.ok()) << path;
    if (!found.ok()) return Attributes();
    auto attributes = vfs_.GetAttributes(*found);
    EXPECT_TRUE(attributes.ok());
    return attributes.ok() ? *attributes : Attributes();
  }
  std::map<std::string, uint8_t> List(const std::string& path) {
    std::map<std::string, uint8_t> names;
    auto directory = Open(path, O_RDONLY | O_DIRECTORY);
    EXPECT_TRUE(directory.ok());
    if (!directory.ok()) return names;
    EXPECT_TRUE((*directory)
                    ->ReadDirectory(context_,
                                    [&](const DirectoryEntry& entry) {
                                      names[std::string(entry.name)] = entry.type;
                                      return true;
                                    })
                    .ok());
    return names;
  }
  uint64_t Calls() { return filesystem_->client().calls(); }

  std::string host_;
  std::unique_ptr<gofer::GoferProcess> gofer_;
  std::shared_ptr<GoferFilesystem> filesystem_;
  Vfs vfs_;
  KernelContext context_;
  std::shared_ptr<MountNamespace> mounts_;
  Path root_;
  std::shared_ptr<FsContext> fs_;
};

TEST_P(GoferFilesystemTest, FilesAreReadThroughLinks) {
  EXPECT_EQ(ReadPath("/usr/lib/deep/file"), "content");
  EXPECT_EQ(ReadPath("/usr/link/file"), "content");
  EXPECT_EQ(ReadPath("/usr/link/../other"), "other");
  EXPECT_EQ(WalkError("/usr/none"), ENOENT);
  EXPECT_EQ(WalkError("/usr/none/below"), ENOENT);
  EXPECT_EQ(WalkError("/usr/lib/other/below"), ENOTDIR);
}

TEST_P(GoferFilesystemTest, AttributesAreTheHosts) {
  struct stat stat;
  ASSERT_EQ(::stat((host_ + "/usr/lib/deep/file").c_str(), &stat), 0);
  Attributes attributes = Stat("/usr/lib/deep/file");
  EXPECT_EQ(attributes.ino, stat.st_ino);
  EXPECT_EQ(attributes.dev, makedev(0, 7));
  EXPECT_EQ(attributes.mode, stat.st_mode);
  EXPECT_EQ(attributes.size, 7u);
  EXPECT_EQ(attributes.nlink, 1u);
  EXPECT_EQ(attributes.mtime.tv_sec, stat.st_mtim.tv_sec);
  EXPECT_EQ(attributes.mtime.tv_nsec, stat.st_mtim.tv_nsec);
}

TEST_P(GoferFilesystemTest, SizeAndTimesFollowWrites) {
  WritePath("/new", "12345");
  EXPECT_EQ(HostRead("/new"), "12345");
  EXPECT_EQ(Stat("/new").size, 5u);
  auto file = Open("/new", O_RDWR | O_APPEND);
  ASSERT_TRUE(file.ok());
  WriteTo(*file, "678");
  EXPECT_EQ(Stat("/new").size, 8u);
  EXPECT_EQ((*file)->GetAttributes()->size, 8u);
  ASSERT_TRUE((*file)->Truncate(context_, 2).ok());
  EXPECT_EQ(Stat("/new").size, 2u);
  EXPECT_EQ(HostRead("/new"), "12");
}

TEST_P(GoferFilesystemTest, WritesThroughMappingsShowInTheTimes) {
  WritePath("/mapped", std::string(4096, 'x'));
  auto file = Open("/mapped", O_RDWR);
  ASSERT_TRUE(file.ok());
  auto mapping = (*file)->GetHostMapping(PROT_READ | PROT_WRITE, MAP_SHARED);
  ASSERT_TRUE(mapping.ok());
  void* memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, mapping->fd, 0);
  ASSERT_NE(memory, MAP_FAILED);
  timespec past[2] = {{1, 0}, {1, 0}};
  futimens(mapping->fd, past);
  Attributes before = Stat("/mapped");
  EXPECT_EQ(before.mtime.tv_sec, 1);
  static_cast<char*>(memory)[0] = 'y';
  msync(memory, 4096, MS_SYNC);
  munmap(memory, 4096);
  EXPECT_GT(Stat("/mapped").mtime.tv_sec, 1);
}

TEST_P(GoferFilesystemTest, MappedDescriptorHasTheAccessOfTheFile) {
  auto reader = Open("/usr/lib/other", O_RDONLY);
  auto writer = Open("/usr/lib/other", O_RDWR);
  ASSERT_TRUE(reader.ok() && writer.ok());
  int read_fd = (*reader)->GetHostMapping(PROT_READ, MAP_SHARED)->fd;
  int write_fd = (*writer)->GetHostMapping(PROT_READ, MAP_SHARED)->fd;
  EXPECT_EQ(fcntl(read_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
  EXPECT_EQ(fcntl(write_fd, F_GETFL) & O_ACCMODE, O_RDWR);
}

TEST_P(GoferFilesystemTest, CreatedFilesHaveOwnerAndMode) {
  auto user = std::make_shared<Credentials>();
  user->fsuid = user->euid = 1000;
  user->fsgid = user->egid = 1001;
  KernelContext context(user);
  ASSERT_EQ(chmod((host_ + "/usr").c_str(), 01777), 0);
  TearDown();
  SetUp();
  ASSERT_EQ(vfs_.Chmod(Root(), *vfs_.Walk(Root(), Cwd(), "/usr"), 01777).code(), 0);
  ASSERT_TRUE(vfs_.Open({context, *fs_}, Cwd(), "/usr/mine", {O_RDWR | O_CREAT, 0666}).ok());
  struct stat stat;
  ASSERT_EQ(::stat((host_ + "/usr/mine").c_str(), &stat), 0);
  EXPECT_EQ(stat.st_uid, 1000u);
  EXPECT_EQ(stat.st_gid, 1001u);
  EXPECT_EQ(stat.st_mode & 07777, 0644u);
}

TEST_P(GoferFilesystemTest, NamesComeAndGo) {
  EXPECT_EQ(WalkError("/d"), ENOENT);
  ASSERT_TRUE(vfs_.Mkdir(Root(), Cwd(), "/d", 0755).ok());
  EXPECT_EQ(WalkError("/d"), 0);
  WritePath("/d/a", "a");
  ASSERT_TRUE(vfs_.Link(Root(), *vfs_.Walk(Root(), Cwd(), "/d/a"), Cwd(), "/d/b").ok());
  EXPECT_EQ(Stat("/d/a").nlink, 2u);
  EXPECT_EQ(Stat("/d/a").ino, Stat("/d/b").ino);
  ASSERT_TRUE(vfs_.Unlink(Root(), Cwd(), "/d/a").ok());
  EXPECT_EQ(WalkError("/d/a"), ENOENT);
  EXPECT_EQ(Stat("/d/b").nlink, 1u);
  ASSERT_TRUE(vfs_.Symlink(Root(), "b", Cwd(), "/d/s").ok());
  EXPECT_EQ(ReadPath("/d/s"), "a");
  EXPECT_EQ(vfs_.Rmdir(Root(), Cwd(), "/d").code(), ENOTEMPTY);
  ASSERT_TRUE(vfs_.Unlink(Root(), Cwd(), "/d/s").ok());
  ASSERT_TRUE(vfs_.Unlink(Root(), Cwd(), "/d/b").ok());
  ASSERT_TRUE(vfs_.Rmdir(Root(), Cwd(), "/d").ok());
  EXPECT_EQ(WalkError("/d"), ENOENT);
  EXPECT_FALSE(stdfs::exists(host_ + "/d"));
}

TEST_P(GoferFilesystemTest, RenameOverOpenFileKeepsTheOldContentReadable) {
  WritePath("/old", "old");
  WritePath("/new", "new");
  auto open = Open("/new", O_RDONLY);
  ASSERT_TRUE(open.ok());
  ASSERT_TRUE(vfs_.Rename(Root(), Cwd(), "/old", Cwd(), "/new", 0).ok());
  EXPECT_EQ(Read(*open), "new");
  EXPECT_EQ((*open)->GetAttributes()->nlink, 0u);
  EXPECT_EQ(ReadPath("/new"), "old");
  EXPECT_EQ(WalkError("/old"), ENOENT);
}

TEST_P(GoferFilesystemTest, RenameOfListedFilesThatWereNeverOpened) {
  HostWrite("/usr/lib/one", "1");
  HostWrite("/usr/lib/two", "2");
  List("/usr/lib");
  ASSERT_EQ(Stat("/usr/lib/one").size, 1u);
  ASSERT_TRUE(vfs_.Rename(Root(), Cwd(), "/usr/lib/one", Cwd(), "/moved", 0).ok());
  EXPECT_EQ(ReadPath("/moved"), "1");
  ASSERT_TRUE(vfs_.Rename(Root(), Cwd(), "/usr/lib/two", Cwd(), "/moved", RENAME_EXCHANGE).ok());
  EXPECT_EQ(ReadPath("/moved"), "2");
  EXPECT_EQ(ReadPath("/usr/lib/two"), "1");
  EXPECT_EQ(vfs_.Rename(Root(), Cwd(), "/usr/lib/two", Cwd(), "/moved", RENAME_NOREPLACE).code(),
            EEXIST);
}

TEST_P(GoferFilesystemTest, UnlinkOfOneOfTwoListedNamesLeavesTheOther) {
  HostWrite("/usr/lib/one", "1");
  ASSERT_EQ(link((host_ + "/usr/lib/one").c_str(), (host_ + "/usr/lib/two").c_str()), 0);
  List("/usr/lib");
  EXPECT_EQ(Stat("/usr/lib/one").ino, Stat("/usr/lib/two").ino);
  ASSERT_TRUE(vfs_.Unlink(Root(), Cwd(), "/usr/lib/one").ok());
  EXPECT_EQ(ReadPath("/usr/lib/two"), "1");
  EXPECT_EQ(Stat("/usr/lib/two").nlink, 1u);
  EXPECT_EQ(WalkError("/usr/lib/one"), ENOENT);
}

TEST_P(GoferFilesystemTest, ListsShowChanges) {
  for (int i = 0; i < 1500; ++i) HostWrite("/usr/lib/deep/f" + std::to_string(i), "x");
  auto names = List("/usr/lib/deep");
  EXPECT_EQ(names.size(), 1503u);
  EXPECT_EQ(names["."], DT_DIR);
  EXPECT_EQ(names["f7"], DT_REG);
  WritePath("/usr/lib/deep/new", "");
  ASSERT_TRUE(vfs_.Unlink(Root(), Cwd(), "/usr/lib/deep/f7").ok());
  ASSERT_TRUE(vfs_.Rename(Root(), Cwd(), "/usr/lib/deep/f8", Cwd(), "/usr/lib/f8", 0).ok());
  names = List("/usr/lib/deep");
  EXPECT_EQ(names.size(), 1502u);
  EXPECT_EQ(names.count("new"), 1u);
  EXPECT_EQ(names.count("f7"), 0u);
  EXPECT_EQ(names.count("f8"), 0u);
  EXPECT_EQ(List("/usr/lib").count("f8"), 1u);
}

TEST_P(GoferFilesystemTest, ListIsTheSameTwice) {
  for (int i = 0; i < 100; ++i) HostWrite("/usr/lib/deep/f" + std::to_string(i), "x");
  auto names = List("/usr/lib/deep");
  EXPECT_EQ(names.size(), 103u);
  EXPECT_EQ(List("/usr/lib/deep"), names);
  EXPECT_EQ(List("/usr/link"), names);
}

TEST_P(GoferFilesystemTest, ListCanBeReadInPieces) {
  std::set<std::string> names;
  auto directory = Open("/usr/lib", O_RDONLY | O_DIRECTORY);
  ASSERT_TRUE(directory.ok());
  for (int i = 0; i < 10; ++i) {
    int room = 1;
    ASSERT_TRUE((*directory)
                    ->ReadDirectory(context_,
                                    [&](const DirectoryEntry& entry) {
                                      if (room-- == 0) return false;
                                      EXPECT_TRUE(names.insert(std::string(entry.name)).second);
                                      return true;
                                    })
                    .ok());
  }
  EXPECT_EQ(names, (std::set<std::string>{".", "..", "deep", "other"}));
}

TEST_P(GoferFilesystemTest, AttributesChange) {
  Path file = *vfs_.Walk(Root(), Cwd(), "/usr/lib/other");
  ASSERT_TRUE(vfs_.Chmod(Root(), file, 0600).ok());
  ASSERT_TRUE(vfs_.Chown(Root(), file, 5, 6).ok());
  ASSERT_TRUE(vfs_.SetTimes(Root(), file, {10, 1}, {20, 2}).ok());
  ASSERT_TRUE(vfs_.Truncate(Root(), file, 3).ok());
  Attributes attributes = Stat("/usr/lib/other");
  EXPECT_EQ(attributes.mode & 07777, 0600u);
  EXPECT_EQ(attributes.uid, 5u);
  EXPECT_EQ(attributes.gid, 6u);
  EXPECT_EQ(attributes.atime.tv_sec, 10);
  EXPECT_EQ(attributes.size, 3u);
  EXPECT_EQ(HostRead("/usr/lib/other"), "oth");
}

TEST_P(GoferFilesystemTest, XattrsAndStatFs) {
  Path file = *vfs_.Walk(Root(), Cwd(), "/usr/lib/other");
  int error = vfs_.SetXattr(Root(), file, "user.a", "value", 0).code();
  if (error != EOPNOTSUPP) {
    ASSERT_EQ(error, 0);
    EXPECT_EQ(*vfs_.GetXattr(Root(), file, "user.a"), "value");
    EXPECT_EQ(vfs_.ListXattr(Root(), file)->size(), 1u);
    ASSERT_TRUE(vfs_.RemoveXattr(Root(), file, "user.a").ok());
    EXPECT_EQ(vfs_.GetXattr(Root(), file, "user.a").code(), ENODATA);
  }
  auto stat = vfs_.StatFs(file);
  ASSERT_TRUE(stat.ok());
  EXPECT_GT(stat->f_blocks, 0u);
}

TEST_P(GoferFilesystemTest, ChangesOfTheHostShowInSharedMode) {
  if (exclusive()) GTEST_SKIP();
  EXPECT_EQ(WalkError("/late"), ENOENT);
  EXPECT_EQ(ReadPath("/usr/lib/other"), "other");
  HostWrite("/late", "late");
  HostWrite("/usr/lib/other.new", "renewed");
  stdfs::rename(host_ + "/usr/lib/other.new", host_ + "/usr/lib/other");
  absl::SleepFor(absl::Milliseconds(5));
  EXPECT_EQ(ReadPath("/late"), "late");
  EXPECT_EQ(ReadPath("/usr/lib/other"), "renewed");
  EXPECT_EQ(Stat("/usr/lib/other").size, 7u);
  HostWrite("/usr/lib/other", "and again");
  absl::SleepFor(absl::Milliseconds(5));
  EXPECT_EQ(Stat("/usr/lib/other").size, 9u);
  stdfs::remove(host_ + "/late");
  absl::SleepFor(absl::Milliseconds(5));
  EXPECT_EQ(WalkError("/late"), ENOENT);
}

TEST_P(GoferFilesystemTest, WholePathTakesOneRoundTripAndThenNone) {
  if (!exclusive()) GTEST_SKIP();
  uint64_t before = Calls();
  EXPECT_EQ(ReadPath("/usr/lib/deep/file"), "content");
  EXPECT_EQ(Calls() - before, 1u);
  before = Calls();
  EXPECT_EQ(ReadPath("/usr/lib/deep/file"), "content");
  EXPECT_EQ(Stat("/usr/lib/deep/file").size, 7u);
  EXPECT_EQ(Calls() - before, 0u);
  EXPECT_EQ(WalkError("/usr/lib/deep/none"), ENOENT);
  before = Calls();
  EXPECT_EQ(WalkError("/usr/lib/deep/none"), ENOENT);
  EXPECT_EQ(Calls() - before, 0u);
}

TEST_P(GoferFilesystemTest, ListedDirectoryAnswersStatWithoutRoundTrips) {
  if (!exclusive()) GTEST_SKIP();
  for (int i = 0; i < 200; ++i) HostWrite("/usr/lib/deep/f" + std::to_string(i), "x");
  auto names = List("/usr/lib/deep");
  uint64_t before = Calls();
  for (const auto& [name, type] : names) Stat("/usr/lib/deep/" + name);
  EXPECT_EQ(WalkError("/usr/lib/deep/none"), ENOENT);
  EXPECT_EQ(Calls() - before, 0u);
}

TEST_P(GoferFilesystemTest, CreatingInANewDirectoryTakesOneRoundTripPerFile) {
  if (!exclusive()) GTEST_SKIP();
  ASSERT_TRUE(vfs_.Mkdir(Root(), Cwd(), "/d", 0755).ok());
  uint64_t before = Calls();
  for (int i = 0; i < 10; ++i) WritePath("/d/" + std::to_string(i), "x");
  EXPECT_EQ(Calls() - before, 10u);
  before = Calls();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(vfs_.Unlink(Root(), Cwd(), "/d/" + std::to_string(i)).ok());
  }
  EXPECT_EQ(Calls() - before, 10u);
}

TEST_P(GoferFilesystemTest, ManyThreadsAskAtOnce) {
  for (int i = 0; i < 400; ++i) HostWrite("/usr/lib/deep/f" + std::to_string(i), std::to_string(i));
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = t; i < 400; i += 4) {
        EXPECT_EQ(ReadPath("/usr/lib/deep/f" + std::to_string(i)), std::to_string(i));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(GoferFilesystemTest, ManyOpenedFilesDoNotKeepTheirDescriptors) {
  for (int i = 0; i < 1500; ++i) HostWrite("/usr/lib/deep/f" + std::to_string(i), "x");
  for (int i = 0; i < 1500; ++i) ReadPath("/usr/lib/deep/f" + std::to_string(i));
  EXPECT_LT(std::distance(stdfs::directory_iterator("/proc/self/fd"), stdfs::directory_iterator()),
            600);
}

TEST_P(GoferFilesystemTest, EndsWithItsLastUser) {
  std::weak_ptr<GoferFilesystem> alive = filesystem_;
  EXPECT_EQ(WalkError("/usr/none/below/that"), ENOENT);
  auto open = Open("/usr/lib/deep/file", O_RDONLY);
  ASSERT_TRUE(open.ok());
  InodeRef inode = (*open)->inode();
  *open = nullptr;
  root_.dentry->Prune();
  root_ = Path();
  fs_.reset();
  mounts_.reset();
  filesystem_.reset();
  EXPECT_FALSE(alive.expired());
  EXPECT_EQ(inode->GetAttributes()->size, 7u);
  inode.reset();
  EXPECT_TRUE(alive.expired());
}

TEST_P(GoferFilesystemTest, GoferThatIsGoneGivesEio) {
  gofer_.reset();
  EXPECT_EQ(WalkError("/usr/lib/deep"), EIO);
}

INSTANTIATE_TEST_SUITE_P(Modes, GoferFilesystemTest,
                         ::testing::Values(GoferFilesystem::Mode::kExclusive,
                                           GoferFilesystem::Mode::kShared),
                         [](const auto& info) {
                           return info.param == GoferFilesystem::Mode::kExclusive ? "Exclusive"
                                                                                  : "Shared";
                         });

}  // namespace
}  // namespace runsc::boot
