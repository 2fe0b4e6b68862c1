#include "bin/runsc-boot/sandbox/mounts.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

#include "bin/runsc-boot/fs/pseudo/tree.h"
#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"

namespace runsc::boot {
namespace {

// A root that cannot be written, as a read-only bundle's.
FilesystemRef ReadOnlyRoot() {
  auto filesystem =
      std::make_shared<pseudo::PseudoFilesystem>(pseudo::FilesystemTraits{"root", 1, 1, ""});
  auto root = std::make_shared<pseudo::StaticDirectory>(*filesystem, pseudo::kRootIno, 0755);
  pseudo::Tree tree(*filesystem, root);
  tree.Directory("proc");
  tree.Text("etc/hosts", "localhost");
  filesystem->SetRoot(root);
  return filesystem;
}

FilesystemRef Marked(const std::string& name) {
  auto filesystem =
      std::make_shared<pseudo::PseudoFilesystem>(pseudo::FilesystemTraits{"mark", 2, 2, ""});
  auto root = std::make_shared<pseudo::StaticDirectory>(*filesystem, pseudo::kRootIno, 0755);
  pseudo::Tree(*filesystem, root).Text(name, name);
  pseudo::Tree(*filesystem, root).Text("sys/settings/one", "1");
  pseudo::Tree(*filesystem, root).Text("secret", "s");
  filesystem->SetRoot(root);
  return filesystem;
}

class MountsTest : public testing::Test {
 protected:
  MountsTest() {
    plan_.root = std::make_shared<TmpfsFilesystem>(TmpfsOptions{});
    plan_.make = [](const std::string& type, const MountOptions& options) -> Result<FilesystemRef> {
      if (type == "proc") return Marked("version");
      if (type != "tmpfs") return Error(ENODEV);
      TRY_ASSIGN(TmpfsOptions parsed, ParseTmpfsOptions(options.data));
      return FilesystemRef(std::make_shared<TmpfsFilesystem>(parsed));
    };
  }

  void AddMount(const std::string& destination, const std::string& type,
                const std::vector<std::string>& options = {}) {
    auto* mount = spec_.add_mounts();
    mount->set_destination(destination);
    mount->set_type(type);
    mount->set_source(type);
    for (const std::string& option : options) mount->add_options(option);
  }

  void Build() {
    auto mounts = BuildMounts(vfs_, plan_);
    ASSERT_TRUE(mounts.ok()) << mounts.error().ToString();
    Path top = (*mounts)->Descend({(*mounts)->root(), (*mounts)->root()->root()});
    fs_ = std::make_unique<FsContext>(*mounts, top, top, 0);
  }

  Result<Path> Walk(const std::string& path) {
    WalkOptions walk;
    walk.start = fs_->root();
    return vfs_.Walk({context_, *fs_}, walk, path);
  }

  oci::Spec spec_;
  MountPlan plan_{spec_};
  Vfs vfs_;
  KernelContext context_;
  std::unique_ptr<FsContext> fs_;
};

TEST_F(MountsTest, MountPointsAreMadeWhereTheyAreMissing) {
  AddMount("/proc", "proc", {"nosuid"});
  AddMount("/a/b/c", "tmpfs", {"mode=700"});
  Build();
  EXPECT_TRUE(Walk("/proc/version").ok());
  auto path = Walk("/a/b/c");
  ASSERT_TRUE(path.ok());
  EXPECT_EQ(vfs_.GetAttributes(*path)->mode, mode_t{S_IFDIR | 0700});
  EXPECT_EQ(Walk("/proc")->mount->flags(), MountFlags{MS_NOSUID | MS_RELATIME});
}

TEST_F(MountsTest, ARootThatCannotBeWrittenIsMountedOnAllTheSame) {
  plan_.root = ReadOnlyRoot();
  AddMount("/proc", "proc");
  AddMount("/scratch", "tmpfs");
  Build();
  EXPECT_TRUE(Walk("/proc/version").ok());
  auto scratch = Walk("/scratch");
  ASSERT_TRUE(scratch.ok());
  EXPECT_STREQ(scratch->mount->filesystem()->type(), "tmpfs");
  EXPECT_EQ(vfs_.PathName(*fs_->mounts(), *scratch, fs_->root()), "/scratch");
}

TEST_F(MountsTest, DevHasTheNodesThatEveryContainerNeeds) {
  AddMount("/dev", "tmpfs", {"nosuid", "mode=711"});
  Build();
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    auto path = Walk(std::string("/dev/") + name);
    ASSERT_TRUE(path.ok()) << name;
    EXPECT_TRUE(S_ISCHR(vfs_.GetAttributes(*path)->mode)) << name;
  }
  EXPECT_EQ(vfs_.GetAttributes(*Walk("/dev"))->mode, mode_t{S_IFDIR | 0711});
  EXPECT_EQ(vfs_.GetAttributes(*Walk("/dev/shm"))->mode, mode_t{S_IFDIR | 01777});
}

TEST_F(MountsTest, ServedTreesLieWhereTheGoferResolvedThem) {
  AddMount("/link/data", "bind", {"ro"});
  plan_.served[0] = {Marked("file"), "/real/data", true};
  Build();
  auto path = Walk("/real/data/file");
  ASSERT_TRUE(path.ok());
  EXPECT_TRUE(path->mount->read_only());
  EXPECT_EQ(Walk("/link").code(), ENOENT);
}

TEST_F(MountsTest, BindMountsThatNobodyServesAreErrors) {
  AddMount("/data", "bind");
  auto mounts = BuildMounts(vfs_, plan_);
  EXPECT_EQ(mounts.code(), EINVAL);
  EXPECT_NE(mounts.error().message().find("/data"), std::string::npos);
}

TEST_F(MountsTest, UnknownTypesAreNamed) {
  AddMount("/x", "zfs");
  auto mounts = BuildMounts(vfs_, plan_);
  EXPECT_EQ(mounts.code(), ENODEV);
  EXPECT_NE(mounts.error().message().find("zfs"), std::string::npos);
}

TEST_F(MountsTest, MaskedFilesAreEmptyDevicesAndMaskedDirectoriesAreEmpty) {
  AddMount("/proc", "proc");
  spec_.mutable_linux()->add_masked_paths("/proc/secret");
  spec_.mutable_linux()->add_masked_paths("/proc/sys");
  spec_.mutable_linux()->add_masked_paths("/proc/nothing");
  Build();
  EXPECT_TRUE(S_ISCHR(vfs_.GetAttributes(*Walk("/proc/secret"))->mode));
  EXPECT_EQ(Walk("/proc/sys/settings").code(), ENOENT);
  EXPECT_TRUE(Walk("/proc/sys")->mount->read_only());
}

TEST_F(MountsTest, ReadOnlyPathsKeepTheirContents) {
  AddMount("/proc", "proc", {"nosuid"});
  spec_.mutable_linux()->add_readonly_paths("/proc/sys");
  Build();
  auto path = Walk("/proc/sys/settings/one");
  ASSERT_TRUE(path.ok());
  EXPECT_TRUE(path->mount->read_only());
  EXPECT_FALSE(Walk("/proc/version")->mount->read_only());
}

}  // namespace
}  // namespace runsc::boot
