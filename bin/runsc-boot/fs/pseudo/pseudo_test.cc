#include <dirent.h>
#include <gtest/gtest.h>

#include <vector>

#include "bin/runsc-boot/fs/pseudo/tree.h"
#include "bin/runsc-boot/vfs/kernel_context.h"
#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot::pseudo {
namespace {

class PseudoTest : public testing::Test {
 protected:
  PseudoTest()
      : filesystem_(std::make_shared<PseudoFilesystem>(FilesystemTraits{"test", 42, 77, ""})),
        root_(std::make_shared<StaticDirectory>(*filesystem_, kRootIno, 0555)),
        tree_(*filesystem_, root_) {
    filesystem_->SetRoot(root_);
    auto mount = std::make_shared<Mount>(
        0, filesystem_, std::make_shared<Dentry>(nullptr, "", filesystem_->root()), 0, "test");
    auto mounts = std::make_shared<MountNamespace>(mount);
    Path top{mount, mount->root()};
    fs_ = std::make_unique<FsContext>(mounts, top, top, 022);
  }

  Result<FileRef> Open(const std::string& path, int flags) {
    WalkOptions walk;
    walk.start = fs_->root();
    return vfs_.Open({context_, *fs_}, walk, path, {flags, 0});
  }

  std::string ReadAll(const std::string& path) {
    auto file = Open(path, O_RDONLY);
    if (!file.ok()) return "error";
    std::string text;
    char buffer[3];
    while (true) {
      KernelBuffer destination(buffer, sizeof(buffer));
      auto count = (*file)->Read(context_, destination);
      if (!count.ok() || *count == 0) return text;
      text.append(buffer, *count);
    }
  }

  std::vector<std::string> List(File& directory, size_t limit) {
    std::vector<std::string> names;
    auto emit = [&](const DirectoryEntry& entry) {
      if (names.size() == limit) return false;
      names.emplace_back(entry.name);
      return true;
    };
    EXPECT_TRUE(directory.ReadDirectory(context_, emit).ok());
    return names;
  }

  KernelContext context_;
  std::shared_ptr<PseudoFilesystem> filesystem_;
  std::shared_ptr<StaticDirectory> root_;
  Tree tree_;
  Vfs vfs_;
  std::unique_ptr<FsContext> fs_;
};

TEST_F(PseudoTest, ContentsAreMadeWhenReadFromTheBeginning) {
  int made = 0;
  tree_.File("a/b/count", 0444, [&](Context&) { return "value " + std::to_string(++made); });
  EXPECT_EQ(ReadAll("/a/b/count"), "value 1");
  EXPECT_EQ(ReadAll("/a/b/count"), "value 2");
}

TEST_F(PseudoTest, RewindingMakesTheContentsAfresh) {
  int made = 0;
  tree_.File("count", 0444, [&](Context&) { return std::to_string(++made); });
  auto file = Open("/count", O_RDONLY);
  ASSERT_TRUE(file.ok());
  char c = 0;
  for (char expected : {'1', '2'}) {
    KernelBuffer buffer(&c, 1);
    ASSERT_TRUE((*file)->PRead(context_, buffer, 0).ok());
    EXPECT_EQ(c, expected);
  }
}

TEST_F(PseudoTest, WritesGoToTheWriter) {
  std::string written;
  tree_.File(
      "setting", 0644, [&](Context&) { return written; },
      [&](Context&, std::string_view text) {
        written = text;
        return Ok();
      });
  auto file = Open("/setting", O_WRONLY | O_TRUNC);
  ASSERT_TRUE(file.ok());
  char text[] = "on\n";
  KernelBuffer buffer(text, 3);
  EXPECT_EQ((*file)->Write(context_, buffer).value_or(0), 3u);
  EXPECT_EQ(ReadAll("/setting"), "on\n");
}

TEST_F(PseudoTest, DirectoriesListTheirEntriesInPieces) {
  for (const char* name : {"one", "two", "three"}) tree_.Text(name, "");
  auto file = Open("/", O_RDONLY | O_DIRECTORY);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(List(**file, 1), std::vector<std::string>({"."}));
  EXPECT_EQ(List(**file, 2), std::vector<std::string>({"..", "one"}));
  EXPECT_EQ(List(**file, 9), std::vector<std::string>({"two", "three"}));
  EXPECT_EQ(List(**file, 9), std::vector<std::string>());
}

TEST_F(PseudoTest, ListedInodeNumbersAreThoseOfStat) {
  tree_.Text("dir/file", "");
  WalkOptions walk;
  walk.start = fs_->root();
  auto path = vfs_.Walk({context_, *fs_}, walk, "/dir");
  ASSERT_TRUE(path.ok());
  auto attributes = vfs_.GetAttributes(*path);
  auto entries = root_->List(context_, kFirstOffset);
  ASSERT_EQ(entries->size(), 1u);
  EXPECT_EQ((*entries)[0].ino, attributes->ino);
  EXPECT_EQ((*entries)[0].type, DT_DIR);
  EXPECT_EQ(attributes->dev, 77u);
}

TEST_F(PseudoTest, NothingCanBeMadeOrRemoved) {
  tree_.Text("file", "");
  WalkOptions walk;
  walk.start = fs_->root();
  EXPECT_EQ(vfs_.Mkdir({context_, *fs_}, walk, "/new", 0755).code(), EPERM);
  EXPECT_EQ(vfs_.Unlink({context_, *fs_}, walk, "/file").code(), EPERM);
  EXPECT_EQ(Open("/nothing", O_RDONLY).code(), ENOENT);
}

TEST_F(PseudoTest, InodeNumbersOfSiblingsAndCousinsDiffer) {
  EXPECT_NE(ChildIno(1, "a"), ChildIno(1, "b"));
  EXPECT_NE(ChildIno(1, "a"), ChildIno(2, "a"));
  EXPECT_EQ(ChildIno(1, "a"), ChildIno(1, "a"));
}

}  // namespace
}  // namespace runsc::boot::pseudo
