#include "bin/runsc-boot/fs/overlay/overlay.h"

#include <gtest/gtest.h>
#include <linux/fs.h>

#include <set>
#include <string>

#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"
#include "bin/runsc-boot/vfs/kernel_context.h"
#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {
namespace {

// One tree with Vfs calls for tests.
struct Tree {
  Tree(Vfs& tree_vfs, FilesystemRef filesystem) : vfs(tree_vfs) {
    auto root = std::make_shared<Dentry>(nullptr, "", filesystem->root());
    auto mount = std::make_shared<Mount>(1, filesystem, root, 0, "x");
    Path path{mount, root};
    fs = std::make_shared<FsContext>(std::make_shared<MountNamespace>(mount), path, path, 0);
  }
  Caller caller() { return Caller{context, *fs}; }
  WalkOptions walk(bool follow = false) { return WalkOptions{.follow_last = follow}; }
  void Mkdir(const std::string& path) {
    ASSERT_EQ(vfs.Mkdir(caller(), walk(), path, 0755).code(), 0) << path;
  }
  void Write(const std::string& path, std::string text, int flags = O_CREAT | O_TRUNC) {
    auto file = vfs.Open(caller(), walk(), path, {O_WRONLY | flags, 0644});
    ASSERT_EQ(file.code(), 0) << path;
    KernelBuffer buffer(text.data(), text.size());
    ASSERT_EQ(*(*file)->Write(context, buffer), text.size());
  }
  std::string Read(const std::string& path) {
    auto file = vfs.Open(caller(), walk(), path, {O_RDONLY, 0});
    if (!file.ok()) return "error " + std::to_string(file.code());
    return ReadFile(**file);
  }
  std::string ReadFile(File& file) {
    std::string text(65536, 0);
    KernelBuffer buffer(text.data(), text.size());
    text.resize(*file.Read(context, buffer));
    return text;
  }
  int Unlink(const std::string& path) { return vfs.Unlink(caller(), walk(), path).code(); }
  int Rmdir(const std::string& path) { return vfs.Rmdir(caller(), walk(), path).code(); }
  int Rename(const std::string& from, const std::string& to, unsigned flags = 0) {
    return vfs.Rename(caller(), walk(), from, walk(), to, flags).code();
  }
  std::string List(const std::string& path) {
    auto file = vfs.Open(caller(), walk(), path, {O_RDONLY | O_DIRECTORY, 0});
    std::set<std::string> names;
    EXPECT_TRUE((*file)
                    ->ReadDirectory(context,
                                    [&](const DirectoryEntry& entry) {
                                      EXPECT_TRUE(names.insert(std::string(entry.name)).second)
                                          << "twice: " << entry.name;
                                      return true;
                                    })
                    .ok());
    std::string text;
    for (const std::string& name : names) {
      if (name != "." && name != "..") text += name + " ";
    }
    return text;
  }
  Attributes Stat(const std::string& path) {
    auto found = vfs.Walk(caller(), walk(), path);
    EXPECT_TRUE(found.ok()) << path;
    return *vfs.GetAttributes(*found);
  }

