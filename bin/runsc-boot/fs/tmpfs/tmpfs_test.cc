#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/falloc.h>
#include <sys/mman.h>

#include <string>
#include <vector>

#include "bin/runsc-boot/vfs/dentry.h"
#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot {
namespace {

class TmpfsTest : public ::testing::Test {
 protected:
  explicit TmpfsTest(TmpfsOptions options = {}) : fs_(std::make_shared<TmpfsFilesystem>(options)) {}

  InodeRef Create(const std::string& name, mode_t mode = S_IFREG | 0644) {
    auto inode = fs_->root()->Create(context_, name, {.mode = mode});
    EXPECT_EQ(inode.code(), 0) << name;
    return inode.ok() ? *inode : nullptr;
  }
  FileRef Open(const InodeRef& inode, int flags = O_RDWR) {
    Path path{nullptr, std::make_shared<Dentry>(nullptr, "", inode)};
    return *inode->Open(context_, path, flags);
  }
  Result<size_t> Write(const FileRef& file, std::string text, uint64_t offset) {
    KernelBuffer buffer(text.data(), text.size());
    return file->PWrite(context_, buffer, offset);
  }
  std::string Read(const FileRef& file, uint64_t offset = 0, size_t size = 1 << 20) {
    std::string text(size, 0);
    KernelBuffer buffer(text.data(), text.size());
    text.resize(*file->PRead(context_, buffer, offset));
    return text;
  }
  std::vector<std::string> List(const FileRef& file, size_t most = 1000) {
    std::vector<std::string> names;
    EXPECT_TRUE(file->ReadDirectory(context_,
                                    [&](const DirectoryEntry& entry) {
                                      if (names.size() == most) return false;
                                      names.emplace_back(entry.name);
                                      return true;
                                    })
                    .ok());
    return names;
  }

  std::shared_ptr<TmpfsFilesystem> fs_;
  KernelContext context_;
};

TEST_F(TmpfsTest, ContentSurvivesTheMoveFromStringToMemfd) {
  FileRef file = Open(Create("file"));
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    std::string part(997, static_cast<char>('a' + i % 26));
    ASSERT_EQ(*Write(file, part, expected.size()), part.size());
    expected += part;
    ASSERT_EQ(Read(file), expected);
  }
  EXPECT_EQ(file->GetAttributes()->size, expected.size());
  EXPECT_EQ(Read(file, 100, 50), expected.substr(100, 50));
  EXPECT_EQ(Read(file, expected.size() + 5), "");
}

TEST_F(TmpfsTest, WritesBeyondTheEndLeaveZeros) {
  FileRef file = Open(Create("file"));
  ASSERT_TRUE(Write(file, "x", 10).ok());
  EXPECT_EQ(Read(file), std::string(10, 0) + "x");
  ASSERT_TRUE(file->Truncate(context_, 3).ok());
  ASSERT_TRUE(file->Truncate(context_, 6).ok());
  EXPECT_EQ(Read(file), std::string(6, 0));
  ASSERT_TRUE(Write(file, "far", 5'000'000).ok());
  EXPECT_EQ(file->GetAttributes()->size, 5'000'003u);
  EXPECT_LT(file->GetAttributes()->blocks, 100u);
}

TEST_F(TmpfsTest, AppendsGoToTheEndOfBothDescriptions) {
  InodeRef inode = Create("file");
  FileRef a = Open(inode, O_WRONLY | O_APPEND), b = Open(inode, O_WRONLY | O_APPEND);
  std::string one = "one", two = "two";
  KernelBuffer first(one.data(), 3), second(two.data(), 3);
  ASSERT_TRUE(a->Write(context_, first).ok());
  ASSERT_TRUE(b->Write(context_, second).ok());
  EXPECT_EQ(b->position(), 6u);
  EXPECT_EQ(Read(Open(inode)), "onetwo");
}

TEST_F(TmpfsTest, MappingsShareTheFileWithExactlyItsAccess) {
  InodeRef inode = Create("file");
  FileRef writer = Open(inode, O_RDWR), reader = Open(inode, O_RDONLY);
  ASSERT_TRUE(Write(writer, "content", 0).ok());
  auto mapping = writer->GetHostMapping(PROT_READ | PROT_WRITE, MAP_SHARED);
  ASSERT_TRUE(mapping.ok());
  EXPECT_EQ(fcntl(mapping->fd, F_GETFL) & O_ACCMODE, O_RDWR);
  void* memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, mapping->fd, 0);
  ASSERT_NE(memory, MAP_FAILED);
  static_cast<char*>(memory)[0] = 'C';
  munmap(memory, 4096);
  EXPECT_EQ(Read(reader), "Content");
  auto read_only = reader->GetHostMapping(PROT_READ, MAP_SHARED);
  ASSERT_TRUE(read_only.ok());
  EXPECT_EQ(fcntl(read_only->fd, F_GETFL) & O_ACCMODE, O_RDONLY);
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, read_only->fd, 0), MAP_FAILED);
  // Later writes are seen by both.
  ASSERT_TRUE(Write(writer, "more", 7).ok());
  EXPECT_EQ(Read(reader), "Contentmore");
}

