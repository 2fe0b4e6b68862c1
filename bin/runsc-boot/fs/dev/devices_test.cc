#include "bin/runsc-boot/fs/dev/devices.h"

#include <gtest/gtest.h>
#include <sys/sysmacros.h>

#include <string>

#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"
#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot {
namespace {

class DevicesTest : public ::testing::Test {
 protected:
  DevicesTest() {
    RegisterStandardDevices(vfs_);
    auto tmpfs = std::make_shared<TmpfsFilesystem>(TmpfsOptions{});
    auto root = std::make_shared<Dentry>(nullptr, "", tmpfs->root());
    auto mount = std::make_shared<Mount>(1, tmpfs, root, 0, "dev");
    Path path{mount, root};
    fs_ = std::make_shared<FsContext>(std::make_shared<MountNamespace>(mount), path, path, 0);
  }
  FileRef Open(unsigned minor) {
    const unsigned number = made_++;
    Caller caller{context_, *fs_};
    std::string name = "/" + std::to_string(number);
    EXPECT_TRUE(vfs_.Mknod(caller, WalkOptions(), name, S_IFCHR | 0666, makedev(1, minor)).ok());
    auto file = vfs_.Open(caller, WalkOptions(), name, {O_RDWR, 0});
    EXPECT_TRUE(file.ok());
    return *file;
  }
  Result<std::string> Read(const FileRef& file, size_t size) {
    std::string text(size, 'x');
    KernelBuffer buffer(text.data(), text.size());
    TRY_ASSIGN(size_t count, file->Read(context_, buffer));
    text.resize(count);
    return text;
  }
  Result<size_t> Write(const FileRef& file) {
    char text[] = "text";
    KernelBuffer buffer(text, 4);
    return file->Write(context_, buffer);
  }
  Vfs vfs_;
  KernelContext context_;
  std::shared_ptr<FsContext> fs_;
  unsigned made_ = 0;
};

TEST_F(DevicesTest, NullIsEmptyAndTakesEverything) {
  FileRef file = Open(3);
  EXPECT_EQ(*Read(file, 10), "");
  EXPECT_EQ(*Write(file), 4u);
}

TEST_F(DevicesTest, ZeroAndFullReadAsZeros) {
  EXPECT_EQ(*Read(Open(5), 40000), std::string(40000, 0));
  EXPECT_TRUE(Open(5)->MapsAsAnonymous());
  FileRef full = Open(7);
  EXPECT_EQ(*Read(full, 3), std::string(3, 0));
  EXPECT_EQ(Write(full).code(), ENOSPC);
}

TEST_F(DevicesTest, RandomIsRandom) {
  FileRef file = Open(9);
  EXPECT_EQ(Read(file, 10000)->size(), 10000u);
  EXPECT_NE(*Read(file, 16), *Read(file, 16));
  EXPECT_EQ(*Write(file), 4u);
}

}  // namespace
}  // namespace runsc::boot
