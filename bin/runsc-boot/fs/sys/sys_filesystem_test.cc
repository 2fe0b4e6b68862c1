#include "bin/runsc-boot/fs/sys/sys_filesystem.h"

#include <gtest/gtest.h>

#include "bin/runsc-boot/vfs/kernel_context.h"
#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot::sys {
namespace {

class SysTest : public testing::Test {
 protected:
  explicit SysTest(int cpus = 3) {
    auto filesystem = MakeSysFilesystem({9, cpus});
    auto mount = std::make_shared<Mount>(
        0, filesystem, std::make_shared<Dentry>(nullptr, "", filesystem->root()), 0, "sysfs");
    Path top{mount, mount->root()};
    fs_ = std::make_unique<FsContext>(std::make_shared<MountNamespace>(mount), top, top, 0);
  }

  std::string Read(const std::string& path) {
    WalkOptions walk;
    walk.start = fs_->root();
    auto file = vfs_.Open({context_, *fs_}, walk, path, {O_RDONLY, 0});
    if (!file.ok()) return "cannot be opened";
    char buffer[256];
    KernelBuffer destination(buffer, sizeof(buffer));
    auto count = (*file)->Read(context_, destination);
    return count.ok() ? std::string(buffer, *count) : "cannot be read";
  }

  Vfs vfs_;
  KernelContext context_;
  std::unique_ptr<FsContext> fs_;
};

TEST_F(SysTest, ProcessorsAreThoseOfTheContainer) {
  EXPECT_EQ(Read("/devices/system/cpu/online"), "0-2\n");
  EXPECT_EQ(Read("/devices/system/cpu/cpu2/topology/core_id"), "2\n");
  EXPECT_EQ(Read("/devices/system/cpu/cpu2/topology/thread_siblings"), "4\n");
  EXPECT_EQ(Read("/devices/system/cpu/cpu3/topology/core_id"), "cannot be opened");
}

TEST_F(SysTest, LoopbackIsFoundThroughItsClass) { EXPECT_EQ(Read("/class/net/lo/mtu"), "65536\n"); }

TEST_F(SysTest, FilesCannotBeWritten) {
  WalkOptions walk;
  walk.start = fs_->root();
  auto path = vfs_.Walk({context_, *fs_}, walk, "/kernel/mm/transparent_hugepage/enabled");
  ASSERT_TRUE(path.ok());
  auto attributes = vfs_.GetAttributes(*path);
  EXPECT_EQ(attributes->mode, mode_t{S_IFREG | 0444});
  EXPECT_EQ(attributes->size, 4096u);
}

}  // namespace
}  // namespace runsc::boot::sys
