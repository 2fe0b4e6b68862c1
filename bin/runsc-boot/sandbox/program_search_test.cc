#include "bin/runsc-boot/sandbox/program_search.h"

#include <gtest/gtest.h>

#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"
#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot {
namespace {

class ProgramSearchTest : public testing::Test {
 protected:
  ProgramSearchTest() {
    auto filesystem = std::make_shared<TmpfsFilesystem>(TmpfsOptions{});
    auto mount = std::make_shared<Mount>(
        0, filesystem, std::make_shared<Dentry>(nullptr, "", filesystem->root()), 0, "none");
    Path top{mount, mount->root()};
    fs_ = std::make_unique<FsContext>(std::make_shared<MountNamespace>(mount), top, top, 0);
    for (const char* name : {"/bin", "/sbin", "/bin/directory"}) {
      EXPECT_TRUE(vfs_.Mkdir(caller(), Start(), name, 0755).ok());
    }
    Make("/bin/sh", 0755);
    Make("/sbin/tool", 0644);
    Make("/bin/both", 0644);
    Make("/sbin/both", 0755);
  }

  void Make(const std::string& path, mode_t mode) {
    EXPECT_TRUE(vfs_.Mknod(caller(), Start(), path, S_IFREG | mode, 0).ok());
  }
  WalkOptions Start() {
    WalkOptions walk;
    walk.start = fs_->root();
    return walk;
  }
  Caller caller() { return {context_, *fs_}; }
  Result<std::string> Find(const std::string& name) {
    return FindProgram(vfs_, caller(), name, {"A=b", "PATH=/bin:/sbin"});
  }

  Vfs vfs_;
  KernelContext context_;
  std::unique_ptr<FsContext> fs_;
};

TEST_F(ProgramSearchTest, NamesWithoutASlashAreLookedForAlongThePath) {
  EXPECT_EQ(Find("sh").value_or(""), "/bin/sh");
}

TEST_F(ProgramSearchTest, NamesWithASlashAreTakenAsTheyAre) {
  EXPECT_EQ(Find("/bin/sh").value_or(""), "/bin/sh");
  EXPECT_EQ(Find("bin/sh").value_or(""), "bin/sh");
  EXPECT_EQ(Find("/bin/none").code(), ENOENT);
}

TEST_F(ProgramSearchTest, FilesThatCannotBeExecutedArePassedOver) {
  EXPECT_EQ(Find("both").value_or(""), "/sbin/both");
}

TEST_F(ProgramSearchTest, OnlyAFileThatCannotBeExecutedIsADifferentError) {
  EXPECT_EQ(Find("tool").code(), EACCES);
  EXPECT_EQ(Find("directory").code(), EACCES);
}

TEST_F(ProgramSearchTest, MissingProgramsAreNamed) {
  auto result = Find("none");
  EXPECT_EQ(result.code(), ENOENT);
  EXPECT_NE(result.error().message().find("none"), std::string::npos);
}

}  // namespace
}  // namespace runsc::boot