  Vfs& vfs;
  KernelContext context;
  std::shared_ptr<FsContext> fs;
};

class OverlayTest : public ::testing::Test {
 protected:
  OverlayTest()
      : lower_fs_(std::make_shared<TmpfsFilesystem>(TmpfsOptions{})),
        upper_fs_(std::make_shared<TmpfsFilesystem>(TmpfsOptions{})),
        lower_(vfs_, lower_fs_) {
    lower_.Mkdir("/dir");
    lower_.Mkdir("/dir/sub");
    lower_.Write("/dir/file", "lower");
    lower_.Write("/dir/other", "other");
    lower_.Write("/dir/sub/deep", "deep");
    overlay_ = std::make_unique<Tree>(vfs_, *OverlayFilesystem::Make(upper_fs_, lower_fs_));
  }
  Vfs vfs_;
  FilesystemRef lower_fs_, upper_fs_;
  Tree lower_;
  std::unique_ptr<Tree> overlay_;
};

TEST_F(OverlayTest, ShowsWhatIsBelow) {
  EXPECT_EQ(overlay_->Read("/dir/file"), "lower");
  EXPECT_EQ(overlay_->List("/dir"), "file other sub ");
  EXPECT_EQ(overlay_->Stat("/dir/file").ino, lower_.Stat("/dir/file").ino);
}

TEST_F(OverlayTest, WritesCopyUpAndLeaveTheLowerAlone) {
  uint64_t ino = overlay_->Stat("/dir/sub/deep").ino;
  overlay_->Write("/dir/sub/deep", "DE", 0);
  EXPECT_EQ(overlay_->Read("/dir/sub/deep"), "DEep");
  EXPECT_EQ(lower_.Read("/dir/sub/deep"), "deep");
  EXPECT_EQ(overlay_->Stat("/dir/sub/deep").ino, ino);
  EXPECT_EQ(overlay_->List("/dir/sub"), "deep ");
  EXPECT_EQ(overlay_->List("/dir"), "file other sub ");
}

TEST_F(OverlayTest, AttributesAndXattrsAreCopiedUp) {
  Path path = *vfs_.Walk(lower_.caller(), lower_.walk(), "/dir/file");
  ASSERT_TRUE(vfs_.SetXattr(lower_.caller(), path, "user.a", "1", 0).ok());
  ASSERT_TRUE(vfs_.Chown(lower_.caller(), path, 7, 8).ok());
  Path above = *vfs_.Walk(overlay_->caller(), overlay_->walk(), "/dir/file");
  ASSERT_TRUE(vfs_.Chmod(overlay_->caller(), above, 0600).ok());
  EXPECT_EQ(overlay_->Stat("/dir/file").mode, mode_t{S_IFREG | 0600});
  EXPECT_EQ(overlay_->Stat("/dir/file").uid, 7u);
  EXPECT_EQ(lower_.Stat("/dir/file").mode, mode_t{S_IFREG | 0644});
  EXPECT_EQ(*vfs_.GetXattr(overlay_->caller(), above, "user.a"), "1");
  EXPECT_EQ(vfs_.ListXattr(overlay_->caller(), above)->size(), 1u);
  EXPECT_EQ(overlay_->Read("/dir/file"), "lower");
}

TEST_F(OverlayTest, RemovedNamesStayRemovedAndCanBeUsedAgain) {
  EXPECT_EQ(overlay_->Unlink("/dir/file"), 0);
  EXPECT_EQ(overlay_->Read("/dir/file"), "error 2");
  EXPECT_EQ(overlay_->List("/dir"), "other sub ");
  EXPECT_EQ(lower_.Read("/dir/file"), "lower");
  overlay_->Write("/dir/file", "new");
  EXPECT_EQ(overlay_->Read("/dir/file"), "new");
  EXPECT_EQ(overlay_->Unlink("/dir/file"), 0);
  EXPECT_EQ(overlay_->List("/dir"), "other sub ");
}

TEST_F(OverlayTest, ARemovedDirectoryComesBackEmpty) {
  EXPECT_EQ(overlay_->Rmdir("/dir/sub"), ENOTEMPTY);
  EXPECT_EQ(overlay_->Unlink("/dir/sub/deep"), 0);
  EXPECT_EQ(overlay_->Rmdir("/dir/sub"), 0);
  EXPECT_EQ(overlay_->List("/dir"), "file other ");
  overlay_->Mkdir("/dir/sub");
  EXPECT_EQ(overlay_->List("/dir/sub"), "");
  EXPECT_EQ(overlay_->Read("/dir/sub/deep"), "error 2");
  overlay_->Write("/dir/sub/mine", "x");
  EXPECT_EQ(overlay_->List("/dir/sub"), "mine ");
  EXPECT_EQ(lower_.Read("/dir/sub/deep"), "deep");
}

TEST_F(OverlayTest, FilesAreRenamedWithTheirContent) {
  EXPECT_EQ(overlay_->Rename("/dir/file", "/moved"), 0);
  EXPECT_EQ(overlay_->Read("/moved"), "lower");
  EXPECT_EQ(overlay_->List("/dir"), "other sub ");
  EXPECT_EQ(overlay_->Rename("/moved", "/dir/other"), 0);
  EXPECT_EQ(overlay_->Read("/dir/other"), "lower");
  EXPECT_EQ(overlay_->List("/"), "dir ");
  EXPECT_EQ(overlay_->Rename("/dir/other", "/dir/file"), 0);
  EXPECT_EQ(overlay_->List("/dir"), "file sub ");
}

TEST_F(OverlayTest, RenamedFilesCanStillBeWritten) {
  auto file = vfs_.Open(overlay_->caller(), overlay_->walk(), "/dir/file", {O_RDONLY, 0});
  ASSERT_EQ(overlay_->Rename("/dir/file", "/dir/renamed"), 0);
  overlay_->Write("/dir/renamed", "changed");
  EXPECT_EQ(overlay_->Read("/dir/renamed"), "changed");
  EXPECT_EQ(overlay_->ReadFile(**file), "lower");
  EXPECT_EQ((*file)->GetAttributes()->ino, overlay_->Stat("/dir/renamed").ino);
}

TEST_F(OverlayTest, DirectoriesFromBelowCannotBeRenamedNewOnesCan) {
  EXPECT_EQ(overlay_->Rename("/dir", "/dir2"), EXDEV);
  overlay_->Mkdir("/new");
  overlay_->Write("/new/x", "x");
  EXPECT_EQ(overlay_->Rename("/new", "/newer"), 0);
  EXPECT_EQ(overlay_->Read("/newer/x"), "x");
  EXPECT_EQ(overlay_->Rename("/newer", "/dir/sub"), ENOTEMPTY);
  EXPECT_EQ(overlay_->Unlink("/dir/sub/deep"), 0);
  EXPECT_EQ(overlay_->Rename("/newer", "/dir/sub"), 0);
  EXPECT_EQ(overlay_->List("/dir/sub"), "x ");
}

TEST_F(OverlayTest, ExchangeSwapsFilesOfBothLayers) {
  overlay_->Write("/new", "new");
  EXPECT_EQ(overlay_->Rename("/new", "/dir/file", RENAME_EXCHANGE), 0);
  EXPECT_EQ(overlay_->Read("/new"), "lower");
  EXPECT_EQ(overlay_->Read("/dir/file"), "new");
}

TEST_F(OverlayTest, ChangesOfARemovedFileDoNotBringItsNameBack) {
  auto file = vfs_.Open(overlay_->caller(), overlay_->walk(), "/dir/file", {O_RDONLY, 0});
  ASSERT_EQ(overlay_->Unlink("/dir/file"), 0);
  ASSERT_EQ(vfs_.Chmod(overlay_->caller(), (*file)->path(), 0600).code(), 0);
  EXPECT_EQ((*file)->GetAttributes()->mode, mode_t{S_IFREG | 0600});
  EXPECT_EQ(overlay_->Read("/dir/file"), "error 2");
  EXPECT_EQ(overlay_->List("/dir"), "other sub ");
}

TEST_F(OverlayTest, HardLinksShareTheCopy) {
  Path file = *vfs_.Walk(overlay_->caller(), overlay_->walk(), "/dir/file");
  ASSERT_EQ(vfs_.Link(overlay_->caller(), file, overlay_->walk(), "/linked").code(), 0);
  overlay_->Write("/linked", "both", O_TRUNC);
  EXPECT_EQ(overlay_->Read("/dir/file"), "both");
  EXPECT_EQ(overlay_->Stat("/linked").nlink, 2u);
  EXPECT_EQ(overlay_->Stat("/linked").ino, overlay_->Stat("/dir/file").ino);
}

TEST_F(OverlayTest, SymlinksAndNewTreesWork) {
  ASSERT_TRUE(vfs_.Symlink(lower_.caller(), "dir/file", lower_.walk(), "/link").ok());
  auto text = vfs_.Open(overlay_->caller(), overlay_->walk(true), "/link", {O_RDONLY, 0});
  ASSERT_EQ(text.code(), 0);
  overlay_->Mkdir("/a");
  overlay_->Mkdir("/a/b");
  overlay_->Write("/a/b/c", "c");
  EXPECT_EQ(overlay_->Rmdir("/a"), ENOTEMPTY);
  EXPECT_EQ(overlay_->Unlink("/a/b/c"), 0);
  EXPECT_EQ(overlay_->Rmdir("/a/b"), 0);
  EXPECT_EQ(overlay_->Rmdir("/a"), 0);
  EXPECT_EQ(lower_.List("/"), "dir link ");
}

TEST_F(OverlayTest, ACopyThatDoesNotFitLeavesTheLowerVisible) {
  lower_.Write("/big", std::string(200000, 'x'));
  auto small = std::make_shared<TmpfsFilesystem>(TmpfsOptions{.pages = 16});
  Tree tree(vfs_, *OverlayFilesystem::Make(small, lower_fs_));
  EXPECT_EQ(vfs_.Open(tree.caller(), tree.walk(), "/big", {O_WRONLY, 0}).code(), ENOSPC);
  EXPECT_EQ(tree.Stat("/big").size, 200000u);
  EXPECT_EQ(tree.Read("/big").size(), 65536u);
}

}  // namespace
}  // namespace runsc::boot