TEST_F(TmpfsTest, AllocatesPunchesAndFindsHoles) {
  FileRef file = Open(Create("file"));
  ASSERT_TRUE(Write(file, std::string(3 * 4096, 'x'), 0).ok());
  ASSERT_TRUE(
      file->Allocate(context_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096).ok());
  EXPECT_EQ(*file->Seek(context_, 0, SEEK_HOLE), 4096u);
  EXPECT_EQ(*file->Seek(context_, 4096, SEEK_DATA), 8192u);
  EXPECT_EQ(file->Seek(context_, 3 * 4096, SEEK_DATA).code(), ENXIO);
  ASSERT_TRUE(file->Allocate(context_, 0, 0, 5 * 4096).ok());
  EXPECT_EQ(file->GetAttributes()->size, 5u * 4096);
  ASSERT_TRUE(file->Allocate(context_, FALLOC_FL_KEEP_SIZE, 0, 9 * 4096).ok());
  EXPECT_EQ(file->GetAttributes()->size, 5u * 4096);
  EXPECT_EQ(file->Allocate(context_, FALLOC_FL_COLLAPSE_RANGE, 0, 4096).code(), EOPNOTSUPP);
  EXPECT_EQ(file->Allocate(context_, 0, 0, 0).code(), EINVAL);
}

TEST_F(TmpfsTest, DirectoryReadsAreStableWhileEntriesComeAndGo) {
  for (char c = 'a'; c <= 'f'; ++c) Create(std::string(1, c));
  FileRef directory = Open(fs_->root(), O_RDONLY | O_DIRECTORY);
  EXPECT_EQ(List(directory, 4), (std::vector<std::string>{".", "..", "a", "b"}));
  InodeRef c = *fs_->root()->Lookup(context_, "c", {});
  ASSERT_TRUE(fs_->root()->Unlink("c", *c).ok());
  ASSERT_TRUE(fs_->root()->Unlink("a", *c).ok());
  Create("new");
  EXPECT_EQ(List(directory), (std::vector<std::string>{"d", "e", "f", "new"}));
  EXPECT_EQ(List(directory).size(), 0u);
  EXPECT_EQ(*directory->Seek(context_, 0, SEEK_SET), 0u);
  EXPECT_EQ(List(directory).size(), 7u);
}

TEST_F(TmpfsTest, LinkCountsFollowNamesAndSubdirectories) {
  EXPECT_EQ(fs_->root()->GetAttributes()->nlink, 2u);
  InodeRef directory = Create("dir", S_IFDIR | 0755);
  EXPECT_EQ(directory->GetAttributes()->nlink, 2u);
  EXPECT_EQ(fs_->root()->GetAttributes()->nlink, 3u);
  EXPECT_EQ(fs_->root()->Unlink("none", *directory).code(), ENOENT);
  ASSERT_TRUE(fs_->root()->Rmdir("dir", *directory).ok());
  EXPECT_EQ(directory->GetAttributes()->nlink, 0u);
  EXPECT_EQ(fs_->root()->GetAttributes()->nlink, 2u);
  InodeRef file = Create("file");
  ASSERT_TRUE(fs_->root()->Link("again", *file).ok());
  EXPECT_EQ(file->GetAttributes()->nlink, 2u);
  ASSERT_TRUE(fs_->root()->Unlink("file", *file).ok());
  ASSERT_TRUE(fs_->root()->Unlink("again", *file).ok());
  EXPECT_EQ(fs_->root()->Link("back", *file).code(), ENOENT);
}

TEST_F(TmpfsTest, FileSizeLimitsApply) {
  class Limited : public KernelContext {
   public:
    uint64_t file_size_limit() const override { return 100; }
  } limited;
  FileRef file = Open(Create("file"));
  std::string text(150, 'x');
  KernelBuffer buffer(text.data(), text.size());
  EXPECT_EQ(*file->PWrite(limited, buffer, 0), 100u);
  EXPECT_EQ(file->PWrite(limited, buffer, 100).code(), EFBIG);
  EXPECT_EQ(file->Truncate(limited, 101).code(), EFBIG);
}

