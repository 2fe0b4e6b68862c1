// Many threads change one tree; what remains must be consistent. Meant for the
// sanitizers as much as for its own checks.
#include <gtest/gtest.h>
#include <linux/fs.h>

#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bin/runsc-boot/fs/overlay/overlay.h"
#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"
#include "bin/runsc-boot/vfs/kernel_context.h"
#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {
namespace {

class StressTest : public ::testing::TestWithParam<bool> {
 protected:
  StressTest() {
    // Directories are locked from the root down. Abseil remembers orders for
    // ever, but a rename may turn the order of two directories round.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    FilesystemRef filesystem = std::make_shared<TmpfsFilesystem>(TmpfsOptions{});
    if (GetParam()) {
      auto upper = std::make_shared<TmpfsFilesystem>(TmpfsOptions{});
      filesystem = *OverlayFilesystem::Make(upper, filesystem);
    }
    auto root = std::make_shared<Dentry>(nullptr, "", filesystem->root());
    auto mount = std::make_shared<Mount>(1, filesystem, root, 0, "x");
    Path path{mount, root};
    fs_ = std::make_shared<FsContext>(std::make_shared<MountNamespace>(mount), path, path, 022);
  }

  std::string RandomPath(std::minstd_rand& random) {
    std::string path;
    for (int depth = 1 + static_cast<int>(random() % 3); depth > 0; --depth) {
      path += "/" + std::string(1, static_cast<char>('a' + random() % 4));
    }
    return path;
  }

  void Change(std::minstd_rand& random) {
    KernelContext context;
    Caller caller{context, *fs_};
    WalkOptions walk{.follow_last = false};
    std::string path = RandomPath(random), other = RandomPath(random);
    switch (random() % 9) {
      case 0:
        (void)vfs_.Mkdir(caller, walk, path, 0755);
        break;
      case 1: {
        auto file = vfs_.Open(caller, walk, path, {O_RDWR | O_CREAT, 0644});
        if (!file.ok()) break;
        std::string text(random() % 20000, 'x');
        KernelBuffer buffer(text.data(), text.size());
        (void)(*file)->Write(context, buffer);
        break;
      }
      case 2:
        (void)vfs_.Unlink(caller, walk, path);
        break;
      case 3:
        (void)vfs_.Rmdir(caller, walk, path);
        break;
      case 4:
        (void)vfs_.Rename(caller, walk, path, walk, other, 0);
        break;
      case 5:
        (void)vfs_.Rename(caller, walk, path, walk, other, RENAME_EXCHANGE);
        break;
      case 6: {
        auto target = vfs_.Walk(caller, walk, path);
        if (target.ok()) (void)vfs_.Link(caller, *target, walk, other);
        break;
      }
      case 7: {
        auto found = vfs_.Walk(caller, walk, path + "/../b");
        if (found.ok()) (void)vfs_.PathName(*fs_->mounts(), *found, fs_->root());
        break;
      }
      case 8: {
        auto directory = vfs_.Open(caller, walk, path, {O_RDONLY | O_DIRECTORY, 0});
        if (!directory.ok()) break;
        (void)(*directory)->ReadDirectory(context, [](const DirectoryEntry&) { return true; });
        break;
      }
    }
  }

  // Every listed name can be found and is what the list says.
  void Check(const std::string& path) {
    KernelContext context;
    Caller caller{context, *fs_};
    WalkOptions walk{.follow_last = false};
    auto directory = vfs_.Open(caller, walk, path, {O_RDONLY | O_DIRECTORY, 0});
    ASSERT_TRUE(directory.ok()) << path;
    std::vector<std::pair<std::string, DirectoryEntry>> entries;
    ASSERT_TRUE((*directory)
                    ->ReadDirectory(context,
                                    [&](const DirectoryEntry& entry) {
                                      entries.emplace_back(std::string(entry.name), entry);
                                      return true;
                                    })
                    .ok());
    for (const auto& [name, entry] : entries) {
      if (name == "." || name == "..") continue;
      std::string child = (path == "/" ? "" : path) + "/" + name;
      auto found = vfs_.Walk(caller, walk, child);
      ASSERT_TRUE(found.ok()) << child;
      Attributes attributes = *vfs_.GetAttributes(*found);
      EXPECT_EQ(attributes.ino, entry.ino) << child;
      EXPECT_EQ(vfs_.PathName(*fs_->mounts(), *found, fs_->root()), child);
      if (attributes.IsDirectory()) Check(child);
    }
  }

  Vfs vfs_;
  std::shared_ptr<FsContext> fs_;
};

TEST_P(StressTest, ConcurrentChangesLeaveAConsistentTree) {
  std::vector<std::thread> threads;
  for (unsigned seed = 1; seed <= 4; ++seed) {
    threads.emplace_back([this, seed] {
      std::minstd_rand random(seed);
      for (int i = 0; i < 4000; ++i) Change(random);
    });
  }
  for (std::thread& thread : threads) thread.join();
  Check("/");
}

INSTANTIATE_TEST_SUITE_P(Filesystems, StressTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Overlay" : "Tmpfs"; });

}  // namespace
}  // namespace runsc::boot