TEST_F(TmpfsTest, SealsOfMemfdsHold) {
  FileRef file = *fs_->CreateMemfd(context_, "name", MFD_ALLOW_SEALING);
  ASSERT_TRUE(Write(file, "sealed", 0).ok());
  ASSERT_TRUE(AddSeals(*file, F_SEAL_SHRINK | F_SEAL_GROW).ok());
  EXPECT_EQ(file->Truncate(context_, 1).code(), EPERM);
  EXPECT_EQ(file->Truncate(context_, 100).code(), EPERM);
  EXPECT_EQ(Write(file, "x", 6).code(), EPERM);
  EXPECT_EQ(*Write(file, "S", 0), 1u);
  ASSERT_TRUE(AddSeals(*file, F_SEAL_WRITE | F_SEAL_SEAL).ok());
  EXPECT_EQ(Write(file, "x", 0).code(), EPERM);
  EXPECT_EQ(file->GetHostMapping(PROT_READ | PROT_WRITE, MAP_SHARED).code(), EPERM);
  EXPECT_EQ(AddSeals(*file, F_SEAL_GROW).code(), EPERM);
  EXPECT_EQ(*GetSeals(*file), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
  FileRef unsealable = *fs_->CreateMemfd(context_, "other", 0);
  EXPECT_EQ(AddSeals(*unsealable, F_SEAL_GROW).code(), EPERM);
}

class SmallTmpfsTest : public TmpfsTest {
 protected:
  SmallTmpfsTest() : TmpfsTest({.pages = 16, .inodes = 4}) {}
};

TEST_F(SmallTmpfsTest, IsFullAtItsSizeAndHasRoomAgainAfterRemoval) {
  InodeRef inode = Create("file");
  FileRef file = Open(inode);
  EXPECT_EQ(*Write(file, std::string(100'000, 'x'), 0), 65536u);
  EXPECT_EQ(Write(file, "y", 65536).code(), ENOSPC);
  EXPECT_EQ(fs_->StatFs()->f_bfree, 0u);
  EXPECT_EQ(*Write(file, "overwritten", 0), 11u);
  EXPECT_EQ(Write(Open(Create("other")), "z", 0).code(), ENOSPC);
  EXPECT_EQ(file->Allocate(context_, 0, 0, 70'000).code(), ENOSPC);
  ASSERT_TRUE(fs_->root()->Unlink("file", *inode).ok());
  file.reset();
  inode.reset();
  EXPECT_EQ(fs_->StatFs()->f_bfree, 16u);
  EXPECT_EQ(*Write(Open(*fs_->root()->Lookup(context_, "other", {})), "z", 0), 1u);
}

TEST_F(SmallTmpfsTest, LimitsInodes) {
  for (const char* name : {"a", "b", "c"}) Create(name);
  EXPECT_EQ(fs_->root()->Create(context_, "d", {.mode = S_IFDIR}).code(), ENOSPC);
  ASSERT_TRUE(fs_->root()->Unlink("a", *fs_->root()).ok());
  Create("d", S_IFDIR | 0755);
}

TEST(TmpfsOptionsTest, ReadsSizesModesAndOwners) {
  auto options = ParseTmpfsOptions("size=64k,mode=1755,uid=5,gid=6,nr_inodes=1k");
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->pages, 16u);
  EXPECT_EQ(options->mode, mode_t{01755});
  EXPECT_EQ(options->uid, 5u);
  EXPECT_EQ(options->gid, 6u);
  EXPECT_EQ(options->inodes, 1024u);
  EXPECT_EQ(ParseTmpfsOptions("size=2G")->pages, uint64_t{2} << 18);
  EXPECT_EQ(ParseTmpfsOptions("size=1")->pages, 1u);
  EXPECT_EQ(ParseTmpfsOptions("size=50%")->pages, DefaultTmpfsPages());
  EXPECT_EQ(ParseTmpfsOptions("nr_blocks=2")->pages, 2u);
}

TEST(TmpfsOptionsTest, NamesTheOptionThatIsWrong) {
  for (const char* text : {"size=", "size=x", "size=5x", "nr_blocks=10%", "mode=9", "uid=-1",
                           "unknown=1", "size=99999999999999999999"}) {
    auto options = ParseTmpfsOptions(text);
    EXPECT_EQ(options.code(), EINVAL) << text;
    EXPECT_NE(options.error().message().find(text), std::string::npos);
  }
}

}  // namespace
}  // namespace runsc::boot
